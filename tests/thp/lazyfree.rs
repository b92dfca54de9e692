// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that were given up (MADV_FREE): what is clean may go, what is written or somebody else's stays.

use super::{folio, huge};
use helpers::sys::mem::advice;
use helpers::world::World;
use helpers::world::model::Lock;
use helpers::{Stop, TestResult};

/// Entries of one VMA that may be written beside others that may not, on a folio that was given up and written again.
///
///   P  [0 shared r .. n/2-1|n/2 own rw ... n-1]     C  [0 .. n/2-1]
pub fn own(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let two = a.sub(a.pages / 2..a.pages);
    p.advise(a, advice::FREE)?;
    // All of it, so that its content is known; through entries that are writable already.
    p.write(a)?;
    p.advise(two, advice::DONTFORK)?;
    p.fork("C")?;
    p.advise(two, advice::DOFORK)?;
    p.write(two)
}

/// Given up by one while the other has it as well: the other's pages stay.
///
///   P  own pages     C  [0 ... n-1]
pub fn shared(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    p.fork("C")?.fork("D")?;
    p.advise(a, advice::FREE)?;
    p.write(a)
}

/// The same for a PMD.
pub fn pmd(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    p.advise(a, advice::FREE)?;
    p.write(a)?;
    p.fork("C").map(drop)
}

/// A PMD that is clean and soft-dirty: what MADV_FREE has cleaned is marked by the move alone. Every other PMD is dirty too, and x86's
/// pmd_mkdirty() marks it whatever becomes of the bit. Reclaim would take such a page, so it is locked where it is.
pub fn pmd_moved(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    w.clear_soft_dirty()?;
    p.advise(a, advice::FREE)?;
    let to = w.place_huge(1)?;
    w.name(to, "to");
    p.move_to(a, to)?;
    p.lock(to, Lock::OnFault)?;
    if !w.is_huge(p.id(), to)? {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    Ok(())
}
