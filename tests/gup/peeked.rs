// SPDX-License-Identifier: GPL-2.0-or-later
//! What another process reads by pinning it (process_vm_readv()): who shares the page with others gets a copy of its own first
//! (FAULT_FLAG_UNSHARE, do_wp_page()). That is no write: the entry allows what it allowed before.

use super::{POKE, family};
use helpers::actor::pin::Way;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, Grain, R};
use helpers::walk::idle::{self, IDLE};
use helpers::world::World;
use helpers::{TestResult, walk};

/// Pages that may not be written, or that userfaultfd write-protects, read from outside.
///
///   P |0 1 2 3 4 5 6 7|  rw; or 2..6 write-protected      X reads from both, and from C again where P has left
///   C |0 1 2 3 4 5 6 7|  r; or rw and 0..4 write-protected
fn peeked(ctx: &mut Ctx, grain: Grain, marked: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, a) = family(&w, grain)?;
    let x = w.actor("X")?;
    if marked {
        p.guard(a.sub(2..6))?;
        c.guard(a.sub(0..4))?;
    } else {
        c.protect(a, R)?;
    }
    w.check()?;
    for who in [c, p, c] {
        x.peek(who, a.sub(1..a.pages), Way::Vm)?;
        w.check()?;
    }
    walk::every_on_offer(&w)?;
    // What a walk has given back is not write-protected any more.
    p.unguard()?;
    c.unguard()?;
    p.unmap(a.sub(0..2))?;
    x.peek(c, a, Way::Vm)?;
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages that nobody has touched since they were marked idle, read from outside in both ways: P's own, and then those that C shares.
///
///   P |0 1 2 3 4 5 6 7|       C |0 1 2 3 4 5 6 7|  P's child        X reads from P, then from C
fn touched(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", 8)?;
    let x = w.actor("X")?;
    for way in [Way::Vm, Way::Mem] {
        idle::peeked(&w, x, p, a, way)?;
    }
    let c = p.fork("C")?;
    for way in [Way::Vm, Way::Mem] {
        idle::peeked(&w, x, c, a, way)?;
    }
    w.check()?;
    walk::only(&w, &IDLE)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const TOUCHED: Test = Test {
    name: "peek.idle",
    about: "A page that is read from outside is in use.",
    needs: &[Need::Pfn, Need::KpageFlags],
    run: touched,
    ..POKE
};

pub const READ_ONLY: Test = Test {
    name: "peek.read_only",
    about: "Who is read by another process has no more rights to its page after it than before.",
    run: |c| peeked(c, Grain::Base, false),
    ..POKE
};

pub const READ_ONLY_THP: Test = Test {
    name: "peek.read_only.thp",
    needs: Grain::HUGE_NEEDS,
    run: |c| peeked(c, Grain::Huge, false),
    ..READ_ONLY
};

pub const WRITE_PROTECTED: Test = Test {
    name: "peek.write_protected",
    run: |c| peeked(c, Grain::Base, true),
    ..READ_ONLY
};

pub const WRITE_PROTECTED_THP: Test = Test {
    name: "peek.write_protected.thp",
    run: |c| peeked(c, Grain::Huge, true),
    ..READ_ONLY_THP
};
