// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that are write-protected at the fork.

use super::end;
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::sys::uffd::WP;
use helpers::topology::Grain;
use helpers::world::World;

/// Write protection of a huge page, whose entry the fork copies as it is (copy_huge_pmd()), or of the huge zero page. The writes split it.
///
///   P |=================|  registered, write-protected      C  P's child, not or with a userfaultfd of its own
pub(super) fn wp_huge(ctx: &mut Ctx, features: u64, zero: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    if zero {
        p.read(a)?;
    } else {
        p.write(a)?;
    }
    Grain::Huge.verify(&w, p, a)?;
    let k = p.keeper(features)?;
    k.register(a, WP)?;
    k.protect(a)?;
    let (c, kc) = if features == 0 {
        (p.fork("C")?, None)
    } else {
        let (c, kc) = p.fork_kept("C", &k)?;
        (c, Some(kc))
    };
    w.check_kept()?;
    w.check()?;
    let some = a.sub(a.pages / 2..a.pages / 2 + 2);
    match &kc {
        Some(kc) => c.write_kept(some, kc)?,
        None => c.write(some)?,
    }
    w.check()?;
    p.write_kept(a.page(1), &k)?;
    p.write_kept(some.page(0), &k)?;
    w.check()?;
    // The sharers write to all of it in the end.
    k.unprotect(a)?;
    if let Some(kc) = &kc {
        kc.unprotect(a)?;
    }
    w.check()?;
    end(&w, [Some(k), kc].into_iter().flatten().collect())?;
    w.finish()
}
