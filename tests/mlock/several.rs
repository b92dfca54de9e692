// SPDX-License-Identifier: GPL-2.0-or-later
//! One call for several locked VMAs: what each of them has is counted (mm->locked_vm), and marked, for itself.

use super::{MLOCK, vm_locked};
use helpers::TestResult;
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

pub const SEVERAL: Test = Test {
    name: "several",
    about: "One call for several locked areas takes each of them off what is locked.",
    run: several,
    ..MLOCK
};
