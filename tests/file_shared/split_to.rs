// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of shared memory that are split to smaller folios, not to pages (__folio_split()).

use super::huge::HUGE;
use super::place;
use helpers::kernel::sysfs;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Each CPU brings its part of the number up to date once a second (vmstat_update()), or at once (vm.stat_refresh).
const PATIENCE: Duration = Duration::from_millis(2500);
/// Others have huge pages as well, but not the same number of them each time.
const ROUNDS: usize = 4;

/// ShmemHugePages of meminfo, kB.
fn told() -> TestResult<i64> {
    // For root.
    let _ = sysfs::read("/proc/sys/vm/stat_refresh");
    let text = sysfs::read("/proc/meminfo").doing("read meminfo")?;
    let mut lines = text.lines();
    let value = lines.find_map(|l| l.strip_prefix("ShmemHugePages:")?.strip_suffix("kB"));
    let kb = value.and_then(|kb| kb.trim().parse().ok());
    kb.ok_or(Stop::Skip("needs ShmemHugePages in meminfo"))
}

/// Whether it becomes so many more than `base`; what it was at last.
fn more(w: &World, base: i64, wanted: i64) -> TestResult<i64> {
    let mut until = w.limit(PATIENCE);
    loop {
        let seen = told()? - base;
        if seen == wanted || until.over() {
            return Ok(seen);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A file with a huge page, split. How many kB more are huge pages then, and when the file has gone; none is right.
fn round(ctx: &Ctx) -> TestResult<[i64; 2]> {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let n = a.pages;
    let base = told()?;
    let file = w.object(Kind::Memfd, n)?;
    let (p, r) = (w.actor("P")?, w.actor("R")?);
    p.map_huge_object(a, &file)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    if more(&w, base, (n * w.page_size() / 1024) as i64)? == 0 {
        return Err(Stop::Skip("needs a number that nobody else changes"));
    }
    for (name, first, pages) in [("odd", 1, 7), ("middle", n / 2 + 6, 5), ("last", n - 1, 1)] {
        r.map_object(place(&w, name, pages), &file, first, RW, Share::Shared)?;
    }
    p.fork("C")?.read(a.sub(0..n / 2))?;
    let (control, own) = (w.actor("control")?, w.place_huge(1)?);
    control.map_huge_object(own, &w.object(Kind::Memfd, n)?)?;
    control.write(own)?;
    p.split_to(a, 4, (control, own))?;
    w.check()?;
    let split = more(&w, base, 0)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    control.exit()?;
    w.truncate(&file, 0)?;
    let gone = more(&w, base, 0)?;
    w.finish()?;
    Ok([split, gone])
}

///   file   |0 .............. huge page ............... n-1|   ->   |0 1 2 3|4 5 6 7| ...
///   P C    |================== PMD =======================|        as folios
///   R        1 ...... 7          n/2+6 .. n/2+10         n-1
fn split_to(ctx: &mut Ctx) -> TestResult {
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        match round(ctx)? {
            [0, 0] => return Ok(()),
            wrong => all.push(wrong),
        }
    }
    if all.iter().any(|wrong| *wrong != all[0]) {
        return Err(Stop::Skip("needs a number that nobody else changes"));
    }
    Err(Stop::fail(format_args!(
        "ShmemHugePages of meminfo is what is there of huge pages of shared memory: expected as much as before it was made, after the split and \
         when the file was gone; {ROUNDS} times seen {:?} kB more",
        all[0]
    )))
}

pub const SPLIT_TO: Test = Test {
    name: "huge.split_to",
    about: "A huge page that was split to smaller folios is none any more, and each of them is found.",
    run: split_to,
    ..HUGE
};
