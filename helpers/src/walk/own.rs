// SPDX-License-Identifier: GPL-2.0-or-later
//! Migration of what a process has to itself (MPOL_MF_MOVE, see move_pages(2) and mbind(2)): pages that other processes map stay, and all
//! others go. Whether a page is one of them is for its mapcounts to say (folio_likely_mapped_shared(), folio_maybe_mapped_shared()).

use super::migrate::{ATTEMPTS, PATIENCE, offered};
use crate::actor::{Cmd, Reply};
use crate::kernel::lru;
use crate::kernel::pagemap::Pfn;
use crate::pace::Tries;
use crate::stop::Doing;
use crate::sys::numa::{self, MPOL_MF_MOVE};
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::time::Duration;

/// How a process asks for its own pages to be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// move_pages(2), page by page.
    MovePages,
    /// mbind(2) of each area.
    Mbind,
}

/// How long to wait for pages to be where they shall start from.
const LIMIT: Duration = Duration::from_secs(5);

/// Puts pages on a node, also those that are in the LRU batch of a CPU at first, and those of files that no entry maps any more since their folio
/// was split to move.
///
/// # Errors
/// `Skip` when there is no memory on that node.
#[track_caller]
pub fn gather(w: &World, actor: Actor, area: Area, node: i32) -> TestResult {
    let mut until = w.limit(LIMIT);
    loop {
        lru::drain().doing("drain the LRU batches")?;
        match w.move_to_node(actor, area, node) {
            Err(Stop::Skip(_)) if !until.over() => {}
            result => return result,
        }
        bring_back(w, actor, area)?;
        // Each time is a line of the script, and so memory that is counted as well.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Pages of a file that are in memory and that no entry maps are mapped again.
fn bring_back(w: &World, actor: Actor, area: Area) -> TestResult {
    let nodes = w.nodes_of(actor, area)?;
    let mut gone = area.vpns().zip(nodes).filter(|(_, node)| *node < 0);
    let readable = |vpn| w.is_readable((actor.id(), vpn));
    match gone.any(|(vpn, _)| readable(vpn)) && area.vpns().all(readable) {
        true => actor.read(area),
        false => Ok(()),
    }
}

/// Has `actor` move its areas to another node: those of which no other process maps a page must go, those that another maps whole must stay.
///
/// # Errors
/// `Skip` when this machine does not migrate, or not even the control's pages now.
#[track_caller]
pub fn only_own(w: &World, actor: Actor, own: &[Area], shared: &[Area], way: Way) -> TestResult {
    offered(w).map_err(Stop::Skip)?;
    let (id, page) = w.control()?;
    let control = w.actor_by_id(id);
    let (from, to) = (w.features().nodes[0], w.features().nodes[1]);
    gather(w, control, page, from)?;
    for &area in own.iter().chain(shared) {
        gather(w, actor, area, from)?;
    }
    w.check()?;
    w.note(format!(
        "{}: {way:?} to node {to}, MPOL_MF_MOVE",
        actor.name()
    ));
    let mut left = own.to_vec();
    for _ in Tries::new(ATTEMPTS, PATIENCE) {
        lru::drain().doing("drain the LRU batches")?;
        ask(w, control, page, to, way)?;
        let mut still = Vec::new();
        for area in left {
            ask(w, actor, area, to, way)?;
            bring_back(w, actor, area)?;
            if w.nodes_of(actor, area)?.iter().any(|&n| n != to) {
                still.push(area);
            }
        }
        left = still;
        if left.is_empty() {
            break;
        }
    }
    let refused: Vec<_> = shared
        .iter()
        .map(|&area| Ok((area, ask(w, actor, area, to, way)?)))
        .collect::<TestResult<_>>()?;
    for (area, statuses) in refused {
        let there = w.nodes_of(actor, area)?;
        if let Some(i) = there.iter().position(|&n| n == to) {
            let what = w.show(area.page(i));
            return Err(Stop::fail(format_args!(
                "MPOL_MF_MOVE leaves pages alone that other processes map: {what} has moved to node {to} ({way:?})"
            )));
        }
        // Why is said by one of the two only. A page that was busy gets another errno.
        let other = statuses.iter().find(|&&s| s >= 0);
        if let Some(status) = other.filter(|_| way == Way::MovePages) {
            return Err(Stop::fail(format_args!(
                "move_pages refuses pages that other processes map (EACCES): status {status}, and not moved"
            )));
        }
    }
    if !left.is_empty() {
        if w.nodes_of(control, page)?.iter().any(|&n| n != to) {
            return Err(Stop::Skip("needs pages that can be migrated now"));
        }
        return Err(Stop::fail(format_args!(
            "MPOL_MF_MOVE moves pages that no other process maps: {} not moved to node {to} again and again ({way:?}); the control's moved",
            left.iter()
                .map(|&a| w.show(a))
                .collect::<Vec<_>>()
                .join(", ")
        )));
    }
    w.check()
}

/// Has `actor` move its areas to the nodes that they are on (add_folio_for_migration()): each page is said to be there, also one that others map, and
/// is the page that it was.
///
/// # Errors
/// `Skip` when this machine does not migrate, or somebody else moves the pages all the time.
#[track_caller]
pub fn stay_put(w: &World, actor: Actor, areas: &[Area]) -> TestResult {
    if !w.features().migration {
        return Err(Stop::Skip("needs move_pages (CONFIG_MIGRATION)"));
    }
    let mut wrong = None;
    for _ in Tries::new(ATTEMPTS, PATIENCE) {
        wrong = None;
        for &area in areas {
            let text = w.show(area);
            w.note(format!("{}: move {text} to where it is", actor.name()));
            let pfns = || -> TestResult<Vec<Option<Pfn>>> {
                let pages = w.pages_of(actor, area)?;
                Ok(pages.into_iter().map(|page| Some(page?.0)).collect())
            };
            let before = (pfns()?, w.nodes_of(actor, area)?);
            let addrs: Vec<usize> = area.vpns().map(|v| v * w.page_size()).collect();
            let pid = actor.pid()?;
            let told = numa::move_pages_each(pid, &addrs, &before.1, MPOL_MF_MOVE);
            let told = told.doing("move_pages")?;
            if before.1.iter().any(|&node| node < 0) {
                return Err(Stop::Skip("needs memory that nobody else reclaims"));
            }
            if told != before.1 || pfns()? != before.0 {
                wrong = Some((text, before.1, told));
            }
        }
        if wrong.is_none() {
            return w.check();
        }
    }
    let Some((area, on, told)) = wrong else {
        return w.check();
    };
    Err(Stop::fail(format_args!(
        "move_pages leaves pages alone that are on the node they shall go to, and says so: {} {area} on {on:?}, told {told:?}, or other pages afterwards, again and again",
        actor.name()
    )))
}

/// Has `actor` bind a hugetlb page to another node that another process maps as well: it stays. Both may map it by one table
/// (huge_pmd_share()), and who moved it would have left the table: it is read again before it is judged.
///
/// # Errors
/// `Skip` when this machine does not migrate, or the page is on no node now.
#[track_caller]
pub fn stays(w: &World, actor: Actor, huge: Area) -> TestResult {
    offered(w).map_err(Stop::Skip)?;
    let on = w.nodes_of(actor, huge.page(0))?[0];
    let Some(&to) = w.features().nodes.iter().find(|&&n| on >= 0 && n != on) else {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    };
    w.note(format!(
        "{}: mbind {} to node {to}, MPOL_MF_MOVE",
        actor.name(),
        w.show(huge)
    ));
    ask(w, actor, huge, to, Way::Mbind)?;
    actor.read(huge)?;
    let there = w.nodes_of(actor, huge.page(0))?[0];
    if there < 0 {
        return Err(Stop::Skip("needs a page that this walk can take now"));
    }
    if there != on {
        return Err(Stop::fail(format_args!(
            "MPOL_MF_MOVE leaves pages alone that other processes map: {} was on node {on}, asked to go to {to}, and is on {there}",
            w.show(huge)
        )));
    }
    w.check()
}

/// Has `actor` move areas that no other process maps to another node: all of one goes when it is asked for once, unless something has one of
/// its pages at that moment. Fresh ones, since folios that have moved may be in pieces; `make` makes them, all on one node or they do not count.
///
/// # Errors
/// `Skip` when this machine does not migrate, or not even the control's pages now.
#[track_caller]
pub fn at_once(
    w: &World,
    actor: Actor,
    make: impl Fn(usize) -> TestResult<Area>,
    way: Way,
) -> TestResult {
    const TIMES: usize = 4;
    offered(w).map_err(Stop::Skip)?;
    let (id, page) = w.control()?;
    let control = w.actor_by_id(id);
    let nodes = &w.features().nodes;
    let (mut judged, mut most) = (0, 0);
    for i in 0..TIMES {
        let area = make(i)?;
        w.check()?;
        lru::drain().doing("drain the LRU batches")?;
        let on = w.nodes_of(actor, area)?;
        let Some(&to) = nodes.iter().find(|&&n| !on.contains(&n)) else {
            continue;
        };
        gather(w, control, page, on[0])?;
        ask(w, control, page, to, way)?;
        ask(w, actor, area, to, way)?;
        let on = w.nodes_of(actor, area)?;
        let there = on.iter().filter(|&&n| n == to).count();
        if there == area.pages {
            return w.check();
        }
        if w.nodes_of(control, page)?.iter().all(|&n| n == to) {
            judged += 1;
            most = most.max(there);
        }
    }
    // Each time, or what has a page for a moment would do.
    if judged < TIMES {
        return Err(Stop::Skip("needs pages that can be migrated now"));
    }
    Err(Stop::fail(format_args!(
        "MPOL_MF_MOVE moves pages that no other process maps: asked once, {most} at most of an area have moved, {TIMES} times ({way:?}); the control's moved",
    )))
}

/// Statuses where the way has any.
fn ask(w: &World, actor: Actor, area: Area, node: i32, way: Way) -> TestResult<Vec<i32>> {
    let addrs: Vec<usize> = area.vpns().map(|v| v * w.page_size()).collect();
    if way == Way::MovePages {
        return numa::move_pages(actor.pid()?, &addrs, node, MPOL_MF_MOVE).doing("move_pages");
    }
    let bind = |node, flags| Cmd::Mbind {
        addr: addrs[0],
        len: area.pages * w.page_size(),
        node,
        flags,
    };
    for cmd in [bind(Some(node), MPOL_MF_MOVE), bind(None, 0)] {
        match w.ask(actor.id(), &cmd)? {
            Reply::Done => {}
            // Without MPOL_MF_STRICT too, when a page is busy.
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EIO => {}
            other => return Err(Stop::error(format_args!("mbind: {other:?}"))),
        }
    }
    w.unbound(actor.id(), area);
    Ok(Vec::new())
}
