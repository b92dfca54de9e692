// SPDX-License-Identifier: GPL-2.0-or-later
//! What a forked child does to its VMAs: split, merge, shift, shrink, move.
//!
//! anon_vma_clone() serves all of these as it serves fork: the copy of a VMA has to be linked to every anon_vma that the
//! original was linked to, the oldest ancestor's included, and keep the page offset (vm_pgoff) that says where in the
//! VMA a page of the anon_vma is. What is missing shows only when a walk next looks for the page.
//!
//! Every operation is carried out by three processes on equal mappings: a forked child (inherited pages and pages of its own),
//! the parent of such a child, and a process that never forked.

use helpers::supervise::{Ctx, Fix, Test, main as run};
use helpers::topology::{self, R, RW};
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// Pages of the mapping.
const N: usize = 12;
/// Pages of no access on both sides, for neighbours.
const MARGIN: usize = 4;

type Op = fn(&World, Actor, Area) -> TestResult;

///   C, P and A each:   . . . . |0 1 2 3 4 5 6 7 8 9 10 11| . . . .
///                                    own pages: C 4 5 6, P 5 6 7
fn by_each(ctx: &mut Ctx, op: Op) -> TestResult {
    let w = World::new(ctx)?;
    let inherited = |name: &'static str| -> TestResult<(Actor, Actor, Area)> {
        let p = w.actor(name)?;
        let around = w.place(N + 2 * MARGIN);
        let a = around.sub(MARGIN..MARGIN + N);
        w.name(around, "around");
        p.map(a)?;
        p.write(a)?;
        let c = p.fork(&format!("{name}.C"))?;
        Ok((p, c, a))
    };
    // In the child, with a sibling and a grandchild before and after.
    let (p, c, a) = inherited("P")?;
    c.write(a.sub(4..7))?;
    c.fork("P.C.before")?;
    op(&w, c, a)?;
    w.check()?;
    let late = c.fork("P.C.after")?;
    p.fork("P.S")?;
    // In the parent of a child.
    let (q, d, b) = inherited("Q")?;
    q.write(b.sub(5..8))?;
    op(&w, q, b)?;
    w.check()?;
    d.write(b.page(8))?;
    q.fork("Q.after")?;
    // Alone: some merges happen only to VMAs that no fork has seen.
    let l = w.actor("L")?;
    let around = w.place(N + 2 * MARGIN);
    w.name(around, "around");
    let alone = around.sub(MARGIN..MARGIN + N);
    l.map(alone)?;
    l.write(alone)?;
    op(&w, l, alone)?;
    walk::every(&w)?;
    // What is left must stand without those it came from.
    p.exit()?;
    c.exit()?;
    q.exit()?;
    walk::every(&w)?;
    late.fork("P.C.after.late")?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// |0....3|4....7|8...11|
fn split(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(4..8), R)
}

/// Cut in three, then one again.
fn split_remerge(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(4..8), R)?;
    c.protect(a.sub(4..8), RW)
}

/// Cut at every page, joined in an order that extends to both sides.
fn shreds(_: &World, c: Actor, a: Area) -> TestResult {
    for i in (1..N).step_by(2) {
        c.protect(a.page(i), R)?;
    }
    for i in [5, 3, 7, 9, 1, 11] {
        c.protect(a.page(i), RW)?;
    }
    Ok(())
}

/// Cut, and the parts written while they are apart: neighbours get pages of either time.
fn split_write_remerge(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(3..5), R)?;
    c.write(a.sub(1..3))?;
    c.write(a.sub(5..7))?;
    c.protect(a.sub(3..5), RW)?;
    c.write(a.sub(3..4))
}

fn unmap_head(_: &World, c: Actor, a: Area) -> TestResult {
    c.unmap(a.sub(0..5))
}

fn unmap_middle(_: &World, c: Actor, a: Area) -> TestResult {
    c.unmap(a.sub(3..6))
}

fn unmap_tail(_: &World, c: Actor, a: Area) -> TestResult {
    c.unmap(a.sub(6..N))
}

/// Unmapped in the middle and mapped anew: a fresh VMA between two old ones.
fn unmap_refill(_: &World, c: Actor, a: Area) -> TestResult {
    c.unmap(a.sub(4..8))?;
    c.map(a.sub(4..8))?;
    c.write(a.sub(5..7))
}

/// |0....3|4...11| -> |0......6|7..11|: the boundary moves right (the left VMA grows over the right one), then left.
fn boundary_right(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(4..N), R)?;
    c.protect(a.sub(4..7), RW)
}

/// |0......6|7..11| -> |0....3|4...11|
fn boundary_left(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(7..N), R)?;
    c.protect(a.sub(4..7), R)
}

/// Both in turn, over pages of the child's own.
fn boundary_both(_: &World, c: Actor, a: Area) -> TestResult {
    c.protect(a.sub(4..N), R)?;
    c.protect(a.sub(4..8), RW)?;
    c.protect(a.sub(2..8), R)?;
    c.protect(a.sub(2..5), RW)
}

/// Beside a process whose VMAs begin at every page, so that the boundary passes others in the anon_vma's tree.
fn right_among_others(w: &World, c: Actor, a: Area) -> TestResult {
    comb(c, a)?;
    boundary_right(w, c, a)
}

fn left_among_others(w: &World, c: Actor, a: Area) -> TestResult {
    comb(c, a)?;
    boundary_left(w, c, a)
}

fn comb(c: Actor, a: Area) -> TestResult {
    let comb = c.fork("comb")?;
    (1..N)
        .step_by(2)
        .try_for_each(|i| comb.protect(a.page(i), R))
}

/// All of it to another place.
fn moved(w: &World, c: Actor, a: Area) -> TestResult {
    c.move_to(a, named(w, "to", N))
}

fn named(w: &World, name: &'static str, pages: usize) -> Area {
    let area = w.place(pages);
    w.name(area, name);
    area
}

/// A part from the middle: the source is split in three.
fn moved_middle(w: &World, c: Actor, a: Area) -> TestResult {
    c.move_to(a.sub(4..8), named(w, "to", 4))
}

/// A to B to C.
fn moved_twice(w: &World, c: Actor, a: Area) -> TestResult {
    let (b, d) = (named(w, "b", N), named(w, "c", N));
    c.move_to(a, b)?;
    c.write(b.page(2))?;
    c.move_to(b, d)
}

/// Away and back into the hole, part by part: merges with what is left on both sides.
fn moved_back(w: &World, c: Actor, a: Area) -> TestResult {
    let b = named(w, "b", 4);
    c.move_to(a.sub(4..8), b)?;
    c.move_to(b.sub(2..4), a.sub(6..8))?;
    c.move_to(b.sub(0..2), a.sub(4..6))
}

/// Out of place: the page offset no longer fits the address.
fn swapped_ends(w: &World, c: Actor, a: Area) -> TestResult {
    let b = named(w, "b", 3);
    c.move_to(a.sub(0..3), b)?;
    c.move_to(a.sub(9..12), a.sub(0..3))?;
    c.move_to(b, a.sub(9..12))
}

fn grow(_: &World, c: Actor, a: Area) -> TestResult {
    let room = a.after(MARGIN);
    c.make_room(room)?;
    let grown = c.resize(a, N + MARGIN)?;
    c.write(grown.page(N + 1))
}

fn shrink(_: &World, c: Actor, a: Area) -> TestResult {
    c.resize(a, N - 5).map(drop)
}

/// Shrunk, then grown again: the new end has no pages of the old one.
fn shrink_grow(_: &World, c: Actor, a: Area) -> TestResult {
    let small = c.resize(a, N - 4)?;
    let again = c.resize(small, N)?;
    c.write(again.page(N - 1))
}

/// The source stays mapped, empty.
fn dontunmap(w: &World, c: Actor, a: Area) -> TestResult {
    c.move_dontunmap(a, named(w, "to", N))
}

/// The source is faulted again, the pages moved on, the source given up.
fn dontunmap_refault(w: &World, c: Actor, a: Area) -> TestResult {
    let b = named(w, "b", N);
    c.move_dontunmap(a, b)?;
    c.write(a.sub(2..5))?;
    c.move_dontunmap(b.sub(6..9), a.sub(6..9))?;
    c.unmap(b.sub(0..3))
}

/// Moved, moved again with DONTUNMAP, the emptied middle place touched and joined by a new neighbour.
fn dontunmap_of_moved(w: &World, c: Actor, a: Area) -> TestResult {
    let (b, d) = (named(w, "b", N + 2), named(w, "c", N));
    let at = b.sub(1..N + 1);
    c.move_to(a, at)?;
    c.move_dontunmap(at, d)?;
    c.write(at.sub(1..4))?;
    c.map(b.page(0))?;
    c.map(b.page(N + 1))?;
    c.write(b.page(0))?;
    c.write(b.page(N + 1))?;
    c.unmap(d.sub(0..2))
}

/// On top of a mapping that is in use.
fn over(w: &World, c: Actor, a: Area) -> TestResult {
    let b = named(w, "b", 6);
    c.map(b)?;
    c.write(b)?;
    c.move_to(a.sub(2..6), b.sub(1..5))
}

/// On top of another part of itself.
fn over_itself(_: &World, c: Actor, a: Area) -> TestResult {
    c.move_to(a.sub(0..3), a.sub(8..11))
}

/// Where the neighbours of the place that a mapping returns to are, and whether they were touched.
struct Around {
    before: Option<bool>,
    after: Option<bool>,
}

///   moved away:        . . . . |                | . . . .
///   neighbours:        |before||                ||after |     touched or not
///   moved back:        |before||0 ... pages ..11||after |     may merge with either or both
///
/// The one that is left must have every anon_vma of the ones that are gone; with DONTUNMAP the place the pages came
/// from is let go of at once.
fn next_to(w: &World, c: Actor, a: Area, around: Around, keep: bool) -> TestResult {
    let b = named(w, "away", N);
    c.move_to(a, b)?;
    for (place, touched) in [(a.before(2), around.before), (a.after(2), around.after)] {
        let Some(touched) = touched else { continue };
        c.map(place)?;
        if touched {
            c.write(place)?;
        }
    }
    if keep {
        c.move_dontunmap(b, a)?;
        c.unmap(b)?;
    } else {
        c.move_to(b, a)?;
    }
    // The first fault of an untouched neighbour comes after the merge.
    for (place, touched) in [(a.before(2), around.before), (a.after(2), around.after)] {
        if touched == Some(false) {
            c.write(place.page(1))?;
        }
    }
    Ok(())
}

macro_rules! next_to {
    ($before:expr, $after:expr, $keep:expr) => {
        |c| {
            by_each(c, |w, c, a| {
                next_to(
                    w,
                    c,
                    a,
                    Around {
                        before: $before,
                        after: $after,
                    },
                    $keep,
                )
            })
        }
    };
}

const OP: Test = Test {
    about: "After a child has reshaped its VMAs every page of parent and child is found by every walk.",
    ..Test::DEFAULT
};
const MOVE: Test = Test {
    guards: &[
        Fix {
            commit: "61f67c230a5e",
            subject: "mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted merge",
        },
        Fix {
            commit: "1583aa278f5f",
            subject: "mm: mremap: unlink anon_vmas when mremap with MREMAP_DONTUNMAP success",
        },
    ],
    ..OP
};

const TESTS: &[Test] = &[
    Test {
        name: "split",
        run: |c| by_each(c, split),
        ..OP
    },
    Test {
        name: "split.remerge",
        run: |c| by_each(c, split_remerge),
        ..OP
    },
    Test {
        name: "split.shreds",
        run: |c| by_each(c, shreds),
        ..OP
    },
    Test {
        name: "split.write_remerge",
        run: |c| by_each(c, split_write_remerge),
        ..OP
    },
    Test {
        name: "unmap.head",
        run: |c| by_each(c, unmap_head),
        ..OP
    },
    Test {
        name: "unmap.middle",
        run: |c| by_each(c, unmap_middle),
        ..OP
    },
    Test {
        name: "unmap.tail",
        run: |c| by_each(c, unmap_tail),
        ..OP
    },
    Test {
        name: "unmap.refill",
        run: |c| by_each(c, unmap_refill),
        ..OP
    },
    Test {
        name: "boundary.right",
        run: |c| by_each(c, boundary_right),
        ..OP
    },
    Test {
        name: "boundary.left",
        run: |c| by_each(c, boundary_left),
        ..OP
    },
    Test {
        name: "boundary.both",
        run: |c| by_each(c, boundary_both),
        ..OP
    },
    Test {
        name: "boundary.right.among_others",
        run: |c| by_each(c, right_among_others),
        ..OP
    },
    Test {
        name: "boundary.left.among_others",
        run: |c| by_each(c, left_among_others),
        ..OP
    },
    Test {
        name: "move",
        run: |c| by_each(c, moved),
        ..MOVE
    },
    Test {
        name: "move.middle",
        run: |c| by_each(c, moved_middle),
        ..MOVE
    },
    Test {
        name: "move.twice",
        run: |c| by_each(c, moved_twice),
        ..MOVE
    },
    Test {
        name: "move.back",
        run: |c| by_each(c, moved_back),
        ..MOVE
    },
    Test {
        name: "move.swapped_ends",
        run: |c| by_each(c, swapped_ends),
        ..MOVE
    },
    Test {
        name: "move.over",
        run: |c| by_each(c, over),
        ..MOVE
    },
    Test {
        name: "move.over_itself",
        run: |c| by_each(c, over_itself),
        ..MOVE
    },
    Test {
        name: "resize.grow",
        run: |c| by_each(c, grow),
        ..MOVE
    },
    Test {
        name: "resize.shrink",
        run: |c| by_each(c, shrink),
        ..MOVE
    },
    Test {
        name: "resize.shrink_grow",
        run: |c| by_each(c, shrink_grow),
        ..MOVE
    },
    Test {
        name: "dontunmap",
        run: |c| by_each(c, dontunmap),
        ..MOVE
    },
    Test {
        name: "dontunmap.refault",
        run: |c| by_each(c, dontunmap_refault),
        ..MOVE
    },
    Test {
        name: "dontunmap.of_moved",
        run: |c| by_each(c, dontunmap_of_moved),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_prev",
        run: next_to!(Some(false), None, false),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_next",
        run: next_to!(None, Some(false), false),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_both",
        run: next_to!(Some(false), Some(false), false),
        ..MOVE
    },
    Test {
        name: "next_to.faulted_prev",
        run: next_to!(Some(true), None, false),
        ..MOVE
    },
    Test {
        name: "next_to.faulted_next",
        run: next_to!(None, Some(true), false),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_faulted",
        run: next_to!(Some(false), Some(true), false),
        ..MOVE
    },
    Test {
        name: "next_to.faulted_unfaulted",
        run: next_to!(Some(true), Some(false), false),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_prev.dontunmap",
        run: next_to!(Some(false), None, true),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_next.dontunmap",
        run: next_to!(None, Some(false), true),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_both.dontunmap",
        run: next_to!(Some(false), Some(false), true),
        ..MOVE
    },
    Test {
        name: "next_to.unfaulted_faulted.dontunmap",
        run: next_to!(Some(false), Some(true), true),
        ..MOVE
    },
];

pub fn main() {
    run("fork_vma", "VMAs reshaped after fork", TESTS)
}
