// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that are write-protected as a whole, and cut by what is done to a part (__split_huge_pmd_locked()).

use helpers::supervise::Ctx;
use helpers::sys::uffd::WP;
use helpers::topology::{self, Grain};
use helpers::world::{Actor, Area, Keeper, World};
use helpers::{TestResult, walk};

/// P's huge page, written or only read, write-protected as a whole.
fn protected<'w, 'c>(
    w: &'w World<'c>,
    touch: fn(&Actor, Area) -> TestResult,
) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    touch(&p, a)?;
    Grain::Huge.verify(w, p, a)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a)?;
    w.check()?;
    Ok((p, k, a))
}

/// A huge page, write-protected as a whole, whose PMD is split by what is done to a part of it: the rest keeps its marks.
///
///   P |=================|       a part read only, or gone, or not protected any more
pub fn thp_cut(ctx: &mut Ctx, cut: fn(Actor, &Keeper, Area) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = protected(&w, |p, a| p.write(a))?;
    cut(p, &k, a.sub(5..a.pages / 2))?;
    w.check()?;
    p.write_kept(a.page(a.pages - 2), &k)?;
    p.write_kept(a.page(1), &k)?;
    walk::every(&w)?;
    w.finish()
}

/// mprotect of a huge page to read-only and back, by its PMD: it is write-protected by the userfaultfd as before (change_huge_pmd()).
///
///   P |=================|       all of it
pub fn thp_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = protected(&w, |p, a| p.write(a))?;
    for prot in [topology::R, topology::RW] {
        p.protect(a, prot)?;
        w.check()?;
    }
    p.write_kept(a.page(1), &k)?;
    w.check()?;
    walk::every(&w)?;
    w.finish()
}

/// The huge zero page instead, or a huge page of zeroes where the kernel has none: the entry of one that is nobody's page is split by other
/// code (__split_huge_zero_page_pmd()).
///
///   P |z z z z ... z z z|
pub fn thp_zero(ctx: &mut Ctx, cut: fn(Actor, &Keeper, Area) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = protected(&w, |p, a| p.read(a))?;
    cut(p, &k, a.sub(5..a.pages / 2))?;
    w.check()?;
    p.write_kept(a.page(a.pages - 2), &k)?;
    p.write_kept(a.page(0), &k)?;
    w.check()?;
    p.fork("C")?;
    walk::every(&w)?;
    w.finish()
}
