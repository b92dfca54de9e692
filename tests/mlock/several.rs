// SPDX-License-Identifier: GPL-2.0-or-later
//! One call for several locked VMAs: what each of them has is counted (mm->locked_vm), and marked, for itself.

use super::{MLOCK, vm_locked};
use helpers::TestResult;
use helpers::kernel::lru;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{self, R, filled};
use helpers::walk;
use helpers::walk::mlocked::{self, expect};
use helpers::world::World;
use helpers::world::model::Lock;

/// Pages.
const N: usize = 24;

///   locked     |0 1 2|r 3 4 5|6 7 8|r 9 10 11|12 13 14|r 15 16 17|18 19 20|r 21 22 23|
///   munmap     |0|                     |r 10 11|12 13 14|r 15 16 17|18 19 20|r 21 22 23|
///   mmap over  |0|     |4' ............... 12'|13 14|r 15 16 17|18 19 20|r 21 22 23|           4' to 12' not locked
///   munlock    |0|                            |13|                 |19 20|r 21 22 23|
///   on fault   |0|                         |12'|13|14|r 15 16 17|18|19 20|r 21 22 23|
///   mremap     |0|                         |12'|13|14|r 15 16 17|18|19 20|             |r 21 22 23|
fn several(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", N)?;
    p.lock(a, Lock::Full)?;
    for i in (3..N).step_by(6) {
        p.protect(a.sub(i..i + 3), R)?;
    }
    vm_locked(&w, p, 24)?;
    p.unmap(a.sub(1..10))?;
    vm_locked(&w, p, 15)?;
    p.map(a.sub(4..13))?;
    vm_locked(&w, p, 12)?;
    p.unlock(a.sub(14..19))?;
    vm_locked(&w, p, 7)?;
    expect(&w, p, a.sub(14..19), false)?;
    expect(&w, p, a.sub(19..N), true)?;
    p.lock(a.sub(12..N), Lock::OnFault)?;
    vm_locked(&w, p, 13)?;
    let to = w.place(3);
    w.name(to, "to");
    p.move_to(a.sub(21..N), to)?;
    vm_locked(&w, p, 13)?;
    let c = p.fork("C")?;
    vm_locked(&w, c, 0)?;
    walk::every_on_offer(&w)?;
    p.unmap(a)?;
    vm_locked(&w, p, 3)?;
    p.unmap(to)?;
    vm_locked(&w, p, 0)?;
    expect(&w, c, to, false)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Locked one after the other, each next to locked ones, so that they become one VMA: each page is locked once, whatever its VMA merges with
/// (mlock_fixup()). Unlocked as one, none is locked any more. The same with VMAs that are locked at their first fault.
///
///   P  |0|1|2|3|4|5|6|7|    in that order: behind, in front of and between locked ones
///       1 2 6 4 3 5 8 7
fn neighbours(ctx: &mut Ctx, how: Lock) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", 8)?;
    for (locked, i) in [0, 1, 4, 3, 5, 2, 7, 6].into_iter().enumerate() {
        p.lock(a.page(i), how)?;
        vm_locked(&w, p, locked as u64 + 1)?;
        // On the list of unevictable pages a page has a number of locks, before it is there none.
        lru::drain().doing("drain the LRU batches")?;
    }
    w.check()?;
    expect(&w, p, a, true)?;
    p.unlock(a.sub(2..6))?;
    vm_locked(&w, p, 4)?;
    expect(&w, p, a.sub(2..6), false)?;
    p.unlock(a)?;
    vm_locked(&w, p, 0)?;
    expect(&w, p, a, false)?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const NEIGHBOURS: Test = Test {
    name: "neighbours",
    about: "A page is locked no more often than its area was, whatever locked areas it merges with.",
    run: |c| neighbours(c, Lock::Full),
    ..MLOCK
};
pub const NEIGHBOURS_ON_FAULT: Test = Test {
    name: "neighbours.on_fault",
    run: |c| neighbours(c, Lock::OnFault),
    ..NEIGHBOURS
};

pub const SEVERAL: Test = Test {
    name: "several",
    about: "One call for several locked areas takes each of them off what is locked.",
    run: several,
    ..MLOCK
};
