// SPDX-License-Identifier: GPL-2.0-or-later
//! What a forked child does to its VMAs: split, merge, shift, shrink, move.
//!
//! anon_vma_clone() serves all of these as it serves fork: the copy of a VMA has to be linked to every anon_vma that the
//! original was linked to, the oldest ancestor's included, and keep the page offset (vm_pgoff) that says where in the
//! VMA a page of the anon_vma is. What is missing shows only when a walk next looks for the page.
//!
//! Every operation is carried out by four processes on equal mappings: a forked child (inherited pages and pages of its own),
//! the parent of such a child, a child whose parent has gone, and a process that never forked.
//!
//! The operations are those of the table in helpers/src/reshape, which the tests of vma_ops have other processes do to other memory.

use helpers::reshape::{Ground, MARGIN, N, Op, cut, remap};
use helpers::supervise::{Ctx, Fix, Test, main as run};
use helpers::topology;
use helpers::world::{Actor, Area, Share, World};
use helpers::{TestResult, walk};
use tables::Of;

#[path = "fork_vma/borders.rs"]
mod borders;
#[path = "fork_vma/tables.rs"]
mod tables;
#[path = "fork_vma/threads.rs"]
mod threads;

///   C, P, O and A each:   . . . . |0 1 2 3 4 5 6 7 8 9 10 11| . . . .
///                                    own pages: C 4 5 6, P 5 6 7, O none
fn by_each(ctx: &mut Ctx, op: &Op) -> TestResult {
    let w = World::new(ctx)?;
    let reshape = |c, a| {
        w.step(format_args!("{}: {}", op.name, op.picture));
        let object = None;
        let w = &w;
        let mergeable = false;
        (op.run)(&Ground {
            w,
            c,
            a,
            object,
            mergeable,
        })
    };
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
    reshape(c, a)?;
    w.check()?;
    let late = c.fork("P.C.after")?;
    p.fork("P.S")?;
    // In the parent of a child.
    let (q, d, b) = inherited("Q")?;
    q.write(b.sub(5..8))?;
    reshape(q, b)?;
    w.check()?;
    d.write(b.page(8))?;
    q.fork("Q.after")?;
    // In a child that its parent has left: no VMA has the anon_vma of its pages for its own any more.
    let (o, heir, e) = inherited("O")?;
    o.exit()?;
    reshape(heir, e)?;
    w.check()?;
    // Alone: some merges happen only to VMAs that no fork has seen.
    let l = w.actor("L")?;
    let around = w.place(N + 2 * MARGIN);
    w.name(around, "around");
    let alone = around.sub(MARGIN..MARGIN + N);
    l.map(alone)?;
    l.write(alone)?;
    reshape(l, alone)?;
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
const THREADS: Test = Test {
    about: "What one thread does to memory is seen by another on another CPU at once.",
    ..Test::DEFAULT
};

macro_rules! each {
    ($($name:literal $op:expr, $test:expr;)* ; $($more:expr,)*) => {
        &[$(
            Test {
                name: $name,
                run: |c| by_each(c, &$op),
                ..$test
            },
        )*
        $($more,)*]
    };
}

const TESTS: &[Test] = each! {
    "split" cut::MIDDLE, OP;
    "split.remerge" cut::REMERGE, OP;
    "split.shreds" cut::SHREDS, OP;
    "split.write_remerge" cut::WRITE_REMERGE, OP;
    "unmap.head" cut::HEAD, OP;
    "unmap.middle" cut::HOLE, OP;
    "unmap.tail" cut::TAIL, OP;
    "unmap.refill" cut::REFILL, OP;
    "boundary.right" cut::RIGHT, OP;
    "boundary.left" cut::LEFT, OP;
    "boundary.both" cut::BOTH_WAYS, OP;
    "boundary.right.among_others" cut::RIGHT_AMONG_OTHERS, OP;
    "boundary.left.among_others" cut::LEFT_AMONG_OTHERS, OP;
    "move" remap::WHOLE, MOVE;
    "move.middle" remap::MIDDLE, MOVE;
    "move.twice" remap::TWICE, MOVE;
    "move.back" remap::BACK, MOVE;
    "move.swapped_ends" remap::SWAPPED_ENDS, MOVE;
    "move.over" remap::OVER, MOVE;
    "move.over_itself" remap::OVER_ITSELF, MOVE;
    "resize.grow" remap::GROW, MOVE;
    "resize.shrink" remap::SHRINK, MOVE;
    "resize.shrink_grow" remap::SHRINK_GROW, MOVE;
    "dontunmap" remap::DONTUNMAP, MOVE;
    "dontunmap.refault" remap::DONTUNMAP_REFAULT, MOVE;
    "dontunmap.of_moved" remap::DONTUNMAP_OF_MOVED, MOVE;
    "next_to.unfaulted_prev" remap::BARE_PREV, MOVE;
    "next_to.unfaulted_next" remap::BARE_NEXT, MOVE;
    "next_to.unfaulted_both" remap::BARE_BOTH, MOVE;
    "next_to.faulted_prev" remap::FULL_PREV, MOVE;
    "next_to.faulted_next" remap::FULL_NEXT, MOVE;
    "next_to.unfaulted_faulted" remap::BARE_FULL, MOVE;
    "next_to.faulted_unfaulted" remap::FULL_BARE, MOVE;
    "next_to.unfaulted_prev.dontunmap" remap::KEEP_BARE_PREV, MOVE;
    "next_to.unfaulted_next.dontunmap" remap::KEEP_BARE_NEXT, MOVE;
    "next_to.unfaulted_both.dontunmap" remap::KEEP_BARE_BOTH, MOVE;
    "next_to.unfaulted_faulted.dontunmap" remap::KEEP_BARE_FULL, MOVE;
    ;
    Test { name: "move.tables", run: |c| tables::moved(c, Of::Private, false), ..MOVE },
    Test { name: "move.tables.dontunmap", run: |c| tables::moved(c, Of::Private, true), ..MOVE },
    Test { name: "move.tables.memfd", run: |c| tables::moved(c, Of::Memfd(Share::Shared), false), ..MOVE },
    Test { name: "move.tables.memfd.private", run: |c| tables::moved(c, Of::Memfd(Share::Private), false), ..MOVE },
    Test { name: "borders", run: |c| borders::moved(c, Of::Private, false), ..MOVE },
    Test { name: "borders.dontunmap", run: |c| borders::moved(c, Of::Private, true), ..MOVE },
    Test { name: "borders.memfd", run: |c| borders::moved(c, Of::Memfd(Share::Shared), false), ..MOVE },
    Test { name: "borders.memfd.private", run: |c| borders::moved(c, Of::Memfd(Share::Private), false), ..MOVE },
    Test { name: "threads.copied", run: |c| threads::by_first(c, threads::copied), ..THREADS },
    Test { name: "threads.move", run: |c| threads::by_first(c, threads::moved), ..THREADS },
    Test { name: "threads.move.over", run: |c| threads::by_first(c, threads::moved_over), ..THREADS },
    Test { name: "threads.dontunmap", run: |c| threads::by_first(c, threads::kept), ..THREADS },
    Test { name: "threads.unmap", run: |c| threads::by_first(c, threads::unmapped), ..THREADS },
    Test { name: "threads.over", run: |c| threads::by_first(c, threads::covered), ..THREADS },
    Test { name: "threads.give_back", run: |c| threads::by_first(c, threads::given_back), ..THREADS },
};

pub fn main() {
    run("fork_vma", "VMAs reshaped after fork", TESTS)
}
