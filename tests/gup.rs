// SPDX-License-Identifier: GPL-2.0-or-later
//! References to pages that are no mappings: a pipe has them (vmsplice), a device may write to them (io_uring's registered
//! buffers) or read them for long (gup_test), another process reaches into them (process_vm_writev, /proc/PID/mem).
//!
//! The number of mappers alone does not tell whether a page is one process' own. What is in a pipe must not change when somebody
//! else writes; what is pinned must stay its owner's page, whatever forks and walks come.

use helpers::actor::pin::Way;
use helpers::supervise::{Ctx, Fix, Need, Test, joined, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, R, RW, filled};
use helpers::walk::reclaim::{press, swap_out};
use helpers::walk::{self, merge};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};

#[path = "gup/charged.rs"]
mod charged;
#[path = "gup/given_up.rs"]
mod given_up;
#[path = "gup/peeked.rs"]
mod peeked;
#[path = "gup/pins.rs"]
mod pins;
#[path = "gup/read_pins.rs"]
mod read_pins;
#[path = "gup/undone.rs"]
mod undone;
#[path = "gup/unshared.rs"]
mod unshared;

/// Pages of each mapping.
const N: usize = 8;

/// P has written, C is its child.
fn family<'w, 'c>(
    w: &'w World<'c>,
    grain: Grain,
) -> TestResult<(Actor<'w, 'c>, Actor<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = grain.map(w, p, N)?;
    p.write(a)?;
    grain.verify(w, p, a)?;
    let c = p.fork("C")?;
    Ok((p, c, a))
}

/// How the one who holds a page in a pipe leaves the mapping.
type Leave = fn(&World, Actor, Area) -> TestResult;

fn by_unmap(_: &World, who: Actor, a: Area) -> TestResult {
    who.unmap(a)
}

fn by_dontneed(_: &World, who: Actor, a: Area) -> TestResult {
    who.advise(a, advice::DONTNEED)
}

/// Its own copy takes the place of the page.
fn by_write(_: &World, who: Actor, a: Area) -> TestResult {
    who.write(a)
}

/// The child puts pages into a pipe and leaves them; the parent is their only mapper now, and writes.
fn child_splices(ctx: &mut Ctx, grain: Grain, leave: Leave) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    let some = a.sub(1..N - 1);
    c.splice(some)?;
    leave(&w, c, a)?;
    p.write(a)?;
    p.write(some)?;
    w.check()?;
    c.drain()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The parent puts pages into a pipe and leaves them; the child writes, and the grandchild after it.
fn parent_splices(ctx: &mut Ctx, grain: Grain, leave: Leave) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    let g = c.fork("C.C")?;
    let some = a.sub(0..N / 2);
    p.splice(some)?;
    leave(&w, p, a)?;
    c.write(some)?;
    g.write(some)?;
    w.check()?;
    p.drain()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// First the pipe, then the fork: the child is another process from its first write on.
fn splice_before_fork(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, N)?;
    p.write(a)?;
    p.splice(a)?;
    let c = p.fork("C")?;
    p.unmap(a.sub(0..N / 2))?;
    c.write(a)?;
    p.write(a.sub(N / 2..N))?;
    c.exit()?;
    w.check()?;
    p.drain()?;
    walk::every(&w)?;
    w.finish()
}

/// What is in a pipe while every walk is taken. Each page has two mappers besides.
fn splice_walks(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    c.splice(a.sub(0..N / 2))?;
    walk::every_on_offer(&w)?;
    p.unmap(a.page(0))?;
    c.unmap(a.page(1))?;
    p.write(a.sub(1..3))?;
    w.check()?;
    c.drain()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// What a pipe holds is the page itself: it is not moved to another one while it does, and the pipe has what is written to it.
///
///   P, C |0 1 2 3 4 5 6 7|      0..4 in a pipe
fn splice_stays(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    let held = a.sub(0..N / 2);
    c.splice(held)?;
    let pages = || -> TestResult<Vec<_>> {
        let seen = w.pages_of(c, held)?;
        Ok(seen.into_iter().map(|page| page.map(|p| p.0)).collect())
    };
    let before = pages()?;
    walk::only(&w, &walk::migrate::MIGRATE)?;
    let after = pages()?;
    let both = || {
        before
            .iter()
            .zip(&after)
            .filter(|(b, a)| b.is_some() && a.is_some())
    };
    if both().any(|(b, a)| b != a) {
        return Err(Stop::fail(format_args!(
            "a page that a pipe holds is not moved to another one: were {before:?}, are {after:?}"
        )));
    }
    if both().count() == 0 {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    c.drain()?;
    p.write(a.sub(1..3))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages that a swap brought back, in a pipe: the page is not the writer's although its count of mappers is one.
fn splice_swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, Grain::Base)?;
    c.splice(a)?;
    walk::only(&w, &walk::reclaim::RECLAIM)?;
    c.unmap(a)?;
    p.write(a)?;
    w.check()?;
    c.drain()?;
    walk::every(&w)?;
    w.finish()
}

/// What somebody holds is not merged, for its content may change or be read without a fault; the pages beside it are, and it is once it was let go.
///
///   P [0 1 2 3 4 5 6 7]  0 to 3 held       Q [0 1 2 3 4 5 6 7]  equal
fn merged_later(ctx: &mut Ctx, pinned: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    let (q, b) = topology::like(&w, "Q", N, (p, a))?;
    let held = [(p, a.sub(0..N / 2)), (q, b.sub(0..N / 2))];
    match pinned {
        true => p.pin(held[0].1)?,
        false => p.splice(held[0].1)?,
    }
    for (actor, area) in held {
        actor.advise(area, advice::MERGEABLE)?;
    }
    merge::merge(&w, &[(p, a.sub(N / 2..N)), (q, b.sub(N / 2..N))])?;
    let pages = merge::distinct(&w, &held)?;
    if pages.values().any(|&mappers| mappers > 1) {
        return Err(Stop::fail(format_args!(
            "a page that somebody holds is not merged: expected {N} pages, seen {pages:?}"
        )));
    }
    match pinned {
        true => p.unpin()?,
        false => p.drain()?,
    }
    merge::merge(&w, &[(p, a), (q, b)])?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pinned pages under every walk, beside others that go; when the pin is gone they go too.
fn pin_walks(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, N)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    p.pin(if grain == Grain::Huge { a } else { a.sub(2..6) })?;
    walk::every_on_offer(&w)?;
    p.unpin()?;
    walk::every(&w)?;
    w.finish()
}

/// Whether a write to a huge page that a fork shares copies the one page of it.
fn splits(w: &World) -> TestResult {
    match w.features().version() {
        (5, 8..) | (6.., _) => Ok(()),
        _ => Err(Stop::Skip(
            "needs huge pages that are split when one of their sharers writes (Linux 5.8)",
        )),
    }
}

/// A third process writes to pages that two share: the one it writes to gets a copy, the other keeps what it had.
fn poke_shared(ctx: &mut Ctx, grain: Grain, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    if grain == Grain::Huge {
        splits(&w)?;
    }
    let x = w.actor("X")?;
    let (p, c, a) = family(&w, grain)?;
    x.poke(c, a.sub(1..4), way)?;
    w.check()?;
    x.poke(p, a.sub(3..6), way)?;
    x.peek(c, a, way)?;
    x.peek(p, a, way)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    x.poke(c, a.sub(2..7), way)?;
    x.peek(p, a, way)?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A write from outside to what the process has given up (MADV_FREE), or has brought back from swap and not written since: entries that are clean, and may be written
/// without a fault. The write makes the page dirty, or reclaim would throw it away (unpin_user_pages_dirty_lock()).
///
///   P |0 1 2 3 4 5 6 7|      given up but 6 and 7, 2 3 4 written by X, then from swap 5 6
fn poke_clean(ctx: &mut Ctx, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    let x = w.actor("X")?;
    let (p, a) = filled(&w, "P", N)?;
    p.free(a.sub(0..N - 2))?;
    x.poke(p, a.sub(2..5), way)?;
    press(&w)?;
    let gone = p.settle_freed(a.sub(0..2))? + p.settle_freed(a.page(5))?;
    w.diag(format_args!("{gone} freed pages were taken"));
    w.check()?;
    swap_out(&w)?;
    p.advise(a, advice::WILLNEED)?;
    p.read(a)?;
    x.poke(p, a.sub(5..7), way)?;
    swap_out(&w)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    w.finish()
}

/// A write from outside to what the process itself may only read (FOLL_FORCE): it gets a copy, and neither the object nor any other
/// mapper sees the write. After MADV_DONTNEED the object shows again.
///
///   object     0 1 2 3 4 5 6 7       P shared, rw
///   Q private  0 1 2'3'4'5 6 7       read only, 2..5 written by X
fn poke_read_only(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q, x) = (w.actor("P")?, w.actor("Q")?, w.actor("X")?);
    let (a, b, own) = (w.place(N), w.place(N), w.place(N));
    w.name(a, "shared");
    w.name(b, "private");
    w.name(own, "own");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 0, R, Share::Private)?;
    q.map(own)?;
    q.write(own)?;
    let c = q.fork("Q.C")?;
    q.protect(own, R)?;
    x.poke(q, b.sub(2..5), Way::Mem)?;
    x.poke(q, own.sub(1..3), Way::Mem)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    // Written again, then half of it given back.
    x.poke(q, b.sub(3..6), Way::Mem)?;
    q.advise(b.sub(2..4), advice::DONTNEED)?;
    q.read(b)?;
    x.peek(q, b, Way::Mem)?;
    w.check()?;
    x.poke(c, b.page(2), Way::Mem)?;
    x.poke(q, b.page(2), Way::Mem)?;
    p.write(a.sub(0..3))?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The same to a huge page that a fork shares, in one mapper's read-only area: the others keep what they had (can_follow_write_pmd()).
///
///   P  |=== PMD, read only, 1 2 and n-1 written by X ===|       C  P's child |=== PMD ===|
fn poke_read_only_thp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    splits(&w)?;
    let x = w.actor("X")?;
    let (p, c, a) = family(&w, Grain::Huge)?;
    p.protect(a, R)?;
    x.poke(p, a.sub(1..3), Way::Mem)?;
    x.peek(c, a, Way::Mem)?;
    x.peek(p, a, Way::Mem)?;
    w.check()?;
    c.protect(a, R)?;
    x.poke(c, a.page(a.pages - 1), Way::Mem)?;
    x.poke(p, a.page(a.pages - 1), Way::Mem)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const SPLICE: Test = Test {
    about: "What a process has put into a pipe is not changed by what other processes write.",
    guards: &[Fix {
        commit: "09854ba94c6a",
        subject: "mm: do_wp_page() simplification",
    }],
    ..Test::DEFAULT
};
const PIN: Test = Test {
    about: "A pinned page stays its owner's page through fork, COW and every walk.",
    ..Test::DEFAULT
};
const POKE: Test = Test {
    about: "A write from outside is the write of the process that owns the memory, and of nobody else.",
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "splice.stays",
        run: |c| splice_stays(c, Grain::Base),
        ..SPLICE
    },
    Test {
        name: "splice.stays.thp",
        run: |c| splice_stays(c, Grain::Huge),
        needs: Grain::HUGE_NEEDS,
        ..SPLICE
    },
    Test {
        name: "splice.child.unmap",
        run: |c| child_splices(c, Grain::Base, by_unmap),
        ..SPLICE
    },
    Test {
        name: "splice.child.dontneed",
        run: |c| child_splices(c, Grain::Base, by_dontneed),
        ..SPLICE
    },
    Test {
        name: "splice.child.write",
        run: |c| child_splices(c, Grain::Base, by_write),
        ..SPLICE
    },
    Test {
        name: "splice.child.thp",
        needs: Grain::HUGE_NEEDS,
        run: |c| child_splices(c, Grain::Huge, by_unmap),
        ..SPLICE
    },
    Test {
        name: "splice.parent.unmap",
        run: |c| parent_splices(c, Grain::Base, by_unmap),
        ..SPLICE
    },
    Test {
        name: "splice.parent.write",
        run: |c| parent_splices(c, Grain::Base, by_write),
        ..SPLICE
    },
    Test {
        name: "splice.before_fork",
        run: splice_before_fork,
        ..SPLICE
    },
    Test {
        name: "splice.walks",
        run: |c| splice_walks(c, Grain::Base),
        ..SPLICE
    },
    Test {
        name: "splice.swapped",
        run: splice_swapped,
        ..SPLICE
    },
    given_up::SPLICED,
    given_up::SPLICED_SHARED,
    given_up::SPLICED_THP,
    given_up::PINNED,
    Test {
        name: "pin.fork",
        run: |c| pins::fork(c, Grain::Base),
        ..PIN
    },
    Test {
        name: "pin.one",
        run: pins::one,
        ..PIN
    },
    Test {
        name: "pin.fork.half",
        needs: Grain::HUGE_NEEDS,
        run: pins::half,
        ..PIN
    },
    Test {
        name: "pin.fork.thp",
        needs: Grain::HUGE_NEEDS,
        run: |c| pins::fork(c, Grain::Huge),
        ..PIN
    },
    Test {
        name: "pin.locked",
        run: pins::locked,
        ..PIN
    },
    Test {
        name: "pin.of_shared",
        run: pins::shared,
        ..PIN
    },
    Test {
        name: "splice.merged_later",
        about: "KSM does not merge what somebody holds.",
        run: |c| merged_later(c, false),
        ..SPLICE
    },
    Test {
        name: "pin.merged_later",
        about: "KSM does not merge what somebody holds.",
        run: |c| merged_later(c, true),
        ..PIN
    },
    Test {
        name: "pin.walks",
        run: |c| pin_walks(c, Grain::Base),
        ..PIN
    },
    Test {
        name: "pin.walks.thp",
        needs: Grain::HUGE_NEEDS,
        run: |c| pin_walks(c, Grain::Huge),
        ..PIN
    },
    Test {
        name: "pin.shared_memory",
        run: pins::shared_memory,
        ..PIN
    },
    Test {
        name: "pin.reshaped",
        run: pins::reshaped,
        ..PIN
    },
    Test {
        name: "pin.disk",
        about: "Nobody pins the page of a file on a disk to write to it for long.",
        needs: &[Need::Pfn, Need::KpageFlags, Need::Disk],
        run: pins::disk,
        ..PIN
    },
    Test {
        name: "poke.vm",
        run: |c| poke_shared(c, Grain::Base, Way::Vm),
        ..POKE
    },
    Test {
        name: "poke.vm.clean",
        run: |c| poke_clean(c, Way::Vm),
        needs: &[Need::Pfn, Need::Reclaim],
        ..POKE
    },
    Test {
        name: "poke.mem.clean",
        run: |c| poke_clean(c, Way::Mem),
        needs: &[Need::Pfn, Need::Reclaim],
        ..POKE
    },
    Test {
        name: "poke.vm.thp",
        run: |c| poke_shared(c, Grain::Huge, Way::Vm),
        needs: Grain::HUGE_NEEDS,
        ..POKE
    },
    Test {
        name: "poke.read_only.thp",
        run: poke_read_only_thp,
        needs: Grain::HUGE_NEEDS,
        ..POKE
    },
    Test {
        name: "poke.mem",
        run: |c| poke_shared(c, Grain::Base, Way::Mem),
        ..POKE
    },
    unshared::THP,
    undone::OBJECTS,
    undone::MARKED,
    undone::OFFLINED,
    Test {
        name: "poke.read_only",
        run: poke_read_only,
        ..POKE
    },
    charged::OTHER_GROUP,
    peeked::TOUCHED,
    peeked::READ_ONLY,
    peeked::READ_ONLY_THP,
    peeked::WRITE_PROTECTED,
    peeked::WRITE_PROTECTED_THP,
];

const ALL: [Test; TESTS.len() + read_pins::TESTS.len()] = joined(TESTS, read_pins::TESTS);

pub fn main() {
    run(
        "gup",
        "pages held by a pipe or a device through fork and COW",
        &ALL,
    )
}
