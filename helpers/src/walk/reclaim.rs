// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim: the test's own memory cgroup is told to give everything back (try_to_unmap()).
//!
//! A page leaves all its mappers or none. One mapper that is missed keeps the page in memory: the
//! others then hold swap entries and that one does not.

use super::fate::{self, Entries, Fate, Page};
use super::{Taken, Walk, needs_pfn};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::State;
use crate::kernel::{lru, lru_gen, sysfs};
use crate::stop::Doing;
use crate::sys::{proc, swap};
use crate::world::model::Frame;
use crate::world::{Hold, World};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// The walk.
pub const RECLAIM: Walk = Walk {
    name: "reclaim",
    offered,
    take,
};

/// How long reclaim is asked again before a page that stayed counts. The kernel deactivates pages by
/// counters of the cgroup that it brings up to date every 2 s only (FLUSH_TIME in mm/memcontrol.c).
const LIMIT: Duration = Duration::from_secs(5);

/// How long a page may be in somebody else's hands: for each look as many pages as DAMON's quota lets it take may have to be written to swap first.
const ISOLATED: Duration = Duration::from_secs(30);

/// Mappers of a page that reclaim must be able to take. shrink_folio_list() keeps a page with 1,024 references (GUP_PIN_COUNTING_BIAS), which
/// folio_maybe_dma_pinned() cannot tell from a pinned one; each mapper is a reference, and some others hold one for a moment.
const MOST_MAPPERS: usize = 1000;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    w.arena().memcg.as_ref().map_err(|e| *e)?;
    w.arena().swap.as_ref().map_err(|e| *e)?;
    Ok(())
}

/// The walk without the look at the pages' content that follows it: they are in swap, and the script says who brings them back.
///
/// # Errors
/// `Skip` when reclaim could not take the control page either.
#[track_caller]
pub fn swap_out(w: &World) -> TestResult {
    super::midway(w, &RECLAIM)
}

/// The suite's own swap is off while this lives.
pub struct SwapOff(PathBuf);

impl Drop for SwapOff {
    fn drop(&mut self) {
        // Where this fails reclaim cannot take the control page of the tests that follow, and they say so.
        let _ = swap::swapon(&self.0, i16::MAX as u16);
    }
}

/// swapoff(2) of the suite's own swap: all that is in it comes back (unuse_pte()).
///
/// # Errors
/// `Skip` where it does not fit into memory.
#[track_caller]
pub fn swap_off(w: &World) -> TestResult<SwapOff> {
    let own = w.arena().swap.as_ref().map_err(|e| Stop::Skip(e))?;
    w.note(String::from("swapoff"));
    match swap::swapoff(&own.device) {
        Ok(()) => Ok(SwapOff(own.device.clone())),
        Err(Errno::ENOMEM) => Err(Stop::Skip("needs more free memory")),
        Err(e) => Err(Stop::error(format_args!("swapoff: {e}"))),
    }
}

/// Reclaim takes what it can; nothing is judged. For pages that may be lost (MADV_FREE).
#[track_caller]
pub fn press(w: &World) -> TestResult {
    offered(w).map_err(Stop::Skip)?;
    w.note(String::from("reclaim"));
    pass(w)
}

/// One pass of [`press`], also where there is no swap: for who asks again until something has gone.
#[track_caller]
pub fn pass(w: &World) -> TestResult {
    one_pass(w)?;
    mark_swapped(w);
    Ok(())
}

fn take(w: &World) -> TestResult<Taken> {
    let objects = w.small_objects()?;
    let pinned = pinned_without_slot(w)?;
    let taken = take_all(w)?;
    judge_slots(w, &pinned)?;
    w.check_swapped(&objects)?;
    Ok(taken)
}

/// Pinned anonymous pages that have no slot in swap.
fn pinned_without_slot(w: &World) -> TestResult<Vec<Page>> {
    if !w.has_pins() || w.features().version() < (5, 11) {
        return Ok(Vec::new());
    }
    let mut pages = fate::pages(w)?;
    pages.retain(|page| page.held == Some(Hold::Pin) && !page.hugetlb);
    let mut without = Vec::new();
    for page in pages {
        let flags = w.page_flags(w.folio_head(page.pfn)?)?;
        if flags.is_some_and(|f| f.has(Flags::ANON) && !f.has(Flags::SWAPCACHE)) {
            without.push(page);
        }
    }
    Ok(without)
}

/// Reclaim gives them none, since they cannot go (feb889fb40fa, Linux 5.11): who unmapped them would make others read what the slot has.
fn judge_slots(w: &World, pinned: &[Page]) -> TestResult {
    for page in pinned {
        let flags = w.page_flags(w.folio_head(page.pfn)?)?;
        if flags.is_some_and(|f| f.has(Flags::SWAPCACHE)) && fate::here(w, page)? {
            return Err(page.fail(
                w,
                "a pinned page gets no slot in swap",
                &format!("flags {flags:?}"),
                &fate::entries(w)?,
            ));
        }
    }
    Ok(())
}

fn take_all(w: &World) -> TestResult<Taken> {
    let first = passes(w)?;
    let again = matches!(first, Ended::Stayed { control: false, .. });
    let second = if again {
        // What took the control's may be impossible since then: others fill the swap as well, which is the only one or the first for
        // the whole machine. A fresh page of the control needs what the page that stayed needs.
        w.freshen_control()?;
        passes(w)?
    } else {
        first
    };
    mark_swapped(w);
    match second {
        Ended::Pointless if again => Ok(Taken::Yes(String::from("late"))),
        Ended::Pointless => Ok(Taken::Pointless),
        Ended::Stayed { pages, .. } if swap_is_full(w, pages.len()) => Ok(Taken::NotNow(format!(
            "{} pages stayed, and the swap is full",
            pages.len()
        ))),
        Ended::All(how) => Ok(Taken::Yes(how)),
        Ended::Stayed {
            control: true,
            pages,
            ..
        } => Ok(Taken::NotNow(format!(
            "{} pages stayed, all of the control too",
            pages.len()
        ))),
        Ended::Stayed {
            attempts,
            pages,
            now,
            ..
        } => {
            let detail = format!(
                "{} page(s) stayed after {attempts} passes that took the control's, twice; flags of the first {:?}",
                pages.len(),
                w.page_flags(pages[0].pfn)?
            );
            let property = "reclaim can take every page that is not locked";
            Err(pages[0].fail(w, property, &detail, &now))
        }
    }
}

/// What passes of reclaim have come to.
enum Ended {
    Pointless,
    /// All that can go has gone; how, for the diagnostic line.
    All(String),
    Stayed {
        attempts: usize,
        pages: Vec<Page>,
        now: Entries,
        /// All pages of the control are among them. A single one that stays is wrong in the control as well.
        control: bool,
    },
}

/// Has the cgroup reclaimed until all that can go has gone, or until the limit.
fn passes(w: &World) -> TestResult<Ended> {
    let pages = fate::pages(w)?;
    // hugetlb pages stay, and nothing is learnt from that.
    if pages.iter().all(|p| p.control || p.hugetlb) {
        return Ok(Ended::Pointless);
    }
    let mut until = w.limit(LIMIT);
    let mut isolated = w.limit(ISOLATED);
    let mut attempts = 0;
    loop {
        attempts += 1;
        one_pass(w)?;
        let (now, fates) = fate::fates(w, &pages)?;
        let left = pages.iter().zip(&fates).filter(|(_, f)| **f == Fate::Left);
        w.tally().walked(RECLAIM.name, left.map(|(page, _)| page));
        let mut stayed = Vec::new();
        for (page, f) in pages.iter().zip(&fates) {
            if judge(w, page, f, &now)? {
                stayed.push(page);
            }
        }
        let stayed = without_excused(w, &pages, stayed, &now)?;
        if stayed.is_empty() {
            return Ok(Ended::All(match attempts {
                1 => String::new(),
                n => format!("{n} passes"),
            }));
        }
        // A page in a CPU's batch is on no list yet. memory.reclaim empties the batches itself, memory.high of before does not.
        lru::drain().doing("drain the LRU batches")?;
        if !until.over() {
            continue;
        }
        // One that is on no list is in the hands of somebody else of the machine (DAMON takes a whole region before it pages out the
        // first): no pass has come across it.
        let mut elsewhere = false;
        for page in &stayed {
            elsewhere |= !on_lru(w, page)?;
        }
        if elsewhere && !isolated.over() {
            continue;
        }
        let is_control = |p: &&Page| p.control;
        let control = stayed.iter().copied().filter(is_control).count();
        return Ok(Ended::Stayed {
            attempts,
            control: control == pages.iter().filter(is_control).count(),
            pages: stayed.into_iter().cloned().collect(),
            now,
        });
    }
}

/// Whether there may be no slot in the swap for so many pages: each CPU keeps some to itself, up to a cluster of 512
/// (SWAPFILE_CLUSTER, mm/swapfile.c).
fn swap_is_full(w: &World, pages: usize) -> bool {
    const KEPT: usize = 512;
    let cpus = proc::allowed_cpus().map_or(1, |cpus| cpus.len().min(16));
    let needed = (pages + KEPT * cpus) * w.page_size();
    let free = w.arena().swap.as_ref().ok().and_then(|s| s.free());
    free.is_some_and(|free| free < needed as u64)
}

/// Whether the page is on an LRU list, as far as can be seen.
fn on_lru(w: &World, page: &Page) -> TestResult<bool> {
    let head = w.folio_head(page.pfn)?;
    Ok(w.page_flags(head)?.is_none_or(|f| f.has(Flags::LRU)))
}

/// Judges what a pass has made of a page. True when it has stayed and could have gone.
fn judge(w: &World, page: &Page, f: &Fate, now: &Entries) -> TestResult<bool> {
    if page.hugetlb {
        return Ok(false);
    }
    if !page.locked.is_empty() {
        // The walk ends at the first locked VMA: the others may have lost it or not.
        let gone = page
            .locked
            .iter()
            .find(|at| !matches!(now[*at].state, State::Present(_)));
        if gone.is_some() {
            return Err(page.fail(
                w,
                "a page that one mapper has locked stays in memory",
                "reclaim took a locked page",
                now,
            ));
        }
        return Ok(false);
    }
    page.judge_pin(w, f, now)?;
    match f {
        Fate::Left => Ok(false),
        Fate::Torn if !page.beside_locked => Err(page.fail(
            w,
            "reclaim takes a page from every mapper or from none",
            "some mappers lost it and others have it",
            now,
        )),
        // The walk ends at the first locked VMA for the whole folio: its other pages may be gone from some mappers.
        Fate::Torn | Fate::Stayed | Fate::Moved(_) => {
            Ok(page.held.is_none() && !page.disk && page.mappers.len() <= MOST_MAPPERS)
        }
    }
}

/// The pages that have stayed, less those that the kernel may keep for what else their folio is:
///
/// * One with a locked page in it stays whole for as long as nobody splits it: try_to_unmap_one() gives up at a locked VMA.
/// * One that was dirtied after MADV_FREE, see [`dirty_stays`].
fn without_excused<'p>(
    w: &World,
    pages: &[Page],
    stayed: Vec<&'p Page>,
    now: &Entries,
) -> TestResult<Vec<&'p Page>> {
    if stayed.is_empty() {
        return Ok(stayed);
    }
    let mut locked = BTreeSet::new();
    for at in pages.iter().flat_map(|p| &p.locked) {
        if let Some(pfn) = now.get(at).and_then(|s| s.pfn()) {
            locked.insert(w.folio_head(pfn)?);
        }
    }
    let dirty_stays = dirty_stays(w);
    let mut left = Vec::new();
    for page in stayed {
        let seen = page.mappers.iter().filter_map(|at| now.get(at));
        let pfn = seen.filter_map(|s| s.pfn()).next();
        let head = w.folio_head(pfn.unwrap_or(page.pfn))?;
        let lazy =
            |f: Flags| f.has(Flags::ANON) && f.has(Flags::DIRTY) && !f.has(Flags::SWAPBACKED);
        let excused =
            locked.contains(&head) || dirty_stays && w.page_flags(head)?.is_some_and(lazy);
        if !excused {
            left.push(page);
        }
    }
    Ok(left)
}

/// Whether reclaim takes a page that was dirtied after MADV_FREE for one that waits for writeback, and nothing writes it back: sort_folio() of
/// the multi-generational LRU, from behind v6.8 until "mm/mglru: use the common routine for dirty/writeback reactivation" (6.12.115, v7.0).
fn dirty_stays(w: &World) -> bool {
    let features = w.features();
    let mended = features.version() == (6, 12) && features.sublevel() >= 115;
    lru_gen::enabled() && ((6, 9)..(7, 0)).contains(&features.version()) && !mended
}

/// Asks the kernel for all that is charged to the cgroups of a world.
fn one_pass(w: &World) -> TestResult {
    forget_accesses(w)?;
    for (i, memcg) in w.memcgs()?.into_iter().enumerate() {
        if i == 0 {
            memcg.flush_stats().doing("flush the cgroup's statistics")?;
        }
        memcg
            .reclaim()
            .doing("reclaim of the test's memory cgroup")?;
    }
    Ok(())
}

/// Clears the accessed bits of every actor: a page with two of them set goes to the active list instead of out
/// (folio_check_references()), and each pass of the kernel would be another chance to find a mapper that the first one missed.
pub(super) fn forget_accesses(w: &World) -> TestResult {
    for pid in w.pids() {
        // Missing without CONFIG_PROC_PAGE_MONITOR; then it takes more passes.
        let _ = sysfs::write(format!("/proc/{pid}/clear_refs"), "1");
    }
    Ok(())
}

/// What swapping out changes in the model.
pub(super) fn mark_swapped(w: &World) {
    w.forget_merged();
    w.each_frame(Frame::swapped);
}
