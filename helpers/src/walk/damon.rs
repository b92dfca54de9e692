// SPDX-License-Identifier: GPL-2.0-or-later
//! DAMON's look at physical memory (mm/damon/paddr.c): how often has a page been accessed.
//!
//! It makes a page old in every mapper (damon_folio_mkold_one()), waits, and asks all of them whether they are young
//! (damon_folio_young_one()). A page that is touched through one mapper alone, all the time, must be counted, and one that nobody touches
//! must not. One look may come to nothing, since pages of files and of KSM are passed over while somebody has locked them; so what
//! counts is many looks, twice.
//!
//! A folio is looked at through its head.

use super::fate::{self, Page};
use super::needs_pfn;
use super::reclaim::forget_accesses;
use super::referenced::touch;
use super::told;
use crate::kernel::damon::{self, Monitor};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::{lru, vma};
use crate::pace;
use crate::stop::Doing;
use crate::supervise::{Knob, WhenMissing};
use crate::world::check::Finding;
use crate::world::model::ActorId;
use crate::world::sight::Lie;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

/// For tests that are [`counted`]: they have DAMON for themselves, and give it back.
pub const KNOBS: &[Knob] = &[
    Knob::keep(damon::STAT),
    Knob {
        missing: WhenMissing::Skip("needs DAMON (CONFIG_DAMON_SYSFS)"),
        ..Knob::keep(damon::KDAMONDS)
    },
];

/// The same with [`FOLIO_KNOBS`](super::FOLIO_KNOBS).
pub const FOLIO_KNOBS: &[Knob] =
    &Knob::both::<{ KNOBS.len() + super::FOLIO_KNOBS.len() }>(KNOBS, super::FOLIO_KNOBS);

/// Between two looks at a page.
const SAMPLE: Duration = Duration::from_millis(10);
/// How much longer at most. On a machine that is slower yet the touches come to fewer looks, which will do.
const SLOWEST: f64 = 10.0;
/// Looks that are counted.
const LOOKS: u32 = 10;
/// More than half of them: nobody's accident.
const MANY: u64 = LOOKS as u64 / 2 + 1;
/// What the control's pages must have, for other pages to be judged by them.
const SOME: u64 = 3;
/// Folios watched, and how often, each time touched through others of their mappers.
const FOLIOS: usize = 48;
const TURNS: usize = 8;
/// How often it is tried until the control's pages are counted.
const TIMES: usize = 3;

const NOT_NOW: &str = "needs DAMON that counts accesses now";

/// A mapper of a page.
type Mapper = (ActorId, usize);
/// Counted accesses by head.
type Counts = BTreeMap<Pfn, u64>;

/// A folio, and through what it can be touched.
struct Watched {
    head: Pfn,
    /// DAMON can make it old: the entries of a large folio's other pages than the first it could not before Linux 6.14 and later
    /// releases of some older ones (damon_get_folio() refused tails), so what has been touched once counted for ever.
    ages: bool,
    pages: Vec<Page>,
    /// Which page of it, and by whom.
    ways: Vec<(usize, Mapper)>,
    /// Its number among those that the same actors have, and how many these are.
    number: usize,
    of: usize,
}

impl Watched {
    /// Which way it is touched this time, `None`: by nobody. All of them in [`Watched::turns`], of folios that are mapped alike.
    fn way(&self, turn: usize) -> Option<(usize, Mapper)> {
        let ways = self.ways.len() + 1;
        let step = if self.of.is_multiple_of(ways) {
            1
        } else {
            self.of
        };
        self.ways.get((self.number + turn * step) % ways).copied()
    }

    fn turns(&self) -> usize {
        (self.ways.len() + 1).div_ceil(self.of)
    }
}

/// Every page is touched through one of its mappers, or none, and through others the next time: DAMON counts accesses to those that were, and
/// to no others.
///
/// # Errors
/// `Skip` when DAMON is not on offer, or counts no accesses to plain pages now.
#[track_caller]
pub fn counted(w: &World) -> TestResult {
    needs_pfn(w)
        .and_then(|()| damon::available())
        .map_err(Stop::Skip)?;
    let control = w.control()?;
    w.check()?;
    lru::drain().doing("drain the LRU batches")?;
    let watched = choose(w)?;
    let turns = watched.iter().map(Watched::turns).max().unwrap_or(0);
    w.note(format!(
        "DAMON watches {} folios, each touched through one mapper or none",
        watched.len()
    ));
    for turn in 0..turns.clamp(2, TURNS) {
        judge(w, control, &watched, turn)?;
    }
    let pages = watched.iter().flat_map(|f| &f.pages);
    w.tally().walked("damon", pages);
    w.check()
}

#[track_caller]
fn judge(w: &World, control: (ActorId, Area), watched: &[Watched], turn: usize) -> TestResult {
    let mut touches = Vec::new();
    if w.lie() != Some(Lie::Untouched) {
        touches.extend(watched.iter().filter_map(|f| f.way(turn)).map(|way| way.1));
    }
    let first = look(w, control, watched, &touches)?;
    let missed = |f: &Watched, counts: &Counts| counts.get(&f.head) == Some(&0);
    let busy = |f: &Watched, counts: &Counts| counts.get(&f.head).is_some_and(|n| *n >= MANY);
    let (touched, mut untouched): (Vec<&Watched>, Vec<&Watched>) =
        watched.iter().partition(|f| f.way(turn).is_some());
    untouched.retain(|f| f.ages);
    w.diag(format_args!(
        "{} of {} touched counted, {} of {} others",
        touched.iter().filter(|f| !missed(f, &first)).count(),
        touched.len(),
        untouched.iter().filter(|f| busy(f, &first)).count(),
        untouched.len()
    ));
    if touched.iter().any(|f| missed(f, &first)) {
        let again = look(w, control, watched, &touches)?;
        for f in touched {
            let Some((i, by)) = f.way(turn) else { continue };
            if missed(f, &first) && missed(f, &again) && fate::here(w, &f.pages[i])? {
                return Err(f.pages[i].fail(
                    w,
                    "DAMON counts accesses to a page through any mapper",
                    &format!(
                        "none of {} looks, twice, while {} has read it all the time",
                        LOOKS,
                        w.actor_name(by.0)
                    ),
                    &fate::entries(w)?,
                ));
            }
        }
    }
    if untouched.iter().any(|f| busy(f, &first)) {
        // Nobody touches anything near it now.
        let again = look(w, control, watched, &[])?;
        for f in untouched {
            if busy(f, &first) && busy(f, &again) && fate::here(w, &f.pages[0])? {
                return Err(f.pages[0].fail(
                    w,
                    "DAMON counts no accesses to a page that nobody touches",
                    &format!(
                        "accessed in {} of {LOOKS} looks, then in {}",
                        first[&f.head], again[&f.head]
                    ),
                    &fate::entries(w)?,
                ));
            }
        }
    }
    Ok(())
}

/// Pages that a mapper has touched count as accessed by it when DAMON has taken the accessed bits off their entries: it has told the pages
/// (folio_set_young() in damon_ptep_mkold() and damon_pmdp_mkold()), whom smaps asks as well, and reclaim. Each mapper is the only one to touch in turn.
///
/// # Errors
/// `Skip` when DAMON is not on offer, and where nothing shows that it has looked at all the pages (the idle mark that it sets, too).
#[track_caller]
pub fn remembered(w: &World, mappers: &[(Actor, Area)]) -> TestResult {
    needs_pfn(w)
        .and_then(|()| damon::available())
        .map_err(Stop::Skip)?;
    w.check()?;
    for &(actor, area) in mappers {
        // What the tries lost that told something.
        let mut lost = None;
        // What takes the accessed bits and tells the pages nothing may have come first: a scan of reclaim's for its generations.
        for _ in 0..told::TIMES {
            lru::drain().doing("drain the LRU batches")?;
            forget_accesses(w)?;
            let reads: Vec<Mapper> = area.vpns().map(|vpn| (actor.id(), vpn)).collect();
            told::touch_shown(w, actor, area, &reads)?;
            let pages = w.pages_of(actor, area)?;
            let heads = pages.iter().flatten().map(|p| w.folio_head(p.0));
            let heads = heads.collect::<TestResult<BTreeSet<Pfn>>>()?;
            if w.lie() == Some(Lie::Untouched) {
                forget_accesses(w)?;
            }
            monitor(w, &heads, || Ok(()))?;
            let mut old = 0;
            for head in &heads {
                old += usize::from(w.page_flags(*head)?.is_some_and(|f| f.has(Flags::IDLE)));
            }
            if heads.is_empty() || old < heads.len() {
                continue;
            }
            let left = told::referenced(w, actor, area)?;
            lost = Some(area.pages - left.min(area.pages));
            if lost == Some(0) {
                break;
            }
        }
        let Some(lost) = lost else {
            return Err(Stop::Skip(NOT_NOW));
        };
        if lost > 0 {
            return Err(w.report(&Finding {
                property: "a page that was touched counts as accessed when DAMON has looked at it",
                detail: format!(
                    "{lost} of {} page(s) of {} do not, in no one of {} times all did; {} alone had touched them",
                    area.pages,
                    w.show(area),
                    told::TIMES,
                    actor.name()
                ),
                at: Some((actor.id(), area.vpn)),
            }));
        }
        let pages = fate::pages(w)?;
        let mine = |p: &&Page| {
            let here = |m: &Mapper| m.0 == actor.id() && area.vpns().contains(&m.1);
            p.mappers.iter().any(here)
        };
        w.tally().walked("damon", pages.iter().filter(mine));
    }
    w.check()
}

/// The folios that DAMON looks at: those on LRU lists (damon_get_folio()).
fn choose(w: &World) -> TestResult<Vec<Watched>> {
    let mut folios: BTreeMap<Pfn, Vec<Page>> = BTreeMap::new();
    for page in fate::pages(w)? {
        if !page.control && !page.hugetlb && page.held.is_none() {
            let head = w.folio_head(page.pfn)?;
            folios.entry(head).or_default().push(page);
        }
    }
    let step = folios.len().div_ceil(FOLIOS).max(1);
    let mut alike: BTreeMap<BTreeSet<ActorId>, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    let mut passed_over = 0;
    for (head, pages) in folios.into_iter().step_by(step) {
        let Some(flags) = w.page_flags(head)?.filter(|f| f.has(Flags::LRU)) else {
            passed_over += 1;
            continue;
        };
        let who = pages.iter().flat_map(|p| &p.mappers).map(|m| m.0).collect();
        let n = alike.entry(who).or_default();
        chosen.push(Watched {
            head,
            ages: w.features().version() >= (6, 14)
                || !flags.has(Flags::COMPOUND_HEAD)
                || is_whole(w, &pages)?,
            ways: ways(w, &pages),
            pages,
            number: *n,
            of: 0,
        });
        *n += 1;
    }
    for f in &mut chosen {
        let who: BTreeSet<ActorId> = f
            .pages
            .iter()
            .flat_map(|p| &p.mappers)
            .map(|m| m.0)
            .collect();
        f.of = alike[&who];
    }
    if passed_over > 0 {
        w.diag(format_args!("{passed_over} folio(s) on no list"));
    }
    if chosen.is_empty() {
        return Err(Stop::Skip("needs pages that are on LRU lists now"));
    }
    Ok(chosen)
}

/// Whether all that map a folio do so by a PMD.
fn is_whole(w: &World, pages: &[Page]) -> TestResult<bool> {
    let mut firsts: BTreeMap<ActorId, usize> = BTreeMap::new();
    for (actor, vpn) in pages.iter().flat_map(|p| &p.mappers) {
        let first = firsts.entry(*actor).or_insert(*vpn);
        *first = (*first).min(*vpn);
    }
    let size = w.page_size();
    for (actor, vpn) in firsts {
        let (start, end) = (vpn * size, (vpn + pages.len()) * size);
        let pid = w.pid(actor)?;
        for vma in vma::in_range(pid, start, end).doing("read maps")? {
            let kb = vma::smaps_kb(pid, vma.start, "AnonHugePages").doing("read smaps")?;
            // Others may be in the same VMA.
            let vma_kb = (vma.end - vma.start) as u64 >> 10;
            if kb != Some(vma_kb) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// All mappers of a page; of a large folio, the first and the last page that each actor has.
fn ways(w: &World, pages: &[Page]) -> Vec<(usize, Mapper)> {
    let all = pages.iter().enumerate();
    let all = all.flat_map(|(i, p)| p.mappers.iter().map(move |m| (i, *m)));
    let all: Vec<(usize, Mapper)> = all.filter(|(_, m)| w.is_readable(*m)).collect();
    if pages.len() == 1 {
        return all;
    }
    let mut ends: BTreeMap<ActorId, (usize, usize)> = BTreeMap::new();
    for (k, (_, m)) in all.iter().enumerate() {
        ends.entry(m.0).or_insert((k, k)).1 = k;
    }
    let ends: BTreeSet<usize> = ends.into_values().flat_map(|(a, b)| [a, b]).collect();
    ends.into_iter().map(|k| all[k]).collect()
}

/// Counts while these mappers read, and the control does.
fn look(
    w: &World,
    (id, area): (ActorId, Area),
    watched: &[Watched],
    touches: &[Mapper],
) -> TestResult<Counts> {
    let reads: Vec<Mapper> = touches
        .iter()
        .copied()
        .chain(area.vpns().map(|vpn| (id, vpn)))
        .collect();
    for _ in 0..TIMES {
        let control: Vec<Pfn> = w
            .pages_of(w.actor_by_id(id), area)?
            .iter()
            .flatten()
            .map(|p| p.0)
            .collect();
        let heads = watched
            .iter()
            .map(|f| f.head)
            .chain(control.iter().copied());
        let heads: BTreeSet<Pfn> = heads.collect();
        let counts = run(w, &heads, &reads)?;
        let is_counted = |pfn: &Pfn| counts.get(pfn).is_some_and(|n| *n >= SOME);
        if !control.is_empty() && control.iter().all(is_counted) {
            return Ok(counts);
        }
        w.diag(format_args!(
            "accesses to the control's pages: {:?}",
            control.iter().map(|p| counts.get(p)).collect::<Vec<_>>()
        ));
    }
    Err(Stop::Skip(NOT_NOW))
}

fn run(w: &World, heads: &BTreeSet<Pfn>, reads: &[Mapper]) -> TestResult<Counts> {
    lru::drain().doing("drain the LRU batches")?;
    // What was read before counts for the first look.
    touch(w, reads)?;
    monitor(w, heads, || touch(w, reads))
}

/// Counts while `meanwhile` is done over and over.
fn monitor(
    w: &World,
    heads: &BTreeSet<Pfn>,
    meanwhile: impl Fn() -> TestResult,
) -> TestResult<Counts> {
    let pages = heads.iter().map(|pfn| pfn.0.get()).collect();
    let sample = SAMPLE.mul_f64(pace::scale().min(SLOWEST));
    let monitor = Monitor::start(pages, w.page_size(), sample, LOOKS)
        .map_err(|e| refused(w, &e, "needs DAMON of physical memory (CONFIG_DAMON_PADDR)"))?;
    let counts = std::thread::scope(|s| -> TestResult<io::Result<Vec<(u64, u64)>>> {
        let counting = s.spawn(|| monitor.counts());
        while !counting.is_finished() {
            meanwhile()?;
            std::thread::sleep(sample / 8);
        }
        counting
            .join()
            .map_err(|_| Stop::error("the thread that waits for DAMON"))
    })?;
    let counts =
        counts.map_err(|e| refused(w, &e, "needs DAMON that shows regions (Linux 6.2)"))?;
    let by_number: BTreeMap<u64, u64> = counts.into_iter().collect();
    let found = |pfn: &Pfn| Some((*pfn, *by_number.get(&pfn.0.get())?));
    Ok(heads.iter().filter_map(found).collect())
}

/// DAMON is not to be had: why is for the log.
fn refused(w: &World, e: &io::Error, reason: &'static str) -> Stop {
    w.diag(format_args!("DAMON: {e}"));
    match e.kind() {
        io::ErrorKind::ResourceBusy => Stop::Skip("needs DAMON for itself"),
        _ => Stop::Skip(reason),
    }
}
