// SPDX-License-Identifier: GPL-2.0-or-later
//! khugepaged, which makes huge pages of small ones by itself (mm/khugepaged.c, Documentation/admin-guide/mm/transhuge.rst). It goes through
//! the processes that it has heard of: by madvise(MADV_HUGEPAGE), by a fault, by a fork (khugepaged_enter_vma(), khugepaged_fork()).

use super::{Actor, Area, World};
use crate::actor::Cmd;
use crate::kernel::pagemap::State;
use crate::kernel::{lru, sysfs, thp, vmstat};
use crate::pace::Wait;
use crate::stop::Doing;
use crate::supervise::{Knob, WhenMissing};
use crate::sys::mem::advice;
use crate::{Stop, TestResult, walk};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Settings of tests that have khugepaged work: quick, once it is awake. It sleeps at other times, see [`crate::walk::KNOBS`].
pub const KNOBS: &[Knob] = &[
    Knob {
        path: "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan",
        value: Some("65536"),
        missing: WhenMissing::Skip("needs khugepaged"),
    },
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs",
        "1",
    ),
    Knob::set("/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "1"),
    // How many pages of a huge one may be missing, shared or swapped out is for the test to say.
    Knob::keep("/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none"),
    Knob::keep("/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_shared"),
    Knob::keep("/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_swap"),
    Knob::keep("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs"),
];

/// How long khugepaged may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Passes over all processes after which it has seen each of them, whatever it was at when the control's pages were done, and a second time
/// what had a page in an LRU batch then.
const PASSES: u64 = 6;
/// And how long it has had: somebody who holds a page may be on a virtual CPU that does not run now.
const PATIENCE: Duration = Duration::from_millis(300);
/// Of /proc/vmstat: huge pages that it could not get.
const NO_PAGE: &[&str] = &["thp_collapse_alloc_failed"];
/// Between two passes, milliseconds.
const PAUSE: &str = "2";
/// So long it sleeps when it has nothing to do, milliseconds.
const ASLEEP: &str = "3600000";

fn write(name: &str, value: &str) -> TestResult {
    sysfs::write(format!("{}/khugepaged/{name}", thp::DIR), value).doing("tell khugepaged")
}

/// How much may be missing of what it makes a huge page of, pages.
#[derive(Clone, Copy, Debug)]
struct Allow {
    none: usize,
    in_swap: usize,
    /// Of other processes as well.
    shared: usize,
}

impl Allow {
    const NOTHING: Allow = Allow::all(0);

    const fn all(pages: usize) -> Allow {
        Allow {
            none: pages,
            in_swap: pages,
            shared: pages,
        }
    }

    fn tell(self) -> TestResult {
        write("max_ptes_none", &self.none.to_string())?;
        write("max_ptes_swap", &self.in_swap.to_string())?;
        match write("max_ptes_shared", &self.shared.to_string()) {
            // Without the knob what is shared is not looked at.
            Err(_) if !has_shared() => Ok(()),
            done => done,
        }
    }
}

/// Since Linux 5.8.
fn has_shared() -> bool {
    Path::new(thp::DIR)
        .join("khugepaged/max_ptes_shared")
        .exists()
}

/// Has khugepaged make one huge page of each of these areas: of what is there, shared with others, or not there. They were advised
/// (MADV_HUGEPAGE) before, if nothing else makes khugepaged look at the process; pages of them that are there are made to look used.
///
/// # Errors
/// A failure when it makes one of an area of the control's, and not of these; `Skip` when of none.
#[track_caller]
pub fn collapse(w: &World, areas: &[(Actor, Area)]) -> TestResult {
    make(w, areas, &[], Lack::Holes)
}

/// The same for areas that have pages in swap, and more than half of their pages in memory: with fewer khugepaged does not bring them back.
///
/// # Errors
/// As [`collapse`]; the control has some in swap as well.
#[track_caller]
pub fn collapse_from_swap(w: &World, areas: &[(Actor, Area)]) -> TestResult {
    make(w, areas, &[], Lack::HolesAndSwap)
}

/// The same for areas that have no hole, but pages in swap, when none may be missing otherwise (max_ptes_none 0): these are not missing.
///
/// # Errors
/// As [`collapse`]; the control has none in swap.
#[track_caller]
pub fn collapse_full_from_swap(w: &World, areas: &[(Actor, Area)]) -> TestResult {
    make(w, areas, &[], Lack::Swap)
}

/// The same while no more than `most` pages of a huge one may be others' as well (max_ptes_shared). Areas of which more are shared must be
/// left alone; they were advised too, and have a hole.
///
/// # Errors
/// As [`collapse`]; a failure also when it makes one of an area that is to be left alone.
#[track_caller]
pub fn collapse_unless_shared(
    w: &World,
    most: usize,
    areas: &[(Actor, Area)],
    left_alone: &[(Actor, Area)],
) -> TestResult {
    if !has_shared() {
        return Err(Stop::Skip("needs max_ptes_shared of khugepaged"));
    }
    make(w, areas, left_alone, Lack::HolesAndOwn(most))
}

/// What the pages that a huge one is made of lack.
#[derive(Clone, Copy, PartialEq)]
enum Lack {
    Holes,
    /// Some are in swap, the control's too.
    HolesAndSwap,
    /// No more than so many may be others' as well.
    HolesAndOwn(usize),
    /// Some are in swap, not the control's, and there may be no hole.
    Swap,
}

impl Lack {
    /// What khugepaged may put up with, of a huge page of so many.
    fn allowed(self, pages: usize) -> Allow {
        let all = Allow::all(pages - 1);
        match self {
            Lack::Holes | Lack::HolesAndSwap => all,
            Lack::HolesAndOwn(shared) => Allow { shared, ..all },
            Lack::Swap => Allow { none: 0, ..all },
        }
    }

    /// The control's pages.
    fn fill(self, control: Actor, apart: Area) -> TestResult {
        const IN_SWAP: usize = 4;
        let half = apart.pages / 2;
        match self {
            Lack::Swap => control.write(apart),
            Lack::Holes | Lack::HolesAndOwn(_) => control.write(apart.sub(0..half)),
            Lack::HolesAndSwap => {
                control.write(apart.sub(0..half + IN_SWAP))?;
                let out = apart.sub(apart.pages - IN_SWAP..apart.pages);
                control.write(out)?;
                control.page_out(out)
            }
        }
    }
}

/// What all of them have in common.
#[track_caller]
fn make(
    w: &World,
    areas: &[(Actor, Area)],
    left_alone: &[(Actor, Area)],
    lack: Lack,
) -> TestResult {
    let control = w.actor("K")?;
    let apart = w.place_huge(1)?;
    w.name(apart, "apart");
    control.map(apart)?;
    lack.fill(control, apart)?;
    control.advise(apart, advice::HUGEPAGE)?;
    only_huge()?;
    let allow = lack.allowed(apart.pages);
    w.note(format!("khugepaged awakes: {allow:?}"));
    allow.tell()?;
    write("scan_sleep_millisecs", PAUSE)?;
    let done = wait(w, (control, apart), areas, left_alone);
    // It makes one pass more before it sleeps, and begins when somebody asks for huge pages after all processes were gone.
    Allow::NOTHING.tell()?;
    write("scan_sleep_millisecs", ASLEEP)?;
    done?;
    for &(actor, area) in areas.iter().chain(&[(control, apart)]) {
        w.model.borrow_mut().collapse(actor.id(), area.vpns());
        actor.advise(area, advice::NOHUGEPAGE)?;
    }
    for &(actor, area) in left_alone {
        actor.advise(area, advice::NOHUGEPAGE)?;
    }
    control.unmap(apart)
}

/// No smaller folios from here on, which a test may have asked for: where khugepaged makes such too it would fill holes of an area that is no
/// huge page. The supervisor gives back what the knobs were.
fn only_huge() -> TestResult {
    for knob in walk::FOLIO_KNOBS {
        match sysfs::write(knob.path, "never") {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            done => done.doing("turn smaller folios off")?,
        }
    }
    Ok(())
}

/// Whether an area is one huge page.
fn is_one(w: &World, (actor, area): (Actor, Area)) -> TestResult<bool> {
    // Its first page alone does not tell: it may be a part of one that others have the rest of.
    Ok(w.folio_pages(actor.id(), area.vpn)? == area.pages && w.is_huge(actor.id(), area)?)
}

/// Since when khugepaged has done what it could.
struct Since {
    passes: u64,
    /// Huge pages that it could not get.
    refused: u64,
    patience: Wait,
}

impl Since {
    fn now(w: &World, passes: u64, refused: u64) -> Since {
        Since {
            passes,
            refused,
            patience: w.limit(PATIENCE),
        }
    }

    /// Whether it has been to all areas since, as often as it may take.
    fn over(&mut self, passes: u64) -> bool {
        self.patience.over() && passes >= self.passes + PASSES
    }
}

#[track_caller]
fn wait(
    w: &World,
    control: (Actor, Area),
    areas: &[(Actor, Area)],
    left_alone: &[(Actor, Area)],
) -> TestResult {
    let mut until = w.limit(LIMIT);
    // The control's is made, and all are.
    let (mut since, mut all_since) = (None, None);
    loop {
        lru::drain().doing("drain the LRU batches")?;
        for &(actor, area) in left_alone {
            if is_one(w, (actor, area))? {
                return Err(w.blame(
                    actor.id(),
                    Stop::fail(format_args!(
                        "khugepaged leaves alone what has more than max_ptes_shared pages that others map too: {} {} is a huge page",
                        actor.name(),
                        w.show(area)
                    )),
                ));
            }
            touch(w, actor, area)?;
        }
        let mut left = Vec::new();
        for &(actor, area) in areas.iter().chain([&control]) {
            if !is_one(w, (actor, area))? {
                touch(w, actor, area)?;
                left.push((actor, area));
            }
        }
        let passes = sysfs::read_u64(format!("{}/khugepaged/full_scans", thp::DIR))
            .doing("read full_scans of khugepaged")?;
        let refused = vmstat::sum(NO_PAGE)
            .doing("read /proc/vmstat")?
            .unwrap_or(0);
        let now = || Since::now(w, passes, refused);
        match left.first() {
            None if left_alone.is_empty() || all_since.get_or_insert_with(now).over(passes) => {
                return Ok(());
            }
            Some(&(actor, area)) if left.iter().all(|l| l.0.id() != control.0.id()) => {
                let since = since.get_or_insert_with(now);
                if since.over(passes) {
                    if refused > since.refused {
                        return Err(Stop::Skip("needs a free huge page"));
                    }
                    return Err(Stop::fail(format_args!(
                        "khugepaged makes huge pages of every process it has heard of: {} passes after it did so for the control, {} {} is none",
                        passes - since.passes,
                        actor.name(),
                        w.show(area)
                    )));
                }
            }
            _ => {}
        }
        if until.over() {
            return Err(Stop::Skip("needs khugepaged to make a huge page now"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads the pages that are in memory: khugepaged takes nothing that nobody uses.
fn touch(w: &World, actor: Actor, area: Area) -> TestResult {
    let vpns: Vec<usize> = area.vpns().collect();
    let seen = w.eye.entries(actor.pid()?, &vpns)?;
    let there = vpns
        .iter()
        .zip(seen)
        .filter(|(_, s)| matches!(s.state, State::Present(_)));
    let addrs = there.map(|(vpn, _)| vpn * w.page_size()).collect();
    w.tell(actor.id(), &Cmd::Read { addrs }).map(drop)
}
