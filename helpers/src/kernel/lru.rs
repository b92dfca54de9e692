// SPDX-License-Identifier: GPL-2.0-or-later
//! The batches that each CPU collects pages in before they go to an LRU list (mm/swap.c). A page in one has no LRU flag and one
//! reference more: it is passed over by walks that start from LRU lists.

use crate::sys::mem::{self, Sys};
use crate::sys::{numa, proc};
use nix::errno::Errno;
use nix::libc::{MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE};
use nix::sched::{sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Pages in a batch at most (PAGEVEC_SIZE is 15, from v6.10 on 31), and some more.
const BATCH: usize = 64;

/// Empties the batches of all CPUs.
///
/// move_pages(2) of no page at all does it (lru_cache_disable() in do_pages_move()). A kernel without NUMA lacks the call; there
/// each CPU that this process may use is given pages enough to fill its batch.
///
/// # Errors
/// Of sched_setaffinity(2) and mmap(2).
pub fn drain() -> Sys<()> {
    match numa::move_pages(0, &[], 0, numa::MPOL_MF_MOVE) {
        // A container may not have the call.
        Err(Errno::ENOSYS | Errno::EPERM) => overflow(),
        other => other.map(drop),
    }
}

fn overflow() -> Sys<()> {
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this)?;
    let result =
        proc::allowed_cpus()?
            .into_iter()
            .try_for_each(|cpu| match proc::pin_to_cpu(cpu) {
                // Gone offline since.
                Err(Errno::EINVAL) => Ok(()),
                other => other.and_then(|()| fill()),
            });
    sched_setaffinity(this, &before).and(result)
}

fn fill() -> Sys<()> {
    let (page, rw) = (mem::page_size(), PROT_READ | PROT_WRITE);
    let at = mem::mmap(0, BATCH * page, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)?;
    (0..BATCH).for_each(|i| mem::fill(at + i * page, page, 1));
    mem::munmap(at, BATCH * page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::kpage::{Flags, Kpage};
    use crate::kernel::pagemap::Pagemap;

    /// A page just touched is on an LRU list afterwards.
    fn shown_by(drain: fn() -> Sys<()>) {
        let (page, rw) = (mem::page_size(), PROT_READ | PROT_WRITE);
        let at = mem::mmap(0, page, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0).unwrap();
        let kpage = Kpage::open();
        let on_lru = || {
            let pfn = Pagemap::open(0).unwrap().entry(at).unwrap().pfn()?;
            Some(kpage.flags(pfn).ok()??.has(Flags::LRU))
        };
        // Whoever isolates the page meanwhile puts it into a batch again.
        let seen = (0..20).any(|i| {
            mem::fill(at, page, i + 1);
            drain().unwrap();
            on_lru() != Some(false)
        });
        assert!(seen);
        mem::munmap(at, page).unwrap();
    }

    #[test]
    fn batches_are_emptied() {
        shown_by(drain);
    }

    #[test]
    fn batches_overflow() {
        shown_by(overflow);
    }
}
