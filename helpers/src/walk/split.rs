// SPDX-License-Identifier: GPL-2.0-or-later
//! Splitting huge pages, through debugfs or as reclaim does: unmap_folio() and remap_page() visit every mapper.

use super::fate::{self, Fate, Page};
use super::migrate::PATIENCE;
use super::{Taken, Walk, needs_pfn, reclaim};
use crate::TestResult;
use crate::kernel::kpage::Flags;
use crate::kernel::thp;
use crate::pace::Tries;
use crate::sys::mem::advice;
use crate::world::{Area, Hold, World};
use std::path::PathBuf;

/// The walk.
pub const SPLIT: Walk = Walk {
    name: "split",
    offered,
    take,
};

/// A split is refused while anybody holds a reference (LRU batches do): asked again this often.
const ATTEMPTS: usize = 6;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if !w.features().kpageflags {
        return Err("needs /proc/kpageflags");
    }
    if !w.features().thp {
        return Err("needs transparent huge pages");
    }
    if debugfs_file(w).is_none() {
        // Locked down kernels show the file and refuse to open it.
        return (reclaim::RECLAIM.offered)(w)
            .map_err(|_| "needs split_huge_pages in debugfs, or the reclaim walk");
    }
    Ok(())
}

fn debugfs_file(w: &World) -> Option<PathBuf> {
    w.features().debugfs.as_deref().and_then(thp::split_file)
}

/// Without debugfs: every mapper gives the last part of each huge page back, which puts it on the list of
/// partly mapped pages (deferred_split_folio()); reclaim splits those before it takes their parts.
fn deferred(w: &World, huge: &[Page]) -> TestResult<Taken> {
    let mut lasts: Vec<&Page> = Vec::new();
    for (i, page) in huge.iter().enumerate() {
        // Pages are in the order of their PFNs: the last part is followed by another folio or a gap.
        let next = huge
            .get(i + 1)
            .filter(|n| n.pfn.0.get() == page.pfn.0.get() + 1);
        let next_is_head = match next {
            Some(n) => w
                .page_flags(n.pfn)?
                .is_some_and(|f| f.has(Flags::COMPOUND_HEAD)),
            None => true,
        };
        // Pages of files are not given back by their mappers.
        let anon = !w.frame(page.frame).cached;
        if next_is_head && page.locked.is_empty() && page.held.is_none() && anon {
            lasts.push(page);
        }
    }
    if lasts.is_empty() {
        return Ok(Taken::Pointless);
    }
    for page in &lasts {
        for &(actor, vpn) in &page.mappers {
            w.actor_by_id(actor)
                .advise(Area { vpn, pages: 1 }, advice::DONTNEED)?;
        }
    }
    match (reclaim::RECLAIM.take)(w)? {
        Taken::Yes(_) => {
            w.tally().walked(SPLIT.name, lasts.iter().copied());
            Ok(Taken::Yes(format!(
                "{} folios, deferred, by reclaim",
                lasts.len()
            )))
        }
        other => Ok(other),
    }
}

fn huge<'p>(w: &World, pages: &'p [Page]) -> TestResult<Vec<&'p Page>> {
    let mut found = Vec::new();
    for page in pages {
        if w.page_flags(page.pfn)?.is_some_and(|f| f.has(Flags::THP)) {
            found.push(page);
        }
    }
    Ok(found)
}

fn take(w: &World) -> TestResult<Taken> {
    let before = fate::pages(w)?;
    let tested: Vec<Page> = huge(w, &before)?.into_iter().cloned().collect();
    if tested.is_empty() {
        return Ok(Taken::Pointless);
    }
    let Some(file) = debugfs_file(w) else {
        return deferred(w, &tested);
    };
    let control = control(w)?;
    // Who holds a part holds the folio: it cannot be split.
    let (held, tested): (Vec<Page>, Vec<Page>) = tested.into_iter().partition(|p| p.held.is_some());
    let mut left = tested.clone();
    let mut control_split = false;
    for _ in Tries::new(ATTEMPTS, PATIENCE) {
        for target in left.iter().chain(&control).chain(held.first()) {
            let (actor, vpn) = target.mappers[0];
            let at = vpn * w.page_size();
            // EINVAL: nothing was split. What happened is judged by the pages.
            let _ = thp::split(&file, w.pid(actor)?, at, at + w.page_size());
        }
        let (now, fates) = fate::fates(w, &tested)?;
        for (page, f) in tested.iter().zip(&fates) {
            if *f == Fate::Torn {
                return Err(page.fail(
                    w,
                    "a split keeps every part mapped by every mapper",
                    "the mappers do not agree",
                    &now,
                ));
            }
        }
        judge_held(w, &held)?;
        left = huge(w, &left)?.into_iter().cloned().collect();
        control_split = huge(w, &control)?.is_empty();
        if left.is_empty() {
            w.tally().walked(SPLIT.name, &tested);
            return Ok(Taken::Yes(format!(
                "{} pages, {} held",
                tested.len(),
                held.len()
            )));
        }
    }
    if !control_split {
        return Ok(Taken::NotNow(String::from(
            "the control page was not split either",
        )));
    }
    // ext4 of 6.16, the first with large folios, does not give up those behind the first 4 GiB of a file.
    if w.features().version() == (6, 16) && left.iter().all(|p| p.disk) {
        return Ok(Taken::NotNow(String::from(
            "the file system keeps its folios whole",
        )));
    }
    let now = fate::entries(w)?;
    let detail = format!(
        "{} part(s) still huge, asked for again and again while the control was split",
        left.len()
    );
    Err(left[0].fail(
        w,
        "every huge page can be split whoever maps it",
        &detail,
        &now,
    ))
}

/// A pinned folio stays whole and in its place (can_split_folio()).
fn judge_held(w: &World, held: &[Page]) -> TestResult {
    let (now, fates) = fate::fates(w, held)?;
    for (page, f) in held.iter().zip(&fates) {
        page.judge_pin(w, f, &now)?;
    }
    let pinned: Vec<Page> = held
        .iter()
        .filter(|p| p.held == Some(Hold::Pin))
        .cloned()
        .collect();
    if huge(w, &pinned)?.len() != pinned.len() {
        let detail = "a part of it is no part of a huge page any more";
        return Err(pinned[0].fail(w, "a pinned folio is not split", detail, &now));
    }
    Ok(())
}

/// A huge page of the control actor, mapped by nobody else; one of its parts.
fn control(w: &World) -> TestResult<Vec<Page>> {
    let (actor, _) = w.control()?;
    let area = w.control_huge()?;
    let all = fate::pages(w)?;
    let parts: Vec<Page> = all
        .iter()
        .filter(|p| {
            p.mappers
                .iter()
                .any(|&(a, v)| a == actor && area.vpns().contains(&v))
        })
        .cloned()
        .collect();
    Ok(huge(w, &parts)?.into_iter().take(1).cloned().collect())
}
