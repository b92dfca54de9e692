// SPDX-License-Identifier: GPL-2.0-or-later
//! VMAs that come to share an anon_vma one by one: at its first touch a VMA takes that of a neighbour which it could merge with but for its
//! protection (find_mergeable_anon_vma(), __anon_vma_prepare()). However many do, and from whichever side, each is linked to it.

use super::OPS;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{self, NONE, R};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// VMAs in a row, each of one page.
const N: usize = 40;

/// In which order they are touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Ascending,
    Descending,
    /// From the middle outwards, on both sides in turn.
    Outward,
    /// Every second one, each with an anon_vma of its own, then those between.
    Between,
}

const ORDERS: [Order; 4] = [
    Order::Ascending,
    Order::Descending,
    Order::Outward,
    Order::Between,
];

impl Order {
    fn pages(self) -> Vec<usize> {
        let half = N / 2;
        match self {
            Order::Ascending => (0..N).collect(),
            Order::Descending => (0..N).rev().collect(),
            Order::Outward => (0..half).flat_map(|i| [half - 1 - i, half + i]).collect(),
            Order::Between => (0..N).step_by(2).chain((1..N).step_by(2)).collect(),
        }
    }
}

/// How the VMAs come to lie beside each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    /// Each is mapped where it is.
    Mapped,
    /// Each is moved there, and touched only then.
    Moved,
    /// The middle ones were one VMA, cut by mprotect(2) once they were touched; the others are mapped beside them.
    Cut,
}

/// The pages of a row that are touched as one VMA in the case of [`How::Cut`].
const CUT: std::ops::Range<usize> = 12..28;

/// What page `i` is protected by once it is touched: unlike its neighbours, and unlike a page to come.
fn prot(i: usize) -> i32 {
    if i.is_multiple_of(2) { R } else { NONE }
}

/// Maps and touches some pages of a row. Writable at its first touch, each is a VMA of its own there, and never after.
fn touch(w: &World, p: Actor, row: Area, how: How, pages: &[usize]) -> TestResult {
    let from = w.place(N);
    w.name(from, "from");
    w.queued(|| {
        for &i in pages {
            let page = row.page(i);
            if how == How::Moved {
                p.map(from.page(i))?;
                p.move_to(from.page(i), page)?;
            } else {
                p.map(page)?;
            }
            p.write(page)?;
            p.protect(page, prot(i))?;
        }
        Ok(())
    })
}

/// A row in P, nothing in the places of its pages, and the middle of it where it is cut.
fn row(w: &World, p: Actor, how: How, order: Order) -> TestResult<Area> {
    let row = w.place(N);
    w.name(row, format!("{how:?}.{order:?}"));
    p.make_room(row)?;
    if how == How::Cut {
        let middle = row.sub(CUT);
        p.map(middle)?;
        p.write(middle)?;
        w.queued(|| {
            CUT.into_iter()
                .try_for_each(|i| p.protect(row.page(i), prot(i)))
        })?;
    }
    Ok(row)
}

/// For each way to come there and each order a row of its own, `before` pages of it touched by P before it forks, the rest by each of the two:
///
///   P    |0 r|1 -|2 r|3 -| ... |39 -|     one VMA per page
///   C    |0 r|1 -|2 r|3 -| ... |39 -|
///
/// Then what had no access has it again; every walk, and once more when P is gone.
fn borrow(ctx: &mut Ctx, before: usize) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let mut rows = Vec::new();
    for how in [How::Mapped, How::Moved, How::Cut] {
        for order in ORDERS {
            let row = row(&w, p, how, order)?;
            let mut pages = order.pages();
            pages.retain(|i| how != How::Cut || !CUT.contains(i));
            touch(&w, p, row, how, &pages[..before.min(pages.len())])?;
            rows.push((row, how, pages.split_off(before.min(pages.len()))));
        }
    }
    let c = p.fork("C")?;
    for (row, how, rest) in &rows {
        touch(&w, p, *row, *how, rest)?;
        touch(&w, c, *row, *how, rest)?;
    }
    w.check()?;
    w.reopen()?;
    for (row, ..) in &rows {
        let vmas = topology::vmas(&w, p, *row)?;
        if vmas != N {
            return Err(Stop::error(format_args!("{vmas} VMAs instead of {N}")));
        }
    }
    walk::plain(&w)?;
    // What is left must be found without those it came from.
    p.exit()?;
    c.fork("D")?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const BORROW: Test = Test {
    about: "However many areas take their neighbour's anon_vma, each one's pages are found by every walk.",
    ..OPS
};
pub const BEFORE: Test = Test {
    name: "borrow.before_fork",
    run: |c| borrow(c, N),
    ..BORROW
};
pub const AFTER: Test = Test {
    name: "borrow.after_fork",
    run: |c| borrow(c, N / 4),
    ..BORROW
};
