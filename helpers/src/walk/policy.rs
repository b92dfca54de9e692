// SPDX-License-Identifier: GPL-2.0-or-later
//! Migration of whole mappings and whole processes: mbind(2) with MPOL_MF_MOVE_ALL, and migrate_pages(2). The kernel looks for
//! pages in the page tables of one process (queue_pages_range()), and must then find the mappers in all others.
//!
//! mbind splits VMAs and merges them again: for tests of the walk itself, not for every topology.

use super::charge::Charges;
use super::clean::Clean;
use super::fate::{self, Fate, Page};
use super::migrate::{ATTEMPTS, PATIENCE, offered, ways};
use super::{Taken, Walk};
use crate::actor::{Cmd, Reply};
use crate::pace::Tries;
use crate::sys::numa::{self, MPOL_MF_MOVE_ALL};
use crate::world::World;
use crate::world::model::ActorId;
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// mbind(2) by each actor in turn of all that it maps.
pub const MBIND: Walk = Walk {
    name: "mbind",
    offered,
    take: |w| take(w, "mbind", bind),
};

/// migrate_pages(2) of each actor in turn.
pub const MIGRATE_PAGES: Walk = Walk {
    name: "migrate_pages",
    offered,
    take: |w| {
        take(
            w,
            "migrate_pages",
            |w, id, from, to| match numa::migrate_pages(w.pid(id)?, from, to) {
                Ok(_) => Ok(None),
                Err(e) => Ok(Some(e)),
            },
        )
    },
};

/// Asks for all pages of an actor that are on node `from`. An error says nothing of single pages: they are looked at.
type Ask = fn(&World, ActorId, from: i32, to: i32) -> TestResult<Option<Errno>>;

fn take(w: &World, name: &'static str, ask: Ask) -> TestResult<Taken> {
    let control = w.control()?.0;
    let nodes = &w.features().nodes;
    let mut actors: Vec<ActorId> = w.model().living().collect();
    actors.sort_by_key(|&id| id != control);
    let mut count = 0;
    for id in actors {
        // There and back: wherever a page was, it has moved.
        for (from, to) in [(nodes[0], nodes[1]), (nodes[1], nodes[0])] {
            match sweep(w, ask, id, from, to)? {
                Ok(moved) => {
                    count += moved.len();
                    w.tally().walked(name, &moved);
                }
                Err(Errno::ENOSYS) => return Ok(Taken::NotNow(String::from("no such call"))),
                Err(e) if id == control => {
                    return Ok(Taken::NotNow(format!("the control page: {e}")));
                }
                Err(e) => return Err(Stop::error(format_args!("{}: {e}", w.actor_name(id)))),
            }
        }
    }
    Ok(if count == 0 {
        Taken::NotNow(String::from("no page moved"))
    } else {
        Taken::Yes(format!("{count} pages moved"))
    })
}

/// All pages of one actor from one node to another. `Err` is why the control's did not all go.
fn sweep(
    w: &World,
    ask: Ask,
    id: ActorId,
    from: i32,
    to: i32,
) -> TestResult<Result<Vec<Page>, Errno>> {
    let pages: Vec<Page> = {
        let mine = |p: &Page| ways(w, p).iter().any(|&at| at.0 == id && w.is_readable(at));
        fate::pages(w)?.into_iter().filter(mine).collect()
    };
    let mut addrs = Vec::new();
    for page in &pages {
        let at = page.mappers.iter().find(|at| at.0 == id);
        addrs.extend(at.map(|at| at.1 * w.page_size()));
    }
    let before = numa::page_nodes(w.pid(id)?, &addrs)?;
    let there = |(page, node): (Page, i32)| (node == from).then_some(page);
    let pages: Vec<Page> = pages.into_iter().zip(before).filter_map(there).collect();
    let mut left = pages.clone();
    let mut error = None;
    for _ in Tries::new(ATTEMPTS, PATIENCE) {
        if left.is_empty() {
            break;
        }
        let charges = Charges::of(w, &left)?;
        let clean = Clean::of(w, &left)?;
        error = ask(w, id, from, to)?;
        if error == Some(Errno::ENOSYS) {
            return Ok(Err(Errno::ENOSYS));
        }
        let (now, fates) = fate::fates(w, &left)?;
        charges.judge(w, &left, &fates, &now)?;
        clean.judge(w, &left, &fates, &now)?;
        let mut stayed = Vec::new();
        for (page, f) in left.into_iter().zip(fates) {
            match f {
                Fate::Torn => {
                    return Err(page.fail(
                        w,
                        "migration moves a page for every mapper or for none",
                        &format!("moved from node {from} to node {to}"),
                        &now,
                    ));
                }
                Fate::Stayed => stayed.push(page),
                Fate::Moved(_) | Fate::Left => {}
            }
        }
        left = stayed;
    }
    let Some(page) = left.first() else {
        return Ok(Ok(pages));
    };
    // A single one that stays is wrong in the control as well.
    if page.control && left.len() == pages.len() {
        return Ok(Err(error.unwrap_or(Errno::EBUSY)));
    }
    let now = fate::entries(w)?;
    let why = error.map_or(String::new(), |e| format!("; {e}"));
    let detail = format!(
        "{} page(s) still on node {from}, asked for again and again; the control's moved{why}",
        left.len()
    );
    Err(page.fail(
        w,
        "every page can be migrated through every mapper",
        &detail,
        &now,
    ))
}

/// Binds all mappings of an actor to a node, which moves what is elsewhere; then no policy again.
fn bind(w: &World, id: ActorId, _from: i32, to: i32) -> TestResult<Option<Errno>> {
    let mut error = None;
    for (node, flags) in [(Some(to), MPOL_MF_MOVE_ALL), (None, 0)] {
        for run in w.runs(id) {
            let cmd = Cmd::Mbind {
                addr: run.vpn * w.page_size(),
                len: run.pages * w.page_size(),
                node,
                flags,
            };
            match w.ask(id, &cmd)? {
                Reply::Done => w.unbound(id, run),
                Reply::Errno(e) if node.is_some() => error = Some(Errno::from_raw(e)),
                other => return Err(Stop::error(format_args!("mbind: {other:?}"))),
            }
        }
    }
    Ok(error)
}
