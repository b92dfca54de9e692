// SPDX-License-Identifier: GPL-2.0-or-later
//! What MREMAP_DONTUNMAP does to locks: they go along with the pages, and what they leave is a plain area. What else was locked stays so.

use super::model::{ActorId, Lock};
use super::{Actor, Area, World};
use crate::kernel::vma;
use crate::sys::mem;
use crate::{Stop, TestResult};
use nix::libc::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MREMAP_DONTUNMAP, MREMAP_FIXED,
    MREMAP_MAYMOVE, PROT_NONE, PROT_READ, PROT_WRITE,
};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

/// What is known of this kernel, and of whom not.
#[derive(Default)]
pub(super) struct Unlocked {
    /// None where it cannot be tried.
    kernel: OnceCell<Option<Kernel>>,
    /// Whose VmLck is not known any more.
    uncounted: RefCell<BTreeSet<ActorId>>,
}

/// Whether this kernel does it right; what is wrong is so in released ones.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    /// Only what has moved is unlocked: the VMA is cut first, on both sides (move_vma()). Others, Linux 6.18 for one, take the lock from the
    /// whole VMA (dontunmap_complete()).
    parts: bool,
    /// VmLck is still the size of what is locked. Linux 6.18 has the pages twice in it.
    counted: bool,
}

impl Actor<'_, '_> {
    /// Before an area is emptied: whether it was locked.
    ///
    /// # Errors
    /// `Skip` where more than the area would be unlocked.
    #[track_caller]
    pub(super) fn leaves_lock(&self, from: Area) -> TestResult<bool> {
        let w = self.world;
        let (inside, around) = {
            let model = w.model.borrow();
            let slots = model.spaces[self.id].iter().flatten();
            let locked = slots.filter(|(_, s)| s.lock != Lock::None);
            let (inside, outside): (Vec<usize>, Vec<usize>) = locked
                .map(|(&vpn, _)| vpn)
                .partition(|vpn| from.vpns().contains(vpn));
            let beside = |vpn: &usize| vpn + 1 == from.vpn || *vpn == from.vpn + from.pages;
            (!inside.is_empty(), outside.iter().any(beside))
        };
        if inside && around {
            match w.unlocks() {
                Some(kernel) if kernel.parts => {}
                Some(_) => return Err(Stop::Skip("needs MREMAP_DONTUNMAP that unlocks no more")),
                None => {
                    return Err(Stop::Skip("needs mlock() in the test's own process"));
                }
            }
        }
        Ok(inside)
    }

    /// After it.
    pub(super) fn lock_left(&self) {
        if !self.world.unlocks().is_some_and(|kernel| kernel.counted) {
            let mut uncounted = self.world.unlocked.uncounted.borrow_mut();
            uncounted.insert(self.id);
        }
    }
}

impl World<'_> {
    /// Whether VmLck of an actor is known.
    pub(super) fn counts_locked(&self, id: ActorId) -> bool {
        !self.unlocked.uncounted.borrow().contains(&id)
    }

    fn unlocks(&self) -> Option<Kernel> {
        *self.unlocked.kernel.get_or_init(|| probe(self.page))
    }
}

/// Pages of the area that is tried on, one behind and one in front of it of no access.
const TRIED: usize = 6;

/// Tries it in this process, whose own VmLck nobody judges. One part that leaves the rest locked is enough: who cuts on one side knows of both,
/// and must not forget the other.
fn probe(page: usize) -> Option<Kernel> {
    let kernel = Kernel {
        parts: left_by(page, 0..2)?.rest || left_by(page, 4..TRIED)?.rest,
        counted: left_by(page, 0..TRIED)?.counted,
    };
    Some(kernel)
}

struct Left {
    /// Nothing but what has moved was unlocked.
    rest: bool,
    counted: bool,
}

/// A new locked area, some pages of which move away.
fn left_by(page: usize, part: Range<usize>) -> Option<Left> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    let len = 2 * (TRIED + 2) * page;
    let all = mem::mmap(0, len, PROT_NONE, flags, -1, 0).ok()?;
    let from = all + page;
    let to = from + (TRIED + 2) * page;
    let left = || {
        let rw = PROT_READ | PROT_WRITE;
        mem::mmap(from, TRIED * page, rw, flags | MAP_FIXED, -1, 0).ok()?;
        mem::mlock(from, TRIED * page, 0).ok()?;
        let before = vma::status_kb(0, "VmLck").ok()?;
        let at = |i: usize| from + i * page;
        let bytes = part.len() * page;
        let how = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
        mem::mremap(at(part.start), bytes, bytes, how, to + part.start * page).ok()?;
        let after = vma::status_kb(0, "VmLck").ok()?;
        let mut rest = true;
        for i in (0..TRIED).filter(|i| !part.contains(i)) {
            let codes = vma::vm_flags(0, at(i)).ok()??;
            rest &= codes.iter().any(|code| code == "lo");
        }
        let counted = before == after;
        Some(Left { rest, counted })
    };
    let left = left();
    mem::munmap(all, len).ok()?;
    left
}
