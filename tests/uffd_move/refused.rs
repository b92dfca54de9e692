// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are not to be moved: shared, pinned, locked otherwise than where they are to go, or to where something is. They stay where they are, and are found there.

use super::{N, REFUSED, SWAP, end, one_place, places};
use helpers::supervise::{Ctx, Test};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// Where the pages are and where they are to go.
type Places = fn(&World, Actor, usize) -> TestResult<(Area, Area)>;

/// A shared page is refused while it is shared and until its last mapper has written to it; so is one that is in swap when the fork
/// shares it, also after one of them has it back.
fn shared_refused(ctx: &mut Ctx, places: Places, out: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    if out {
        p.page_out(from)?;
    }
    let c = p.fork("C")?;
    if out {
        c.read(from.sub(0..2))?;
        p.read(from.sub(1..4))?;
    }
    for i in 0..N {
        p.uffd_move_refused(from.page(i), to.page(i))?;
    }
    c.write(from.page(1))?;
    walk::every_on_offer(&w)?;
    c.exit()?;
    p.write(from)?;
    p.uffd_move(from, to)?;
    end(&w, p, from)?;
    w.finish()
}

/// A row of pages by one call, of which those behind the first are shared: it ends there, and all behind stay for both.
///
///   P  from |0'1'2 3 4'5 6'7'|      C  the same, ' its parent's own
fn shared_behind(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    let c = p.fork("C")?;
    for own in [0..2, 4..5, 6..N] {
        p.write(from.sub(own))?;
    }
    // Before any walk: what comes back from swap as a copy of a merged page is nobody else's.
    p.uffd_move_first(from, to, 2)?;
    w.check()?;
    p.uffd_move_first(from.sub(4..N), to.sub(4..N), 1)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    c.exit()?;
    let rest = [from.sub(2..4), from.sub(5..N)];
    for (area, first) in rest.into_iter().zip([2, 5]) {
        p.write(area)?;
        p.uffd_move(area, to.sub(first..first + area.pages))?;
    }
    end(&w, p, from)?;
    w.finish()
}

/// A row of pages by one call, of which some behind the first are pinned: it ends there.
///
///   P  from |0 1 2p3p4 5 6 7|      p pinned
fn pinned_behind(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.pin(from.sub(2..4))?;
    p.uffd_move_first(from, to, 2)?;
    w.check()?;
    p.uffd_move_refused(from.sub(2..N), to.sub(2..N))?;
    walk::every_on_offer(&w)?;
    p.unpin()?;
    p.write(from.sub(2..N))?;
    p.uffd_move(from.sub(2..N), to.sub(2..N))?;
    end(&w, p, from)?;
    w.finish()
}

/// From a locked area to one that is not, and back: the page would be marked as locked where it is not, or not where it is.
fn locked_refused(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.lock(from, Lock::Full)?;
    p.uffd_move_invalid(from, to)?;
    walk::every_on_offer(&w)?;
    p.unlock(from)?;
    p.write(from)?;
    p.uffd_move(from.sub(0..4), to.sub(0..4))?;
    p.lock(to, Lock::OnFault)?;
    p.uffd_move_invalid(from.sub(4..N), to.sub(4..N))?;
    p.unlock(to)?;
    p.uffd_move(from.sub(4..N), to.sub(4..N))?;
    end(&w, p, from)?;
    w.finish()
}

/// What is at the target stays there, in memory or in swap, and so does what was to go there.
///
///   from |. 1 . 3 4 5 6 7|      to |0 . 2 . . . . .|       0, 2: moved there before; 2 is in swap
fn occupied_refused(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.uffd_move(from.page(0), to.page(0))?;
    p.uffd_move(from.page(2), to.page(2))?;
    p.page_out(to.page(2))?;
    p.uffd_move_occupied(from.page(1), to.page(0))?;
    p.uffd_move_occupied(from.page(3), to.page(2))?;
    p.uffd_move_occupied(from.page(1), to.page(2))?;
    walk::every_on_offer(&w)?;
    p.write(from.page(1))?;
    p.write(from.sub(3..N))?;
    p.uffd_move(from.page(1), to.page(1))?;
    p.uffd_move(from.sub(3..N), to.sub(3..N))?;
    end(&w, p, from)?;
    w.finish()
}

/// A pinned page is refused, and found where it is; when the pin is gone it moves.
fn pinned_refused(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.pin(from.sub(2..5))?;
    for i in 2..5 {
        p.uffd_move_refused(from.page(i), to.page(i))?;
    }
    p.uffd_move(from.sub(0..2), to.sub(0..2))?;
    walk::every_on_offer(&w)?;
    p.unpin()?;
    walk::every_on_offer(&w)?;
    p.write(from.sub(2..5))?;
    p.uffd_move(from.sub(2..5), to.sub(2..5))?;
    end(&w, p, from)?;
    w.finish()
}

pub const SHARED: Test = Test {
    name: "refused.shared",
    run: |c| shared_refused(c, places, false),
    ..REFUSED
};
pub const SHARED_WITHIN: Test = Test {
    name: "refused.shared.within",
    run: |c| shared_refused(c, one_place, false),
    ..REFUSED
};
pub const SHARED_SWAPPED: Test = Test {
    name: "refused.shared.swapped",
    run: |c| shared_refused(c, places, true),
    ..SWAP
};
pub const SHARED_SWAPPED_WITHIN: Test = Test {
    name: "refused.shared.swapped.within",
    run: |c| shared_refused(c, one_place, true),
    ..SWAP
};
pub const SHARED_BEHIND: Test = Test {
    name: "refused.shared.behind",
    run: shared_behind,
    ..REFUSED
};
pub const PINNED: Test = Test {
    name: "refused.pinned",
    run: pinned_refused,
    ..REFUSED
};
pub const PINNED_BEHIND: Test = Test {
    name: "refused.pinned.behind",
    run: pinned_behind,
    ..REFUSED
};
pub const LOCKED: Test = Test {
    name: "refused.locked",
    run: locked_refused,
    ..REFUSED
};
pub const OCCUPIED: Test = Test {
    name: "refused.occupied",
    run: occupied_refused,
    ..REFUSED
};
