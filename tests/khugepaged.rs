// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that khugepaged makes, which it does behind the back of those whose pages they were.
//!
//! It has to hear of a process that was born (khugepaged_fork()), find the pages at their index, leave to the others what they share
//! (collapse_huge_page(), __collapse_huge_page_copy()), and bring back what is in swap (__collapse_huge_page_swapin()).

use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::Grain;
use helpers::world::khugepaged::{KNOBS, collapse, collapse_from_swap, collapse_full_from_swap};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

#[path = "khugepaged/shares.rs"]
mod shares;

/// Half of the pages of a huge one and some more, here and there; without the last ones more than half are left, or khugepaged would not
/// bring back what is in swap.
fn half(a: Area) -> [Area; 3] {
    let n = a.pages;
    [
        a.sub(0..n / 4),
        a.sub(n / 4 + 3..n / 2 + 9),
        a.sub(n - 5..n),
    ]
}

/// P has base pages where a huge page fits, and has asked for huge ones since.
fn sparse<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map(a)?;
    p.write_all(&half(a))?;
    p.advise(a, advice::HUGEPAGE)?;
    Ok((p, a))
}

///   P  [0 1 2 - - 5 .. - - - ...]  ->  [======== PMD ========]     C  the same
fn alone(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    collapse(w, &[(p, a)])?;
    p.fork("C").map(drop)
}

/// A child that does nothing but write to its pages. The parent's are left alone, as it has gone back on its advice.
///
///   P  [0 1 2 - - 5 ...]      C  [0 1 2 - - 5 ...]  ->  [======== PMD ========]
fn child(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let c = p.fork("C")?;
    p.advise(a, advice::NOHUGEPAGE)?;
    c.write_all(&half(a))?;
    collapse(w, &[(c, a)])?;
    p.write(a.page(0))
}

/// Through two generations, the oldest gone.
///
///   P  gone      C  [0 1 2 - - 5 ...]      G  ->  [======== PMD ========]
fn grandchild(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    c.advise(a, advice::NOHUGEPAGE)?;
    p.exit()?;
    g.write_all(&half(a))?;
    collapse(w, &[(g, a)])
}

/// The huge pages of sharers are copies; who has none keeps the pages that are left.
///
///   P  [== PMD ==]      C  [== PMD ==]      D  [0 1 2 - - 5 ...]
fn shared(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    d.advise(a, advice::NOHUGEPAGE)?;
    p.write(a.sub(0..2))?;
    c.write(a.sub(2..4))?;
    collapse(w, &[(p, a), (c, a)])?;
    let g = c.fork("G")?;
    g.unmap(a.sub(0..2))
}

/// The index of the pages is not their address.
///
///   P  a [0 1 2 - - 5 ...]  ->  b [======== PMD ========]     C  forked before, at a     D  after, at b
fn moved(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let c = p.fork("C")?;
    c.advise(a, advice::NOHUGEPAGE)?;
    let b = w.place_huge(1)?;
    w.name(b, "b");
    p.move_to(a, b)?;
    p.write_all(&half(b))?;
    collapse(w, &[(p, b)])?;
    let d = p.fork("D")?;
    d.unmap(b.sub(0..b.pages / 2))
}

/// Some pages are in swap, where the child has them as well.
///
///   P  [0 1 2 - - 5 ... | last ones in swap]  ->  [======== PMD ========]     C  the same, as it was
fn swapped(w: &World) -> TestResult {
    // Before, reuse_swap_page() has to agree, and does not for what the child has too.
    if w.features().version() < (5, 18) {
        return Err(Stop::Skip(
            "needs a khugepaged that takes shared pages of the swap cache (Linux 5.18)",
        ));
    }
    let (p, a) = sparse(w)?;
    for part in half(a) {
        p.page_out(part)?;
    }
    let c = p.fork("C")?;
    c.advise(a, advice::NOHUGEPAGE)?;
    p.write_all(&half(a)[..2])?;
    c.write(half(a)[1].page(0))?;
    collapse_from_swap(w, &[(p, a)])?;
    p.fork("D").map(drop)
}

/// The same of an area that is full: what is in swap is no hole.
///
///   P  [0 1 2 3 4 5 ... | last ones in swap]  ->  [======== PMD ========]
fn full(w: &World) -> TestResult {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map(a)?;
    p.write(a)?;
    p.page_out(a.sub(a.pages - 5..a.pages))?;
    p.advise(a, advice::HUGEPAGE)?;
    collapse_full_from_swap(w, &[(p, a)])?;
    p.fork("C").map(drop)
}

const MADE: Test = Test {
    about: "A huge page that khugepaged has made is found by every walk, and so is what its pages were made of.",
    needs: Grain::HUGE_NEEDS,
    knobs: KNOBS,
    ..Test::DEFAULT
};

const fn test(name: &'static str, run: fn(&mut Ctx) -> TestResult) -> Test {
    Test { name, run, ..MADE }
}

const SWAP_NEEDS: &[Need] = &[
    Need::Thp,
    Need::Pfn,
    Need::KpageFlags,
    Need::Reclaim,
    Need::MemMib(64),
];

const TESTS: &[Test] = &[
    test("alone", |c| walk::afresh(c, alone)),
    test("child", |c| walk::afresh(c, child)),
    test("grandchild", |c| walk::afresh(c, grandchild)),
    test("shared", |c| walk::afresh(c, shared)),
    test("moved", |c| walk::afresh(c, moved)),
    Test {
        needs: SWAP_NEEDS,
        ..test("swapped", |c| walk::afresh(c, swapped))
    },
    Test {
        needs: SWAP_NEEDS,
        ..test("swapped.full", |c| walk::afresh(c, full))
    },
    shares::BASE,
    shares::FOLIOS,
    shares::HUGE,
];

pub fn main() {
    run(
        "khugepaged",
        "huge pages that khugepaged makes: of every process it hears of, with the pages of others left alone",
        TESTS,
    )
}
