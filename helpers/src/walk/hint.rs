// SPDX-License-Identifier: GPL-2.0-or-later
//! NUMA hinting faults: the kernel takes the access rights of a process' entries away (task_numa_work(), change_prot_numa()) to learn from the
//! fault who uses the page from where, and may move it to that node (do_numa_page(), do_huge_pmd_numa_page()). The page is mapped all
//! the same: every walk has to find it behind such an entry, and the fault has to give back what was there before.
//!
//! The scanner marks pages that are not on the node that a single-threaded process runs on. So the pages are put on one node, the processes
//! are kept on CPUs of others, and made to run until the scanner has been to all of their memory.

use super::migrate::MIGRATE;
use super::reclaim::RECLAIM;
use super::{Log, Walk, fate, own};
use crate::actor::Cmd;
use crate::kernel::{numa, sysfs, vmstat};
use crate::stop::Doing;
use crate::supervise::{Ctx, Knob, WhenMissing};
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult, sys, topology};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::time::Duration;

/// Machine-wide settings of tests that mark pages: the scanner comes at once, and again after each few milliseconds that a process has run.
pub const KNOBS: &[Knob] = &[
    // On while pages are marked, and at no other time.
    Knob {
        path: BALANCING,
        value: Some("0"),
        missing: WhenMissing::Skip("needs NUMA balancing (CONFIG_NUMA_BALANCING)"),
    },
    // By itself it comes once in a second of CPU time (before Linux 5.13 these are sysctls).
    fast("/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "1"),
    fast(
        "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms",
        "1",
    ),
    // The period is not shorter than what a memory of 2560 MiB (MAX_SCAN_WINDOW) would take in a second.
    fast("/sys/kernel/debug/sched/numa_balancing/scan_size_mb", "16"),
];

const BALANCING: &str = "/proc/sys/kernel/numa_balancing";

const fn fast(path: &'static str, value: &'static str) -> Knob {
    Knob {
        path,
        value: Some(value),
        missing: WhenMissing::Skip("needs sched/numa_balancing in debugfs (Linux 5.13)"),
    }
}

/// How long a process runs between two looks, milliseconds.
const SPIN_MS: u32 = 10;
/// How long it may take until the scanner has been to all memory of a process.
const LIMIT: Duration = Duration::from_secs(10);
/// After how many passes it has been to all of it.
const ENOUGH: u64 = 3;
/// Of /proc/vmstat: entries that the scanner has marked.
const MARKED: &[&str] = &["numa_pte_updates"];

/// Puts the pages of `area` on the last node, and the process on CPUs of others.
///
/// # Errors
/// `Skip` when there is no other node with CPUs that may be used, or no memory.
#[track_caller]
pub fn far(w: &World, actor: Actor, area: Area) -> TestResult {
    let nodes = &w.features().nodes;
    let Some((&last, _)) = nodes.split_last().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(Stop::Skip("needs 2 NUMA nodes with memory"));
    };
    keep_on(w, actor, &numa::cpus_not_of(last))?;
    own::gather(w, actor, area, last)
}

/// Has the scanner mark the pages of a process, `area` among them, which must be where [`far`] puts them. The process touches none of them
/// afterwards.
///
/// # Errors
/// `Skip` when it marks fewer than these, or does not come by.
#[track_caller]
pub fn mark(w: &World, actor: Actor, area: Area) -> TestResult {
    let (name, pid) = (actor.name(), actor.pid()?);
    w.note(format!("{name}: its entries are marked for NUMA hints"));
    sysfs::write(BALANCING, "1").doing("switch NUMA balancing on")?;
    let marked = spin(w, actor, pid, area.pages as u64);
    sysfs::write(BALANCING, "0").doing("switch NUMA balancing off")?;
    let n = marked?;
    if n < area.pages as u64 {
        return Err(Stop::Skip("needs NUMA balancing that marks pages"));
    }
    w.diag(format_args!("{name}: {n} page(s) marked for NUMA hints"));
    Ok(())
}

/// Has a process read two areas again and again, which must both be where [`far`] puts them: those of `own`, which nobody else maps, come to its
/// node, and those of `shared`, which others map until somebody writes, stay (change_pte_range()).
///
/// # Errors
/// `Skip` when the own pages do not come either.
#[track_caller]
pub fn follow(w: &World, actor: Actor, own: Area, shared: Area) -> TestResult {
    let (name, pid) = (actor.name(), actor.pid()?);
    let before = w.nodes_of(actor, shared)?;
    w.note(format!(
        "{name}: reads {} and {} under NUMA balancing",
        w.show(own),
        w.show(shared)
    ));
    sysfs::write(BALANCING, "1").doing("switch NUMA balancing on")?;
    let done = attract(w, actor, pid, own, shared);
    sysfs::write(BALANCING, "0").doing("switch NUMA balancing off")?;
    done?;
    // Before Linux 6.6 move_pages(2) takes a marked entry for none; nobody marks it again after this.
    actor.read(shared)?;
    let now = w.nodes_of(actor, shared)?;
    if before.iter().chain(&now).any(|&node| node < 0) {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    if let Some(i) = before.iter().zip(&now).position(|(was, is)| was != is) {
        return Err(Stop::fail(format_args!(
            "NUMA balancing leaves pages alone that a fork shares until somebody writes: {} was on node {}, and is on {}",
            w.show(shared.page(i)),
            before[i],
            now[i]
        )));
    }
    w.check()
}

/// Until all pages of `own` have come, and for as many passes of the scanner again as it takes to be everywhere.
fn attract(w: &World, actor: Actor, pid: i32, own: Area, shared: Area) -> TestResult {
    let from = w.nodes_of(actor, own)?;
    let (mut until, mut enough) = (w.limit(LIMIT), None);
    loop {
        w.tell(actor.id(), &Cmd::Spin { ms: SPIN_MS })?;
        for area in [own, shared] {
            actor.read(area)?;
        }
        let passed = passes(pid)?;
        match enough {
            Some(enough) if passed >= enough => return Ok(()),
            Some(_) => {}
            None if w
                .nodes_of(actor, own)?
                .iter()
                .zip(&from)
                .all(|(is, was)| *is >= 0 && is != was) =>
            {
                enough = Some(passed + ENOUGH);
            }
            None => {}
        }
        if until.over() {
            return Err(Stop::Skip("needs NUMA balancing that moves pages"));
        }
    }
}

/// Runs until the scanner has been to all memory of the process: how many entries it has marked, of `pages` at least that it shall.
fn spin(w: &World, actor: Actor, pid: i32, pages: u64) -> TestResult<u64> {
    let marked = || vmstat::sum(MARKED).doing("read /proc/vmstat");
    let (before, began) = (marked()?, passes(pid)?);
    let mut until = w.limit(LIMIT);
    loop {
        w.tell(actor.id(), &Cmd::Spin { ms: SPIN_MS })?;
        let n = marked()?
            .zip(before)
            .map_or(0, |(now, before)| now - before);
        // The pass that was under way may have been to some of it before, and a VMA is passed over when it is new.
        let passed = passes(pid)? - began;
        if (passed >= ENOUGH && n >= pages) || passed > 3 * ENOUGH || until.over() {
            return Ok(n);
        }
    }
}

/// Lets the process run on the node that [`far`] puts pages on: there the fault leaves them where they are, and makes the entry what it was
/// itself.
///
/// # Errors
/// `Skip` when that node has no CPUs that may be used.
#[track_caller]
pub fn near(w: &World, actor: Actor) -> TestResult {
    let last = w.features().nodes.last().copied().unwrap_or(0);
    keep_on(w, actor, &numa::cpus_of(last))
}

/// Lets the process run on these CPUs only.
fn keep_on(w: &World, actor: Actor, cpus: &[usize]) -> TestResult {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).doing("name a CPU")?;
    }
    w.note(format!("{}: to CPUs {cpus:?}", actor.name()));
    sched_setaffinity(Pid::from_raw(actor.pid()?), &set)
        .map_err(|_| Stop::Skip("needs CPUs on two nodes with memory"))
}

/// How often the scanner has been to all memory of a process.
fn passes(pid: i32) -> TestResult<u64> {
    let text = sysfs::read(format!("/proc/{pid}/sched")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("mm->numa_scan_seq"));
    let value = line.and_then(|l| l.rsplit(':').next()?.trim().parse().ok());
    value.ok_or(Stop::Skip(
        "needs numa_scan_seq in /proc/PID/sched (CONFIG_SCHED_DEBUG)",
    ))
}

/// Whether move_pages(2) finds the pages, which are all there: before Linux 6.6 follow_page() takes a marked entry for none. The answer comes from the page
/// table (do_pages_stat()), not from the reverse map.
fn can_be_asked_for(w: &World) -> TestResult<bool> {
    for page in fate::pages(w)? {
        for (id, vpn) in page.mappers {
            let pid = w.actor_by_id(id).pid()?;
            let nodes = sys::numa::page_nodes(pid, &[vpn * w.page_size()]);
            if nodes.doing("move_pages")?[0] < 0 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What happens to the marked entries, each on a world made anew by `build`: every sharer writes first of all, or a walk is taken that
/// leaves the question who touched a page alone (the fault may move it), and then they write.
///
/// # Errors
/// `Skip` when nothing could be marked, or no walk was possible.
#[track_caller]
pub fn met(ctx: &Ctx, build: impl Fn(&World) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    build(&w)?;
    topology::write_by_each(&w)?;
    w.finish()?;
    let walks: [&Walk; 3] = [&MIGRATE, &super::split::SPLIT, &RECLAIM];
    let mut taken = false;
    for walk in walks {
        let w = World::new(ctx)?;
        if (walk.offered)(&w).is_err() {
            continue;
        }
        // Before the entries are marked: the control is looked at when it is made.
        w.control()?;
        build(&w)?;
        let mut log = Log::default();
        if walk.name != RECLAIM.name && !can_be_asked_for(&w)? {
            w.diag("neither move_pages(2) nor split_huge_pages finds marked pages here");
        } else {
            log.take(&w, walk, "hinted+")?;
            taken |= log.end(&w).is_ok();
        }
        topology::write_by_each(&w)?;
        w.finish()?;
    }
    match taken {
        true => Ok(()),
        false => Err(Stop::Skip(super::NO_WALK)),
    }
}
