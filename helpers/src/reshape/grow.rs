// SPDX-License-Identifier: GPL-2.0-or-later
//! VMAs that grow by themselves: the heap (do_brk_flags()) and memory that grows down (expand_downwards(), which changes the first page and the page
//! offset of a VMA that is in the trees).

#![allow(missing_docs)] // each has its picture

use super::{Ground, MARGIN, N, Op, State};
use crate::TestResult;
use crate::topology::{R, RW};
use crate::world::Area;
use crate::world::model::Lock;

const HEAP: &[State] = &[State::Heap];
const STACK: &[State] = &[State::Stack];

/// The heap with free room behind it.
fn heap(g: &Ground) -> TestResult {
    g.c.make_room(g.a.after(MARGIN))?;
    g.c.heap(g.a)
}

pub const BRK: &[Op] = &[
    Op {
        name: "up",
        picture: "|0 ........ 11 12' 13|, in two steps",
        on: HEAP,
        run: |g| {
            heap(g)?;
            let a = g.c.brk(g.a, N + 1)?;
            g.c.write(a.page(N))?;
            g.c.brk(a, N + 2).map(drop)
        },
    },
    Op {
        name: "down",
        picture: "|0 ..... 6|. . . . .",
        on: HEAP,
        run: |g| {
            heap(g)?;
            g.c.brk(g.a, N - 5).map(drop)
        },
    },
    Op {
        name: "down_up",
        picture: "|0 ..... 6 7 8' 9 10 .. 13'|",
        on: HEAP,
        run: |g| {
            heap(g)?;
            let a = g.c.brk(g.a, N - 5)?;
            let a = g.c.brk(a, N + 2)?;
            g.c.write(a.page(8))?;
            g.c.write(a.page(N + 1))
        },
    },
    Op {
        name: "end_protected",
        picture: "|0 ..... 8|r 9..11|12' 13|: the end has another protection, what comes is a VMA of its own",
        on: HEAP,
        run: |g| {
            heap(g)?;
            g.c.protect(g.a.sub(9..N), R)?;
            let a = g.c.brk(g.a, N + 2)?;
            g.c.write(a.page(N))?;
            g.c.protect(g.a.sub(9..N), RW)
        },
    },
    Op {
        name: "end_moved",
        picture: "|0..5|9' 10' 11'|9..11| 12' 13, the end was moved away, and new memory is in its place",
        on: HEAP,
        run: |g| {
            heap(g)?;
            g.c.move_to(g.a.sub(9..N), g.place("to", 3))?;
            g.c.map_heap(g.a.sub(9..N))?;
            let a = g.c.brk(g.a, N + 2)?;
            g.c.write(a.sub(10..N + 2))
        },
    },
];

/// Room to grow into, as many pages as the mapping has neighbours.
fn stack(g: &Ground, pages: usize) -> TestResult<Area> {
    g.c.make_room(g.a.before(MARGIN))?;
    g.c.grow_stack(g.a, pages)
}

pub const GROW_DOWN: &[Op] = &[
    Op {
        name: "once",
        picture: "|-3' -2 -1 0 ........ 11|",
        on: STACK,
        run: |g| stack(g, 3).map(drop),
    },
    Op {
        name: "steps",
        picture: "|-4' -3' -2' -1' 0 ........ 11|",
        on: STACK,
        run: |g| {
            let mut a = stack(g, 1)?;
            for _ in 1..MARGIN {
                a = g.c.grow_stack(a, 1)?;
            }
            Ok(())
        },
    },
    Op {
        name: "forked_between",
        picture: "|-3' -2 -1' 0 ........ 11|, a child has it from -1 on and grows to -4",
        on: STACK,
        run: |g| {
            let a = stack(g, 1)?;
            let child = g.c.fork("grows")?;
            g.c.grow_stack(a, 2)?;
            child.grow_stack(a, 3).map(drop)
        },
    },
    Op {
        name: "locked",
        picture: "|-3' -2 -1' 0 ........ 11|, locked, and so is what comes",
        on: STACK,
        run: |g| {
            g.c.lock(g.a, Lock::Full)?;
            let a = stack(g, 1)?;
            g.c.grow_stack(a, 2).map(drop)
        },
    },
    Op {
        name: "lowest_protected",
        picture: "|-3' -2 -1' 0 1 2|r 3..6|7 ..... 11|",
        on: STACK,
        run: |g| {
            g.c.protect(g.a.sub(3..7), R)?;
            let a = stack(g, 1)?;
            g.c.grow_stack(a, 2).map(drop)
        },
    },
    Op {
        name: "lowest_unmapped",
        picture: ". . . . . .|2' 3' 4 ..... 11|: grown again after its lowest pages went",
        on: STACK,
        run: |g| {
            g.c.unmap(g.a.sub(0..4))?;
            let left = g.a.sub(4..N);
            g.c.grow_stack(left, 1)?;
            g.c.grow_stack(g.a.sub(3..N), 1).map(drop)
        },
    },
    Op {
        name: "tail_moved",
        picture: "|-2' -1 0 ..... 8|. . .   to |9 10 11|, moved before it grew",
        on: STACK,
        run: |g| {
            g.c.make_room(g.a.before(MARGIN))?;
            g.c.move_to(g.a.sub(9..N), g.place("to", 3))?;
            g.c.grow_stack(g.a.sub(0..9), 2).map(drop)
        },
    },
    Op {
        name: "lock",
        picture: "|-2' -1 0 ..... 5|lo 6..11|",
        on: STACK,
        run: |g| {
            g.c.lock(g.a.sub(6..N), crate::world::model::Lock::Full)?;
            stack(g, 2).map(drop)
        },
    },
    Op {
        name: "protected_down",
        picture: "|r -2' -1 0 ..... 5|6 ..... 11|: asked of 4 and 5, with PROT_GROWSDOWN",
        on: STACK,
        run: |g| {
            let a = stack(g, 2)?;
            g.c.protect_down(a, 6..8, R)
        },
    },
    Op {
        name: "protected_down_and_back",
        picture: "|-3' -2 -1' 0 ..... 11|: read-only from 5 down for a while, then grown on",
        on: STACK,
        run: |g| {
            let a = stack(g, 1)?;
            g.c.protect_down(a, 6..7, R)?;
            // First what is lowest, then from there on: the area begins there now.
            g.c.protect_down(a.sub(0..7), 2..3, RW)?;
            g.c.protect_down(a.sub(0..7), 6..7, RW)?;
            g.c.grow_stack(a, 2).map(drop)
        },
    },
];
