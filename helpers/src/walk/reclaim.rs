// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim: the test's own memory cgroup is told to give everything back (try_to_unmap()).
//!
//! A page leaves all its mappers or none. One mapper that is missed keeps the page in memory: the
//! others then hold swap entries and that one does not.

use super::fate::{self, Fate, Page};
use super::{Taken, Walk, needs_pfn};
use crate::kernel::pagemap::State;
use crate::kernel::sysfs;
use crate::stop::Doing;
use crate::sys::swap;
use crate::world::World;
use crate::{Stop, TestResult};
use nix::errno::Errno;
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

/// Mappers of a page that reclaim must still be able to take.
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
    offered(w).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    w.note(String::from("all is swapped out"));
    match take(w)? {
        Taken::Yes(_) => Ok(()),
        Taken::NotNow(why) => {
            w.diag(why);
            Err(Stop::Skip("needs pages that reclaim can take now"))
        }
        Taken::Pointless => Ok(()),
    }
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
    let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    w.note(String::from("reclaim"));
    forget_accesses(w)?;
    memcg.flush_stats().doing("flush the cgroup's statistics")?;
    memcg
        .reclaim()
        .doing("reclaim of the test's memory cgroup")?;
    mark_swapped(w);
    Ok(())
}

fn take(w: &World) -> TestResult<Taken> {
    let memcg = match &w.arena().memcg {
        Ok(m) => m,
        Err(e) => return Ok(Taken::NotNow((*e).to_owned())),
    };
    let pages = fate::pages(w)?;
    // hugetlb pages stay, and nothing is learnt from that.
    if pages.iter().all(|p| p.control || p.hugetlb) {
        return Ok(Taken::Pointless);
    }
    let mut stayed = Vec::new();
    let mut until = w.limit(LIMIT);
    let mut attempts = 0;
    while attempts == 0 || !until.over() {
        attempts += 1;
        forget_accesses(w)?;
        memcg.flush_stats().doing("flush the cgroup's statistics")?;
        memcg
            .reclaim()
            .doing("reclaim of the test's memory cgroup")?;
        let (now, fates) = fate::fates(w, &pages)?;
        let left = pages.iter().zip(&fates).filter(|(_, f)| **f == Fate::Left);
        w.tally().walked(RECLAIM.name, left.map(|(page, _)| page));
        stayed.clear();
        for (page, f) in pages.iter().zip(&fates) {
            if page.hugetlb {
                continue;
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
                        &now,
                    ));
                }
                continue;
            }
            page.judge_pin(w, f, &now)?;
            match f {
                Fate::Left => {}
                Fate::Stayed | Fate::Moved(_) if page.held.is_some() || page.disk => {}
                // Measured on 6.18: pages with 1,031 mappers stay, those with 1,021 go. Not judged.
                Fate::Stayed | Fate::Moved(_) if page.mappers.len() > MOST_MAPPERS => {}
                Fate::Stayed | Fate::Moved(_) => stayed.push(page),
                Fate::Torn => {
                    return Err(page.fail(
                        w,
                        "reclaim takes a page from every mapper or from none",
                        "some mappers lost it and others have it",
                        &now,
                    ));
                }
            }
        }
        if stayed.is_empty() {
            mark_swapped(w);
            return Ok(Taken::Yes(if attempts > 1 {
                format!("{attempts} passes")
            } else {
                String::new()
            }));
        }
    }
    let (now, _) = fate::fates(w, &pages)?;
    mark_swapped(w);
    // A single one that stays is wrong in the control as well.
    let control = |p: &&Page| p.control;
    if stayed.iter().copied().filter(control).count() == pages.iter().filter(control).count() {
        return Ok(Taken::NotNow(format!(
            "{} of {} pages stayed, all of the control too",
            stayed.len(),
            pages.len()
        )));
    }
    let detail = format!(
        "{} page(s) stayed after {attempts} passes that took the control's; flags of the first {:?}",
        stayed.len(),
        w.page_flags(stayed[0].pfn)?
    );
    Err(stayed[0].fail(
        w,
        "reclaim can take every page that is not locked",
        &detail,
        &now,
    ))
}

/// Clears the accessed bits of every actor: a page with two of them set goes to the active list instead of out
/// (folio_check_references()), and each pass of the kernel would be another chance to find a mapper that the first one missed.
fn forget_accesses(w: &World) -> TestResult {
    for pid in w.pids() {
        // Missing without CONFIG_PROC_PAGE_MONITOR; then it takes more passes.
        let _ = sysfs::write(format!("/proc/{pid}/clear_refs"), "1");
    }
    Ok(())
}

/// What swapping out changes in the model.
fn mark_swapped(w: &World) {
    w.forget_merged();
    w.each_frame(|frame| {
        // do_swap_page() may or may not give the bit back.
        frame.exclusive = crate::world::model::Exclusive::Either;
        // ksm_might_need_to_copy(): each mapper may come back with a copy.
        frame.scattered |= frame.ksm;
    });
}
