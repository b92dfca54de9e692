// SPDX-License-Identifier: GPL-2.0-or-later
//! MADV_WIPEONFORK: VMAs that the child gets empty.
//!
//! Such a VMA starts in the child without an anon_vma and gets one at its first fault (anon_vma_prepare(), which may take a
//! neighbour's: find_mergeable_anon_vma()). Pages faulted in then must be found by walks, in the child only.

use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// VMAs of two pages each.
const N: usize = 5;
const PAGES: usize = 2;

fn part(a: Area, i: usize) -> Area {
    a.sub(i * PAGES..(i + 1) * PAGES)
}

/// One mapping, touched as a whole.
fn source<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = w.place(N * PAGES);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    Ok((p, a))
}

///   P   |SRC1|SRC2|SRC3|SRC4|SRC5|
///                   wf
///   C   |DST1|DST2| 0  |DST4|DST5|     zeroes, then pages of its own
///   G   |    |    | 0  |    |    |     wiped again: the flag is inherited
fn wiped(ctx: &mut Ctx, places: &[usize]) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    for &i in places {
        p.advise(part(a, i), advice::WIPEONFORK)?;
    }
    let c = p.fork("C")?;
    // Not mapped at all yet: wiped means not copied, rather than copied and cleared.
    w.check()?;
    for &i in places {
        // The first page is read before it is written, the second is not.
        w.check_zero(c.id(), part(a, i).page(0))?;
        c.write(part(a, i).page(1))?;
        w.check()?;
        c.write(part(a, i).page(0))?;
    }
    let g = c.fork("G")?;
    w.check()?;
    for &i in places {
        w.check_zero(g.id(), part(a, i))?;
        g.write(part(a, i))?;
    }
    walk::every(&w)?;
    // What the child has now does not stand on anything of the parent.
    p.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// MADV_KEEPONFORK takes it back.
fn undone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    for i in [0, 2, N - 1] {
        p.advise(part(a, i), advice::WIPEONFORK)?;
        p.advise(part(a, i), advice::KEEPONFORK)?;
    }
    let c = p.fork("C")?;
    c.write(part(a, 2))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   C   |DST1|DST2|own |DST4|DST5|     with MADV_KEEPONFORK in the child all flags are equal: the middle merges
///                                      with a neighbour or does not, its pages are found either way
fn between_kept(ctx: &mut Ctx, kept_first: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    p.advise(part(a, 2), advice::WIPEONFORK)?;
    let c = p.fork("C")?;
    if kept_first {
        // Merging as an unfaulted VMA, or first fault in a merged one.
        c.advise(part(a, 2), advice::KEEPONFORK)?;
        c.write(part(a, 2))?;
    } else {
        c.write(part(a, 2))?;
        c.advise(part(a, 2), advice::KEEPONFORK)?;
    }
    c.write(part(a, 1).page(1))?;
    let seen = topology::vmas(&w, c, a)?;
    w.diag(format_args!(
        "{seen} VMAs in the child once all flags are equal"
    ));
    let g = c.fork("G")?;
    g.write(part(a, 2).page(0))?;
    walk::every(&w)?;
    c.exit()?;
    p.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   C   |   0   |      the only VMA, then cut, moved and joined after the first fault
fn reshaped_in_child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = source(&w)?;
    p.advise(a.sub(2..8), advice::WIPEONFORK)?;
    let c = p.fork("C")?;
    c.write(a.sub(3..6))?;
    c.protect(a.sub(4..5), topology::R)?;
    let to = w.place(3);
    w.name(to, "to");
    c.move_to(a.sub(5..8), to)?;
    c.write(to.page(2))?;
    c.protect(a.sub(4..5), topology::RW)?;
    c.unmap(a.page(2))?;
    let g = c.fork("G")?;
    w.check()?;
    g.write(to)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// All that can be said of an area in up to three words: MADV_DONTFORK and MADV_DOFORK do not touch what MADV_WIPEONFORK and
/// MADV_KEEPONFORK have said, nor the other way round (madvise_vma_behavior()).
///
///   P   |wf| |kf| |dc| |do| |wf,wf| |wf,kf| |wf,dc| ... |do,do,do|
///   C     0   1    .    1     0       1       .     ...    1            . not there
fn sequences(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let words = [
        advice::WIPEONFORK,
        advice::KEEPONFORK,
        advice::DONTFORK,
        advice::DOFORK,
    ];
    let mut all: Vec<Vec<i32>> = vec![Vec::new()];
    let mut longest = all.clone();
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|said| words.map(|word| [said.as_slice(), &[word]].concat()))
            .collect();
        all.extend(longest.iter().cloned());
    }
    let p = w.actor("P")?;
    let a = w.place(2 * all.len());
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    for (i, said) in all.iter().enumerate() {
        for &word in said {
            p.advise(a.page(2 * i), word)?;
        }
    }
    let c = p.fork("C")?;
    w.check()?;
    c.fork("G")?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// What else may be said of a wiped area.
type Said = fn(Actor, Area) -> TestResult;

/// Wiped areas of which something else is said, before or after.
///
///   P   |wf, a|wf, b|wf, c| ...
///   C   |  0  |  0  |  0  | ...     zeroes, then pages of its own
fn said(ctx: &mut Ctx, all: &[Said]) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let mut areas = Vec::new();
    for say in all {
        for wiped_first in [true, false] {
            let a = w.place(PAGES);
            w.name(a, "a");
            p.map(a)?;
            p.write(a)?;
            if wiped_first {
                p.advise(a, advice::WIPEONFORK)?;
                say(p, a)?;
            } else {
                say(p, a)?;
                p.advise(a, advice::WIPEONFORK)?;
            }
            areas.push(a);
        }
    }
    let c = p.fork("C")?;
    w.check()?;
    for &a in &areas {
        c.protect(a, topology::RW)?;
        w.check_zero(c.id(), a.page(0))?;
        c.write(a.page(1))?;
    }
    let g = c.fork("G")?;
    w.check()?;
    for &a in &areas {
        g.write(a.page(0))?;
    }
    walk::every(&w)?;
    p.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const LOCKED: &[Said] = &[
    |p, a| p.lock(a, Lock::Full),
    |p, a| p.lock(a, Lock::OnFault),
    |p, a| {
        p.protect(a, topology::R)?;
        p.lock(a, Lock::Full)
    },
];

const ADVISED: &[Said] = &[
    |p, a| p.advise(a, advice::SEQUENTIAL),
    |p, a| p.advise(a, advice::RANDOM),
    |p, a| p.advise(a, advice::DONTDUMP),
    |p, a| p.protect(a, topology::R),
    |p, a| p.protect(a, topology::NONE),
];

const MERGEABLE: &[Said] = &[|p, a| p.advise(a, advice::MERGEABLE)];

const HUGE: &[Said] = &[
    |p, a| p.advise(a, advice::HUGEPAGE),
    |p, a| p.advise(a, advice::NOHUGEPAGE),
];

const WIPED: Test = Test {
    about: "A wiped VMA is zero in the child, its new pages are found there, and the parent keeps its own.",
    ..Test::DEFAULT
};

const SAID: Test = Test {
    about: "A child finds nothing in a wiped VMA, whatever else is said of it.",
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "first",
        run: |c| wiped(c, &[0]),
        ..WIPED
    },
    Test {
        name: "middle",
        run: |c| wiped(c, &[2]),
        ..WIPED
    },
    Test {
        name: "last",
        run: |c| wiped(c, &[N - 1]),
        ..WIPED
    },
    Test {
        name: "neighbours",
        run: |c| wiped(c, &[1, 2]),
        ..WIPED
    },
    Test {
        name: "all_but_one",
        run: |c| wiped(c, &[0, 1, 3, 4]),
        ..WIPED
    },
    Test {
        name: "undone",
        run: undone,
        ..WIPED
    },
    Test {
        name: "sequences",
        about: "What is said of an area's fork and what of its wiping do not touch each other.",
        run: sequences,
        ..SAID
    },
    Test {
        name: "between_kept.faulted",
        run: |c| between_kept(c, false),
        ..WIPED
    },
    Test {
        name: "between_kept.unfaulted",
        run: |c| between_kept(c, true),
        ..WIPED
    },
    Test {
        name: "reshaped_in_child",
        run: reshaped_in_child,
        ..WIPED
    },
    Test {
        name: "locked",
        run: |c| said(c, LOCKED),
        ..SAID
    },
    Test {
        name: "advised",
        run: |c| said(c, ADVISED),
        ..SAID
    },
    Test {
        name: "mergeable",
        run: |c| said(c, MERGEABLE),
        needs: &[Need::Ksm],
        ..SAID
    },
    Test {
        name: "huge",
        run: |c| said(c, HUGE),
        needs: &[Need::Thp],
        ..SAID
    },
];

pub fn main() {
    run(
        "fork_wipeonfork",
        "VMAs that the child gets empty (MADV_WIPEONFORK)",
        TESTS,
    )
}
