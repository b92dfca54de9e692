// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of an object that are dropped from where they are write-protected (MADV_DONTNEED): what says so stays in the entry, also where a whole table is dropped and
//! could be given back (zap_pte_range(), try_free_pte()).

use super::{MARK, N};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::WP;
use helpers::topology::{NONE, RW};
use helpers::world::{Area, Kind, Share, World};
use helpers::{TestResult, walk};

///   object      0 1 2 3 ... small pages, a page table full
///   P  shared   . . . . ...            C  P's child, not
fn dropped(ctx: &mut Ctx, part: fn(Area) -> Area) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    // Nothing is read before it is kept from becoming a huge page.
    p.map_object(a, &file, 0, NONE, Share::Shared)?;
    p.advise(a, advice::NOHUGEPAGE)?;
    p.protect(a, RW)?;
    p.write(a)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a)?;
    p.advise(part(a), advice::DONTNEED)?;
    // As it is, then as it comes back.
    w.check_partly()?;
    w.check()?;
    p.fork("C")?;
    p.write_kept(part(a).sub(2..4), &k)?;
    walk::every(&w)?;
    w.finish()
}

/// What is dropped is in swap: copies of an object's pages, which have a mark in their entries (pte_install_uffd_wp_if_needed()).
///
///   object      0 1 2 3 4 5 6 7
///   P  private  0'1'2'3'4 5 6 7        0 to 3 in swap, then all dropped      C  P's child, not
///               . . . . . . . .
fn dropped_swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place(N);
    w.name(a, "a");
    let file = w.object(Kind::Memfd, N)?;
    let p = w.actor("P")?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a.sub(0..4))?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a)?;
    p.page_out(a.sub(0..4))?;
    w.check_partly()?;
    p.advise(a, advice::DONTNEED)?;
    w.check_partly()?;
    w.check()?;
    p.fork("C")?;
    p.write_kept(a.sub(1..3), &k)?;
    walk::every(&w)?;
    w.finish()
}

const DROPPED: Test = Test {
    needs: &[Need::Thp, Need::Pagemap],
    ..MARK
};
pub const TABLE: Test = Test {
    name: "dropped.table",
    run: |c| dropped(c, |a| a),
    ..DROPPED
};
pub const SWAPPED: Test = Test {
    name: "dropped.swapped",
    needs: &[Need::Pagemap, Need::Reclaim],
    run: dropped_swapped,
    ..DROPPED
};
pub const PART: Test = Test {
    name: "dropped.part",
    run: |c| dropped(c, |a| a.sub(5..a.pages / 2)),
    ..DROPPED
};
