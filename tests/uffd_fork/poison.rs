// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that a userfaultfd says are lost (UFFDIO_POISON): marks in page-table entries that no page is behind, which fork has to copy
//! (copy_nonpresent_pte(), copy_pte_marker()).

use super::{end, half};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_POISON, MISSING};
use helpers::world::{Answer, World};
use helpers::{TestResult, walk};

/// Each gives other marks back, and has a page there again; the grandchild has what is left of its parent's.
///
///   P |0 1 2 3 # 5 # .|  registered
///   C |0 1 2 3 4 # # .|  with a userfaultfd of its own, or none       G  C's child, the same
pub(super) fn poisoned(ctx: &mut Ctx, features: u64) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FEATURE_POISON | features, MISSING)?;
    k.poison(a.sub(4..7))?;
    w.check()?;
    let (c, kc) = if features == 0 {
        (p.fork("C")?, None)
    } else {
        let (c, kc) = p.fork_kept("C", &k)?;
        (c, Some(kc))
    };
    w.check_kept()?;
    c.check_poisoned(a.sub(4..7))?;
    p.check_poisoned(a.sub(4..7))?;
    c.advise(a.page(4), advice::DONTNEED)?;
    p.advise(a.page(5), advice::DONTNEED)?;
    match &kc {
        Some(kc) => c.write_missing(a.page(4), kc, Answer::Copy)?,
        None => c.write(a.page(4))?,
    }
    p.write_missing(a.page(5), &k, Answer::Copy)?;
    w.check()?;
    let mut keepers = vec![k];
    let g = match kc {
        Some(kc) => {
            let (g, kg) = c.fork_kept("G", &kc)?;
            keepers.extend([kc, kg]);
            g
        }
        None => c.fork("G")?,
    };
    walk::every(&w)?;
    p.check_poisoned(a.page(4))?;
    g.check_poisoned(a.sub(5..7))?;
    c.check_poisoned(a.sub(5..7))?;
    end(&w, keepers)?;
    w.finish()
}
