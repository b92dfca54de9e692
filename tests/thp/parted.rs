// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that are in swap as a whole when their area is cut: what comes back as one folio must not reach beyond the VMA of the fault.

use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, R, RW};
use helpers::walk::reclaim::swap_out;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};
use std::ops::Range;

/// What makes another VMA of a part.
enum Change {
    Protect(i32),
    Advise(i32),
    Lock,
    Move,
}

/// The name of a folio, what is done to a part of its area, which eighths this is, and the eighth that is read then.
const CUTS: [(&str, Change, Range<usize>, usize); 9] = [
    ("whole", Change::Protect(RW), 0..8, 5),
    ("lower_none", Change::Protect(NONE), 0..4, 5),
    ("lower_r", Change::Protect(R), 0..4, 5),
    ("upper_none", Change::Protect(NONE), 4..8, 1),
    ("upper_r", Change::Protect(R), 4..8, 1),
    ("moved", Change::Move, 2..5, 6),
    ("lower_small", Change::Advise(advice::NOHUGEPAGE), 0..4, 5),
    ("upper_undumped", Change::Advise(advice::DONTDUMP), 4..8, 1),
    ("lower_locked", Change::Lock, 0..4, 5),
];

/// Folios that get slots in swap one after the other, and which of them come to lie side by side: the slots of one pair or of the other begin at
/// a multiple of twice the size.
const ROW: usize = 5;
const PAIRS: [[usize; 2]; 2] = [[0, 1], [3, 4]];

/// The swap entries of each folio stay side by side, in an area that is more than one VMA. One page is read then, and a folio may come back
/// that is as large as the row of entries is long, but only within the VMA of the fault: its rights, its flags and its place are not those
/// of the other (alloc_swap_folio(), thp_vma_suitable_orders()). Rights that a page has too many show in a probe, a wrong index to a walk.
///
/// Where the kernel has folios of twice the size, whole ones come to lie side by side as well, each with the index of where it was.
///
///   P  |--- 0 .. n/2-1|rw n/2 .. n-1|    |r  0 .. n/2-1|rw n/2 .. n-1|    |rw 0 .. n/2-1|--- n/2 .. n-1|    ...
///                           read                             read               read
///   P  |rw 0 .. n-1|rw 0 .. n-1|      from two places
///                      read
pub fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let make = |name: &'static str| {
        let a = w.place_aligned(n, n);
        w.name(a, name);
        p.map_folio(a).map(|()| a)
    };
    let sizes = w.folio_sizes()?;
    // What a PMD maps comes back page by page, and has many of them.
    let small = sizes.last() != Some(&n);
    let cuts = if small { &CUTS[..] } else { &CUTS[1..3] };
    let mut folios = Vec::new();
    for (name, change, part, read) in cuts {
        let a = make(name)?;
        let part = a.sub(part.start * n / 8..part.end * n / 8);
        folios.push((a, change, part, a.page(read * n / 8)));
    }
    let mut row = Vec::new();
    if small && sizes.contains(&(2 * n)) {
        for _ in 0..ROW {
            row.push(make("row")?);
        }
    }
    swap_out(&w)?;
    for &a in folios.iter().map(|(a, ..)| a).chain(&row) {
        p.advise(a, advice::HUGEPAGE)?;
    }
    let mut first = Vec::new();
    for &(_, change, part, read) in &folios {
        match change {
            Change::Protect(prot) => p.protect(part, *prot)?,
            Change::Advise(what) => p.advise(part, *what)?,
            Change::Lock => p.lock(part, Lock::OnFault)?,
            Change::Move => away(&w, p, part, n)?,
        }
        first.push(read);
    }
    for pair in PAIRS.iter().filter(|_| !row.is_empty()) {
        let both = w.place_aligned(2 * n, 2 * n);
        w.name(both, "pair");
        for (i, &from) in pair.iter().enumerate() {
            p.move_to(row[from], both.sub(i * n..(i + 1) * n))?;
        }
        first.push(both.page(n + n / 2));
    }
    let mut large = Vec::new();
    for page in first {
        p.read(page)?;
        large.push(w.folio_pages(p.id(), page.vpn)?);
    }
    w.diag(format_args!(
        "folios of {n} pages came back as folios of {large:?}"
    ));
    w.check()?;
    walk::plain(&w)?;
    for &(_, change, part, _) in &folios {
        if let Change::Protect(_) = change {
            p.protect(part, RW)?;
        }
    }
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Moves a part to another place that is aligned as it is: where a folio of `n` pages would begin is nothing.
fn away(w: &World, p: Actor, part: Area, n: usize) -> TestResult {
    let around = w.place_aligned(n, n);
    w.name(around, "away");
    let at = part.vpn % n;
    let to = around.sub(at..at + part.pages);
    p.move_to(part, to)?;
    p.read(to.page(to.pages - 1))
}
