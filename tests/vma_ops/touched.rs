// SPDX-License-Identifier: GPL-2.0-or-later
//! VMAs of which some were touched before they become one: whoever has the anon_vma, the one VMA has it in the end, and is linked to it
//! (vma_merge_existing_range(), dup_anon_vma()).

use super::OPS;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology;
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// Pages of each part.
const N: usize = 2;

/// What keeps a part apart, and what ends it.
type Apart = (usize, i32, i32);

const DUMP: (i32, i32) = (advice::DONTDUMP, advice::DODUMP);
const FORK: (i32, i32) = (advice::DONTFORK, advice::DOFORK);

/// Parts that are kept apart, in the order in which they join the others.
const JOINS: [(&str, &[Apart]); 3] = [
    ("middle", &[(1, DUMP.0, DUMP.1)]),
    ("left, right", &[(0, DUMP.0, DUMP.1), (2, FORK.0, FORK.1)]),
    ("right, left", &[(2, FORK.0, FORK.1), (0, DUMP.0, DUMP.1)]),
];

fn part(a: Area, i: usize) -> Area {
    a.sub(i * N..(i + 1) * N)
}

/// Three parts in each way, any of which are touched.
fn cut<'w, 'c>(w: &'w World<'c>, p: Actor<'w, 'c>) -> TestResult<Vec<(Area, &'static [Apart])>> {
    let mut plots = Vec::new();
    for (name, join) in JOINS {
        for touched in 0..8usize {
            let a = w.place(3 * N);
            w.name(a, format!("{name}.{touched:03b}"));
            p.map(a)?;
            for &(i, apart, _) in join {
                p.advise(part(a, i), apart)?;
            }
            for i in (0..3).filter(|i| touched >> i & 1 != 0) {
                p.write(part(a, i).page(0))?;
            }
            plots.push((a, join));
        }
    }
    Ok(plots)
}

///   P   |left|middle|right|      none, one, two or all of them touched; one VMA in the end, where the kernel lets them merge
///
/// The middle joins both at once, or one side after the other. D is P's child from then on, and C has been one since before, or is not there.
fn joined(ctx: &mut Ctx, forked_before: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let plots = cut(&w, p)?;
    if forked_before {
        p.fork("C")?;
    }
    for (a, join) in plots {
        for &(i, _, joins) in join {
            p.advise(part(a, i), joins)?;
        }
    }
    w.check()?;
    let c = p.fork("D")?;
    walk::every(&w)?;
    c.exit()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const JOINED: Test = Test {
    name: "touched.joined",
    run: |c| joined(c, false),
    ..OPS
};
pub const JOINED_AFTER_FORK: Test = Test {
    name: "touched.joined.after_fork",
    run: |c| joined(c, true),
    ..OPS
};
