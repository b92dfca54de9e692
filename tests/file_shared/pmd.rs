// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says is mapped by huge entries: each huge page counts once while anybody maps it so, as what it is
//! (__folio_add_rmap(), __folio_remove_rmap()).

use super::huge::HUGE;
use helpers::kernel::{sysfs, vma};
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::topology::R;
use helpers::world::{Actor, Area, Kind, Object, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Fields of /proc/meminfo and of smaps.
const FIELDS: [&str; 3] = ["ShmemPmdMapped", "FilePmdMapped", "AnonHugePages"];
/// Each CPU brings its part of the numbers up to date once a second (vmstat_update()), or at once (vm.stat_refresh).
const PATIENCE: Duration = Duration::from_millis(2500);
/// Others map huge pages as well, but not the same number of them each time.
const ROUNDS: usize = 4;

/// In kB, one of each field. `None`: not shown.
type Kb = [Option<i64>; FIELDS.len()];

fn machine() -> TestResult<Kb> {
    // For root.
    let _ = sysfs::read("/proc/sys/vm/stat_refresh");
    let text = sysfs::read("/proc/meminfo").doing("read meminfo")?;
    Ok(FIELDS.map(|field| {
        let mut lines = text.lines();
        let value = lines.find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))?;
        value.trim().strip_suffix("kB")?.trim().parse().ok()
    }))
}

/// What is more than in `base` is `wanted` of the first field and nothing of the others; `None`, or what was seen at last.
fn wrong(w: &World, base: Kb, wanted: i64) -> TestResult<Option<Kb>> {
    let mut until = w.limit(PATIENCE);
    loop {
        let now = machine()?;
        let more: Kb = std::array::from_fn(|i| Some(now[i]? - base[i]?));
        let right = |i: usize| more[i].is_none_or(|kb| kb == if i == 0 { wanted } else { 0 });
        if (0..FIELDS.len()).all(right) {
            return Ok(None);
        }
        if until.over() {
            return Ok(Some(more));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The first step after which it is wrong, and how.
type Wrong = (&'static str, i64, Kb);

fn round(w: &World, p: Actor, a: Area, file: &Object) -> TestResult<Option<Wrong>> {
    let base = machine()?;
    if base[0].is_none() {
        return Err(Stop::Skip("needs ShmemPmdMapped in meminfo"));
    }
    p.map_huge_object(a, file)?;
    p.write(a)?;
    let all = (a.pages * w.page_size() / 1024) as i64;
    let addr = a.vpn * w.page_size();
    let by_pmd = vma::smaps_kb(p.pid()?, addr, FIELDS[0]).doing("read smaps")?;
    if by_pmd != Some(all as u64) {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let q = p.fork("Q")?;
    q.read(a)?;
    let steps: [(&'static str, i64, &dyn Fn() -> TestResult); 3] = [
        ("mapped by two", all, &|| Ok(())),
        ("by one of them by single pages only", all, &|| {
            p.protect(a.page(1), R)?;
            p.read(a)
        }),
        ("and the other gone", 0, &|| q.exit()),
    ];
    let mut told = None;
    for (step, wanted, act) in steps {
        act()?;
        if told.is_none() {
            told = wrong(w, base, wanted)?.map(|seen| (step, wanted, seen));
        }
    }
    p.unmap(a)?;
    if told.is_none() {
        told = wrong(w, base, 0)?.map(|seen| ("unmapped", 0, seen));
    }
    Ok(told)
}

///   P  [======== PMD ========]  by PTEs later      Q  [======== PMD ========]      file [0 ..... huge page ..... 511]
fn counted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    let mut all: Vec<Wrong> = Vec::new();
    for _ in 0..ROUNDS {
        match round(&w, p, a, &file)? {
            None => return w.finish(),
            Some(told) => all.push(told),
        }
    }
    let (step, wanted, seen) = all[0];
    if all.iter().any(|other| *other != all[0]) {
        return Err(Stop::Skip("needs huge entries that nobody else changes"));
    }
    Err(Stop::fail(format_args!(
        "{} of meminfo is what huge entries map of shared memory; {step}: expected {wanted} kB more than before, and nothing more of others; {ROUNDS} \
         times seen {FIELDS:?} {seen:?}",
        FIELDS[0]
    )))
}

pub const COUNTED: Test = Test {
    name: "huge.pmd_counted",
    about: "A huge page of shared memory counts once for all who map it by a huge entry, and for what it is.",
    run: counted,
    ..HUGE
};
