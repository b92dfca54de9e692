// SPDX-License-Identifier: GPL-2.0-or-later
//! VM_LOCKED and fork: the lock stays with the parent, the page stays in memory for all.
//!
//! dup_mmap() clears VM_LOCKED and VM_LOCKONFAULT. A page that one mapper has locked is not reclaimed, and is reclaimable
//! again when the last locked mapper has unlocked, unmapped or exited (munlock through the rmap counts: folio->mlock_count).

use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::topology::{self, NONE, R, RW};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};
use std::time::Duration;

/// How long a page may be on its way to another place.
const MOVING: Duration = Duration::from_millis(400);

/// Whether smaps shows "lo" for the area, and VmLck of the process in pages.
fn locked(w: &World, actor: Actor, area: Area) -> TestResult<(bool, u64)> {
    let addr = area.vpn * w.page_size();
    let flags = vma::vm_flags(actor.pid()?, addr).doing("read smaps")?;
    let Some(flags) = flags else {
        return Err(Stop::Skip("needs VmFlags in smaps"));
    };
    Ok((flags.iter().any(|f| f == "lo"), locked_pages(w, actor)?))
}

/// VmLck of a process in pages.
fn locked_pages(w: &World, actor: Actor) -> TestResult<u64> {
    let kb = vma::status_kb(actor.pid()?, "VmLck").doing("read status")?;
    Ok(kb.unwrap_or(0) * 1024 / w.page_size() as u64)
}

#[track_caller]
fn expect(w: &World, actor: Actor, area: Area, lo: bool, pages: u64) -> TestResult {
    let seen = locked(w, actor, area)?;
    if seen != (lo, pages) {
        return Err(Stop::fail(format_args!(
            "VM_LOCKED stays with the parent at fork: actor {} expected lo={lo} VmLck={pages} pages, seen lo={} VmLck={} pages",
            actor.name(),
            seen.0,
            seen.1
        )));
    }
    Ok(())
}

/// A file's pages, mapped shared and private.
///
///   P   shared [ locked ]  private [ locked ]      C   [ not ] [ not ]
fn not_inherited_file(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let file = w.object(Kind::Memfd, 8)?;
    let (s, q) = (w.place(4), w.place(4));
    w.name(s, "shared");
    w.name(q, "private");
    p.map_object(s, &file, 0, RW, Share::Shared)?;
    p.map_object(q, &file, 4, RW, Share::Private)?;
    p.write(s)?;
    p.write(q.sub(1..3))?;
    p.lock(s, Lock::Full)?;
    p.lock(q, Lock::Full)?;
    let c = p.fork("C")?;
    expect(&w, p, s, true, 8)?;
    expect(&w, c, s, false, 0)?;
    expect(&w, c, q, false, 0)?;
    c.write(q.page(0))?;
    w.check()?;
    p.unlock(s)?;
    p.unlock(q)?;
    expect(&w, p, q, false, 0)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P   [ locked ]      C   [ not ]      the child may lock and unlock on its own
fn not_inherited(ctx: &mut Ctx, how: Lock) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(4);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    p.lock(a, how)?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    expect(&w, p, a, true, 4)?;
    expect(&w, c, a, false, 0)?;
    expect(&w, g, a, false, 0)?;
    // Locked by one mapper: stays. Every walk that does not take it out must still find all.
    walk::every_on_offer(&w)?;
    p.unlock(a)?;
    expect(&w, p, a, false, 0)?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A process that locks what it maps from then on. That is its own affair: what its child maps is not locked, nor what a program maps
/// that it executes.
///
///   P  before [ not ]  after [ locked ]  file [ locked ]
///   C         [ not ]        [ not ]          [ not ]      its own [ not ]
fn future(ctx: &mut Ctx, how: Lock) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let file = w.object(Kind::Memfd, 4)?;
    let (before, after, f) = (w.place(4), w.place(4), w.place(4));
    let (own, private, late) = (w.place(4), w.place(4), w.place(4));
    w.name(before, "before");
    w.name(after, "after");
    w.name(f, "file");
    w.name(own, "own");
    w.name(private, "private");
    w.name(late, "late");
    p.map(before)?;
    p.write(before)?;
    p.lock_future(how)?;
    p.map(after)?;
    p.write(after.sub(0..2))?;
    p.map_object(f, &file, 0, RW, Share::Shared)?;
    let (of_p, seen) = (locked_pages(&w, p)?, locked(&w, p, after)?);
    if !seen.0 || locked(&w, p, before)?.0 || of_p < 8 {
        return Err(Stop::fail(format_args!(
            "MCL_FUTURE locks what is mapped after it, and nothing before: VmLck={of_p} pages"
        )));
    }
    let c = p.fork("C")?;
    c.map(own)?;
    c.write(own)?;
    c.map_object(private, &file, 0, RW, Share::Private)?;
    for area in [before, after, f, own, private] {
        expect(&w, c, area, false, 0)?;
    }
    let g = c.fork("G")?;
    g.map(late)?;
    g.write(late)?;
    expect(&w, g, late, false, 0)?;
    p.map(late)?;
    w.check()?;
    walk::every_on_offer(&w)?;
    g.exit()?;
    p.exec()?;
    let left = locked_pages(&w, p)?;
    if left != 0 {
        return Err(Stop::fail(format_args!(
            "MCL_FUTURE ends with the program: VmLck={left} pages after execve"
        )));
    }
    topology::write_by_each(&w)?;
    w.finish()
}

/// How the last lock on a page goes away.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Unlock,
    Unmap,
    Exit,
    Exec,
}

///   P   [ rw        ]    shared page, locked by the child through a read-only VMA (a writable one would copy it)
///   C   [ r, locked ]    then C lets go of it in one way or another: reclaim takes it from all again
fn child_locks(ctx: &mut Ctx, end: End) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(3);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    let s = p.fork("S")?;
    c.protect(a, topology::R)?;
    c.lock(a.sub(0..2), Lock::Full)?;
    expect(&w, c, a, true, 2)?;
    let d = c.fork("D")?;
    expect(&w, d, a, false, 0)?;
    walk::every(&w)?;
    match end {
        End::Unlock => c.unlock(a.sub(0..2))?,
        End::Unmap => c.unmap(a.sub(0..2))?,
        End::Exit => c.exit()?,
        End::Exec => c.exec()?,
    }
    walk::every(&w)?;
    s.exit()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Two lockers of one page: it stays until both have gone, in either order.
fn two_lockers(ctx: &mut Ctx, first_exits: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(2);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    for actor in [p, c] {
        actor.protect(a, topology::R)?;
        actor.lock(a, Lock::Full)?;
    }
    let (one, other) = if first_exits { (p, c) } else { (c, p) };
    let s = c.fork("S")?;
    one.exit()?;
    // The other's lock still holds: the reclaim walk fails when it takes the page.
    walk::every(&w)?;
    other.unlock(a)?;
    walk::every(&w)?;
    s.exit()?;
    w.finish()
}

const LOCK: Test = Test {
    about: "Locks are not inherited; a page is kept for all while one mapper locks it, and not longer.",
    needs: &[Need::Pagemap],
    ..Test::DEFAULT
};

const FUTURE: Test = Test {
    about: "What a process locks of its future (MCL_FUTURE) is not inherited.",
    // A limit would end its own mappings as well.
    needs: &[Need::Pagemap, Need::Root],
    ..LOCK
};

/// A process that says again and again what it locks of its future: what was locked before stays as it was.
///
///   P  kept [locked]   first [on fault]   second [locked]   third [on fault]   then all that there is   last [not]
fn future_changed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let areas = ["kept", "first", "second", "third", "last"].map(|name| {
        let area = w.place(4);
        w.name(area, name);
        area
    });
    let [kept, first, second, third, last] = areas;
    p.map(kept)?;
    p.write(kept)?;
    p.lock(kept, Lock::Full)?;
    for (area, how) in [
        (first, Lock::OnFault),
        (second, Lock::Full),
        (third, Lock::OnFault),
    ] {
        p.lock_future(how)?;
        w.check_areas()?;
        p.map(area)?;
        w.check_areas()?;
        p.write(area.page(1))?;
    }
    p.fork("C")?;
    p.lock_current()?;
    p.map(last)?;
    p.write(last)?;
    w.check_areas()?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// What is mapped side by side while MCL_FUTURE is on merges, and counts as locked all the same (__mmap_complete()): on the right of what is there, on the left,
/// between two, and of a file.
///
///   P  |0 1|2 3|4 5|6 7|  mapped in the order 1 2 0 3         file |0 1|2 3|
fn future_joined(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a, f) = (w.actor("P")?, w.place(8), w.place(4));
    let file = w.object(Kind::Memfd, 4)?;
    w.name(a, "a");
    w.name(f, "file");
    p.lock_future(Lock::Full)?;
    for i in [1, 2, 0, 3] {
        p.map(a.sub(2 * i..2 * i + 2))?;
        w.check_areas()?;
    }
    for i in 0..2 {
        let part = f.sub(2 * i..2 * i + 2);
        p.map_object(part, &file, 2 * i, RW, Share::Shared)?;
        w.check_areas()?;
    }
    let c = p.fork("C")?;
    w.check()?;
    walk::every_on_offer(&w)?;
    p.unmap(a.sub(3..5))?;
    w.check_areas()?;
    p.unmap(a.sub(0..3))?;
    w.check_areas()?;
    c.write(f)?;
    w.finish()
}

/// mlockall(MCL_CURRENT) locks and brings in all that there is, also behind what cannot be brought in (__mm_populate()): an area without access, one that ends
/// before the last page of its file does.
///
///   P  [ read-only ][ none ][ a ][ none ][ file | past its end ][ b ]      none of it touched
fn current(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let all = w.place(24);
    w.name(all, "all");
    let part = |i: usize| all.sub(4 * i..4 * i + 4);
    for i in [0, 2, 5] {
        p.map(part(i))?;
    }
    p.protect(part(0), R)?;
    let file = w.object(Kind::Memfd, 2)?;
    p.map_object(part(4), &file, 0, NONE, Share::Shared)?;
    p.protect(part(4), RW)?;
    p.lock_current()?;
    for (area, name) in [(part(2), "a"), (part(4).sub(0..2), "file"), (part(5), "b")] {
        // A page that is just being moved is not shown.
        let mut until = w.limit(MOVING);
        let there = loop {
            let there = w.pages_of(p, area)?.iter().flatten().count();
            if there == area.pages || until.over() {
                break there;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if there != area.pages {
            return Err(Stop::fail(format_args!(
                "mlockall(MCL_CURRENT) brings in all that it can: {there} of {} pages of {name} are there",
                area.pages
            )));
        }
    }
    w.check_areas()?;
    let c = p.fork("C")?;
    expect(&w, c, part(5), false, 0)?;
    walk::every_on_offer(&w)?;
    c.write(part(2))?;
    w.finish()
}

/// The heap that grows: what brk(2) adds is locked from then on (do_brk_flags()), the child's is not.
///
///   P   |0 1 2 3|4 5 locked|        C   |0 1 2 3 4 5 6 7|, none locked
fn future_heap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let room = w.place(12);
    w.name(room, "heap");
    let a = room.sub(0..4);
    p.map_heap(a)?;
    p.write(a)?;
    p.make_room(room.sub(4..12))?;
    p.heap(a)?;
    p.lock_future(Lock::Full)?;
    let grown = p.brk(a, 6)?;
    w.check()?;
    if !locked(&w, p, grown.page(5))?.0 || locked(&w, p, grown.page(0))?.0 {
        return Err(Stop::fail(
            "MCL_FUTURE locks what the heap grows by, and nothing before",
        ));
    }
    let c = p.fork("C")?;
    let more = c.brk(grown, 8)?;
    c.write(more.sub(4..8))?;
    expect(&w, c, more.page(7), false, 0)?;
    walk::every_on_offer(&w)?;
    // Of a locked area a part goes, then the rest: VmLck goes down by as much (World::finish).
    let less = p.brk(grown, 5)?;
    w.check_areas()?;
    p.brk(less, 3)?;
    walk::every_on_offer(&w)?;
    w.finish()
}

const TESTS: &[Test] = &[
    Test {
        name: "not_inherited.memfd",
        run: not_inherited_file,
        ..LOCK
    },
    Test {
        name: "not_inherited",
        run: |c| not_inherited(c, Lock::Full),
        ..LOCK
    },
    Test {
        name: "not_inherited.onfault",
        run: |c| not_inherited(c, Lock::OnFault),
        ..LOCK
    },
    Test {
        name: "future",
        run: |c| future(c, Lock::Full),
        ..FUTURE
    },
    Test {
        name: "future.onfault",
        run: |c| future(c, Lock::OnFault),
        ..FUTURE
    },
    Test {
        name: "future.changed",
        about: "What a process locks of its future is what it asked for last, and what it has locked stays so.",
        run: future_changed,
        ..Test::DEFAULT
    },
    Test {
        name: "future.joined",
        run: future_joined,
        ..FUTURE
    },
    Test {
        name: "current",
        about: "mlockall(2) locks all that its caller has, and nothing of a child.",
        run: current,
        ..FUTURE
    },
    Test {
        name: "future.heap",
        run: future_heap,
        ..FUTURE
    },
    Test {
        name: "child_locks.unlock",
        run: |c| child_locks(c, End::Unlock),
        ..LOCK
    },
    Test {
        name: "child_locks.unmap",
        run: |c| child_locks(c, End::Unmap),
        ..LOCK
    },
    Test {
        name: "child_locks.exit",
        run: |c| child_locks(c, End::Exit),
        ..LOCK
    },
    Test {
        name: "child_locks.exec",
        run: |c| child_locks(c, End::Exec),
        ..LOCK
    },
    Test {
        name: "two_lockers.parent_first",
        run: |c| two_lockers(c, true),
        ..LOCK
    },
    Test {
        name: "two_lockers.child_first",
        run: |c| two_lockers(c, false),
        ..LOCK
    },
];

pub fn main() {
    run("fork_mlock", "mlock and fork", TESTS)
}
