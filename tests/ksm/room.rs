// SPDX-License-Identifier: GPL-2.0-or-later
//! Several merged pages of one content, of which all but one are full (max_page_sharing; stable_node_dup()).

use super::walks;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{filled, like};
use helpers::walk::merge;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};

/// Merged pages of the content.
const PAGES: usize = 4;

/// Each merged page has as many mappers as it may have.
fn full(w: &World, all: &[(Actor, Area)], most: usize) -> TestResult {
    let seen = merge::distinct(w, all)?;
    let pages = all.iter().map(|place| place.1.pages).sum::<usize>() / most;
    if seen.len() != pages || seen.values().any(|n| *n != most) {
        return Err(Stop::fail(format_args!(
            "a page is merged with the page of its content that has room: expected {pages} with {most} mappers each, seen {seen:?}"
        )));
    }
    Ok(())
}

/// From each page in turn, the oldest first, all mappers but one go, and as many come, one after the other: they find the only page that has room,
/// wherever it is in the list of those of its content.
///
///   page 1 [P P]   page 2 [Q Q]   page 3 [R R]   page 4 [S S]
///          [P -]          [Q Q]          [R R]          [S S]     and then P2: [P P2]
///          [P P2]         [Q -]          [R R]          [S S]     and then Q2: [Q Q2], and so on
pub fn room(ctx: &mut Ctx, most: usize) -> TestResult {
    const SHARERS: [&str; PAGES] = ["P", "Q", "R", "S"];
    const LATER: [&str; PAGES] = ["P2", "Q2", "R2", "S2"];
    let w = World::new(ctx)?;
    merge::set_knob(&w, "max_page_sharing", &most.to_string())?;
    // A content to begin with, of who takes no part.
    let model = filled(&w, "model", 1)?;
    let mut all: Vec<(Actor, Area)> = Vec::new();
    for name in SHARERS {
        // Those before are full, so these merge with each other.
        let (actor, area) = like(&w, name, most, model)?;
        actor.advise(area, advice::MERGEABLE)?;
        all.extend(area.vpns().map(|vpn| (actor, Area { vpn, pages: 1 })));
        merge::run(&w, &all)?;
        full(&w, &all, most)?;
    }
    for (round, name) in LATER.into_iter().enumerate() {
        let leavers: Vec<(Actor, Area)> = all.drain(1..most).collect();
        for (i, (actor, page)) in leavers.into_iter().enumerate() {
            match (round + i) % 3 {
                0 => actor.write(page)?,
                1 => actor.advise(page, advice::UNMERGEABLE)?,
                _ => actor.unmap(page)?,
            }
        }
        let (actor, area) = (w.actor(name)?, w.place(most - 1));
        w.name(area, name);
        actor.map(area)?;
        actor.advise(area, advice::MERGEABLE)?;
        for i in 0..area.pages {
            let page = area.page(i);
            actor.write_like(page, model.0, model.1)?;
            all.push((actor, page));
            merge::run(&w, &all)?;
        }
        full(&w, &all, most)?;
        // The next page's mappers come first.
        all.rotate_left(1);
    }
    walks(w)
}
