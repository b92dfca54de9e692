// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of an object that are dropped from where they are write-protected (MADV_DONTNEED): what says so stays in the entry, also where a whole table is dropped and
//! could be given back (zap_pte_range(), try_free_pte()).

use super::MARK;
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

const DROPPED: Test = Test {
    needs: &[Need::Thp, Need::Pagemap],
    ..MARK
};
pub const TABLE: Test = Test {
    name: "dropped.table",
    run: |c| dropped(c, |a| a),
    ..DROPPED
};
pub const PART: Test = Test {
    name: "dropped.part",
    run: |c| dropped(c, |a| a.sub(5..a.pages / 2)),
    ..DROPPED
};
