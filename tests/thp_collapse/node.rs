// SPDX-License-Identifier: GPL-2.0-or-later
//! Small pages of two nodes that become a huge page: it is on the node that most of them are on (hpage_collapse_find_target_node()).

use helpers::supervise::{Ctx, Knob, Test};
use helpers::topology::Grain;
use helpers::walk::{self, migrate, own};
use helpers::world::World;
use helpers::{Stop, TestResult};

/// The few: first of all, last, or in the middle.
const FEW: usize = 32;

///   P  [0 0 0 1 1 1 1 1 ... 1]   [1 1 ... 1 0 0 0]   [0 .. 0 1 1 1 0 .. 0]  nodes     C  P's child
fn majority(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (migrate::MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let nodes = &w.features().nodes;
    let (one, other) = (nodes[0], nodes[1]);
    let p = w.actor("P")?;
    let room = w.place_huge(3)?;
    let n = room.pages / 3;
    for (i, first, few, most) in [
        (0, 0, one, other),
        (1, n - FEW, one, other),
        (2, n / 2, other, one),
    ] {
        let a = room.sub(i * n..(i + 1) * n);
        w.name(a, ["a", "b", "c"][i]);
        p.map(a)?;
        p.write(a)?;
        own::gather(&w, p, a, most)?;
        own::gather(&w, p, a.sub(first..first + FEW), few)?;
        let on = w.nodes_of(p, a)?.into_iter().filter(|n| *n == most).count();
        if on != n - FEW {
            return Err(Stop::Skip("needs pages that nobody else moves"));
        }
        p.collapse(a)?;
        let seen = w.nodes_of(p, a)?;
        if seen.iter().any(|node| *node != most) {
            return Err(Stop::fail(format_args!(
                "a huge page is on the node that most of its small ones were on: {} of {n} were on node {most}, and it is on node {}",
                n - FEW,
                seen[0]
            )));
        }
        w.check()?;
    }
    p.fork("C")?;
    walk::every(&w)?;
    w.finish()
}

pub const MAJORITY: Test = Test {
    name: "node",
    about: "A huge page is on the node that most of its small pages were on.",
    needs: Grain::HUGE_NODES_NEEDS,
    // It would move pages by itself.
    knobs: &[Knob::set("/proc/sys/kernel/numa_balancing", "0")],
    run: majority,
    ..super::COLLAPSED
};
