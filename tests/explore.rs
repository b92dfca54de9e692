// SPDX-License-Identifier: GPL-2.0-or-later
//! Topologies by chance.
//!
//! Scripts of 20 to 60 steps (fork, exit, write, mprotect, munmap, mmap, mremap, madvise, mlock, exec) by up to seven processes,
//! each legal by the model of the world, then every walk, then every sharer writes. `fixed` scripts never change; `random` ones
//! are new with every run, and the same again with its --seed. A failing script is cut down to the steps that matter.
//!
//! `file` scripts map, move, punch and truncate a memfd beside that, `huge` ones begin with a huge page and take it to pieces (`huge_file`
//! ones with a huge page of a memfd), and in `walked` ones the pages are swapped out, merged and migrated between the steps, soft-dirty
//! bits are cleared, guards set, and huge pages made anew.

use helpers::TestResult;
use helpers::explore::batch::Stage::{Choice, Every, Once};
use helpers::explore::batch::{self, Family};
use helpers::explore::step::{Op, span};
use helpers::explore::{self, ground, midway, plan};
use helpers::supervise::{Ctx, Fix, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, R, RW};
use helpers::walk;
use std::time::Duration;

macro_rules! scripts {
    ($(
        $base:ident $plan:path: $prefix:literal $($name:literal = $seed:literal)*, $random:literal $($n:literal)*;
    )*) => {
        const TESTS: &[Test] = &[
            Test {
                name: "all.pair",
                run: pair,
                ..BATCH
            },
            Test {
                name: "all.merge",
                run: merge,
                ..BATCH
            },
            Test {
                name: "all.chain",
                run: chain,
                ..BATCH
            },
            Test {
                name: "all.reuse",
                run: reuse,
                ..BATCH
            },
            $(
                $(Test {
                    name: concat!($prefix, $name),
                    run: |ctx: &mut Ctx| -> TestResult { explore::test(ctx, &$plan($seed)) },
                    ..$base
                },)*
                $(Test {
                    name: concat!($random, $n),
                    run: |ctx: &mut Ctx| -> TestResult { explore::random(ctx, $n, $plan) },
                    ..$base
                },)*
            )*
        ];
    };
}

const SCRIPT: Test = Test {
    about: "Whatever led to a mapping, every page is found through all its mappers and each write stays its writer's.",
    guards: GUARDS,
    ..Test::DEFAULT
};

/// Scripts with walks in between.
const WALKED: Test = Test {
    timeout: Duration::from_secs(60),
    ..SCRIPT
};

/// Scripts on a huge page.
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..SCRIPT
};

/// Scripts on folios that are no huge pages.
const FOLIO: Test = Test {
    needs: Grain::HUGE_NEEDS,
    knobs: walk::FOLIO_KNOBS,
    ..WALKED
};

const BATCH: Test = Test {
    timeout: Duration::from_secs(60),
    ..SCRIPT
};

const GUARDS: &[Fix] = &[
    Fix {
        commit: "2555283eb40d",
        subject: "mm/rmap: Fix anon_vma->degree ambiguity leading to double-reuse",
    },
    Fix {
        commit: "61f67c230a5e",
        subject: "mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted merge",
    },
];

scripts! {
    SCRIPT plan::script: "fixed."
        "00" = 0 "01" = 1 "02" = 2 "03" = 3 "04" = 4 "05" = 5
        "06" = 6 "07" = 7 "08" = 8 "09" = 9 "10" = 10 "11" = 11,
        "random." 0 1 2 3;
    SCRIPT ground::file_script: "file." "00" = 0 "01" = 1 "02" = 2 "03" = 3 "04" = 4 "05" = 5,
        "file.random." 0 1;
    // The last: a run of parts across the edge of a page table, shared.
    HUGE ground::huge_script: "huge." "00" = 0 "01" = 1 "02" = 2 "03" = 40, "huge.random." 0;
    WALKED midway::script: "walked." "00" = 0 "01" = 1 "02" = 2 "03" = 3, "walked.random." 0 1;
    WALKED midway::file_script: "walked.file." "00" = 0 "01" = 1, "walked.file.random." 0;
    HUGE midway::huge_script: "walked.huge." "00" = 0 "01" = 1, "walked.huge.random." 0;
    HUGE midway::huge_file_script: "walked.huge_file." "00" = 0 "01" = 1 "02" = 2, "walked.huge_file.random." 0;
    FOLIO midway::folio_script: "walked.folio." "00" = 0 "01" = 1 "02" = 2 "03" = 3, "walked.folio.random." 0 1;
}

// Where everything happens in a batch: two pages in the middle of five.
//
//      0   1   2   3   4
//    |   | A | B |   |   |
const A: Op = Op::Write { at: span(1, 1) };
const B: Op = Op::Write { at: span(2, 1) };
const AB: Op = Op::Write { at: span(1, 2) };
const C: Op = Op::Write { at: span(3, 1) };
const MAP: Op = Op::Map {
    at: span(1, 2),
    prot: RW,
};
const SPLIT: Op = Op::Protect {
    at: span(2, 1),
    prot: R,
};
const EQUAL: Op = Op::Protect {
    at: span(1, 2),
    prot: RW,
};
const ROW: Op = Op::Map {
    at: span(1, 3),
    prot: RW,
};
const ABC: Op = Op::Write { at: span(1, 3) };
const HOLE: Op = Op::Unmap {
    at: span(2, 1),
    over: false,
};
const FILL: Op = Op::Map {
    at: span(2, 1),
    prot: RW,
};
const EVEN: Op = Op::Protect {
    at: span(1, 3),
    prot: RW,
};
const AWAY: Op = Op::Move {
    at: span(2, 1),
    to: 4,
    keep: false,
};
const NEAR: Op = Op::Move {
    at: span(1, 1),
    to: 3,
    keep: false,
};
const KEEP: Op = Op::Move {
    at: span(2, 1),
    to: 3,
    keep: true,
};
const WHOLE: Op = Op::Move {
    at: span(1, 2),
    to: 3,
    keep: true,
};
const HOME: Op = Op::Move {
    at: span(4, 1),
    to: 2,
    keep: false,
};
const GONE: Op = Op::Unmap {
    at: span(1, 1),
    over: false,
};
const FRESH: Op = Op::Map {
    at: span(3, 1),
    prot: RW,
};
const FORGET: Op = Op::Advise {
    at: span(1, 1),
    what: advice::DONTNEED,
};
const DONTFORK: Op = Op::Advise {
    at: span(2, 1),
    what: advice::DONTFORK,
};
const WIPE: Op = Op::Advise {
    at: span(1, 1),
    what: advice::WIPEONFORK,
};

/// One or two steps by P, a fork, two steps by either.
const PAIR: Family = Family {
    pages: 5,
    stages: &[
        Every(0, MAP),
        Choice(&[0], &[A, AB]),
        Choice(&[0], &[SPLIT, WHOLE, DONTFORK, WIPE]),
        Once(0, Op::Fork { child: 1 }),
        Choice(&[0, 1], &[B, SPLIT, EQUAL, AWAY, NEAR, GONE, FRESH]),
        Choice(&[0, 1], &[AB, C, EQUAL, NEAR, KEEP, HOME, GONE, FORGET]),
    ],
};

/// Holes and splits between touched and untouched pages, closed again: who swallows whom, and whose anon_vma stays.
const MERGE: Family = Family {
    pages: 5,
    stages: &[
        Every(0, ROW),
        Choice(&[0], &[A, ABC]),
        Choice(&[0], &[HOLE, SPLIT, GONE]),
        Choice(&[0], &[A, B, C]),
        Choice(&[0], &[EVEN, NEAR, AWAY, FILL]),
        Choice(&[0], &[B, C, KEEP]),
        Once(0, Op::Fork { child: 1 }),
        Choice(&[1], &[A, C]),
    ],
};

/// P -> C -> G -> L, and C exits before L is forked: L may reuse what C has left behind.
const CHAIN: Family = Family {
    pages: 5,
    stages: &[
        Every(0, MAP),
        Every(0, AB),
        Once(0, Op::Fork { child: 1 }),
        Choice(&[1], &[A, SPLIT]),
        Once(1, Op::Fork { child: 2 }),
        Choice(&[2], &[B, KEEP]),
        Once(1, Op::Exit),
        Once(2, Op::Fork { child: 3 }),
        Choice(&[2, 3], &[A, SPLIT, EQUAL, AWAY, NEAR, GONE, FRESH]),
        Choice(&[3], &[AB, C, EQUAL, NEAR, KEEP, HOME, GONE, FRESH, FORGET]),
        // What merges now may have a chain of anon_vmas that is shorter than its neighbour's.
        Choice(&[3], &[EQUAL]),
    ],
};

/// What made one anon_vma serve two VMAs of a process (2555283eb40d): C and G leave theirs behind one after the other.
///
/// ```text
///   P -> C -> G -> L      C exits: L takes C's anon_vma, so G's has no child
///                  L -> M      G is split, G's anon_vma in use twice: each VMA of M gets its own
///                       M -> N      G has exited: both VMAs of N find G's anon_vma free, and merge
/// ```
const REUSE: Family = Family {
    pages: 5,
    stages: &[
        Every(0, MAP),
        Every(0, AB),
        Once(0, Op::Fork { child: 1 }),
        Once(1, Op::Fork { child: 2 }),
        Once(1, Op::Exit),
        Once(2, Op::Fork { child: 3 }),
        Choice(&[2], &[SPLIT]),
        Choice(&[3], &[SPLIT]),
        Once(3, Op::Fork { child: 4 }),
        Once(2, Op::Exit),
        Choice(&[4], &[EQUAL]),
        Choice(&[4], &[A, AB]),
        Once(4, Op::Fork { child: 5 }),
        Choice(&[5], &[A, SPLIT, AWAY, NEAR, KEEP, GONE]),
        Choice(&[5], &[AB, EQUAL, HOME, GONE, FRESH]),
    ],
};

fn pair(ctx: &mut Ctx) -> TestResult {
    batch::test(ctx, &PAIR)
}

fn merge(ctx: &mut Ctx) -> TestResult {
    batch::test(ctx, &MERGE)
}

fn chain(ctx: &mut Ctx) -> TestResult {
    batch::test(ctx, &CHAIN)
}

fn reuse(ctx: &mut Ctx) -> TestResult {
    batch::test(ctx, &REUSE)
}

pub fn main() {
    run("explore", "topologies by chance", TESTS)
}
