// SPDX-License-Identifier: GPL-2.0-or-later
//! Topologies by chance.
//!
//! Scripts of 20 to 60 steps (fork, exit, write, mprotect, munmap, mmap, mremap, madvise, mlock, exec) by up to seven processes,
//! each legal by the model of the world, then every walk, then every sharer writes. `fixed` scripts never change; `random` ones
//! are new with every run, and the same again with its --seed. A failing script is cut down to the steps that matter.

use helpers::TestResult;
use helpers::explore;
use helpers::supervise::{Ctx, Fix, Test, main as run};

macro_rules! scripts {
    (fixed: $($name:literal = $seed:literal,)* random: $($n:literal)*) => {
        const TESTS: &[Test] = &[
            $(Test {
                name: concat!("fixed.", $name),
                run: |ctx: &mut Ctx| -> TestResult { explore::test(ctx, &explore::plan::script($seed)) },
                ..SCRIPT
            },)*
            $(Test {
                name: concat!("random.", $n),
                run: |ctx: &mut Ctx| -> TestResult { explore::random(ctx, $n) },
                ..SCRIPT
            },)*
        ];
    };
}

const SCRIPT: Test = Test {
    about: "Whatever led to a mapping, every page is found through all its mappers and each write stays its writer's.",
    guards: GUARDS,
    ..Test::DEFAULT
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
    fixed:
        "00" = 0,
        "01" = 1,
        "02" = 2,
        "03" = 3,
        "04" = 4,
        "05" = 5,
        "06" = 6,
        "07" = 7,
        "08" = 8,
        "09" = 9,
        "10" = 10,
        "11" = 11,
    random: 0 1 2 3
}

fn main() {
    run("explore", "topologies by chance", TESTS)
}
