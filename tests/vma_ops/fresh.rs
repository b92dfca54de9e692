// SPDX-License-Identifier: GPL-2.0-or-later
//! New mappings among old ones, after the soft-dirty bits were cleared. The checks judge that what is new is soft-dirty as a whole, whether anything
//! is in it or not (helpers/src/world/fresh.rs).

use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, R, RW};
use helpers::world::check::Finding;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each part.
const N: usize = 4;

/// What is mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    /// Private memory, the neighbours written.
    Written,
    /// Private memory, the neighbours never touched: they merge most freely.
    Bare,
    /// A memfd, shared.
    Shared,
    /// A memfd, private; the neighbours have a copy each.
    Copied,
}

const ALL: [What; 4] = [What::Written, What::Bare, What::Shared, What::Copied];

/// What there is before, and how the new mapping comes to lie in it.
const BEFORE: [(&str, &[(usize, usize)]); 5] = [
    ("none", &[]),
    ("left", &[(0, N)]),
    ("right", &[(2 * N, 3 * N)]),
    ("both", &[(0, N), (2 * N, 3 * N)]),
    ("over", &[(0, 3 * N)]),
];

impl What {
    fn map(self, p: Actor, at: Area, file: &Object, first: usize) -> TestResult {
        match self {
            What::Written | What::Bare => p.map(at),
            What::Shared => p.map_object(at, file, first, RW, Share::Shared),
            What::Copied => p.map_object(at, file, first, RW, Share::Private),
        }
    }
}

fn soft_dirty(w: &World) -> TestResult {
    match w.features().soft_dirty {
        true => Ok(()),
        false => Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)")),
    }
}

/// For each kind of memory:
///
///   none   . . . .|4'5'6'7'|. . . .
///   left  |0 1 2 3 4'5'6'7'|. . . .       ' new: one VMA with its neighbours where they are alike
///   right  . . . .|4'5'6'7' 8 9 10 11|
///   both  |0 1 2 3 4'5'6'7' 8 9 10 11|
///   over  |0 1 2 3 4'5'6'7' 8 9 10 11|    in the middle of one VMA
///
/// Then again, with what was new the first time as one of the neighbours.
fn beside(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    soft_dirty(&w)?;
    let file = w.object(Kind::Memfd, 3 * N)?;
    let p = w.actor("P")?;
    let mut plots = Vec::new();
    for what in ALL {
        for (name, before) in BEFORE {
            let around = w.place(3 * N);
            w.name(around, format!("{what:?}.{name}"));
            for &(from, to) in before {
                let old = around.sub(from..to);
                what.map(p, old, &file, from)?;
                if what != What::Bare {
                    p.write(old.page(0))?;
                }
            }
            plots.push((what, around));
        }
    }
    w.clear_soft_dirty()?;
    for &(what, around) in &plots {
        what.map(p, around.sub(N..2 * N), &file, N)?;
    }
    w.check()?;
    // Read only, in a child of it, and in parts that are VMAs of their own.
    for &(_, around) in &plots {
        p.read(around.page(N))?;
    }
    let c = p.fork("C")?;
    for &(_, around) in &plots {
        c.read(around.page(N + 1))?;
        p.protect(around.page(N + 2), R)?;
    }
    w.check()?;
    w.clear_soft_dirty()?;
    for &(what, around) in &plots {
        p.protect(around.page(N + 2), RW)?;
        what.map(p, around.sub(2 * N..3 * N), &file, 2 * N)?;
        p.read(around.page(2 * N))?;
    }
    w.check()?;
    for &(_, around) in &plots {
        p.write(around.page(2 * N + 1))?;
    }
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Memory that nobody has touched has no pages whose index must stay: where mremap(2) moves it to, it is one area with what is beside it, as if
/// it had been mapped there (copy_vma() gives it the page offset of its new place).
///
///   |0 1 2 3| . . . .  + |u u u u|  ->  |0 1 2 3 u u u u|        what is there untouched, or touched
///   . . . . |4 5 6 7|  + |u u u u|  ->  |u u u u 4 5 6 7|
///   |0 1 2 3| . . . . |8 9 10 11|   ->  one
fn moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let mut plots = Vec::new();
    for touched in [false, true] {
        for old in [&[0][..], &[2 * N], &[0, 2 * N]] {
            for control in [true, false] {
                let around = w.place(3 * N);
                let from = w.place(N);
                w.name(around, if control { "mapped" } else { "moved" });
                w.name(from, "from");
                for &part in old {
                    p.map(around.sub(part..part + N))?;
                }
                // One side only: two that were touched apart do not merge.
                if touched {
                    p.write(around.page(old[0]))?;
                }
                let new = around.sub(N..2 * N);
                if control {
                    p.map(new)?;
                } else {
                    p.map(from)?;
                    p.move_to(from, new)?;
                }
                let (first, last) = (old[0].min(N), old[old.len() - 1].max(N));
                plots.push((around.sub(first..last + N), control));
            }
        }
    }
    w.check()?;
    // The same was mapped there before: where that is one area, what was moved is.
    let (mut one, mut compared) = (false, 0);
    for (area, control) in plots {
        let is_one = p.is_one_vma(area)?;
        if control {
            one = is_one;
            compared += usize::from(one);
        } else if one && !is_one {
            return Err(w.report(&Finding {
                property: "untouched memory is one area with its neighbours where it has moved to",
                detail: format!(
                    "{} pages are one area when new memory is mapped there, and not when it is moved there",
                    area.pages
                ),
                at: Some((p.id(), area.vpn)),
            }));
        }
    }
    if compared == 0 {
        return Err(Stop::Skip("needs VMAs that merge"));
    }
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The heap grows twice, by brk(2), which is no mmap inside (do_brk_flags()).
///
///   heap |0 1 2 3|  ->  |0 1 2 3 4'5'|  ->  |0 1 2 3 4 5 6'|     ' new
fn heap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    soft_dirty(&w)?;
    let p = w.actor("P")?;
    let around = w.place(3 * N);
    w.name(around, "heap");
    let a = around.sub(0..N);
    p.map_heap(a)?;
    p.write(a.sub(0..2))?;
    p.make_room(a.after(2 * N))?;
    p.heap(a)?;
    w.clear_soft_dirty()?;
    let a = p.brk(a, N + 2)?;
    w.check()?;
    p.read(a.page(N))?;
    w.check()?;
    w.clear_soft_dirty()?;
    let a = p.brk(a, N + 3)?;
    let c = p.fork("C")?;
    c.read(a.page(N + 2))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const FRESH: Test = Test {
    about: "What was mapped since the soft-dirty bits were cleared is soft-dirty as a whole, alone or merged with what was there before.",
    needs: &[Need::Pagemap],
    ..Test::DEFAULT
};
pub const MOVED: Test = Test {
    name: "fresh.moved",
    about: "Memory that nobody has touched is one area with what is beside it where it has moved to.",
    run: moved,
    ..FRESH
};
pub const BESIDE: Test = Test {
    name: "fresh.beside",
    run: beside,
    ..FRESH
};
pub const HEAP: Test = Test {
    name: "fresh.heap",
    run: heap,
    ..FRESH
};
