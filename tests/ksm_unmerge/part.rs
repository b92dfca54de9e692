// SPDX-License-Identifier: GPL-2.0-or-later
//! A part of a merged area is unmerged: the rest of the area, and whoever else has its pages, keeps them.

use super::walks;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::filled;
use helpers::walk::merge::{self, merge};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::ops::Range;

/// Pages of an area.
const N: usize = 8;

/// What is done to a part, and which.
type Way = (
    &'static str,
    Range<usize>,
    fn(&World, Actor, Area) -> TestResult,
);

const WAYS: [Way; 6] = [
    ("first", 0..2, by_advice),
    ("middle", 3..5, by_advice),
    ("last", 6..N, by_advice),
    ("moved", 3..5, by_move),
    ("written", 3..4, by_write),
    ("unmapped", 3..4, by_unmap),
];

fn by_advice(_: &World, p: Actor, part: Area) -> TestResult {
    p.advise(part, advice::UNMERGEABLE)
}

fn by_move(w: &World, p: Actor, part: Area) -> TestResult {
    p.move_to(part, w.place(part.pages))
}

fn by_write(_: &World, p: Actor, part: Area) -> TestResult {
    p.write(part)
}

fn by_unmap(_: &World, p: Actor, part: Area) -> TestResult {
    p.unmap(part)
}

/// All pages are equal, so what stays merged is one page.
///
///   K     |0 0|                    stays as it is
///   first |0 0|0 0 0 0 0 0|        unmerged here, and of each further process another part
///   ...
pub fn part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let k = w.actor("K")?;
    let kept = w.place(2);
    w.name(kept, "kept");
    k.map(kept)?;
    k.write_equal(kept)?;
    let mut merged = vec![(k, kept)];
    for (name, ..) in WAYS {
        let (p, a) = filled(&w, name, N)?;
        p.write_like(a, k, kept)?;
        merged.push((p, a));
    }
    merge(&w, &merged)?;
    let areas = merged.split_off(1);
    for ((name, part, act), (p, a)) in WAYS.into_iter().zip(&areas) {
        act(&w, *p, a.sub(part.clone()))?;
        let rest = [0..part.start, part.end..N];
        let rest = rest.into_iter().filter(|r| !r.is_empty());
        merged.extend(rest.map(|r| (*p, a.sub(r))));
        let pages = merge::distinct(&w, &merged)?;
        if pages.len() != 1 {
            return Err(Stop::fail(format_args!(
                "{name}: what is not unmerged stays one page: {pages:?}"
            )));
        }
    }
    w.check()?;
    walks(w)
}

pub const PART: Test = Test {
    name: "part",
    run: part,
    ..super::UNMERGE
};
