// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel promises for areas (Committed_AS) when they are mapped, cut, moved, copied and replaced: each way has a calculation of its own of what is
//! charged anew and what is given back.

use super::OPS;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{NONE, R, RW};
use helpers::world::{Actor, Area, Promise, Share, World};
use helpers::{Stop, TestResult, walk};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Bytes of each area: what others on this machine map meanwhile is mostly less than an eighth of it.
const BYTES: usize = 8 << 20;

/// How often a step is taken. The number is the machine's: somebody else may have mapped much meanwhile, hardly each time in the same step.
const TIMES: usize = 3;

/// Steps that are taken and judged.
struct Steps<'w, 'c> {
    w: &'w World<'c>,
    /// Pages of a quarter of an area.
    quarter: i64,
    wrong: RefCell<BTreeMap<&'static str, String>>,
}

impl Steps<'_, '_> {
    /// A step that promises so many quarters of an area.
    #[track_caller]
    fn take<T>(
        &self,
        what: &'static str,
        quarters: i64,
        step: impl FnOnce() -> TestResult<T>,
    ) -> TestResult<T> {
        self.judge(what, Some(quarters), 0, step)
    }

    #[track_caller]
    fn judge<T>(
        &self,
        what: &'static str,
        quarters: Option<i64>,
        shared: i64,
        step: impl FnOnce() -> TestResult<T>,
    ) -> TestResult<T> {
        let expected = Promise {
            areas: quarters.map(|n| n * self.quarter),
            objects: shared * self.quarter,
        };
        let (done, wrong) = self.w.promises(self.quarter / 2, expected, step)?;
        if let Some(wrong) = wrong {
            self.wrong.borrow_mut().insert(what, wrong);
        }
        Ok(done)
    }
}

/// One process.
///
///   P   |0 1 2 3|   |0 1 2 3|     quarters of a and b, mapped, replaced, cut, moved, and of b protected
fn alone(s: &Steps, p: Actor, a: Area, b: Area) -> TestResult {
    let part = |area: Area, from: usize, to: usize| {
        let quarter = s.quarter as usize;
        area.sub(from * quarter..to * quarter)
    };
    let map = |area: Area| p.map_promised(area, RW, Share::Private);
    s.take("mmap", 4, || map(a))?;
    s.take("mmap in place of an equal area", 0, || map(a))?;
    s.take("mmap over a part", 0, || map(part(a, 1, 2)))?;
    s.take("mmap that may not be written over a part", -1, || {
        p.map_promised(part(a, 2, 3), R, Share::Private)
    })?;
    s.take("mmap over several areas", 1, || map(a))?;
    s.take("mmap that may not be written", 0, || {
        p.map_promised(b, R, Share::Private)
    })?;
    s.take("mprotect of a part, to write", 2, || {
        p.protect(part(b, 1, 3), RW)
    })?;
    s.take("mprotect of all, to write", 2, || p.protect(b, RW))?;
    p.write(part(b, 1, 2).sub(0..8))?;
    s.take("mprotect of what was written", 0, || {
        p.protect(part(b, 1, 2), NONE)
    })?;
    s.judge("mprotect of what was not", None, 0, || {
        p.protect(part(b, 2, 3), NONE)
    })?;
    s.judge("mprotect, to write again", None, 0, || p.protect(b, RW))?;
    s.take("munmap of a part", -1, || p.unmap(part(b, 1, 2)))?;
    s.take("munmap of two areas with a hole", -3, || p.unmap(b))?;

    s.take("mremap to what is free", 0, || p.move_to(a, b))?;
    s.take("mremap of a part", 0, || {
        p.move_to(part(b, 1, 2), part(a, 1, 2))
    })?;
    s.take("mremap back", 0, || p.move_to(part(a, 1, 2), part(b, 1, 2)))?;
    s.take("mmap elsewhere", 4, || map(a))?;
    s.take("mremap over an equal area", -4, || p.move_to(b, a))?;
    s.take("mremap that leaves its area", 4, || p.move_dontunmap(a, b))?;
    s.take("mremap over a part", -1, || {
        p.move_to(part(b, 3, 4), part(a, 0, 1))
    })?;
    s.take("munmap", -3, || p.unmap(b))?;
    let quarter = s.quarter as usize;
    let less = s.take("mremap that shrinks", -1, || {
        p.resize(part(a, 1, 4), 2 * quarter)
    })?;
    s.take("mremap that grows", 1, || p.resize(less, 3 * quarter))?;
    s.take("mmap MAP_NORESERVE over a part", -1, || {
        p.map(part(a, 0, 1))
    })?;
    s.take("mmap over that", 1, || map(a))?;
    // What was mapped without a promise has none when it becomes writable (VM_NORESERVE in mprotect_fixup()).
    s.take("mmap MAP_NORESERVE that may not be written", 0, || {
        p.map_prot(b, R)
    })?;
    s.take("mprotect of that, to write", 0, || p.protect(b, RW))?;
    s.take("munmap of that", 0, || p.unmap(b))?;
    Ok(())
}

/// P, who has mapped a, and its child.
///
///   P   |0 1 2 3|   a: 0 is not copied (MADV_DONTFORK), 1 is copied empty (MADV_WIPEONFORK); and shared memory
///   C       |1 2 3|
fn forked(s: &Steps, p: Actor, a: Area, shared: Area) -> TestResult {
    let quarter = s.quarter as usize;
    let part = |n: usize| a.sub(n * quarter..(n + 1) * quarter);
    p.write(part(2).sub(0..8))?;
    s.take("madvise", 0, || {
        p.advise(part(0), advice::DONTFORK)?;
        p.advise(part(1), advice::WIPEONFORK)
    })?;
    s.judge("mmap of shared memory", Some(0), 4, || {
        p.map_promised(shared, RW, Share::Shared)
    })?;
    s.judge("munmap of a part of shared memory", Some(0), 0, || {
        p.unmap(shared.sub(0..quarter))
    })?;
    // What else a process has is its stack, and what its program writes to: the same in both.
    let c = s.judge("fork", None, 0, || p.fork("C"))?;
    s.take("writing", 0, || c.write(part(2).sub(0..8)))?;
    walk::every(s.w)?;
    s.take("munmap of shared memory by one of two", 0, || {
        p.unmap(shared)
    })?;
    s.judge("exit of the last who has shared memory", None, -4, || {
        c.exit()
    })?;
    s.judge("exit", None, 0, || p.exit())
}

fn promised(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    w.may_overcommit()?;
    let pages = BYTES / w.page_size();
    let [a, b, shared] = ["a", "b", "shared"].map(|name| {
        let area = w.place(pages);
        w.name(area, name);
        area
    });
    let mut before: Option<BTreeMap<&str, String>> = None;
    for _ in 0..TIMES {
        let s = Steps {
            w: &w,
            quarter: pages as i64 / 4,
            wrong: RefCell::default(),
        };
        let p = w.actor("P")?;
        alone(&s, p, a, b)?;
        forked(&s, p, a, shared)?;
        let mut wrong = s.wrong.into_inner();
        if let Some(before) = &before {
            wrong.retain(|what, _| before.contains_key(what));
        }
        let Some((what, how)) = wrong.first_key_value() else {
            return w.finish();
        };
        w.diag(format_args!("{what}: {how}"));
        before = Some(wrong);
    }
    let wrong = before.unwrap_or_default();
    Err(Stop::fail(format_args!(
        "what is promised for areas follows them: {wrong:?}, {TIMES} times"
    )))
}

pub const PROMISED: Test = Test {
    name: "promised",
    about: "What the kernel promises for areas follows them.",
    run: promised,
    ..OPS
};
