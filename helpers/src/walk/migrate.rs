// SPDX-License-Identifier: GPL-2.0-or-later
//! Migration to another NUMA node by move_pages(2) with MPOL_MF_MOVE_ALL, through one mapper of each page:
//! migrate_folio_unmap() has to find all the others.

use super::charge::Charges;
use super::clean::Clean;
use super::fate::{self, Fate, Page};
use super::{Taken, Walk, needs_pfn};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::pace::Tries;
use crate::sys::numa::{self, MPOL_MF_MOVE_ALL};
use crate::world::World;
use crate::world::model::ActorId;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

/// The walk.
pub const MIGRATE: Walk = Walk {
    name: "migrate",
    offered,
    take: |w| take(w, &[Asker::Test], 1),
};

/// The same for every mapper of every page in turn, asked by the mapper itself and by a process that does not map the page.
pub const BY_EACH: Walk = Walk {
    name: "migrate_by_each",
    offered,
    take: |w| take(w, &[Asker::Mapper, Asker::Stranger], MAPPERS),
};

/// How often a refused page is tried again, each time through another mapper. The kernel retries ten
/// times by itself; what it refuses then is mostly a reference held elsewhere for a moment.
pub(super) const ATTEMPTS: usize = 5;
/// For how long it is tried at least.
pub(super) const PATIENCE: Duration = Duration::from_millis(300);
/// Mappers of a page that are asked through, where each is.
const MAPPERS: usize = 8;
/// Addresses per command.
const CHUNK: usize = 1500;

/// Who calls move_pages(2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// The test's own process.
    Test,
    /// The actor through which the page is looked up.
    Mapper,
    /// An actor that does not map the page, or the test where all do.
    Stranger,
}

impl Asker {
    /// The walk in which it asks.
    fn walk(self) -> &'static str {
        match self {
            Asker::Test => MIGRATE.name,
            Asker::Mapper | Asker::Stranger => BY_EACH.name,
        }
    }
}

/// Whose pages, to which node, and the actor that calls.
type Call = (ActorId, i32, Option<ActorId>);

/// A page that was not moved, and what move_pages(2) said of it.
type Refused<'p> = (&'p Page, i32);

pub(super) fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if w.features().nodes.len() < 2 {
        return Err("needs 2 NUMA nodes with memory");
    }
    if !w.features().migration {
        return Err("needs move_pages (CONFIG_MIGRATION)");
    }
    Ok(())
}

fn take(w: &World, askers: &[Asker], turns: usize) -> TestResult<Taken> {
    for turn in 0..turns {
        for &asker in askers {
            let mut pages = fate::pages(w)?;
            if pages.iter().any(|p| p.hugetlb) {
                // Such pages move to free ones of the pool, not to any free memory: they need a control of their own.
                if w.control_hugetlb()? {
                    pages = fate::pages(w)?;
                } else {
                    pages.retain(|p| !p.hugetlb);
                }
            }
            // The control goes along each time.
            pages.retain(|p| p.control || turn == 0 || p.mappers.len() > turn);
            if pages.iter().all(|p| p.control) {
                if turn == 0 {
                    return Ok(Taken::Pointless);
                }
                break;
            }
            let mut left: Vec<Refused> = pages.iter().map(|p| (p, 0)).collect();
            for attempt in 0..ATTEMPTS {
                left = pass(w, &left, asker, turn + attempt)?;
                if left.is_empty() {
                    break;
                }
            }
            let (huge, plain): (Vec<_>, Vec<_>) = left.into_iter().partition(|(p, _)| p.hugetlb);
            for (left, hugetlb) in [(plain, false), (huge, true)] {
                let controls = pages.iter().filter(|p| p.control && p.hugetlb == hugetlb);
                if let Some(refused) = alone(w, left, controls.count(), asker, turn)? {
                    return Ok(refused);
                }
            }
        }
    }
    Ok(Taken::Yes(String::new()))
}

/// What was refused in company is asked for by itself: the kernel ends a call at the first page that fails, and says nothing of the
/// others. Those of the control first: when none of its `controls` pages can be moved, no page can be now.
fn alone(
    w: &World,
    mut left: Vec<Refused>,
    mut controls: usize,
    asker: Asker,
    turn: usize,
) -> TestResult<Option<Taken>> {
    left.sort_by_key(|(page, _)| !page.control);
    let mut refused: Option<Refused> = None;
    for &(page, _) in &left {
        if !page.control && refused.is_some() {
            break;
        }
        let mut still = vec![(page, 0)];
        // A file system may be busy with its page for longer, the pool has what it has, and the control's refusal is no verdict.
        let patient = !(page.control || page.disk || page.hugetlb);
        let patience = if patient { PATIENCE } else { Duration::ZERO };
        for attempt in Tries::new(ATTEMPTS, patience) {
            if still.iter().any(|s| s.1 == -(Errno::ENOENT as i32)) {
                hint_taken(w, page)?;
            }
            still = pass(w, &still, asker, turn + attempt)?;
            if still.is_empty() {
                break;
            }
        }
        // The pool may be short of pages on one node; a file system may be busy with a page.
        still.retain(|&(p, status)| {
            let short = p.hugetlb && Errno::from_raw(-status) == Errno::ENOMEM;
            p.control || !p.disk && !short
        });
        controls -= usize::from(page.control && !still.is_empty());
        refused = refused.or(still.pop());
    }
    let Some((page, status)) = refused else {
        return Ok(None);
    };
    let why = match status {
        numa::NO_STATUS => String::from("taken from its LRU list, not migrated"),
        s if s < 0 => format!("status {s} ({})", Errno::from_raw(-s)),
        s => format!("status {s}"),
    };
    if controls == 0 {
        return Ok(Some(Taken::NotNow(format!("no control page moves: {why}"))));
    }
    let now = fate::entries(w)?;
    Err(page.fail(
        w,
        "every page can be migrated through every mapper",
        &format!("refused by itself again and again while the control's moved; {why}"),
        &now,
    ))
}

/// All that map a page read it. An entry that NUMA balancing has made to fault was one without a page to move_pages(2) in Linux 6.1 to 6.4
/// (d74943a2f3cd, "mm/gup: reintroduce FOLL_NUMA as FOLL_HONOR_NUMA_FAULT"); busy threads come to have such.
fn hint_taken(w: &World, page: &Page) -> TestResult {
    for (actor, vpn) in ways(w, page) {
        if w.is_readable((actor, vpn)) {
            let addrs = vec![vpn * w.page_size()];
            w.tell(actor, &Cmd::Read { addrs })?;
        }
    }
    Ok(())
}

/// One move of each page to another node. Returns those that were refused, with their status.
fn pass<'p>(
    w: &World,
    pages: &[Refused<'p>],
    asker: Asker,
    turn: usize,
) -> TestResult<Vec<Refused<'p>>> {
    if pages.is_empty() {
        return Ok(Vec::new());
    }
    let nodes = &w.features().nodes;
    let size = w.page_size();
    // By process and page: a different mapper is asked for each page, and in each turn.
    let mut asked: BTreeMap<ActorId, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, (page, _)) in pages.iter().enumerate() {
        let ways = ways(w, page);
        let (actor, vpn) = ways[(i + turn) % ways.len()];
        if page.tables_shared {
            // Moving the page before this one may have taken the whole table from this mapper.
            let addrs = vec![vpn * size];
            w.tell(actor, &Cmd::Read { addrs })?;
        }
        asked.entry(actor).or_default().push((i, vpn * size));
    }
    // By process, destination and who asks: one call each.
    let mut calls: BTreeMap<Call, Vec<(usize, usize)>> = BTreeMap::new();
    for (actor, list) in asked {
        let addrs: Vec<usize> = list.iter().map(|l| l.1).collect();
        let from = numa::page_nodes(w.pid(actor)?, &addrs)?;
        for (&(i, addr), from) in list.iter().zip(from) {
            let to = nodes.iter().copied().find(|&n| n != from);
            let by = match asker {
                Asker::Test => None,
                Asker::Mapper => Some(actor),
                Asker::Stranger => stranger(w, pages[i].0),
            };
            let call = (actor, to.unwrap_or(nodes[0]), by);
            calls.entry(call).or_default().push((i, addr));
        }
    }
    let moved: Vec<Page> = pages.iter().map(|(p, _)| (*p).clone()).collect();
    let marked = mlocked(w, pages)?;
    let charges = Charges::of(w, &moved)?;
    let clean = Clean::of(w, &moved)?;
    let mut answers: Vec<(usize, i32, i32)> = Vec::new();
    for ((actor, to, by), list) in calls {
        for list in list.chunks(CHUNK) {
            let addrs: Vec<usize> = list.iter().map(|l| l.1).collect();
            let statuses = match ask(w, by, actor, &addrs, to)? {
                Ok(s) => s,
                Err(Errno::ENOSYS) => {
                    return Err(Stop::Skip("needs move_pages (CONFIG_MIGRATION)"));
                }
                // The whole batch was refused (no memory on the node, say): each page counts as refused.
                Err(e) => vec![-(e as i32); addrs.len()],
            };
            answers.extend(list.iter().zip(statuses).map(|(&(i, _), s)| (i, s, to)));
        }
    }
    let (now, fates) = fate::fates(w, &moved)?;
    charges.judge(w, &moved, &fates, &now)?;
    clean.judge(w, &moved, &fates, &now)?;
    let mut refused = Vec::new();
    for (i, status, to) in answers {
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
                w.tally().walked(asker.walk(), [page]);
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

/// move_pages(2) of pages of `actor` by actor `by`, or by this process.
fn ask(
    w: &World,
    by: Option<ActorId>,
    actor: ActorId,
    addrs: &[usize],
    node: i32,
) -> TestResult<Result<Vec<i32>, Errno>> {
    let flags = MPOL_MF_MOVE_ALL;
    let Some(by) = by else {
        return Ok(numa::move_pages(w.pid(actor)?, addrs, node, flags));
    };
    let cmd = Cmd::MovePages {
        pid: if by == actor { 0 } else { w.pid(actor)? },
        addrs: addrs.to_vec(),
        node,
        flags,
    };
    match w.ask(by, &cmd)? {
        Reply::Statuses(s) => Ok(Ok(s)),
        Reply::Errno(e) => Ok(Err(Errno::from_raw(e))),
        other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
    }
}

/// The first living actor without this page.
fn stranger(w: &World, page: &Page) -> Option<ActorId> {
    let maps = |id: &ActorId| page.mappers.iter().any(|m| m.0 == *id);
    w.model().living().find(|id| !maps(id))
}

/// Which of the pages are mlocked through a mapper's lock. remove_migration_pte() maps each into its locked VMA again, which marks
/// it; pages of huge ones only where all of them are in the VMA, so they are not looked at.
fn mlocked(w: &World, pages: &[Refused]) -> TestResult<Vec<bool>> {
    let one = |(page, _): &Refused| {
        Ok(!page.locked.is_empty() && !page.hugetlb && is_mlocked(w, page.pfn)?)
    };
    pages.iter().map(one).collect()
}

/// Whether a page has no mark any more. Looked at for a while: somebody else may be moving it once more.
fn lost_mark(w: &World, page: &Page) -> TestResult<bool> {
    let mut until = w.limit(Duration::from_millis(300));
    loop {
        let now = fate::entries(w)?;
        let here = now.get(&page.mappers[0]).and_then(|seen| seen.pfn());
        let Some(pfn) = here else { return Ok(false) };
        if is_mlocked(w, pfn)? {
            return Ok(false);
        }
        if until.over() {
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
pub(super) fn ways(w: &World, page: &Page) -> Vec<(ActorId, usize)> {
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
