// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that another process reads or writes (process_vm_readv(), /proc/PID/mem). Who shares a page with others may get a copy of
//! its own to be read from (FAULT_FLAG_UNSHARE, hugetlb_wp()), which is no write: its entry allows what it allowed before.

use super::{HUGE, move_all, private, whole, world};
use helpers::actor::pin::Way;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{self, R, RW};
use helpers::world::pooled;
use helpers::{Stop, TestResult};

/// Read where the mapping is read-only and where it may be written, then written from outside and by its owners.
///
///   P rw [0 1]      C r [0 1]  G rw [0 1]  children of P      X reads from all of them, writes to P's and C's
fn peeked(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    let x = w.actor("X")?;
    let (c, g) = (p.fork("C")?, p.fork("G")?);
    c.protect(whole(&a), R)?;
    x.peek(c, whole(&a), Way::Vm)?;
    w.check()?;
    move_all(&w)?;
    x.peek(g, a[0], Way::Vm)?;
    x.peek(p, whole(&a), Way::Mem)?;
    w.check()?;
    x.poke(p, a[0], Way::Vm)?;
    x.peek(c, whole(&a), Way::Mem)?;
    w.check()?;
    g.protect(a[1], R)?;
    x.peek(g, whole(&a), Way::Vm)?;
    w.check()?;
    c.protect(whole(&a), RW)?;
    x.poke(c, a[1], Way::Mem)?;
    g.write(a[0])?;
    w.check()?;
    move_all(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// What userfaultfd write-protects stays so in the copy.
///
///   P rw [# 1]      C rw [0 #]  P's child; # is write-protected      X reads from both
fn write_protected(ctx: &mut Ctx) -> TestResult {
    // "mm/hugetlb: fix uffd-wp bit lost when unsharing happens".
    if ctx.arena.features.version() < (6, 4) {
        return Err(Stop::Skip("needs uffd-wp that unsharing keeps (Linux 6.4)"));
    }
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    let x = w.actor("X")?;
    let c = p.fork("C")?;
    p.guard(a[0])?;
    c.guard(a[1])?;
    w.check()?;
    for who in [c, p] {
        x.peek(who, whole(&a), Way::Vm)?;
        w.check()?;
    }
    move_all(&w)?;
    p.unguard()?;
    c.unguard()?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const PEEKED: Test = Test {
    name: "peeked",
    about: "Who is read by another process has no more rights to its hugetlb page after it than before.",
    run: |c| pooled(c, peeked),
    ..HUGE
};

pub const WRITE_PROTECTED: Test = Test {
    name: "peeked.write_protected",
    run: |c| pooled(c, write_protected),
    ..PEEKED
};
