// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that a device may write to (io_uring's registered buffers): their owner's through fork and COW.

use super::{N, family};
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, R, RW};
use helpers::walk;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Share, World};

/// The halves of a large folio of P: one is its alone (0 or 1), the other its child's as well.
///
///   P |own own own own|s s s s|      C |. . . .|s s s s|
pub fn half_shared<'w, 'c>(
    w: &'w World<'c>,
    own: usize,
) -> TestResult<(Actor<'w, 'c>, Actor<'w, 'c>, [Area; 2])> {
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let a = w.place_aligned(n, n);
    w.name(a, "a");
    p.map_folio(a)?;
    let halves = [a.sub(0..n / 2), a.sub(n / 2..n)];
    p.advise(halves[own], advice::DONTFORK)?;
    let c = p.fork("C")?;
    p.advise(halves[own], advice::DOFORK)?;
    Ok((p, c, halves))
}

/// A pinned page is its owner's through fork, COW on both sides, and the end of either process.
///
///   P |0 1 2 3 4 5 6 7|   2..6 pinned      C |0 1 2' 3' 4' 5' 6 7|  2..6 copied at the fork
pub fn fork(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, N)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let pinned = if grain == Grain::Huge { a } else { a.sub(2..6) };
    p.pin(pinned)?;
    let c = p.fork("C")?;
    w.check()?;
    p.write(a.sub(2..4))?;
    c.write(a.sub(3..5))?;
    w.check()?;
    let g = c.fork("C.C")?;
    let s = p.fork("S")?;
    s.write(a.page(5))?;
    if grain == Grain::Base {
        walk::every_on_offer(&w)?;
    }
    p.write(a.sub(2..6))?;
    c.exit()?;
    w.check()?;
    p.unpin()?;
    walk::every(&w)?;
    g.write(a.sub(0..6))?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A single page, by itself, of a process that has pinned nothing before, and of each place in turn.
///
///   P |0 1 2 3 4 5 6 7|   one of them pinned      C |0 1 2 3' 4 5 6 7|  copied at the fork
pub fn one(ctx: &mut Ctx) -> TestResult {
    for at in [0, 3, N - 1] {
        let w = World::new(ctx)?;
        let p = w.actor("P")?;
        let a = Grain::Base.map(&w, p, N)?;
        p.write(a)?;
        let one = a.page(at);
        p.pin(one)?;
        let c = p.fork("C")?;
        w.check()?;
        p.write(one)?;
        c.write(one)?;
        w.check()?;
        p.unpin()?;
        w.check()?;
        w.finish()?;
    }
    Ok(())
}

/// A large folio of which half was shared by a fork before: the rest of it is still P's alone, and pinned, so the next fork copies that, whatever may
/// be said of the first page of a row of entries (copy_present_ptes(), __folio_try_dup_anon_rmap()).
///
///   P |s s s s|own own own own|  the own ones pinned     D |s s s s|o' o' o' o'|  copied at the fork
pub fn half(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, [_, own]) = half_shared(&w, 1)?;
    c.exit()?;
    p.pin(own)?;
    let d = p.fork("D")?;
    w.check()?;
    p.write(own.sub(0..3))?;
    d.write(own.sub(2..4))?;
    w.check()?;
    p.unpin()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A locked area: the copies that a fork makes of what is pinned (copy_present_page()) are the child's, who has locked nothing.
///
///   P |0 1 2 3 4 5 6 7|  locked, 2..6 pinned      C |0 1 2' 3' 4' 5' 6 7|  not locked
pub fn locked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, N)?;
    p.write(a)?;
    p.lock(a, Lock::Full)?;
    p.pin(a.sub(2..6))?;
    let c = p.fork("C")?;
    w.check()?;
    p.write(a.sub(1..4))?;
    c.fork("C.C")?;
    w.check()?;
    p.unpin()?;
    p.unlock(a)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A pin of pages that are shared: the owner gets copies of its own first. Of what was never touched: pages of zeroes.
pub fn shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, Grain::Base)?;
    let empty = w.place(2);
    w.name(empty, "empty");
    c.map(empty)?;
    c.pin(a.sub(0..4))?;
    w.check()?;
    p.pin(a.sub(2..6))?;
    w.check()?;
    p.write(a)?;
    c.write(a.page(1))?;
    walk::every_on_offer(&w)?;
    c.unpin()?;
    c.pin(empty)?;
    c.fork("C.C")?;
    p.exit()?;
    w.check()?;
    c.unpin()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Shared memory that one of two mappers has pinned: it must stay for the other as well.
pub fn shared_memory(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map_shared(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.pin(a.sub(2..6))?;
    c.unmap(a.page(3))?;
    p.write(a.sub(0..4))?;
    walk::every_on_offer(&w)?;
    c.unpin()?;
    walk::every(&w)?;
    p.write(a)?;
    w.check()?;
    w.finish()
}

/// The owner moves, cuts and gives back what it has pinned.
pub fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (Grain::Base.map(&w, p, N)?, w.place(N));
    w.name(b, "b");
    p.write(a)?;
    p.pin(a)?;
    p.protect(a.sub(4..6), R)?;
    let c = p.fork("C")?;
    p.protect(a.sub(4..6), RW)?;
    p.move_to(a, b)?;
    p.advise(b.page(1), advice::DONTNEED)?;
    p.unmap(b.page(2))?;
    w.check()?;
    p.write(b.sub(4..6))?;
    c.write(a.sub(3..4))?;
    walk::every_on_offer(&w)?;
    p.unpin()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Of a file on a disk who maps it privately can have his copies pinned, and nobody the file's own pages: right after they were written, when
/// their entries show nothing against it, and after they were written back.
///
///   file       0 1 2 3 4 5 6 7
///   P shared   0 1 2 3 4 5 6 7      written, not to be pinned     C P's child
///   P private  0'1'2'3'4'5'6'7'     pinned
pub fn disk(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Disk, N)?;
    let p = w.actor("P")?;
    let (shared, private) = (w.place(N), w.place(N));
    w.name(shared, "shared");
    w.name(private, "private");
    p.map_object(shared, &file, 0, RW, Share::Shared)?;
    p.map_object(private, &file, 0, RW, Share::Private)?;
    p.write(shared)?;
    p.write(private)?;
    p.pin_refused(shared)?;
    let c = p.fork("C")?;
    c.write(shared.sub(2..4))?;
    c.pin_refused(shared.page(3))?;
    w.check()?;
    w.sync(&file)?;
    p.pin_refused(shared.sub(1..3))?;
    w.check()?;
    // Before Linux 6.5 io_uring took no area of a file on a disk, whatever is in it.
    let pinned = w.features().version() >= (6, 5);
    if pinned {
        p.pin(private)?;
        w.check()?;
    }
    walk::plain(&w)?;
    if pinned {
        p.unpin()?;
    }
    topology::write_by_each(&w)?;
    w.finish()
}
