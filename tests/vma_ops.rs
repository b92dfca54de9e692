// SPDX-License-Identifier: GPL-2.0-or-later
//! Every way to cut, join, grow and move VMAs, on every kind of memory, by every process of a small tree.
//!
//! The operations are a table (helpers/src/reshape); a test takes a group of them, one process, and does each on private memory
//! that was touched, touched in part, or not at all, on a private mapping with copied pages, on a shared one, on the middle of a large folio, and where a page
//! is lost (UFFDIO_POISON) or guarded (MADV_GUARD_INSTALL). Then all pages are walked: those that were there before, and those that came after.

use helpers::reshape::grid::{self, Who};
use helpers::reshape::{cut, flags, grow, remap};
use helpers::supervise::{Fix, Knob, Test, main as run};

#[path = "vma_ops/accounted.rs"]
mod accounted;
#[path = "vma_ops/borrow.rs"]
mod borrow;
#[path = "vma_ops/fresh.rs"]
mod fresh;
#[path = "vma_ops/guards.rs"]
mod guards;
#[path = "vma_ops/pairs.rs"]
mod pairs;
#[path = "vma_ops/promised.rs"]
mod promised;
#[path = "vma_ops/refused.rs"]
mod refused;
#[path = "vma_ops/touched.rs"]
mod touched;

/// Folios of a size for the VMAs that ask for huge pages.
const KNOBS: &[Knob] = &[Knob::set(
    "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
    "madvise",
)];

const OPS: Test = Test {
    about: "After VMAs were cut, joined, grown or moved every page in them is found by every walk.",
    knobs: KNOBS,
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
    ..OPS
};

/// One test for each process that may do it, and some that stand alone.
macro_rules! grid {
    ($($name:literal, $ops:expr, $test:expr;)* ; $($alone:expr),*) => {
        &[$(
            Test {
                name: concat!($name, ".alone"),
                run: |c| grid::all(c, $ops, Who::Alone),
                ..$test
            },
            Test {
                name: concat!($name, ".in_parent"),
                run: |c| grid::all(c, $ops, Who::Parent),
                ..$test
            },
            Test {
                name: concat!($name, ".in_child"),
                run: |c| grid::all(c, $ops, Who::Child),
                ..$test
            },
            Test {
                name: concat!($name, ".in_both"),
                run: |c| grid::all(c, $ops, Who::Both),
                ..$test
            },
        )* $($alone),*]
    };
}

const TESTS: &[Test] = grid! {
    "split", cut::SPLIT, OPS;
    "join", cut::JOIN, OPS;
    "shift", cut::SHIFT, OPS;
    "unmap", cut::UNMAP, OPS;
    "over", cut::OVER, OPS;
    "beside", cut::BESIDE, OPS;
    "move", remap::MOVE, MOVE;
    "move.next_to", remap::NEXT_TO, MOVE;
    "move.next_to.dontunmap", remap::KEEP_NEXT_TO, MOVE;
    "move.several", remap::SEVERAL, MOVE;
    "dontunmap", remap::KEEP, MOVE;
    "dontunmap.locked", remap::KEEP_LOCKED, MOVE;
    "resize", remap::RESIZE, MOVE;
    "advise", flags::ADVISE, OPS;
    "close", flags::CLOSE, OPS;
    "lock", flags::LOCK, OPS;
    "name", flags::NAME, OPS;
    "register", flags::REGISTER, OPS;
    "policy", flags::POLICY, OPS;
    "key", flags::KEY, OPS;
    "seal", flags::SEAL, OPS;
    "brk", grow::BRK, OPS;
    "grow_down", grow::GROW_DOWN, OPS;
    ; fresh::BESIDE, fresh::MOVED, fresh::HEAP, pairs::PRIVATE, pairs::MERGED, pairs::COPIED, pairs::SHARED,
    borrow::BEFORE, borrow::AFTER, touched::JOINED, touched::JOINED_AFTER_FORK,
    accounted::ACCOUNTED, promised::PROMISED, guards::PRIVATE, guards::SHARED, guards::COPIED, guards::HUGE, guards::JOINED, guards::JOINED_SHARED,
    guards::JOINED_COPIED, guards::TABLE, guards::MARKS, guards::COLLAPSED, guards::COLLAPSED_COPIED, refused::LIMIT, refused::LIMIT_MEMFD, refused::LIMIT_PRIVATE, refused::SEALED, refused::MREMAP, refused::KEPT
};

pub fn main() {
    run(
        "vma_ops",
        "VMAs cut, joined, grown and moved, each by each process",
        TESTS,
    )
}
