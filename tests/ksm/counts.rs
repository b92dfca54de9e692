// SPDX-License-Identifier: GPL-2.0-or-later
//! How many pages one content has: more than max_page_sharing lets have one, on several nodes; and what KSM counts of them.

use super::walks;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{filled, like};
use helpers::walk::merge::{self, expect_merging, merge};
use helpers::walk::own;
use helpers::world::World;
use helpers::{Stop, TestResult, walk};

/// More equal pages than one KSM page may have mappers (max_page_sharing): a chain of stable nodes, each with a page of its own.
pub fn chain(ctx: &mut Ctx, most: usize, sharers: usize) -> TestResult {
    let w = World::new(ctx)?;
    merge::set_knob(&w, "max_page_sharing", &most.to_string())?;
    let p = filled(&w, "P", 1)?;
    let mut all = vec![p];
    let q = like(&w, "Q", sharers - 1, p)?;
    // Each page is a mapper of its own.
    all.push(q);
    for (actor, area) in &all {
        actor.advise(*area, advice::MERGEABLE)?;
    }
    let bounded = |when: &str| -> TestResult {
        for (pfn, n) in merge::distinct(&w, &all)? {
            if n > most || n < 2 {
                return Err(Stop::fail(format_args!(
                    "a KSM page has 2 to max_page_sharing mappers: {when} pfn {pfn} has {n}, not 2 to {most}"
                )));
            }
        }
        Ok(())
    };
    merge::run(&w, &all)?;
    bounded("after the merge")?;
    expect_merging(&w, false, &[(p.0, 1), (q.0, sharers as u64 - 1)])?;
    // A fork may go over the limit.
    let c = p.0.fork("C")?;
    let d = q.0.fork("D")?;
    walk::every_on_offer(&w)?;
    c.exit()?;
    d.exit()?;
    merge::run(&w, &all)?;
    bounded("after the second merge")?;
    // One of a chain goes, in the middle and at the ends.
    p.0.fork("late")?;
    p.0.write(p.1)?;
    q.0.write(q.1.page(0))?;
    q.0.unmap(q.1.sub(sharers - 2..sharers - 1))?;
    w.check()?;
    walks(w)?;
    Ok(())
}

/// Mappers that have left count no more against max_page_sharing, whatever way they went: who comes later still joins.
///
///   P [0]  Q [0]   and R1, R2, .. Rn [0] one after the other, each gone before the next comes
pub fn left(ctx: &mut Ctx) -> TestResult {
    const NAMES: [&str; 9] = ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"];
    let w = World::new(ctx)?;
    merge::set_knob(&w, "max_page_sharing", &(NAMES.len() - 1).to_string())?;
    let p = filled(&w, "P", 1)?;
    let q = like(&w, "Q", 1, p)?;
    for (i, name) in NAMES.into_iter().enumerate() {
        let r = like(&w, name, 1, p)?;
        merge(&w, &[p, q, r])?;
        match i % 3 {
            0 => r.0.write(r.1)?,
            1 => r.0.advise(r.1, advice::UNMERGEABLE)?,
            _ => r.0.unmap(r.1)?,
        }
        w.check()?;
        if i % 2 == 0 {
            r.0.exit()?;
        }
    }
    walks(w)
}

/// What KSM counts of the machine and of each process, as mappers come and go. Each merge also merges a pair of the control's.
pub fn counters(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    merge::forget_others(&w)?;
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    let r = like(&w, "R", 6, p)?;
    merge(&w, &[p, q, r])?;
    merge::expect_shared(&w, 4 + 1, 14 + 2)?;
    expect_merging(&w, false, &[(p.0, 4), (q.0, 4), (r.0, 6)])?;
    merge::expect_items(&w, &[(p.0, 4), (q.0, 4), (r.0, 6)])?;
    let c = p.0.fork("C")?;
    // ksmd meets the child, and what has left since.
    merge::expect_shared(&w, 4 + 1, 18 + 2)?;
    expect_merging(&w, false, &[(p.0, 4), (q.0, 4), (r.0, 6)])?;
    // Before it a child began with its parent's number: 4d6fc29f3634 ("mm/ksm: fix incorrect KSM counter handling in mm_struct during fork").
    let from_none = w.features().version() >= (6, 18);
    if !from_none {
        w.diag("a child's count begins with its parent's before Linux 6.18: not judged");
    }
    if from_none {
        expect_merging(&w, false, &[(c, 4)])?;
    }
    q.0.write(q.1.page(0))?;
    c.write(p.1.page(0))?;
    p.0.unmap(p.1.page(3))?;
    merge::expect_shared(&w, 4 + 1, 15 + 2)?;
    expect_merging(&w, false, &[(p.0, 3), (q.0, 3), (r.0, 6)])?;
    if from_none {
        expect_merging(&w, false, &[(c, 3)])?;
    }
    r.0.exit()?;
    // Page 0 is P's alone, and still a KSM page; 1 to 3 are P's, C's and Q's.
    merge::expect_shared(&w, 4 + 1, 9 + 2)?;
    p.0.write(p.1.page(0))?;
    merge::expect_shared(&w, 3 + 1, 8 + 2)?;
    w.check()?;
    walks(w)
}

/// merge_across_nodes: without it each node has a stable tree and a KSM page of its own.
///
///   node 0: P [0 1] Q [0 1]      node 1: R [0 1] S [0 1]      all equal
pub fn nodes(ctx: &mut Ctx, across: bool) -> TestResult {
    let w = World::new(ctx)?;
    merge::set_knob(&w, "merge_across_nodes", if across { "1" } else { "0" })?;
    let p = filled(&w, "P", 2)?;
    let q = like(&w, "Q", 2, p)?;
    let r = like(&w, "R", 2, p)?;
    let s = like(&w, "S", 2, p)?;
    let here = w.features().nodes[..2].to_vec();
    for (place, node) in [(p, here[0]), (q, here[0]), (r, here[1]), (s, here[1])] {
        w.move_to_node(place.0, place.1, node)?;
    }
    for (actor, area) in [p, q, r, s] {
        actor.advise(area, advice::MERGEABLE)?;
    }
    let all = [p, q, r, s];
    merge::run(&w, &all)?;
    let expected = if across { 2 } else { 4 };
    let seen = merge::distinct(&w, &all)?;
    if seen.len() != expected {
        return Err(Stop::fail(format_args!(
            "equal pages on two nodes become one page with merge_across_nodes, else one on each: expected {expected} pages for 2 contents, seen {seen:?}"
        )));
    }
    p.0.fork("C")?;
    walk::every_on_offer(&w)?;
    // To the other node, where an equal KSM page is already.
    for (place, node) in [(p, here[1]), (q, here[0]), (r, here[0]), (s, here[1])] {
        w.move_to_node(place.0, place.1, node)?;
    }
    merge::run(&w, &all)?;
    w.move_to_node(p.0, p.1, here[0])?;
    expect_merging(&w, true, &[(p.0, 2), (q.0, 2), (r.0, 2), (s.0, 2)])?;
    walks(w)
}

/// Without merge_across_nodes a KSM page that has gone to another node is for the equal pages of that node, and no more for those of the
/// one that it came from.
///
///   node 0: P [0 1] = Q [0 1], one page each  ->  node 1      then on node 0: R [0 1] S [0 1], equal to these
pub fn node_left(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    merge::set_knob(&w, "merge_across_nodes", "0")?;
    let (from, to) = (w.features().nodes[0], w.features().nodes[1]);
    let p = filled(&w, "P", 2)?;
    let q = like(&w, "Q", 2, p)?;
    for (actor, area) in [p, q] {
        own::gather(&w, actor, area, from)?;
    }
    merge(&w, &[p, q])?;
    w.move_to_node(p.0, p.1, to)?;
    let r = like(&w, "R", 2, p)?;
    let s = like(&w, "S", 2, p)?;
    for (actor, area) in [r, s] {
        own::gather(&w, actor, area, from)?;
        actor.advise(area, advice::MERGEABLE)?;
    }
    merge::run(&w, &[p, q, r, s])?;
    for ((actor, area), node) in [(p, to), (q, to), (r, from), (s, from)] {
        let seen = w.nodes_of(actor, area)?;
        if seen != [node; 2] {
            return Err(Stop::fail(format_args!(
                "without merge_across_nodes a page merges with pages of its own node: {}'s were on node {node}, and are on {seen:?}",
                actor.name()
            )));
        }
    }
    walks(w)
}
