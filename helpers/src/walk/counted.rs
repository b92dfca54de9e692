// SPDX-License-Identifier: GPL-2.0-or-later
//! What is counted of each node follows the pages that migration takes to another (__folio_migrate_mapping(), remove_migration_pte(), the LRU
//! lists): memory.numa_stat of the test's own memory cgroup. What is left behind there stays for ever.

use super::{migrate, only, own};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::memcg::{Memcg, NumaStat};
use crate::kernel::vma;
use crate::stop::Doing;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::collections::BTreeMap;
use std::time::Duration;

/// Pages to move: well above [`SLACK`].
pub const PAGES: usize = 256;
/// Pages that may come and go beside those that are moved: what the test and its actors have of their own changes by some (24); before Linux 5.15
/// a CPU keeps up to 32 pages of each figure of a node to itself, of either sign (MEMCG_CHARGE_BATCH in __mod_memcg_lruvec_state()).
const SLACK: i64 = 24 + 2 * 32;
/// By how many pages figures differ at most that stand still.
const STILL: i64 = 8;
/// The kernel brings the figures up to date within 2 s.
const PATIENCE: Duration = Duration::from_millis(2500);

/// A figure, and which pages are counted in it.
struct Figure {
    /// Fields of memory.numa_stat, to be added up.
    fields: &'static [&'static str],
    counts: fn(Flags) -> bool,
}

/// Those of mapped pages; which pages they are kpageflags says.
const FIGURES: [Figure; 10] = [
    Figure {
        fields: &["anon"],
        counts: |f| f.has(Flags::ANON),
    },
    Figure {
        fields: &["anon_thp"],
        counts: |f| f.has(Flags::ANON | Flags::THP),
    },
    Figure {
        fields: &["file"],
        counts: |f| !f.has(Flags::ANON),
    },
    Figure {
        fields: &["file_mapped"],
        counts: |f| !f.has(Flags::ANON),
    },
    // Of memory that is nobody's file none is called dirty.
    Figure {
        fields: &["file_dirty"],
        counts: |f| f.has(Flags::DIRTY) && !f.has(Flags::SWAPBACKED) && !f.has(Flags::ANON),
    },
    Figure {
        fields: &["shmem"],
        counts: |f| f.has(Flags::SWAPBACKED) && !f.has(Flags::ANON),
    },
    Figure {
        fields: &["swapcached"],
        counts: |f| f.has(Flags::SWAPCACHE),
    },
    Figure {
        fields: &["unevictable"],
        counts: |f| f.has(Flags::LRU | Flags::UNEVICTABLE),
    },
    // Which of the two lists is reclaim's affair.
    Figure {
        fields: &["inactive_anon", "active_anon"],
        counts: |f| f.has(Flags::LRU | Flags::SWAPBACKED) && !f.has(Flags::UNEVICTABLE),
    },
    Figure {
        fields: &["inactive_file", "active_file"],
        counts: |f| f.has(Flags::LRU) && !f.has(Flags::SWAPBACKED) && !f.has(Flags::UNEVICTABLE),
    },
];

/// Pages by node.
type ByNode = BTreeMap<i32, i64>;
/// By figure. `None`: the kernel has no such figure.
type Count = Vec<Option<ByNode>>;

/// Has all pages of an area moved from one node to another and back, and compares what the kernel counts of both with where the pages are. No
/// page of it may go or come meanwhile; all are charged to the test's cgroup.
///
/// # Errors
/// `Skip` without memory.numa_stat, or when this machine does not migrate now.
#[track_caller]
pub fn follow(w: &World, actor: Actor, area: Area) -> TestResult {
    migrate::offered(w).map_err(Stop::Skip)?;
    let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    let nodes = &w.features().nodes;
    judge(w, own::gather(w, actor, area, nodes[0]))?;
    for to in [nodes[1], nodes[0]] {
        let (told, there) = (steady(w, memcg)?, places(w, actor, area)?);
        // What refuses to move is counted where it is.
        let moved = own::gather(w, actor, area, to);
        let mut until = w.limit(PATIENCE);
        loop {
            let now = places(w, actor, area)?;
            let wrong = compare((&told, &read(w, memcg)?), (&there, &now));
            match wrong {
                None => break,
                Some(wrong) if until.over() => {
                    let area = w.show(area);
                    return Err(Stop::fail(format_args!(
                        "what is counted of a node follows the pages that are moved to another: {} {area} to node {to}: {wrong}, give or take {SLACK}",
                        actor.name(),
                    )));
                }
                Some(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        judge(w, moved)?;
    }
    w.check()
}

/// Pages were to be gathered on a node. Why one has not gone there is for the walk to judge, which has pages of its own and so comes after
/// what was counted.
///
/// # Errors
/// `Skip` when the control's pages do not move either.
#[track_caller]
fn judge(w: &World, gathered: TestResult) -> TestResult {
    if let Err(Stop::Skip(_)) = gathered {
        only(w, &migrate::MIGRATE)?;
    }
    gathered
}

/// The first figure that has changed by more than the pages have.
fn compare(told: (&Count, &Count), there: (&Count, &Count)) -> Option<String> {
    for (i, figure) in FIGURES.iter().enumerate() {
        let (Some(before), Some(now)) = (&told.0[i], &told.1[i]) else {
            continue;
        };
        let (Some(from), Some(to)) = (&there.0[i], &there.1[i]) else {
            continue;
        };
        for (node, now) in now {
            let of = |count: &ByNode| count.get(node).copied().unwrap_or(0);
            let (more, wanted) = (now - of(before), of(to) - of(from));
            if (more - wanted).abs() > SLACK {
                return Some(format!(
                    "expected {wanted:+} pages in {} of node {node}, seen {more:+}",
                    figure.fields.join(" and ")
                ));
            }
        }
    }
    None
}

/// The figures, once they stand still: the kernel may bring them up to date by itself in between.
fn steady(w: &World, memcg: &Memcg) -> TestResult<Count> {
    let mut until = w.limit(PATIENCE);
    let mut before = read(w, memcg)?;
    loop {
        let now = read(w, memcg)?;
        let near =
            |a: &ByNode, b: &ByNode| a.iter().zip(b).all(|(a, b)| (a.1 - b.1).abs() <= STILL);
        let still = |pair: (&Option<ByNode>, &Option<ByNode>)| match pair {
            (Some(a), Some(b)) => near(a, b),
            _ => true,
        };
        if before.iter().zip(&now).all(still) {
            return Ok(now);
        }
        if until.over() {
            return Err(Stop::Skip(
                "needs a memory cgroup whose figures stand still",
            ));
        }
        before = now;
    }
}

/// What the kernel tells.
fn read(w: &World, memcg: &Memcg) -> TestResult<Count> {
    lru::drain().doing("drain the LRU batches")?;
    let flushed = memcg.flush_stats();
    flushed.doing("flush the cgroup's statistics")?;
    let stat = memcg.numa_stat().doing("read memory.numa_stat")?;
    let Some(stat) = stat else {
        return Err(Stop::Skip(
            "needs memory.numa_stat of cgroup v2 (Linux 5.10)",
        ));
    };
    let told = |f: &Figure| match f.fields {
        // Before Linux 5.11 a huge page counts as one there, and a CPU keeps up to 32 of them to itself (MEMCG_CHARGE_BATCH).
        ["anon_thp"] if w.features().version() < (5, 11) => None,
        _ => sum(w, f, &stat),
    };
    Ok(FIGURES.iter().map(told).collect())
}

fn sum(w: &World, figure: &Figure, stat: &NumaStat) -> Option<ByNode> {
    let mut all = ByNode::new();
    for field in figure.fields {
        for (&node, bytes) in stat.get(*field)? {
            *all.entry(node).or_insert(0) += *bytes as i64 / w.page_size() as i64;
        }
    }
    Some(all)
}

/// What it must come to: where the pages of an area are, and what they are.
fn places(w: &World, actor: Actor, area: Area) -> TestResult<Count> {
    let nodes = w.nodes_of(actor, area)?;
    let mut all: Count = FIGURES.iter().map(|_| Some(ByNode::new())).collect();
    let mut cached = false;
    let mut head = None;
    // A huge page is counted as one while somebody maps it by a PMD: a fork or a walk may leave entries of its parts to all.
    let by_pmd = |pid: &i32| vma::rollup_kb(*pid, "AnonHugePages").ok().flatten() != Some(0);
    let by_pmd = w.pids().iter().any(by_pmd);
    for (page, node) in w.pages_of(actor, area)?.into_iter().zip(nodes) {
        let Some((pfn, mut flags)) = page else {
            continue;
        };
        // Older kernels show of a tail what its own struct page says, which is little.
        if flags.has(Flags::COMPOUND_TAIL) {
            let at = match head {
                Some((last, at)) if pfn.0.get() == last + 1 => at,
                _ => w.folio_head(pfn)?,
            };
            head = Some((pfn.0.get(), at));
            flags = w.page_flags(at)?.unwrap_or(flags);
        } else {
            head = Some((pfn.0.get(), pfn));
        }
        cached |= flags.has(Flags::SWAPCACHE);
        for (figure, count) in FIGURES.iter().zip(&mut all) {
            let counts = (figure.counts)(flags) && (by_pmd || figure.fields != ["anon_thp"]);
            if let Some(count) = count.as_mut().filter(|_| counts) {
                *count.entry(node).or_insert(0) += 1;
            }
        }
    }
    if cached {
        // A page that comes to the swap cache counts as the node's NR_FILE_PAGES and not as the cgroup's (__add_to_swap_cache()), one that
        // moves as both.
        let files = FIGURES.iter().position(|f| f.fields == ["file"]);
        all[files.expect("there is one")] = None;
    }
    Ok(all)
}
