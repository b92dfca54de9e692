// SPDX-License-Identifier: GPL-2.0-or-later
//! khugepaged, which makes huge pages of small ones by itself (mm/khugepaged.c, Documentation/admin-guide/mm/transhuge.rst). It goes through
//! the processes that it has heard of: by madvise(MADV_HUGEPAGE), by a fault, by a fork (khugepaged_enter_vma(), khugepaged_fork()).

use super::{Actor, Area, World};
use crate::actor::Cmd;
use crate::kernel::{lru, sysfs, thp};
use crate::stop::Doing;
use crate::supervise::{Knob, WhenMissing};
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
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
/// Between two passes, milliseconds.
const PAUSE: &str = "2";
/// So long it sleeps when it has nothing to do, milliseconds.
const ASLEEP: &str = "3600000";

fn write(name: &str, value: &str) -> TestResult {
    sysfs::write(format!("{}/khugepaged/{name}", thp::DIR), value).doing("tell khugepaged")
}

/// Has khugepaged make one huge page of each of these areas: of what is there, shared with others, in swap, or not there. They were advised
/// (MADV_HUGEPAGE) before, if nothing else makes khugepaged look at the process; pages of them that are there are made to look used.
///
/// # Errors
/// A failure when it makes one of an area of the control's, and not of these; `Skip` when of none.
#[track_caller]
pub fn collapse(w: &World, areas: &[(Actor, Area)]) -> TestResult {
    let control = w.actor("K")?;
    let apart = w.place_huge(1)?;
    w.name(apart, "apart");
    control.map(apart)?;
    control.write(apart.sub(0..apart.pages / 2))?;
    control.advise(apart, advice::HUGEPAGE)?;
    w.note(String::from("khugepaged awakes"));
    // One less than a huge page has, at most.
    let most = (apart.pages - 1).to_string();
    write("max_ptes_none", &most)?;
    write("max_ptes_swap", &most)?;
    // Since Linux 5.8.
    let _ = write("max_ptes_shared", &most);
    write("scan_sleep_millisecs", PAUSE)?;
    let done = wait(w, (control, apart), areas);
    write("scan_sleep_millisecs", ASLEEP)?;
    done?;
    for &(actor, area) in areas.iter().chain(&[(control, apart)]) {
        w.model.borrow_mut().collapse(actor.id(), area.vpns());
        actor.advise(area, advice::NOHUGEPAGE)?;
    }
    control.unmap(apart)
}

#[track_caller]
fn wait(w: &World, control: (Actor, Area), areas: &[(Actor, Area)]) -> TestResult {
    let mut until = w.limit(LIMIT);
    let mut control_at = None;
    loop {
        let passes = sysfs::read_u64(format!("{}/khugepaged/full_scans", thp::DIR))
            .doing("read full_scans of khugepaged")?;
        lru::drain().doing("drain the LRU batches")?;
        let mut left = Vec::new();
        for &(actor, area) in areas.iter().chain([&control]) {
            if w.folio_pages(actor.id(), area.vpn)? != area.pages {
                touch(w, actor, area)?;
                left.push((actor, area));
            }
        }
        let Some(&(actor, area)) = left.first() else {
            return Ok(());
        };
        let control_left = left.iter().any(|l| l.0.id() == control.0.id());
        if !control_left && passes >= *control_at.get_or_insert(passes) + PASSES {
            return Err(Stop::fail(format_args!(
                "khugepaged makes huge pages of every process it has heard of: {} passes after it did so for the control, {} {} is none",
                PASSES,
                actor.name(),
                w.show(area)
            )));
        }
        if until.over() {
            return Err(Stop::Skip("needs khugepaged to make a huge page now"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads the pages that are there: khugepaged takes none that nobody has used since it came by.
fn touch(w: &World, actor: Actor, area: Area) -> TestResult {
    let there = |vpn: &usize| w.frame_at(actor.id(), *vpn).is_some();
    let addrs = area
        .vpns()
        .filter(there)
        .map(|v| v * w.page_size())
        .collect();
    w.tell(actor.id(), &Cmd::Read { addrs }).map(drop)
}
