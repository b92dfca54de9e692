// SPDX-License-Identifier: GPL-2.0-or-later
//! Guards (MADV_GUARD_INSTALL): entries that no page is behind. They are the area's and not a page's: fork copies them (copy_nonpresent_pte(),
//! also of files, whose entries it leaves out otherwise), mremap carries them along, and giving pages back leaves them. An area
//! that has nothing else has an anon_vma by them, or gets one at its first page.

use super::OPS;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, RW};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{TestResult, walk};

/// Pages of the area.
const N: usize = 8;

///   P   |0 # # # 4 5 # 7|     #: a guard; 6 was never touched, 7 is not either
///   C   |0 . # .|. . .|6#7|   P's child: 1 and 3 without guards, 3 written; to |# 4 5|, which were 3 4 5
///   G                         C's child
fn guarded(w: &World, p: Actor, a: Area, private: bool) -> TestResult {
    p.advise(a.sub(1..4), advice::GUARD_INSTALL)?;
    p.advise(a.page(6), advice::GUARD_INSTALL)?;
    // Twice is once.
    p.advise(a.page(2), advice::GUARD_INSTALL)?;
    w.check()?;
    let c = p.fork("C")?;
    w.check()?;
    p.advise(a.sub(2..5), advice::DONTNEED)?;
    if private {
        p.advise(a.page(6), advice::FREE)?;
    }
    w.check()?;
    let to = w.place(3);
    w.name(to, "to");
    c.move_to(a.sub(3..6), to)?;
    c.advise(a.page(1), advice::GUARD_REMOVE)?;
    c.write(a.page(1))?;
    w.check()?;
    let g = c.fork("G")?;
    walk::every(w)?;
    // What comes where a guard was is found as well.
    p.advise(a, advice::GUARD_REMOVE)?;
    w.check()?;
    p.write(a)?;
    g.advise(to.page(0), advice::GUARD_REMOVE)?;
    g.write(to.page(0))?;
    walk::every(w)?;
    topology::write_by_each(w)
}

fn private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..6))?;
    guarded(&w, p, a, true)?;
    w.finish()
}

/// An object's pages stay where they are, and are seen again without the guard; Q maps them too.
fn object(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, share)?;
    p.write(a.sub(2..5))?;
    guarded(&w, p, a, false)?;
    w.finish()
}

/// A guard inside a huge page: the entry is taken apart, and the page is in use without this part.
///
///   P   |H H H # H ... H|     C  P's child
fn huge(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    p.map_folio(a)?;
    p.advise(a.sub(3..4), advice::GUARD_INSTALL)?;
    w.check()?;
    let c = p.fork("C")?;
    walk::every(&w)?;
    c.advise(a.sub(3..4), advice::GUARD_REMOVE)?;
    c.write(a.sub(2..5))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const GUARDS: Test = Test {
    about: "A guard stays where it is, in every child and wherever its area is moved, until it is removed.",
    ..OPS
};
pub const PRIVATE: Test = Test {
    name: "guards.private",
    run: private,
    ..GUARDS
};
pub const SHARED: Test = Test {
    name: "guards.memfd.shared",
    run: |c| object(c, Share::Shared),
    ..GUARDS
};
pub const COPIED: Test = Test {
    name: "guards.memfd.private",
    run: |c| object(c, Share::Private),
    ..GUARDS
};
pub const HUGE: Test = Test {
    name: "guards.huge",
    run: huge,
    ..GUARDS
};
