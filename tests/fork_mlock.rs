// SPDX-License-Identifier: GPL-2.0-or-later
//! VM_LOCKED and fork: the lock stays with the parent, the page stays in memory for all.
//!
//! dup_mmap() clears VM_LOCKED and VM_LOCKONFAULT. A page that one mapper has locked is not reclaimed, and is reclaimable
//! again when the last locked mapper has unlocked, unmapped or exited (munlock through the rmap counts: folio->mlock_count).

use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::topology::{self, RW};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Whether smaps shows "lo" for the area, and VmLck of the process in pages.
fn locked(w: &World, actor: Actor, area: Area) -> TestResult<(bool, u64)> {
    let (pid, addr) = (actor.pid()?, area.vpn * w.page_size());
    let flags = vma::vm_flags(pid, addr).doing("read smaps")?;
    let Some(flags) = flags else {
        return Err(Stop::Skip("needs VmFlags in smaps"));
    };
    let kb = vma::status_kb(pid, "VmLck")
        .doing("read status")?
        .unwrap_or(0);
    Ok((
        flags.iter().any(|f| f == "lo"),
        kb * 1024 / w.page_size() as u64,
    ))
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
