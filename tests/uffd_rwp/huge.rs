// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that are protected from any access as a whole, by their PMD, or in part.

use super::end;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_RWP, RWP};
use helpers::topology::Grain;
use helpers::world::{Actor, Area, Keeper, World};
use helpers::{TestResult, walk};

/// A huge page, all of it registered.
fn kept<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    let k = p.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    Ok((p, k, a))
}

/// Migrated as a whole, and split by what asks for it.
pub fn whole(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    k.shut(a)?;
    w.check()?;
    walk::plain(&w)?;
    k.open(a.sub(4..a.pages))?;
    end(&w, p, k, a.sub(0..4))?;
    w.finish()
}

/// The child has it as plain memory (copy_huge_pmd()), and writes to a part.
///
///   P |=================|  protected      C  P's child |===' '===|
pub fn child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    k.shut(a)?;
    let c = p.fork("C")?;
    w.check()?;
    c.write(a.sub(3..5))?;
    w.check()?;
    walk::plain(&w)?;
    k.open(a.sub(6..a.pages))?;
    end(&w, p, k, a.sub(2..6))?;
    w.finish()
}

/// A part of a huge page, at either end or between: its PMD is split, and nothing outside of it is protected.
///
///   P |..====|  |=..===|  |===...|
pub fn part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let parts: [fn(Area) -> Area; 3] = [
        |a| a.sub(0..3),
        |a| a.sub(3..a.pages / 2),
        |a| a.sub(a.pages - 5..a.pages),
    ];
    let p = w.actor("P")?;
    let k = p.keeper(FEATURE_RWP)?;
    let mut last = None;
    for part in parts {
        let a = Grain::Huge.map(&w, p, 1)?;
        p.write(a)?;
        Grain::Huge.verify(&w, p, a)?;
        k.register(a, RWP)?;
        k.shut(part(a))?;
        last = Some(part(a));
    }
    let c = p.fork("C")?;
    w.check()?;
    walk::plain(&w)?;
    c.exit()?;
    if let Some(shut) = last {
        end(&w, p, k, shut)?;
    }
    w.finish()
}

/// A huge page, protected as a whole, whose PMD is split by what is done to a part of it (__split_huge_pmd_locked()): the rest stays protected.
///
///   P |=================|       a part read only, or gone, or not protected any more
pub fn cut(ctx: &mut Ctx, cut: fn(Actor, &Keeper, Area) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    k.shut(a)?;
    w.check()?;
    cut(p, &k, a.sub(5..a.pages / 2))?;
    w.check()?;
    p.read_shut(a.page(a.pages - 2), &k)?;
    p.write_shut(a.page(0), &k)?;
    end(&w, p, k, a.sub(1..5))?;
    w.finish()
}
