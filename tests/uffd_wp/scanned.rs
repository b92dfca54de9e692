// SPDX-License-Identifier: GPL-2.0-or-later
//! Write protection that nobody waits for (UFFD_FEATURE_WP_ASYNC), to find out what was written (PAGEMAP_SCAN): a page is told once for each time
//! that it was written in between, wherever it is when it is asked for, and no walk makes it a written one or a clean one.

use super::N;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_WP_ASYNC, WP};
use helpers::topology::{self, Grain};
use helpers::walk::{self, leave_in_swap};
use helpers::world::{Actor, Area, Keeper, World};
use helpers::{Stop, TestResult};

/// What was written since the last time, and nothing else.
fn expect(w: &World, p: Actor, a: Area, written: &[usize]) -> TestResult {
    told(w, p, a, written, false)
}

/// The same by who also asks where the pages are.
fn expect_where(w: &World, p: Actor, a: Area, written: &[usize]) -> TestResult {
    told(w, p, a, written, true)
}

fn told(w: &World, p: Actor, a: Area, written: &[usize], wide: bool) -> TestResult {
    let seen = p.scan_written(a, wide)?;
    if seen == written {
        return w.check();
    }
    Err(Stop::fail(format_args!(
        "PAGEMAP_SCAN tells what was written since the last time: expected pages {written:?}, seen {seen:?}"
    )))
}

///   P |0 1 2 3 4 5 6 7|  registered; in swap, in memory, shared with C, and after each walk
///   C |0 1'2 3'4 5 6 7|  not
pub fn scanned(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, N)?;
    let k = p.keeper(FEATURE_WP_ASYNC)?;
    k.register(a, WP)?;
    p.write(a)?;
    leave_in_swap(&w)?;
    let all: Vec<usize> = (0..N).collect();
    let first = p.scan_written(a, false)?;
    if first != all {
        return Err(Stop::fail(format_args!(
            "PAGEMAP_SCAN tells what was written: expected {all:?}, seen {first:?}"
        )));
    }
    // Where they are: nothing has been brought in.
    w.check_partly()?;
    expect(&w, p, a, &[])?;
    walk::plain(&w)?;
    expect(&w, p, a, &[])?;
    p.write(a.sub(2..5))?;
    expect(&w, p, a, &[2, 3, 4])?;
    let c = p.fork("C")?;
    c.write(a.page(1))?;
    w.check()?;
    expect(&w, p, a, &[])?;
    leave_in_swap(&w)?;
    c.write(a.page(3))?;
    expect(&w, p, a, &[])?;
    p.write(a.page(N - 1))?;
    expect(&w, p, a, &[N - 1])?;
    walk::plain(&w)?;
    expect(&w, p, a, &[])?;
    // In swap, in memory, and shared with who has written his own.
    p.write(a.sub(1..3))?;
    leave_in_swap(&w)?;
    p.write(a.page(5))?;
    c.write(a.page(6))?;
    expect_where(&w, p, a, &[1, 2, 5])?;
    expect_where(&w, p, a, &[])?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// P's huge page, written, with a userfaultfd that waits for nobody.
fn watched_huge<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    let k = p.keeper(FEATURE_WP_ASYNC)?;
    k.register(a, WP)?;
    Ok((p, k, a))
}

/// A huge page by its PMD: what is written of it is told page by page (wp_huge_pmd()).
///
///   P |======== PMD ========|      5, then 300 301, then nothing
pub fn huge(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = watched_huge(&w)?;
    let all: Vec<usize> = (0..a.pages).collect();
    expect(&w, p, a, &all)?;
    expect(&w, p, a, &[])?;
    p.write(a.page(5))?;
    expect_where(&w, p, a, &[5])?;
    let later = a.pages / 2 + 44;
    p.write(a.sub(later..later + 2))?;
    expect(&w, p, a, &[later, later + 1])?;
    walk::plain(&w)?;
    expect(&w, p, a, &[])?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A huge page of which parts are asked for: only these are protected again, so that what was written of the rest is told later. The first call has
/// to split the PMD (pagemap_scan_thp_entry()).
///
///   P |======== PMD ========|      the first page, then a part to the middle, then the rest
pub fn huge_parts(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = watched_huge(&w)?;
    let half = a.pages / 2;
    for part in [0..1, 1..half, half..a.pages] {
        let pages = part.len();
        let all: Vec<usize> = (0..pages).collect();
        expect(&w, p, a.sub(part), &all)?;
    }
    expect(&w, p, a, &[])?;
    p.write(a.sub(half - 1..half + 1))?;
    expect(&w, p, a.sub(half..a.pages), &[0])?;
    expect(&w, p, a, &[half - 1])?;
    walk::plain(&w)?;
    expect(&w, p, a, &[])?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Who asks for some pages at a time is told of each once: what comes behind them is not protected again before it is told, and is not behind
/// where the next scan goes on (pagemap_scan_thp_entry(), pagemap_scan_output()).
///
///   P |======== PMD ========|  or small pages     5 of all, the rest; then 3 of what was written, the rest of that
pub fn limited(ctx: &mut Ctx, huge: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = match huge {
        true => watched_huge(&w)?,
        false => {
            let p = w.actor("P")?;
            let a = Grain::Base.map(&w, p, N)?;
            let k = p.keeper(FEATURE_WP_ASYNC)?;
            k.register(a, WP)?;
            p.write(a)?;
            (p, k, a)
        }
    };
    let some = |most: usize, due: &[usize]| {
        let (seen, next) = p.scan_some_written(a, false, most)?;
        if seen == due && due.last().is_some_and(|last| next == last + 1) {
            return w.check();
        }
        Err(Stop::fail(format_args!(
            "PAGEMAP_SCAN tells as many pages as it is asked for, and goes on behind them: expected {due:?}, seen {seen:?}, and that it goes on at page {next}"
        )))
    };
    some(5, &[0, 1, 2, 3, 4])?;
    let rest: Vec<usize> = (5..a.pages).collect();
    expect(&w, p, a, &rest)?;
    expect(&w, p, a, &[])?;
    p.write(a.sub(1..7))?;
    some(3, &[1, 2, 3])?;
    some(1, &[4])?;
    expect(&w, p, a, &[5, 6])?;
    walk::plain(&w)?;
    expect(&w, p, a, &[])?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}
