// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that fail where something else than an entry of a page table stands for them: a slot in swap, or the page of zeroes.

use super::{N, bystander, end, from};
use helpers::kernel::kpage::Flags;
use helpers::supervise::Ctx;
use helpers::topology::Grain::{self, Base};
use helpers::walk::reclaim::{swap_off, swap_out};
use helpers::world::{Signals, World};
use helpers::{Stop, TestResult, walk};

/// A page that fails while it has a slot in swap keeps it (me_swapcache_dirty()); swapoff puts in its place what says that it is lost, not the
/// page (unuse_pte()).
///
///   P [0 1 2 3 4 5 6 7]   3 and 4: in a pipe, so that they keep their slots; written after they were swapped out
pub fn swap_cached(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    p.catch(true)?;
    p.splice(a.sub(3..5))?;
    swap_out(&w)?;
    p.write(a.sub(3..5))?;
    p.drain()?;
    let pages = w.pages_of(p, a.sub(3..5))?;
    let cached = |(_, flags): &(_, Flags)| flags.has(Flags::SWAPCACHE);
    if pages.into_iter().flatten().filter(cached).count() < 2 {
        return Err(Stop::Skip(
            "needs pages that keep their slots in swap while a pipe has them",
        ));
    }
    for i in [3, 4] {
        w.fail_page(p, a.page(i), from(outside, p), Signals::Mappers)?;
    }
    let off = swap_off(&w)?;
    w.check()?;
    for i in [3, 4] {
        p.access_poison(a.page(i))?;
    }
    drop(off);
    walk::every_on_offer(&w)?;
    end(&w, &[p, b])?;
    w.finish()
}

/// A page that fails while swap has it just as it is is no loss (me_swapcache_clean()): who had it reads it from there once more, and nobody is told.
///
///   P [0 1 2 3 4 5 6 7]   3 and 4: read by P since they were swapped out, not by C, for which they keep their slots
///   C  P's child
pub fn swap_cached_clean(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    let c = p.fork("C")?;
    swap_out(&w)?;
    p.read(a)?;
    for i in [3, 4] {
        let pages = w.pages_of(p, a.page(i))?;
        if !pages.iter().flatten().any(|p| p.1.has(Flags::SWAPCACHE)) {
            return Err(Stop::Skip("needs pages that stay in the swap cache"));
        }
        w.fail_clean_page_now(p, a.page(i))?;
    }
    c.write(a.sub(4..6))?;
    w.check()?;
    walk::every_on_offer(&w)?;
    end(&w, &[p, c, b])?;
    w.finish()
}

/// A page of a huge page that holds nothing but zeroes is not given up for the page of zeroes when it fails: its mappers are told as of any other.
///
///   P |0 1 2 3 4 5 z 7 ....|  one PMD        C  P's child, the same
pub fn zeroes(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    // Kernels between these may do so.
    let (version, sublevel) = (w.features().version(), w.features().sublevel());
    if version < (6, 18) && (version > (6, 12) || version == (6, 12) && sublevel < 100) {
        return Err(Stop::Skip(
            "needs huge pages whose zeroes are not given up when they fail (Linux 6.12.100 or 6.18)",
        ));
    }
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    p.write_zeroes(a.page(6))?;
    Grain::Huge.verify(&w, p, a)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    p.needs_pmds(a)?;
    w.fail_page(p, a.page(6), from(outside, p), Signals::Mappers)?;
    end(&w, &[p, c, b])?;
    w.finish()
}
