// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that userfaultfd moves (UFFDIO_MOVE): from one VMA to another of the same process, with no change of any VMA.
//!
//! A page that moves gets the anon_vma of the VMA it goes to and the index of its new place there; one that is refused keeps
//! both. What is forgotten or done too early shows when a walk next looks for the page.
//!
//! Before the move nothing is soft-dirty: what has moved is so in its new place, whoever wrote it last and when, in memory and in swap.

#[path = "uffd_move/refused.rs"]
mod refused;
#[path = "uffd_move/untouched.rs"]
mod untouched;

use helpers::kernel::kpage::Flags;
use helpers::kernel::lru;
use helpers::kernel::pagemap::Pfn;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Fix, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain};
use helpers::walk::reclaim::RECLAIM;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each mapping.
const N: usize = 8;

/// Two mappings, each on an anon_vma of its own and at a place that its page offset does not tell, since both were moved
/// after they were touched. The destination has the anon_vma but no page.
///
///   from |0 1 2 3 4 5 6 7|        to |. . . . . . . .|  registered
fn places(w: &World, p: Actor, pages: usize) -> TestResult<(Area, Area)> {
    let from = moved_there(w, p, "from", pages)?;
    let to = moved_there(w, p, "to", pages)?;
    p.advise(to, advice::DONTNEED)?;
    p.uffd_open()?;
    p.uffd_register(to)?;
    w.clear_soft_dirty()?;
    Ok((from, to))
}

/// Within one mapping: the source and the destination have one anon_vma.
///
///   a |0 1 2 3 4 5 6 7|. . . . . . . .|  the second half registered
fn one_place(w: &World, p: Actor, pages: usize) -> TestResult<(Area, Area)> {
    let a = w.place(2 * pages);
    w.name(a, "a");
    p.map(a)?;
    let (from, to) = (a.sub(0..pages), a.sub(pages..2 * pages));
    p.write(from)?;
    p.uffd_open()?;
    p.uffd_register(to)?;
    w.clear_soft_dirty()?;
    Ok((from, to))
}

fn moved_there(w: &World, p: Actor, name: &'static str, pages: usize) -> TestResult<Area> {
    let (first, at) = (w.place(pages), w.place(pages));
    w.name(first, "before");
    w.name(at, name);
    p.map(first)?;
    p.write(first)?;
    p.move_to(first, at)?;
    Ok(at)
}

/// What all tests end with: every walk where the pages are now, then a child that shares them, then one without the other's VMA.
fn end(w: &World, p: Actor, from: Area) -> TestResult {
    walk::every(w)?;
    p.uffd_close()?;
    p.fork("C.end")?;
    p.unmap(from)?;
    walk::every(w)?;
    topology::write_by_each(w)
}

/// All pages at once, in order.
fn all(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.write(from.sub(2..5))?;
    p.uffd_move(from, to)?;
    end(&w, p, from)?;
    w.finish()
}

///   from |0 . 2 . 4 . 6 .|   to |7 . 5 . 3 . 1 .|
fn scattered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    for i in (1..N).step_by(2) {
        p.uffd_move(from.page(i), to.page(N - 1 - i))?;
    }
    p.write(from.page(3))?;
    end(&w, p, from)?;
    w.finish()
}

/// As mapped: the page offset of both is their address. The source goes away at once, and its anon_vma with it.
fn source_gone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = (w.place(N), w.place(N));
    w.name(from, "from");
    w.name(to, "to");
    p.map(from)?;
    p.map(to)?;
    p.write(from)?;
    p.uffd_open()?;
    p.uffd_register(to)?;
    w.clear_soft_dirty()?;
    p.uffd_move(from, to)?;
    p.unmap(from)?;
    walk::every(&w)?;
    p.uffd_close()?;
    p.fork("C")?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Within one VMA: the anon_vma stays, the index does not.
fn within(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = moved_there(&w, p, "a", 2 * N)?;
    p.advise(a.sub(N..2 * N), advice::DONTNEED)?;
    p.uffd_open()?;
    p.uffd_register(a)?;
    w.clear_soft_dirty()?;
    p.uffd_move(a.sub(0..N - 2), a.sub(N + 2..2 * N))?;
    p.uffd_move(a.sub(N + 2..N + 4), a.sub(1..3))?;
    walk::every(&w)?;
    p.uffd_close()?;
    p.fork("C")?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

fn there_and_back(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.uffd_register(from)?;
    p.uffd_move(from, to)?;
    walk::every_on_offer(&w)?;
    // Every second page returns, and what was swapped in or merged meanwhile is the process' own again.
    p.write(to)?;
    for i in (0..N).step_by(2) {
        p.uffd_move(to.page(i), from.page(i))?;
    }
    end(&w, p, from)?;
    w.finish()
}

/// A child moves what it has inherited and copied, into a VMA that it has inherited too.
///
///   P from |0 1 2 3 4 5 6 7|      C from |0 1 2 . . . 6 7|   to |. . . 3 4 5 . .|
fn child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let from = moved_there(&w, p, "from", N)?;
    let to = moved_there(&w, p, "to", N)?;
    let c = p.fork("C")?;
    c.advise(to, advice::DONTNEED)?;
    c.write(from.sub(3..6))?;
    c.uffd_open()?;
    c.uffd_register(to)?;
    w.clear_soft_dirty()?;
    c.uffd_move(from.sub(3..6), to.sub(3..6))?;
    // Shared with the parent: not to be moved, and found where it is.
    c.uffd_move_refused(from.page(0), to.page(0))?;
    c.fork("C.C")?;
    p.exit()?;
    end(&w, c, from)?;
    w.finish()
}

/// What a pipe holds moves, and the pipe keeps it.
fn spliced(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.splice(from)?;
    p.uffd_move(from, to)?;
    walk::every_on_offer(&w)?;
    p.drain()?;
    end(&w, p, from)?;
    w.finish()
}

/// Pages in swap: their entries move, and they come back in the new place.
fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.write(from.sub(2..5))?;
    p.page_out(from)?;
    p.uffd_move(from, to)?;
    end(&w, p, from)?;
    w.finish()
}

/// Swapped out, but still in the swap cache, since a pipe holds the pages: they are found there when the new place is touched, and are
/// the pages that they were. One whose index were still that of the old place would be copied (ksm_might_need_to_copy()), or mapped where
/// no walk finds it.
fn swap_cached(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.splice(from)?;
    let pfns = |area: Area| -> TestResult<Vec<Option<Pfn>>> {
        let pages = w.pages_of(p, area)?;
        Ok(pages.iter().map(|page| page.map(|(pfn, _)| pfn)).collect())
    };
    let before = pfns(from)?;
    p.page_out(from)?;
    p.uffd_move(from, to)?;
    // Reads them all.
    w.check()?;
    let after = pfns(to)?;
    let pairs = before.iter().zip(&after);
    let pairs = pairs.filter_map(|(was, is)| was.as_ref().zip(is.as_ref()));
    if pairs.clone().count() < N {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    for (i, (was, is)) in pairs.enumerate() {
        if was != is {
            return Err(Stop::fail(format_args!(
                "a page in the swap cache is mapped again where its entry was moved to: page {i} was pfn {was}, is pfn {is}"
            )));
        }
    }
    p.drain()?;
    end(&w, p, from)?;
    w.finish()
}

/// Given up (MADV_FREE) and then written: that it was is known to the entry alone, which is dirty. Where the page has moved its entry has to be so
/// too, or reclaim throws away what was written instead of swapping it out (move_present_pte()).
fn given_up(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    // A page in the batch of a CPU is not given up.
    lru::drain().doing("drain the LRU batches")?;
    p.free(from)?;
    let seen = w.pages_of(p, from)?;
    if (seen.iter()).any(|page| page.is_none_or(|(_, flags)| flags.has(Flags::SWAPBACKED))) {
        return Err(Stop::Skip("needs pages that can be given up now"));
    }
    p.write(from)?;
    p.uffd_move(from, to)?;
    // What is lost is to read as zeroes, not to wait for the userfaultfd.
    p.uffd_close()?;
    walk::only(&w, &RECLAIM)?;
    walk::every(&w)?;
    p.fork("C")?;
    p.unmap(from)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// eb1521dad8f3 ("userfaultfd: handle zeropage moves by UFFDIO_MOVE"): refused with EBUSY without it.
fn moves_zeroes(w: &World) -> TestResult {
    if w.features().version() < (6, 9) {
        return Err(Stop::Skip("needs UFFDIO_MOVE of the zero page (Linux 6.9)"));
    }
    Ok(())
}

/// Pages that were only read move as well, and holes stay holes.
///
///   from |z z 2 3 . . 6 z|
fn zero(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    moves_zeroes(&w)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.advise(from, advice::DONTNEED)?;
    p.read(from.sub(0..2))?;
    p.write(from.sub(2..4))?;
    p.write(from.page(6))?;
    p.read(from.page(7))?;
    p.uffd_move(from, to)?;
    w.check()?;
    // A write to the zero page in its new place.
    p.write(to.page(1))?;
    end(&w, p, from)?;
    w.finish()
}

/// A child has no userfaultfd: what was registered is plain memory there.
fn not_inherited(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = places(&w, p, N)?;
    p.uffd_move(from.sub(0..4), to.sub(0..4))?;
    let c = p.fork("C")?;
    c.write(to)?;
    c.write(from.sub(2..6))?;
    end(&w, p, from)?;
    w.finish()
}

/// One huge page and a place for another, both at a multiple of its size. The destination's VMA is twice as large: a page in its
/// other half gives it an anon_vma, and leaves the place without a page table, which a move of a whole huge page needs.
///
///   from |======|        to |      |0 . . . .|  moved there by mremap
fn huge_places(w: &World, p: Actor) -> TestResult<(Area, Area)> {
    let from = Grain::Huge.map(w, p, 0)?;
    p.write(from)?;
    Grain::Huge.verify(w, p, from)?;
    let (before, around) = (w.place_huge(2)?, w.place_huge(2)?);
    w.name(around, "to");
    p.map(before)?;
    p.write(before.page(from.pages))?;
    p.move_to(before, around)?;
    let to = around.sub(0..from.pages);
    p.uffd_open()?;
    p.uffd_register(to)?;
    w.clear_soft_dirty()?;
    Ok((from, to))
}

fn thp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = huge_places(&w, p)?;
    p.uffd_move(from, to)?;
    walk::every(&w)?;
    p.uffd_close()?;
    p.fork("C")?;
    p.unmap(from)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A part of a huge page: it is split first.
fn thp_part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = huge_places(&w, p)?;
    let (start, mid) = (from.pages / 4, from.pages / 2);
    p.uffd_move(from.sub(start..mid), to.sub(start..mid))?;
    p.uffd_move(from.page(7), to.page(3))?;
    walk::every(&w)?;
    p.uffd_close()?;
    p.fork("C")?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Shared, then pinned: refused both times, and found where it is both times.
fn thp_refused(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (from, to) = huge_places(&w, p)?;
    let c = p.fork("C")?;
    p.uffd_move_refused(from, to)?;
    p.uffd_move_refused(from.page(5), to.page(5))?;
    w.check()?;
    c.exit()?;
    // A new huge page, since the old one stays marked as shared until each part of it was copied.
    p.advise(from, advice::DONTNEED)?;
    p.write(from)?;
    Grain::Huge.verify(&w, p, from)?;
    p.pin(from)?;
    p.uffd_move_refused(from, to)?;
    w.check()?;
    p.unpin()?;
    walk::every(&w)?;
    p.fork("D")?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The huge zero page.
fn thp_zero(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    moves_zeroes(&w)?;
    let p = w.actor("P")?;
    let (from, to) = huge_places(&w, p)?;
    p.advise(from, advice::DONTNEED)?;
    p.read(from)?;
    p.uffd_move(from, to)?;
    w.check()?;
    p.write(to.page(5))?;
    walk::every(&w)?;
    p.uffd_close()?;
    p.fork("C")?;
    topology::write_by_each(&w)?;
    w.finish()
}

const MOVE: Test = Test {
    about: "Pages moved by userfaultfd are found in their new place by every walk, and refused ones in the old.",
    ..Test::DEFAULT
};
const REFUSED: Test = Test {
    guards: &[
        Fix {
            commit: "d7a08838ab74",
            subject: "mm: userfaultfd: fix unexpected change to src_folio when UFFDIO_MOVE fails",
        },
        Fix {
            commit: "c0205eaf3af9",
            subject: "userfaultfd: change src_folio after ensuring it's unpinned in UFFDIO_MOVE",
        },
    ],
    ..MOVE
};
const SWAP: Test = Test {
    guards: &[
        Fix {
            commit: "c50f8e6053b0",
            subject: "mm: fix kernel BUG when userfaultfd_move encounters swapcache",
        },
        Fix {
            commit: "75cb1cca2c88",
            subject: "mm: userfaultfd: correct dirty flags set for both present and swap pte",
        },
    ],
    ..MOVE
};
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..REFUSED
};

const TESTS: &[Test] = &[
    Test {
        name: "all",
        run: all,
        ..MOVE
    },
    Test {
        name: "scattered",
        run: scattered,
        ..MOVE
    },
    Test {
        name: "source_gone",
        run: source_gone,
        ..MOVE
    },
    Test {
        name: "within",
        run: within,
        ..MOVE
    },
    Test {
        name: "there_and_back",
        run: there_and_back,
        ..MOVE
    },
    Test {
        name: "child",
        run: child,
        ..MOVE
    },
    Test {
        name: "not_inherited",
        run: not_inherited,
        ..MOVE
    },
    untouched::UNTOUCHED,
    refused::SHARED,
    refused::SHARED_WITHIN,
    refused::SHARED_SWAPPED,
    refused::SHARED_SWAPPED_WITHIN,
    refused::SHARED_BEHIND,
    refused::PINNED,
    refused::PINNED_BEHIND,
    refused::LOCKED,
    refused::OCCUPIED,
    Test {
        name: "spliced",
        run: spliced,
        ..MOVE
    },
    Test {
        name: "swapped",
        run: swapped,
        ..SWAP
    },
    Test {
        name: "swapped.cached",
        run: swap_cached,
        ..SWAP
    },
    Test {
        name: "given_up",
        needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: given_up,
        ..MOVE
    },
    Test {
        name: "zero",
        run: zero,
        ..MOVE
    },
    Test {
        name: "thp",
        run: thp,
        ..HUGE
    },
    Test {
        name: "thp.part",
        run: thp_part,
        ..HUGE
    },
    Test {
        name: "thp.refused",
        run: thp_refused,
        ..HUGE
    },
    Test {
        name: "thp.zero",
        run: thp_zero,
        guards: &[Fix {
            commit: "fae654083bfa",
            subject: "mm/huge_memory: fix use of NULL folio in move_pages_huge_pmd()",
        }],
        ..HUGE
    },
];

pub fn main() {
    run(
        "uffd_move",
        "pages moved by userfaultfd: found in their new place",
        TESTS,
    )
}
