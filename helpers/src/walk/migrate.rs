// SPDX-License-Identifier: GPL-2.0-or-later
//! Migration to another NUMA node by move_pages(2) with MPOL_MF_MOVE_ALL, through one mapper of each page:
//! migrate_folio_unmap() has to find all the others.

use super::fate::{self, Fate, Page};
use super::{Taken, Walk, needs_pfn};
use crate::actor::Cmd;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::sys::numa::{self, MPOL_MF_MOVE_ALL};
use crate::world::World;
use crate::world::model::ActorId;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The walk.
pub const MIGRATE: Walk = Walk {
    name: "migrate",
    offered,
    take,
};

/// How often a refused page is tried again, each time through another mapper. The kernel retries ten
/// times by itself; what it refuses then is mostly a reference held elsewhere for a moment.
const ATTEMPTS: usize = 5;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if w.features().nodes.len() < 2 {
        return Err("needs 2 NUMA nodes with memory");
    }
    Ok(())
}

fn take(w: &World) -> TestResult<Taken> {
    let mut pages = fate::pages(w)?;
    if pages.iter().any(|p| p.hugetlb) {
        // Such pages move to free ones of the pool, not to any free memory: they need a control of their own.
        if w.control_hugetlb()? {
            pages = fate::pages(w)?;
        } else {
            pages.retain(|p| !p.hugetlb);
        }
    }
    let mut left: Vec<(&Page, i32)> = pages.iter().map(|p| (p, 0)).collect();
    for attempt in 0..ATTEMPTS {
        left = pass(w, &left, attempt)?;
        if left.is_empty() {
            return Ok(Taken::Yes(String::new()));
        }
    }
    let now = fate::entries(w)?;
    // The pool may be short of pages on one node; a file system may be busy with a page.
    left.retain(|&(p, status)| {
        let short = p.hugetlb && Errno::from_raw(-status) == Errno::ENOMEM;
        p.control || !p.disk && !short
    });
    let (huge, plain): (Vec<_>, Vec<_>) = left.iter().copied().partition(|(p, _)| p.hugetlb);
    let judged = |part: &[(&Page, i32)]| part.iter().all(|(p, _)| !p.control);
    left = [plain, huge]
        .into_iter()
        .filter(|p| judged(p))
        .flatten()
        .collect();
    if left.is_empty() {
        return Ok(Taken::NotNow(format!(
            "some of {} pages refused, the control page too",
            pages.len()
        )));
    }
    let (page, status) = left[0];
    let detail = format!(
        "{} page(s) refused {ATTEMPTS} times while the control page moved; status {status} ({})",
        left.len(),
        Errno::from_raw(-status)
    );
    Err(page.fail(
        w,
        "every page can be migrated through every mapper",
        &detail,
        &now,
    ))
}

/// One move of each page to another node. Returns those that were refused, with their status.
fn pass<'p>(
    w: &World,
    pages: &[(&'p Page, i32)],
    attempt: usize,
) -> TestResult<Vec<(&'p Page, i32)>> {
    let nodes = &w.features().nodes;
    let size = w.page_size();
    // By process and destination: one call each.
    let mut calls: BTreeMap<(i32, i32), Vec<(usize, usize)>> = BTreeMap::new();
    for (i, (page, _)) in pages.iter().enumerate() {
        // A different mapper asks for each page, and for each attempt.
        let ways = ways(w, page);
        let (actor, vpn) = ways[(i + attempt) % ways.len()];
        let pid = w.pid(actor)?;
        if page.tables_shared {
            // Moving the page before this one may have taken the whole table from this mapper.
            let addrs = vec![vpn * size];
            w.tell(actor, &Cmd::Read { addrs })?;
        }
        let from = numa::page_nodes(pid, &[vpn * size])?[0];
        let to = nodes
            .iter()
            .copied()
            .find(|&n| n != from)
            .unwrap_or(nodes[0]);
        calls.entry((pid, to)).or_default().push((i, vpn * size));
    }
    let marked = mlocked(w, pages)?;
    let mut refused = Vec::new();
    let mut asked: Vec<(usize, i32, i32)> = Vec::new();
    for ((pid, to), list) in calls {
        let addrs: Vec<usize> = list.iter().map(|l| l.1).collect();
        let statuses = match numa::move_pages(pid, &addrs, to, MPOL_MF_MOVE_ALL) {
            Ok(s) => s,
            Err(Errno::ENOSYS) => return Err(Stop::Skip("needs CONFIG_MIGRATION")),
            // The whole batch was refused (no memory on the node, say): each page counts as refused.
            Err(e) => vec![-(e as i32); addrs.len()],
        };
        asked.extend(list.iter().zip(statuses).map(|(&(i, _), s)| (i, s, to)));
    }
    let moved: Vec<Page> = pages.iter().map(|(p, _)| (*p).clone()).collect();
    let (now, fates) = fate::fates(w, &moved)?;
    for (i, status, to) in asked {
        let page = pages[i].0;
        page.judge_pin(w, &fates[i], &now)?;
        match (&fates[i], status) {
            (Fate::Torn, _) => {
                return Err(page.fail(
                    w,
                    "migration moves a page for every mapper or for none",
                    &format!("move_pages() status {status}"),
                    &now,
                ));
            }
            (Fate::Moved(_), s) if s == to => {
                if marked[i] && lost_mark(w, page)? {
                    return Err(page.fail(
                        w,
                        "migration keeps a page mlocked",
                        "a mapper has locked it, and it was mlocked before",
                        &now,
                    ));
                }
            }
            (Fate::Stayed, s) if s == to => {
                return Err(page.fail(
                    w,
                    "a page that move_pages() reports on its new node is there",
                    &format!("status says node {to}"),
                    &now,
                ));
            }
            // Swapped out, or moved by somebody else: not judged, the check of the world follows.
            (Fate::Left | Fate::Moved(_), _) => {}
            (Fate::Stayed, _) if page.held.is_some() => {}
            (Fate::Stayed, s) if w.is_readable(ways(w, page)[0]) => refused.push((page, s)),
            (Fate::Stayed, _) => {}
        }
    }
    Ok(refused)
}

/// Which of the pages are mlocked through a mapper's lock. remove_migration_pte() maps each into its locked VMA again, which marks
/// it; pages of huge ones only where all of them are in the VMA, so they are not looked at.
fn mlocked(w: &World, pages: &[(&Page, i32)]) -> TestResult<Vec<bool>> {
    let one = |(page, _): &(&Page, i32)| {
        Ok(!page.locked.is_empty() && !page.hugetlb && is_mlocked(w, page.pfn)?)
    };
    pages.iter().map(one).collect()
}

/// Whether a page has no mark any more. Looked at for a while: somebody else may be moving it once more.
fn lost_mark(w: &World, page: &Page) -> TestResult<bool> {
    let until = w.limit(Duration::from_millis(300));
    loop {
        let now = fate::entries(w)?;
        let here = now.get(&page.mappers[0]).and_then(|seen| seen.pfn());
        let Some(pfn) = here else { return Ok(false) };
        if is_mlocked(w, pfn)? {
            return Ok(false);
        }
        if Instant::now() >= until {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_mlocked(w: &World, pfn: Pfn) -> TestResult<bool> {
    let part = Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL;
    let flags = w.page_flags(pfn)?;
    Ok(flags.is_some_and(|f| f.has(Flags::MLOCKED) && f.0 & part == 0))
}

/// The mappers to ask through: the readable ones. follow_page() of older kernels (v6.1) takes what is mapped PROT_NONE for a NUMA
/// hint and finds no page (ENOENT): where no other mapper is left the page is asked for, but a refusal is not judged.
fn ways(w: &World, page: &Page) -> Vec<(ActorId, usize)> {
    let readable: Vec<_> = page
        .mappers
        .iter()
        .copied()
        .filter(|&at| w.is_readable(at))
        .collect();
    if readable.is_empty() {
        page.mappers.clone()
    } else {
        readable
    }
}
