// SPDX-License-Identifier: GPL-2.0-or-later
//! MADV_DONTFORK: VMAs that the child does not get.
//!
//! dup_mmap() leaves such a VMA out, so the child's previous VMA is not the copy of the parent's previous one: what is
//! decided by looking at a neighbour (its anon_vma, its place in the tree) must look at the right one's.

use helpers::supervise::{Ctx, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain};
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// VMAs of one page each, in every test but those of folios.
const N: usize = 6;

/// One mapping of N pages touched as a whole, on one anon_vma, cut into N VMAs by mprotect.
fn source<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = topology::Stripes::Protect.make(w, p, N)?;
    Ok((p, a))
}

/// Writes all pages that a child has and may write.
fn write_kept(c: Actor, a: Area, left_out: &[usize]) -> TestResult {
    for i in (0..N).step_by(2).filter(|i| !left_out.contains(i)) {
        c.write(a.page(i))?;
    }
    Ok(())
}

///   P   |SRC1|SRC2|SRC3|SRC4|SRC5|SRC6|     on one anon_vma
///         df
///   C        |DST2|DST3|DST4|DST5|DST6|     the first has no previous VMA (and so on for other places)
///   G        the same, of C
fn left_out(ctx: &mut Ctx, places: &[usize]) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    for &i in places {
        p.advise(a.page(i), advice::DONTFORK)?;
    }
    let c = p.fork("C")?;
    w.check()?;
    write_kept(c, a, places)?;
    let untouched = p.fork("C2")?;
    let g = c.fork("G")?;
    write_kept(g, a, places)?;
    // Equal again: neighbours on the same anon_vma merge, across the holes nothing does.
    for actor in [p, c] {
        for i in (1..N).step_by(2) {
            if actor.id() == p.id() || !places.contains(&i) {
                actor.protect(a.page(i), topology::RW)?;
            }
        }
    }
    w.check()?;
    walk::every(&w)?;
    p.exit()?;
    walk::every(&w)?;
    untouched.exit()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// MADV_DOFORK takes it back: the child has everything.
fn undone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    for i in [0, N / 2, N - 1] {
        p.advise(a.page(i), advice::DONTFORK)?;
        p.advise(a.page(i), advice::DOFORK)?;
    }
    let c = p.fork("C")?;
    write_kept(c, a, &[0])?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P   |SRC1|SRC2|SRC3|SRC4|SRC5|SRC6|
///             df        df   df
///   C   |DST1|new |DST3|   new   |DST6|     mapped in the child, touched, then made equal to the neighbours
fn hole_filled(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    for i in [1, 3, 4] {
        p.advise(a.page(i), advice::DONTFORK)?;
    }
    let c = p.fork("C")?;
    c.map(a.page(1))?;
    c.map(a.sub(3..5))?;
    c.write(a.page(1))?;
    c.write(a.sub(3..5))?;
    c.protect(a.page(5), topology::RW)?;
    w.check()?;
    let g = c.fork("G")?;
    g.write(a.page(4))?;
    walk::every(&w)?;
    p.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P   |  SRC1 (df)  |  SRC2  |        one half of each folio's neighbours left out, the child's copy split,
///   C                 |  DST2  |        moved into the hole and back
fn moved_into_hole(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(8);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    p.advise(a.sub(0..4), advice::DONTFORK)?;
    let c = p.fork("C")?;
    c.write(a.page(5))?;
    c.move_to(a.sub(4..6), a.sub(1..3))?;
    w.check()?;
    c.move_to(a.sub(1..2), a.sub(4..5))?;
    let g = c.fork("G")?;
    g.write(a.page(6))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Entries of one folio that a fork comes upon together, some read-only already: the half that an earlier child has not got is still the
/// parent's own.
///
///   P   | r: shared with C | rw: left out, not any more |     one folio, then the halves the other way round
///   C   | r                |
///   D   | r                | r                          |
fn folio(ctx: &mut Ctx, upper: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let folios = [w.place_aligned(n, n), w.place_huge(1)?];
    let half = |a: Area| match upper {
        true => a.sub(a.pages / 2..a.pages),
        false => a.sub(0..a.pages / 2),
    };
    for (a, name) in folios.into_iter().zip(["folio", "huge"]) {
        w.name(a, name);
        p.map_folio(a)?;
        p.advise(half(a), advice::DONTFORK)?;
    }
    p.fork("C")?;
    for a in folios {
        p.advise(half(a), advice::DOFORK)?;
    }
    w.check()?;
    let d = p.fork("D")?;
    w.check()?;
    for a in folios {
        let own = half(a);
        p.write(own.page(1))?;
        d.write(own.page(2))?;
        p.write(own.page(own.pages - 1))?;
    }
    w.check()?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const LEFT_OUT: Test = Test {
    about: "Pages next to VMAs that the child did not get are found in parent and child alike.",
    ..Test::DEFAULT
};

const FOLIO: Test = Test {
    about: "What a process has of a large folio alone is its own, until a child gets it too: then neither sees what the other writes.",
    needs: Grain::HUGE_NEEDS,
    knobs: walk::FOLIO_KNOBS,
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "first",
        run: |c| left_out(c, &[0]),
        ..LEFT_OUT
    },
    Test {
        name: "middle",
        run: |c| left_out(c, &[N / 2]),
        ..LEFT_OUT
    },
    Test {
        name: "last",
        run: |c| left_out(c, &[N - 1]),
        ..LEFT_OUT
    },
    Test {
        name: "neighbours",
        run: |c| left_out(c, &[2, 3]),
        ..LEFT_OUT
    },
    Test {
        name: "all_but_one",
        run: |c| left_out(c, &[0, 1, 3, 4, 5]),
        ..LEFT_OUT
    },
    Test {
        name: "undone",
        run: undone,
        ..LEFT_OUT
    },
    Test {
        name: "hole_filled",
        run: hole_filled,
        ..LEFT_OUT
    },
    Test {
        name: "moved_into_hole",
        run: moved_into_hole,
        ..LEFT_OUT
    },
    Test {
        name: "folio.upper",
        run: |c| folio(c, true),
        ..FOLIO
    },
    Test {
        name: "folio.lower",
        run: |c| folio(c, false),
        ..FOLIO
    },
];

pub fn main() {
    run(
        "fork_dontfork",
        "VMAs that the child does not get (MADV_DONTFORK)",
        TESTS,
    )
}
