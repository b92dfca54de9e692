// SPDX-License-Identifier: GPL-2.0-or-later
//! KSM pages that userfaultfd write-protects. The mark is each mapper's own, and a copy that only ends the sharing is no write.

use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{filled, like};
use helpers::walk::merge::{self, merge};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Unmerged one after the other: by advice, and with all of KSM. Who shares a page with them has no mark.
///
///   P [0 1 2 3]  C, its child [0 1 2 3]  Q [0 1 2 3]     merged
///      . . .                                 . . .       write-protected
fn merged(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let (q, b) = like(&w, "Q", 4, (p, a))?;
    merge(&w, &[(p, a), (q, b)])?;
    let c = p.fork("C")?;
    p.guard(a.sub(0..3))?;
    q.guard(b.sub(1..4))?;
    w.check()?;
    // No walk before: what reclaim takes is not merged when it comes back.
    p.advise(a, advice::UNMERGEABLE)?;
    unshared(&w, p, c, a)?;
    w.check()?;
    // Nobody else's pages would be unmerged.
    if merge::alone(&w).is_ok() {
        merge::unmerge_all(&w)?;
    } else {
        q.advise(b, advice::UNMERGEABLE)?;
    }
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// Until Linux 6.2 unmerging was a write, which nobody could answer here, and the page stayed merged (break_ksm()): P still has what its child has.
fn unshared(w: &World, p: Actor, c: Actor, a: Area) -> TestResult {
    let pages = merge::distinct(w, &[(p, a), (c, a)])?;
    if pages.values().any(|&mappers| mappers > 1) {
        return Err(Stop::Skip("needs KSM that unmerges without a write"));
    }
    Ok(())
}

pub const MERGED: Test = Test {
    name: "merged",
    about: "A KSM page that userfaultfd write-protects for one of its mappers is so for that one only, and when it is unmerged as well.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm],
    run: merged,
    ..super::MARK
};
