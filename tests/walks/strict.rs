// SPDX-License-Identifier: GPL-2.0-or-later
//! mbind(2) with MPOL_MF_STRICT says whether every page is where the policy wants it: of pages by themselves as of huge ones (queue_folios_pmd()).

use helpers::supervise::{Ctx, Test};
use helpers::sys::numa::MPOL_MF_MOVE_ALL;
use helpers::topology::Grain;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// How long a page may be off its list.
const LIMIT: Duration = Duration::from_millis(400);

/// Asked for on a node, while all pages are on one, as they must still be then: somebody else may move them, or have some taken off for a moment.
#[track_caller]
fn expect(w: &World, actor: Actor, area: Area, on: i32, asked: i32, what: &str) -> TestResult {
    let mut until = w.limit(LIMIT);
    loop {
        let there = actor.bind_strictly(area, asked, 0)?;
        if there == (on == asked) {
            return Ok(());
        }
        if w.nodes_of(actor, area)?.iter().any(|&node| node != on) {
            return Err(Stop::Skip("needs pages that nobody else moves"));
        }
        // Not again where it says that they are there: they are not.
        if there || until.over() {
            return Err(Stop::fail(format_args!(
                "mbind with MPOL_MF_STRICT says whether all pages are on the node: {what}: {}",
                if there {
                    "0, and they are on another"
                } else {
                    "EIO, and all are"
                }
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Pages on one node, asked for on another: as they are, shared, then moved.
///
///   P |0 1 2 ...|  on the first node       C  P's child
fn strict(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let nodes = &w.features().nodes;
    let &[one, other, ..] = &nodes[..] else {
        return Err(Stop::Skip("needs 2 NUMA nodes with memory"));
    };
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 8)?;
    p.bind(a, Some(one))?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    if w.nodes_of(p, a)?.iter().any(|&node| node != one) {
        return Err(Stop::Skip("needs free memory on the first node"));
    }
    expect(&w, p, a, one, one, "as they are")?;
    expect(&w, p, a, one, other, "on another node")?;
    let c = p.fork("C")?;
    expect(&w, c, a, one, other, "shared, on another node")?;
    w.check()?;
    if !c.bind_strictly(a, other, MPOL_MF_MOVE_ALL)? {
        return Err(Stop::Skip("needs pages that can be migrated now"));
    }
    if w.nodes_of(p, a)?.iter().any(|&node| node != other) {
        return Err(Stop::fail(
            "mbind with MPOL_MF_MOVE_ALL and MPOL_MF_STRICT says that all pages are on the node, and some are not",
        ));
    }
    expect(&w, p, a, other, other, "when they have moved")?;
    w.check()?;
    w.finish()
}

pub const SMALL: Test = Test {
    name: "mbind.strict",
    run: |c| strict(c, Grain::Base),
    ..super::STRICT
};
pub const HUGE: Test = Test {
    name: "mbind.strict.thp",
    run: |c| strict(c, Grain::Huge),
    needs: Grain::HUGE_NODES_NEEDS,
    ..super::STRICT
};
