// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios whose pages are in two page tables, or would be: page_vma_mapped_walk() has to go on where the first ends, is
//! missing, or is another huge page.

use super::{apart, folio, place};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// |====|====| as one VMA moved to where a page table ends in its middle.
pub fn across<'w>(w: &'w World, p: Actor<'w, '_>, a: Area) -> TestResult<Area> {
    let b = w.place_across(a.pages)?;
    w.name(b, "b");
    p.move_to(a, b)?;
    Ok(b)
}

///                    one table |  the next
///   P  [0 ............... n/2-1|n/2 ................ n-1]
///   C  [      n/4 ....... n/2-1|n/2 .... n/2+1]             D  [n-1]       E  [. 1 . 3 . 5 ...]
pub fn two(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    in_parts(p, &[across(w, p, a)?])
}

/// A few pages on both sides of the middle of each folio in one child of P, the last page in another, and every second in a third.
pub fn in_parts(p: Actor, folios: &[Area]) -> TestResult {
    let (c, d, e) = (p.fork("C")?, p.fork("D")?, p.fork("E")?);
    for b in folios {
        let n = b.pages;
        c.unmap(b.sub(0..n / 4))?;
        c.unmap(b.sub(n / 2 + 2..n))?;
        d.unmap(b.sub(0..n - 1))?;
        for i in (0..n).step_by(apart(n)) {
            e.advise(b.page(i), advice::DONTNEED)?;
        }
    }
    Ok(())
}

/// Only the child's is in two tables; P's is where it was, the sibling's in two halves side by side.
pub fn in_child(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    let b = across(w, c, a)?;
    c.advise(b.page(a.pages / 2 - 1), advice::DONTNEED)?;
    let s = place(w, "s", a.pages + 1);
    let half = a.pages / 2;
    d.move_to(a.sub(half..a.pages), s.sub(0..half))?;
    d.move_to(a.sub(0..half), s.sub(half + 1..a.pages + 1))?;
    c.fork("G").map(drop)
}

/// C's first half was wiped at fork and never touched: a VMA of its own, that ends where the other begins and the page table does.
///
///   P  |wipe 0 .. n/2-1|n/2 ... n-1|         C  |- - - - -|n/2 ... n-1|
pub fn wiped(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    let b = across(w, p, a)?;
    p.advise(b.sub(0..n / 2), advice::WIPEONFORK)?;
    let c = p.fork("C")?;
    c.advise(b.sub(0..n / 2), advice::KEEPONFORK)?;
    c.fork("G")?;
    p.advise(b.sub(0..n / 2), advice::KEEPONFORK)
}

/// One VMA of P over two page tables, a folio across the edge; the pages of the first table, and all.
///
///                  one table |  the next
///   P  [x - - - 0 .... n/2-1|n/2 .... n-1 - - -]
fn in_the_middle<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area, Area)> {
    let n = w.folio_size()?;
    let around = w.place_huge(3)?;
    let pmd = around.pages / 3;
    // Shifted by half a folio, so that the folio is aligned here and not after the move.
    let from = around.sub(n / 2..n / 2 + 2 * pmd);
    w.name(from, "from");
    let p = w.actor("P")?;
    p.map(from)?;
    p.advise(from, advice::NOHUGEPAGE)?;
    // All of it has one anon_vma before it is cut, or its parts might not merge.
    p.write(from.page(0))?;
    let middle = pmd - n / 2..pmd + n / 2;
    let f = from.sub(middle);
    p.advise(f, advice::HUGEPAGE)?;
    p.write(f)?;
    if w.folio_pages(p.id(), f.vpn)? != n {
        return Err(Stop::Skip("needs a free huge page"));
    }
    p.advise(f, advice::NOHUGEPAGE)?;
    let v = w.place_huge(2)?;
    w.name(v, "v");
    p.move_to(from, v)?;
    p.needs_one_vma(v)?;
    Ok((p, v.sub(0..pmd), v))
}

/// C has another huge page where the first half of the folio was.
fn beside<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let (p, first, v) = in_the_middle(w)?;
    let c = p.fork("C")?;
    c.advise(first, advice::DONTNEED)?;
    c.write(first.sub(1..4))?;
    c.collapse(first)?;
    c.needs_one_vma(v)?;
    Ok((c, first))
}

/// Many kernels have this bug as they were released (before "mm/page_vma_mapped: continue past nonmatching huge PMDs"), and no probe tells it
/// from the same bug made anew. Seen: 6.1, 6.12.117 and 7.2.13 fail; 6.12.118, 6.18.44 and 7.3.4 pass. Kernels in between are not judged.
pub fn beside_where_mended(ctx: &mut Ctx) -> TestResult {
    let features = &ctx.arena.features;
    let mended = match features.version() {
        (6, 12) => features.sublevel() >= 118,
        (6, 18) => features.sublevel() >= 44,
        version => version >= (7, 3),
    };
    if !mended {
        return Err(Stop::Skip(
            "needs walks that go on beside another huge page (Linux 6.12.118, 6.18.44 or 7.3)",
        ));
    }
    walk::afresh(ctx, huge_beside)
}

///   P  [x - - - 0 .... n/2-1|n/2 .... n-1 - - -]
///   C  [==== another PMD ===|n/2 .... n-1 - - -]       G  the same
fn huge_beside(w: &World) -> TestResult {
    let (c, _) = beside(w)?;
    c.fork("G").map(drop)
}

/// The same, and the other huge page is given back: there is no page table, and not even one that is empty (zap_huge_pmd()).
///
///   P  [x - - - 0 .... n/2-1|n/2 .... n-1 - - -]
///   C                       |n/2 .... n-1 - - -]       G  the same
pub fn one_missing(w: &World) -> TestResult {
    let (c, first) = beside(w)?;
    c.advise(first, advice::DONTNEED)?;
    c.fork("G").map(drop)
}
