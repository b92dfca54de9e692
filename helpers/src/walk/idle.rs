// SPDX-License-Identifier: GPL-2.0-or-later
//! Idle page tracking: `/sys/kernel/mm/page_idle/bitmap` (page_idle_clear_pte_refs()).
//!
//! Setting the bit clears the accessed bit in every page-table entry; reading it looks whether any was set since.
//! So each mapper alone must be able to make the page not idle, and nobody's access must leave it idle.

use super::fate::{self, Fate, Page};
use super::{Taken, Walk, needs_pfn};
use crate::TestResult;
use crate::actor::Cmd;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::sys::numa::MPOL_MF_MOVE;
use crate::world::World;
use crate::world::model::ActorId;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;

/// The walk.
pub const IDLE: Walk = Walk {
    name: "idle",
    offered,
    take,
};

const FILE: &str = "/sys/kernel/mm/page_idle/bitmap";
/// Pages looked at, and mappers of each: the cost is their product.
const PAGES: usize = 24;
const MAPPERS: usize = 8;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if !w.features().kpageflags {
        return Err("needs /proc/kpageflags");
    }
    if w.features().page_idle {
        Ok(())
    } else {
        Err("needs CONFIG_IDLE_PAGE_TRACKING")
    }
}

fn take(w: &World) -> TestResult<Taken> {
    let bitmap = OpenOptions::new()
        .read(true)
        .write(true)
        .open(FILE)
        .doing(FILE)?;
    let mut pages = fate::pages(w)?;
    // hugetlb pages are on no LRU list, and only what is there has an idle bit.
    pages.retain(|p| !p.hugetlb);
    let (control, tested): (Vec<&Page>, Vec<&Page>) = pages.iter().partition(|p| p.control);
    // The control first: what does not work for it is not judged for others.
    for page in control.iter().take(2) {
        if let Some((_, seen)) = insist(w, &bitmap, page)? {
            return Ok(Taken::NotNow(format!("the control page: {seen}")));
        }
    }
    let step = tested.len().div_ceil(PAGES).max(1);
    // One bit for a folio: two parts of it would hide each other's access.
    let mut chosen: BTreeMap<Pfn, &Page> = BTreeMap::new();
    for page in tested.iter().step_by(step) {
        if let Some(head) = head(w, page.pfn)? {
            chosen.entry(head).or_insert(page);
        }
    }
    // The kernel does not take the last, partial word of the bitmap; a page in it is not looked at.
    let mut taken = BTreeMap::new();
    for (head, page) in chosen {
        if set_idle(&bitmap, head)? {
            taken.insert(head, page);
        }
    }
    let chosen = taken;
    if chosen.is_empty() {
        return Ok(Taken::Pointless);
    }
    let mut suspects: BTreeSet<Pfn> = BTreeSet::new();
    for round in 0..MAPPERS {
        suspects.extend(try_round(w, &bitmap, &chosen, round)?);
    }
    for head in &suspects {
        let page = chosen[head];
        if let Some((property, detail)) = insist(w, &bitmap, page)? {
            let now = fate::entries(w)?;
            // Moved by NUMA balancing or kcompactd since the walk began: what was looked at is somebody else's page now.
            if matches!(page.fate(&now), Fate::Moved(_) | Fate::Left) {
                continue;
            }
            return Err(page.fail(w, property, &detail, &now));
        }
    }
    Ok(Taken::Yes(format!("{} pages", chosen.len())))
}

/// Each page is set idle and read through its mapper number `round` alone, all pages at once: what looks wrong is
/// looked at singly afterwards.
fn try_round(
    w: &World,
    bitmap: &File,
    chosen: &BTreeMap<Pfn, &Page>,
    round: usize,
) -> TestResult<Vec<Pfn>> {
    let mut reads: BTreeMap<ActorId, Vec<usize>> = BTreeMap::new();
    let mut set = Vec::new();
    for (&head, page) in chosen {
        let mut readable = page.mappers.iter().filter(|at| w.is_readable(**at));
        let Some(&(actor, vpn)) = readable.nth(round) else {
            continue;
        };
        if set_idle(bitmap, head)? {
            set.push(head);
            reads.entry(actor).or_default().push(vpn * w.page_size());
        }
    }
    let mut suspects = Vec::new();
    for &head in &set {
        if !is_idle(bitmap, head)? {
            suspects.push(head);
        }
    }
    for (actor, addrs) in reads {
        // The entry that the CPU remembers has its accessed bit set already: an access through it
        // tells the kernel nothing.
        w.tell(actor, &Cmd::FlushTlb)?;
        w.tell(actor, &Cmd::Read { addrs })?;
    }
    for head in set {
        if is_idle(bitmap, head)? {
            suspects.push(head);
        }
    }
    Ok(suspects)
}

/// What is still wrong with one page after a few looks. One that is not on the LRU now has no idle bit; one reclaimed or moved
/// meanwhile is another page. Both look wrong for a moment only.
fn insist(w: &World, bitmap: &File, page: &Page) -> TestResult<Option<(&'static str, String)>> {
    let mut wrong = None;
    for _ in 0..4 {
        wrong = try_page(w, bitmap, page)?;
        if wrong.is_none() {
            break;
        }
        drain(w)?;
    }
    Ok(wrong)
}

/// What is wrong with one page; `None` when each mapper makes it not idle and nobody's access leaves it idle.
fn try_page(w: &World, bitmap: &File, page: &Page) -> TestResult<Option<(&'static str, String)>> {
    // The kernel keeps one idle bit for a whole folio, under the PFN of its first page.
    let Some(head) = head(w, page.pfn)? else {
        return Ok(None);
    };
    let readable = page.mappers.iter().filter(|at| w.is_readable(**at));
    for &(actor, vpn) in readable.take(MAPPERS) {
        if !set_idle(bitmap, head)? {
            return Ok(None);
        }
        if !is_idle(bitmap, head)? {
            let detail = String::from("not idle right after it was set");
            return Ok(Some(("a page nobody touches stays idle", detail)));
        }
        // The entry that the CPU remembers has its accessed bit set already: an access through it
        // tells the kernel nothing.
        w.tell(actor, &Cmd::FlushTlb)?;
        let addrs = vec![vpn * w.page_size()];
        w.tell(actor, &Cmd::Read { addrs })?;
        if is_idle(bitmap, head)? {
            let detail = format!("idle after {} has read it", w.actor_name(actor));
            return Ok(Some((
                "an access through any mapper makes a page not idle",
                detail,
            )));
        }
    }
    Ok(None)
}

/// The first page of the folio that a page is part of. `None` when kpageflags does not tell.
fn head(w: &World, pfn: Pfn) -> TestResult<Option<Pfn>> {
    let mut at = pfn;
    loop {
        match w.page_flags(at)? {
            Some(f) if f.has(Flags::COMPOUND_TAIL) => {}
            Some(_) => return Ok(Some(at)),
            None => return Ok(None),
        }
        match std::num::NonZero::new(at.0.get() - 1) {
            Some(n) => at = Pfn(n),
            None => return Ok(None),
        }
    }
}

/// Gets pages out of per-CPU LRU batches, where they have no LRU flag yet.
pub(super) fn drain(w: &World) -> TestResult {
    let (actor, area) = w.control()?;
    let addrs = vec![area.vpn * w.page_size()];
    let node = w.features().nodes.first().copied().unwrap_or(0);
    let cmd = Cmd::MovePages {
        pid: 0,
        addrs,
        node,
        flags: MPOL_MF_MOVE,
    };
    w.ask(actor, &cmd).map(drop)
}

/// Offset of the word in the bitmap, bytes, and the bit in it.
fn word(pfn: Pfn) -> (u64, u64) {
    (pfn.0.get() / 64 * 8, 1 << (pfn.0.get() % 64))
}

/// False when the kernel does not take the word: the last one of memory, when it is not a whole one.
fn set_idle(bitmap: &File, pfn: Pfn) -> TestResult<bool> {
    let (at, bit) = word(pfn);
    let n = bitmap
        .write_at(&bit.to_ne_bytes(), at)
        .doing("write the idle bitmap")?;
    Ok(n == 8)
}

fn is_idle(bitmap: &File, pfn: Pfn) -> TestResult<bool> {
    let (at, bit) = word(pfn);
    let mut buf = [0; 8];
    bitmap
        .read_exact_at(&mut buf, at)
        .doing("read the idle bitmap")?;
    Ok(u64::from_ne_bytes(buf) & bit != 0)
}
