// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages beyond what the pool is to have (nr_overcommit_hugepages): they come when they are asked for and go when they are free, wherever they are.

use super::{HUGE, place};
use helpers::kernel::hugetlb::{self, Taken};
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::topology::RW;
use helpers::walk::migrate::MIGRATE;
use helpers::world::{Kind, NOBODY_ELSE, Share, World, pooled};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// How long a page that has been left takes to go: a worker frees it.
const LIMIT: Duration = Duration::from_secs(2);

/// The one page beyond the pool is on this node, in use.
///
/// # Errors
/// `Skip` when there are others.
fn expect_on(w: &World, nodes: &[i32], due: i32, when: &str) -> TestResult {
    let mut until = w.limit(LIMIT);
    loop {
        let seen: Option<Vec<usize>> = nodes.iter().map(|n| hugetlb::surplus_on(*n)).collect();
        let seen = seen.ok_or(Stop::Skip("needs surplus_hugepages of each node"))?;
        let right = nodes.iter().map(|n| usize::from(*n == due));
        if right.eq(seen.iter().copied()) {
            return Ok(());
        }
        if until.over() {
            let alone = Taken {
                used: 1,
                surplus: 1,
                ..Taken::default()
            };
            if hugetlb::taken() != Some(alone) || hugetlb::free() > 0 {
                return Err(Stop::Skip(NOBODY_ELSE));
            }
            return Err(Stop::fail(format_args!(
                "a surplus page counts as such on the node that it is on: {when} it is on node {due}, nodes {nodes:?} have {seen:?}"
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A surplus page stays one on whatever node it comes to be (move_hugetlb_state()), and goes when nobody has it any more.
///
///   pool   none, a page may be there beside
///   P      0      private, promised        moved to another node and back, then, with a child, once more
///   C      0      P's child
fn moved(ctx: &mut Ctx) -> TestResult {
    // A pool of others would not come back as it was, and what is free on a node is taken first.
    if hugetlb::taken() != Some(Taken::default()) || hugetlb::free() > 0 {
        return Err(Stop::Skip("needs a pool of huge pages that is empty"));
    }
    let w = World::new(ctx)?;
    (MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let a = place(&w, "a", 1)?[0];
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let p = w.actor("P")?;
    p.map_reserved(a, &file, 0, RW, Share::Private)?;
    p.write(a)?;
    let nodes = w.features().nodes.clone();
    let first = w.nodes_of(p, a.page(0))?[0];
    let other = nodes.iter().copied().find(|n| *n != first);
    let other = other.ok_or(Stop::Skip("needs 2 NUMA nodes with memory"))?;
    expect_on(&w, &nodes, first, "new")?;
    for to in [other, first] {
        w.move_to_node(p, a.page(0), to)?;
        expect_on(&w, &nodes, to, "moved")?;
        w.check()?;
    }
    let c = p.fork("C")?;
    w.move_to_node(c, a.page(0), other)?;
    expect_on(&w, &nodes, other, "moved with two mappers")?;
    w.check()?;
    p.unmap(a)?;
    expect_on(&w, &nodes, other, "left by one mapper")?;
    c.unmap(a)?;
    w.finish()
}

/// The page is gone in the end: nothing has become the pool's own.
fn left(ctx: &mut Ctx) -> TestResult {
    moved(ctx)?;
    let w = World::new(ctx)?;
    let mut until = w.limit(LIMIT);
    // With others' pages it would be free, but no surplus.
    while hugetlb::free() > 0 && hugetlb::taken().is_some_and(|t| t.surplus > 0) {
        if until.over() {
            return Err(Stop::fail(
                "a surplus page that has moved is given back when it is free: HugePages_Surp and HugePages_Free are not 0",
            ));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    w.finish()
}

pub const MOVED: Test = Test {
    name: "surplus.moved",
    about: "A page beyond the pool of huge pages stays so on the node that it moves to.",
    needs: &[
        Need::Root,
        Need::Pfn,
        Need::Thp,
        Need::File(hugetlb::OVERCOMMIT, "needs CONFIG_HUGETLBFS"),
        Need::MemMib(64),
    ],
    knobs: &[
        Knob::keep(hugetlb::POOL),
        Knob::set(hugetlb::OVERCOMMIT, "2"),
    ],
    run: |c| pooled(c, left),
    ..HUGE
};
