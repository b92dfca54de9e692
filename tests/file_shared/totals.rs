// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel counts of shared memory and its huge pages, when huge pages of it are made and taken apart.

use super::huge::HUGE;
use helpers::counters::Counters;
use helpers::kernel::vmstat;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test};
use helpers::world::{Area, Kind, Share, World};
use helpers::{Stop, TestResult, topology, walk};
use std::time::Duration;

/// How long a number may be on its way.
pub(super) const PATIENCE: Duration = Duration::from_millis(400);

/// A file with few pages becomes a huge page: what fills its holes is shared memory as well (collapse_file()).
///
///   memfd  |0 . . . . . . n/2 . . . n-1|   ->   |======== huge ========|
fn filled(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let n = w.place_huge(1)?.pages;
    let a = w.far(n * w.page_size())?;
    w.name(a, "far");
    let file = w.object(Kind::Memfd, n)?;
    let p = w.actor("P")?;
    let parts = [a.page(0), a.page(n / 2), a.page(n - 1)];
    p.map_parts(a, &file, 0, &parts, Share::Shared)?;
    p.write_all(&parts)?;
    w.punch(&file, 1..n / 2)?;
    w.punch(&file, n / 2 + 1..n - 1)?;
    let counters = Counters::open(&w)?;
    let shmem = || counters.pages("shmem");
    let base = shmem()?.ok_or(Stop::Skip("needs shmem in memory.stat"))?;
    if !p.collapse_cached(a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let property = "every page of shared memory counts as such";
    counters.expect_pages("shmem", property, "collapsed", base, n - parts.len())?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// A file of large folios becomes a huge page: it has as many pages afterwards, and none when it is cut (collapse_file()).
///
///   memfd  |0 .. folio .. 15|16 .. folio .. 31| ...   ->   |======== huge ========|   ->   cut at 0
fn joined(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    let p = w.actor("P")?;
    let counters = Counters::open(&w)?;
    let base = counters
        .pages("shmem")?
        .ok_or(Stop::Skip("needs shmem in memory.stat"))?;
    p.map_huge_object(a, &file)?;
    p.write(a)?;
    if !(2..n).contains(&w.folio_pages(p.id(), a.vpn)?) {
        return Err(Stop::Skip("needs large folios of shared memory"));
    }
    let property = "every page of shared memory counts as such";
    counters.expect_pages("shmem", property, "written", base, n)?;
    p.fork("Q")?;
    if !p.collapse_cached(a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    counters.expect_pages("shmem", property, "collapsed", base, n)?;
    w.check()?;
    walk::plain(&w)?;
    w.truncate(&file, 0)?;
    counters.expect_pages("shmem", property, "cut", base, 0)?;
    w.finish()
}

/// Huge pages of shared memory of the whole machine.
pub(super) fn huge_pages() -> TestResult<u64> {
    let seen = vmstat::sum(&["nr_shmem_hugepages"]).doing("read /proc/vmstat")?;
    seen.ok_or(Stop::Skip("needs nr_shmem_hugepages in /proc/vmstat"))
}

/// Whether a huge page of shared memory that is cut at a page, or has a hole there, still counts as one. `None` when that cannot be told.
fn counts_still(w: &World, a: Area, at: usize, punched: bool) -> TestResult<Option<bool>> {
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    let p = w.actor("P")?;
    let before = huge_pages()?;
    p.fill_huge_object(a, &file)?;
    let made = huge_pages()?;
    let q = p.fork("Q")?;
    match punched {
        true => w.punch(&file, at..at + 1)?,
        false => w.truncate(&file, at)?,
    }
    w.check()?;
    let known = made == before + 1 && w.folio_pages(p.id(), a.vpn)? < n;
    let mut until = w.limit(PATIENCE);
    let mut seen = huge_pages()?;
    while known && seen >= made && !until.over() {
        std::thread::sleep(Duration::from_millis(5));
        seen = huge_pages()?;
    }
    walk::plain(w)?;
    for actor in [p, q] {
        actor.exit()?;
    }
    Ok(known.then_some(seen >= made))
}

/// A huge page that is cut is one no longer, wherever it is cut (__folio_split()).
///
///   memfd  |======== huge ========|   ->   |0 1 2 . . m|      truncated at m, or . . . punched out of it
fn cut(ctx: &mut Ctx) -> TestResult {
    const TIMES: usize = 3;
    let w = World::new(ctx)?;
    // Each time other processes map it.
    let a = w.place_huge(1)?;
    let n = a.pages;
    let mut judged = false;
    for at in [n / 2 + 3, n / 2, 5] {
        for punched in [false, true] {
            // The number is the machine's: somebody else may have made a huge page meanwhile, hardly each time.
            let mut still = 0;
            for _ in 0..TIMES {
                match counts_still(&w, a, at, punched)? {
                    Some(true) => still += 1,
                    Some(false) => judged = true,
                    None => continue,
                }
                if still == 0 {
                    break;
                }
            }
            if still == TIMES {
                let how = if punched { "a hole at" } else { "truncated at" };
                return Err(Stop::fail(format_args!(
                    "a huge page of shared memory that is cut does not count as one any more (nr_shmem_hugepages): {how} page {at} it did, {TIMES} times"
                )));
            }
        }
    }
    if !judged {
        return Err(Stop::Skip(
            "needs huge pages of shared memory that nobody else makes",
        ));
    }
    w.finish()
}

pub const FILLED: Test = Test {
    name: "huge.counted.filled",
    about: "The counters of shared memory follow its pages.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    run: filled,
    ..HUGE
};
pub const JOINED: Test = Test {
    name: "large.counted.joined",
    about: "The counters of shared memory follow its pages.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    knobs: topology::SHARED_FOLIOS,
    run: joined,
    ..HUGE
};
pub const CUT: Test = Test {
    name: "huge.counted.cut",
    about: "The counters of huge pages of shared memory follow them.",
    run: cut,
    ..HUGE
};
