// SPDX-License-Identifier: GPL-2.0-or-later
//! KSM as a step of a test's own script: which pages are to be merged with which, and when ksmd runs.
//!
//! ksmd is stopped in between, so that a process forked after a merge stays one that ksmd has never seen.

use super::fate;
use super::ksm::{self as walk, End, Slot, Slots};
use crate::kernel::ksm;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::world::model::Held;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::collections::{BTreeMap, BTreeSet};

/// An area of an actor.
pub type Place<'w, 'c> = (Actor<'w, 'c>, Area);

/// Makes the areas mergeable and has ksmd merge every page of them: pages of equal content must end as one page.
///
/// # Errors
/// `Skip` when ksmd did not even merge a pair of the control actor in time.
#[track_caller]
pub fn merge(w: &World, places: &[Place]) -> TestResult {
    for (actor, area) in places {
        actor.advise(*area, advice::MERGEABLE)?;
    }
    run(w, places)?;
    let mut pages: BTreeMap<u64, (Pfn, String)> = BTreeMap::new();
    for ((id, vpn), pfn) in where_they_are(w, places)? {
        let stamp = stamp(w, (id, vpn))?;
        let page = Area { vpn, pages: 1 };
        let here = format!("{} {}", w.actor_by_id(id).name(), w.show(page));
        let (first, there) = pages
            .entry(stamp)
            .or_insert_with(|| (pfn, here.clone()))
            .clone();
        if first != pfn {
            return Err(w.blame(
                id,
                Stop::fail(format_args!(
                    "equal merged pages are one page: {there} has pfn {first}, {here} has pfn {pfn}"
                )),
            ));
        }
    }
    w.check()
}

/// The page behind each mapper. Read until it is twice the same: somebody else may be moving pages between two reads.
fn where_they_are(w: &World, places: &[Place]) -> TestResult<BTreeMap<Slot, Pfn>> {
    let mut until = w.limit(std::time::Duration::from_secs(1));
    let mut before = None;
    loop {
        let mut now = BTreeMap::new();
        for (actor, area) in places {
            for (seen, vpn) in w.pages_of(*actor, *area)?.iter().zip(area.vpns()) {
                if let Some((pfn, _)) = seen {
                    now.insert((actor.id(), vpn), *pfn);
                }
            }
        }
        if before.as_ref() == Some(&now) || until.over() {
            return Ok(now);
        }
        before = Some(now);
    }
}

/// Has ksmd merge every page of areas that are mergeable already: all must become KSM pages.
///
/// # Errors
/// As [`merge`].
#[track_caller]
pub fn run(w: &World, places: &[Place]) -> TestResult {
    walk::offered(w).map_err(Stop::Skip)?;
    // Two equal pages of plain topology, new each time: they tell when ksmd has come by.
    let (control, _) = w.control()?;
    let pair = w.place(2);
    w.name(pair, "pair");
    let owner = w.actor_by_id(control);
    owner.map(pair)?;
    owner.write_equal(pair)?;
    owner.advise(pair, advice::MERGEABLE)?;
    let mut slots: Slots = pair.vpns().map(|v| (control, v)).collect();
    for (actor, area) in places {
        slots.extend(area.vpns().map(|v| (actor.id(), v)));
    }
    let before = fate::pages(w)?;
    w.note(String::from("ksmd runs until all is merged"));
    ksm::set_run(1).doing("start ksmd")?;
    let is_control = |at: &Slot| at.0 == control;
    let end = walk::wait(w, &slots, &is_control);
    ksm::set_run(0).doing("stop ksmd")?;
    match end? {
        End::All => {
            let merged = before
                .iter()
                .filter(|p| p.mappers.iter().any(|at| slots.contains(at)));
            w.tally().walked(walk::KSM.name, merged);
        }
        End::NotNow(why) => {
            w.diag(why);
            return Err(Stop::Skip("needs a ksmd that merges in time"));
        }
        End::Left(at, seen) => {
            return Err(w.report(&crate::world::check::Finding {
                property: "ksmd merges equal pages",
                detail: format!("seen {seen}; the control has merged"),
                at: Some(at),
            }));
        }
    }
    w.mark_merged(&slots);
    let others = walk::equal_frames(w);
    w.each_frame_of(&others, |frame| frame.ksm = true);
    w.check()
}

/// The content of a mapper's page.
fn stamp(w: &World, at: Slot) -> TestResult<u64> {
    match w.frame_at(at.0, at.1) {
        Some(f) => Ok(w.frame(f).stamp),
        None => Err(Stop::error("the script merges a page that was not written")),
    }
}

/// How many pages of memory the pages of some areas are.
pub fn distinct(w: &World, places: &[Place]) -> TestResult<BTreeMap<Pfn, usize>> {
    let mut pages = BTreeMap::new();
    for pfn in where_they_are(w, places)?.into_values() {
        *pages.entry(pfn).or_default() += 1;
    }
    Ok(pages)
}

/// `/sys/kernel/mm/ksm/run` = 2: all is unmerged, whoever merged it. Every page of the world is its mapper's own afterwards.
///
/// # Errors
/// `Skip` where somebody else's pages were merged before.
#[track_caller]
pub fn unmerge_all(w: &World) -> TestResult {
    alone(w)?;
    w.note(String::from("ksm/run: 2 (unmerge all), then 0"));
    ksm::set_run(2).doing("unmerge all")?;
    ksm::set_run(0).doing("stop ksmd")?;
    w.unmerge_all();
    w.check()
}

/// Whether KSM is ours alone: nothing was merged before this program began.
///
/// # Errors
/// `Skip` otherwise.
pub fn alone(w: &World) -> TestResult {
    walk::offered(w).map_err(Stop::Skip)?;
    if w.arena().ksm_before == 0 {
        Ok(())
    } else {
        Err(Stop::Skip("needs KSM that nobody else uses"))
    }
}

/// Sets a knob that the kernel changes only while nothing is merged. For knobs that the test declares with `Knob::keep`.
///
/// # Errors
/// `Skip` where there is no such knob, or somebody else's pages are merged.
#[track_caller]
pub fn set_knob(w: &World, name: &str, value: &str) -> TestResult {
    alone(w)?;
    w.note(format!("ksm/{name}: {value}"));
    // What earlier tests left in KSM's trees.
    ksm::forget(0).doing("unmerge all")?;
    match ksm::set(name, value) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(Stop::Skip("needs a KSM knob that this kernel lacks"))
        }
        Err(e) if e.raw_os_error() == Some(nix::libc::EBUSY) => {
            Err(Stop::Skip("needs KSM that nobody else uses"))
        }
        Err(e) => Err(Stop::error(format_args!("{name}: {e}"))),
    }
}

/// Each actor's `ksm_merging_pages` must become the number given. With `scan` ksmd runs meanwhile: it also drops what has been
/// unmapped or written since, and meets processes that it has not seen. Not judged where the kernel does not show it.
#[track_caller]
pub fn expect_merging(w: &World, scan: bool, expected: &[(Actor, u64)]) -> TestResult {
    w.note(format!(
        "ksm_merging_pages of {}",
        expected
            .iter()
            .map(|(a, n)| format!("{}: {n}", a.name()))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    if scan {
        ksm::set_run(1).doing("start ksmd")?;
    }
    let wrong = settle(w, scan, expected);
    if scan {
        ksm::set_run(0).doing("stop ksmd")?;
    }
    match wrong? {
        None => Ok(()),
        Some((actor, n, seen)) => Err(w.blame(
            actor.id(),
            Stop::fail(format_args!(
                "ksm_merging_pages is the number of merged pages: expected {n}, seen {seen}"
            )),
        )),
    }
}

/// Each actor's count of KSM's zero pages (`ksm_stat`, Linux 6.6) must be the number given. Not judged where there is none.
#[track_caller]
pub fn expect_zero_pages(w: &World, expected: &[(Actor, u64)]) -> TestResult {
    for (actor, n) in expected {
        let seen = ksm::zero_pages(actor.pid()?);
        if seen.is_some_and(|seen| seen != *n) {
            return Err(w.blame(
                actor.id(),
                Stop::fail(format_args!(
                    "ksm_zero_pages is the number of pages merged with the zero page: expected {n}, seen {seen:?}"
                )),
            ));
        }
    }
    Ok(())
}

/// Each actor's count of pages that ksmd keeps in mind (ksm_rmap_items) must be the number given. Not judged where there is none.
#[track_caller]
pub fn expect_items(w: &World, expected: &[(Actor, u64)]) -> TestResult {
    for (actor, n) in expected {
        let seen = ksm::rmap_items(actor.pid()?);
        if seen.is_some_and(|seen| seen != *n) {
            return Err(w.blame(
                actor.id(),
                Stop::fail(format_args!(
                    "ksm_rmap_items is the number of mergeable pages that ksmd has seen: expected {n}, seen {seen:?}"
                )),
            ));
        }
    }
    Ok(())
}

/// Forgets what earlier tests left in KSM's trees: from here on its counts are those of this world.
///
/// # Errors
/// `Skip` where somebody else's pages are merged.
pub fn forget_others(w: &World) -> TestResult {
    alone(w)?;
    ksm::forget(0).doing("unmerge all")
}

/// pages_shared must become the number of KSM pages given, and with pages_sharing make the number of their mappers that ksmd knows. Runs
/// ksmd meanwhile. After [`forget_others`].
#[track_caller]
pub fn expect_shared(w: &World, pages: u64, mappers: u64) -> TestResult {
    w.note(format!("pages_shared: {pages}, mappers {mappers}"));
    ksm::set_run(1).doing("start ksmd")?;
    let seen = settle_shared(w, pages, mappers);
    ksm::set_run(0).doing("stop ksmd")?;
    match seen? {
        None => Ok(()),
        Some((shared, sharing)) => Err(Stop::fail(format_args!(
            "pages_shared and pages_sharing count KSM pages and their further mappers: expected {pages} and {}, seen {shared} and {sharing}\n{}",
            mappers - pages,
            w.script_text()
        ))),
    }
}

fn settle_shared(w: &World, pages: u64, mappers: u64) -> TestResult<Option<(u64, u64)>> {
    let mut until = w.limit(walk::LIMIT);
    let from = ksm::full_scans().doing("read full_scans")?;
    loop {
        let scans = ksm::full_scans().doing("read full_scans")? - from;
        let shared = ksm::pages_shared().doing("read pages_shared")?;
        let sharing = ksm::pages_sharing().doing("read pages_sharing")?;
        if scans >= 2 && (shared, shared + sharing) == (pages, mappers) {
            return Ok(None);
        }
        if scans >= walk::SPARE_SCANS {
            return Ok(Some((shared, sharing)));
        }
        if until.over() {
            return Err(Stop::Skip("needs a ksmd that scans in time"));
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// What the child of a process with merged pages begins with. 0; but until 4d6fc29f3634 ("mm/ksm: fix incorrect KSM counter
/// handling in mm_struct during fork") it had its parent's number, which no probe tells from a new mistake: not judged, what
/// changes later is.
pub fn merging_at_fork(child: Actor) -> TestResult<u64> {
    Ok(ksm::merging_pages(child.pid()?).unwrap_or(0))
}

fn settle<'a, 'w, 'c>(
    w: &World,
    scan: bool,
    expected: &'a [(Actor<'w, 'c>, u64)],
) -> TestResult<Option<(&'a Actor<'w, 'c>, u64, u64)>> {
    let mut until = w.limit(walk::LIMIT);
    let from = ksm::full_scans().doing("read full_scans")?;
    loop {
        let scans = ksm::full_scans().doing("read full_scans")? - from;
        let mut wrong = None;
        for (actor, n) in expected {
            let Ok(seen) = ksm::merging_pages(actor.pid()?) else {
                return Ok(None);
            };
            if seen != *n {
                wrong = Some((actor, *n, seen));
            }
        }
        // The second scan has been to all that was there when the first began, the dead too.
        let over = !scan || scans >= walk::SPARE_SCANS;
        if over || (wrong.is_none() && scans >= 2) {
            return Ok(wrong);
        }
        if until.over() {
            return Err(Stop::Skip("needs a ksmd that scans in time"));
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// Every page of an area must become the zero page (use_zero_pages). Runs ksmd.
///
/// # Errors
/// `Skip` when ksmd did not merge anything in time.
#[track_caller]
pub fn merge_zeroes(w: &World, places: &[Place]) -> TestResult {
    use crate::kernel::kpage::Flags;
    for (actor, area) in places {
        actor.advise(*area, advice::MERGEABLE)?;
    }
    // No pages of their own from now on; what is not merged in the end is found below.
    for (actor, area) in places {
        w.each_slot(*actor, *area, |slot| slot.held = Held::Zero);
    }
    // A pair with content merges as usual beside them, and tells that ksmd has come by.
    run(w, &[])?;
    w.note(String::from("ksmd runs until zeroes are the zero page"));
    ksm::set_run(1).doing("start ksmd")?;
    let mut until = w.limit(walk::LIMIT);
    let from = ksm::full_scans().doing("read full_scans")?;
    let left = loop {
        let scans = ksm::full_scans().doing("read full_scans")?;
        let mut left: BTreeSet<Slot> = BTreeSet::new();
        for (actor, area) in places {
            for (seen, vpn) in w.pages_of(*actor, *area)?.iter().zip(area.vpns()) {
                if !seen.is_some_and(|(_, f)| f.has(Flags::ZERO_PAGE)) {
                    left.insert((actor.id(), vpn));
                }
            }
        }
        if left.is_empty() || scans >= from + walk::SPARE_SCANS {
            break Some(left);
        }
        if until.over() {
            break None;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    ksm::set_run(0).doing("stop ksmd")?;
    let Some(left) = left else {
        return Err(Stop::Skip("needs a ksmd that merges in time"));
    };
    if let Some(&at) = left.first() {
        return Err(w.report(&crate::world::check::Finding {
            property: "with use_zero_pages pages of zeroes become the zero page",
            detail: format!("{} mapper(s) did not", left.len()),
            at: Some(at),
        }));
    }
    w.check()
}
