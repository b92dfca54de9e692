// SPDX-License-Identifier: GPL-2.0-or-later
//! One call of move_pages(2) for pages of several nodes. do_pages_move() gathers what goes to one node and begins anew with each other: what
//! it says of a page must be of that page.

use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::topology::{self, filled};
use helpers::walk::{self, migrate};
use helpers::world::World;
use helpers::{Stop, TestResult};

/// Pages of the area.
const N: usize = 24;
/// Calls that must be wrong in turn: somebody else may move or take a page between a call and a look.
const ROUNDS: usize = 3;
/// Calls for a round before its pages count as held.
const ATTEMPTS: usize = 10;

/// Pages in runs of one, two and three to the first node and to the last, then all to the other one, and back.
///
///   P, C   node  0 1 0 0 1 1 0 0 0 1 1 1 ...  ->  1 0 1 1 0 0 1 1 1 0 0 0 ...  -> ...
fn mixed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (migrate::MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let nodes = &w.features().nodes;
    let ends = [nodes[0], nodes[nodes.len() - 1]];
    let (p, a) = filled(&w, "P", N)?;
    p.fork("C")?;
    let runs = (1..=3).cycle().flat_map(|n| [n, n]);
    let side: Vec<usize> = runs
        .enumerate()
        .flat_map(|(i, n)| std::iter::repeat_n(i % 2, n))
        .take(N)
        .collect();
    let mut wrong = Vec::new();
    for round in 0..=ROUNDS {
        let to: Vec<i32> = side.iter().map(|s| ends[(s + round) % 2]).collect();
        let mut seen = None;
        for _ in 0..ATTEMPTS {
            seen = w.move_to_nodes(p, a, &to)?;
            if seen.is_some() {
                break;
            }
        }
        let seen = seen.ok_or(Stop::Skip("needs pages that move to two nodes"))?;
        // In the first one some are where they are to go.
        if round > 0 {
            wrong.push(seen);
        }
    }
    if wrong.iter().all(|seen| !seen.is_empty()) {
        let first = wrong[0][0];
        return Err(Stop::fail(format_args!(
            "move_pages says of each page where it has gone: page {} of {N} is on node {}, told {}; some page in each of {ROUNDS} calls",
            first.i, first.is, first.told
        )));
    }
    walk::only(&w, &migrate::MIGRATE)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const MIXED: Test = Test {
    name: "migrate.mixed",
    about: "One call that moves pages to several nodes says of each where it has gone.",
    needs: &[Need::Pfn],
    // It would move pages by itself.
    knobs: &[Knob::set("/proc/sys/kernel/numa_balancing", "0")],
    run: mixed,
    ..Test::DEFAULT
};
