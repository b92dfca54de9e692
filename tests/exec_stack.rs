// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of the stack that exec makes.
//!
//! execve() copies arguments and environment to a stack at the end of the address space, which grows downwards as it is
//! filled, and only then knows where the stack is to be. shift_arg_pages() moves the VMA there by the way of one that covers both places, and its
//! page tables with it: the pages keep their anon_vma and their index, and the VMA's page offset has to go on telling where they are.
//!
//! The environment here is many pages long, and its whole pages are pages of the model.

use helpers::supervise::{Ctx, Test, main as run};
use helpers::topology::{self, R, RW};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// Pages of the environment.
const N: usize = 12;

/// P has pages of its own; C is its child, and another program.
///
///   P   a |0 1 2 3|
///   C   stack |. . . . 0 .......... 11|
fn programs<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Actor<'w, 'c>, Area)> {
    let (p, _) = topology::filled(w, "P", 4)?;
    let c = p.fork("C")?;
    let env = c.exec_with(N)?;
    Ok((p, c, env))
}

/// Alone in its new program, in four places: each exec shifts the stack by another distance.
fn environment(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, c, _) = programs(&w)?;
    for name in ["D", "E", "F"] {
        p.fork(name)?.exec_with(N)?;
    }
    walk::every(&w)?;
    c.fork("G")?;
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   C    |0 .......... 11|
///   D    |0 1 2' 3' 4 .. 11|        child of the new program
///   E    |0' 1 2' 3' 4 ... 11'|     child of D
fn forked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_, c, env) = programs(&w)?;
    let n = env.pages;
    let d = c.fork("D")?;
    d.write(env.sub(2..4))?;
    let e = d.fork("E")?;
    e.write(env.page(0))?;
    e.write(env.page(n - 1))?;
    walk::every(&w)?;
    c.exit()?;
    d.exit()?;
    walk::every(&w)?;
    e.fork("F")?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The stack grows by touch, in the program, in its child and in both to different depths.
///
///   C    |0' 1' 2' 3'| . . . . . . . . . . . . . . |0 ... env ... 11|
///   D    |0  1  2' 3 | . . . . . . . . . . . . . . |0 ... env ... 11|
///   both go deeper after the fork
fn deep(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_, c, env) = programs(&w)?;
    let stack = c.deep_stack(env, 0, 4)?;
    let d = c.fork("D")?;
    d.write(stack.page(2))?;
    d.deep_stack(env, 16, 4)?;
    c.deep_stack(env, 8, 4)?;
    let e = d.fork("E")?;
    e.deep_stack(env, 32, 2)?;
    walk::every(&w)?;
    c.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Cut at several places, and grown after that: what grows is the lowest of the VMAs.
///
///   C    |0' 1' . . 0'|r 1' 2' 3'| ... |0 1 2|r 3 4 5|lo 6 7|8 ...|
fn cut(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_, c, env) = programs(&w)?;
    let stack = c.deep_stack(env, 0, 4)?;
    c.protect(env.sub(3..6), R)?;
    c.protect(stack.sub(1..4), R)?;
    let d = c.fork("D")?;
    d.protect(env.sub(3..6), RW)?;
    d.write(env.sub(4..7))?;
    d.protect(stack.sub(1..4), RW)?;
    c.lock(env.sub(6..8), Lock::Full)?;
    c.deep_stack(env, 8, 2)?;
    d.deep_stack(env, 8, 4)?;
    walk::every(&w)?;
    c.unlock(env.sub(6..8))?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The program of a program: the stack of the first is gone, and nobody else's pages are.
fn again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_, c, env) = programs(&w)?;
    let d = c.fork("D")?;
    let e = c.fork("E")?;
    c.exec_with(N / 2)?;
    d.write(env.sub(1..3))?;
    e.exec_with(N + 2)?;
    let f = d.fork("F")?;
    f.exec_with(2)?;
    d.fork("G")?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const STACK: Test = Test {
    about: "Pages that exec has moved to a program's stack, and those that it grows by, are found by every walk.",
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "environment",
        run: environment,
        ..STACK
    },
    Test {
        name: "forked",
        run: forked,
        ..STACK
    },
    Test {
        name: "deep",
        run: deep,
        ..STACK
    },
    Test {
        name: "cut",
        run: cut,
        ..STACK
    },
    Test {
        name: "again",
        about: "exec gives back the stack of the program before, and leaves those who share it whole.",
        run: again,
        ..STACK
    },
];

pub fn main() {
    run("exec_stack", "pages of the stack that exec makes", TESTS)
}
