// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages before a walk, and what became of them.

use super::tally::{self, Kinds};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{NO_SWAP, Pfn, State};
use crate::world::check::Finding;
use crate::world::model::{ActorId, FrameId, Lock};
use crate::world::sight::Seen;
use crate::world::{Hold, World};
use crate::{Stop, TestResult};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How long a page may look torn before it counts: another user of the machine may move it between two reads.
const PATIENCE: Duration = Duration::from_millis(300);

/// One page of memory and all its mappers in the world, before a walk.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it was.
    pub pfn: Pfn,
    /// The frame that it holds (the first of them, when KSM has put several into one page).
    pub frame: FrameId,
    /// Its mappers.
    pub mappers: Vec<(ActorId, usize)>,
    /// Those of them in an mlocked VMA.
    pub locked: Vec<(ActorId, usize)>,
    /// Another page of its folio has a mapper in an mlocked VMA.
    pub beside_locked: bool,
    /// An unmerged page of the control actor.
    pub control: bool,
    /// The first part of a hugetlb page, which stands for the whole: such pages move, and nothing else.
    pub hugetlb: bool,
    /// Of a file on a disk, see [`Frame`](crate::world::model::Frame).
    pub disk: bool,
    /// Its mappers may share page tables, see [`Frame`](crate::world::model::Frame).
    pub tables_shared: bool,
    /// Its folio is held by more than its mappers.
    pub held: Option<Hold>,
    /// What its mappers map.
    pub kinds: Kinds,
}

/// What became of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// All mappers have it where it was.
    Stayed,
    /// No mapper has it any more: swap entries, or nothing for shared memory.
    Left,
    /// All mappers have it in the same new place.
    Moved(Pfn),
    /// A mixture.
    Torn,
}

/// All entries of a world by mapper.
pub type Entries = HashMap<(ActorId, usize), Seen>;

/// What every mapper shows now.
pub fn entries(w: &World) -> TestResult<Entries> {
    Ok(w.look()?.into_values().flatten().collect())
}

/// The present pages of a world, ascending by PFN.
pub fn pages(w: &World) -> TestResult<Vec<Page>> {
    let control = w.control()?.0;
    let mut all: BTreeMap<Pfn, Page> = BTreeMap::new();
    let seen = w.look()?;
    for (&frame, sightings) in &seen {
        let (hugetlb, disk, tables_shared, ksm) = {
            let frame = w.frame(frame);
            (frame.hugetlb, frame.disk, frame.tables_shared, frame.ksm)
        };
        for &(at, seen) in sightings {
            let Some(pfn) = seen.pfn() else { continue };
            if hugetlb
                && w.page_flags(pfn)?
                    .is_some_and(|f| f.has(Flags::COMPOUND_TAIL))
            {
                continue;
            }
            let page = all.entry(pfn).or_insert_with(|| Page {
                hugetlb,
                disk,
                tables_shared,
                ..Page::of(pfn, frame, Vec::new())
            });
            page.mappers.push(at);
            // The kernel finds merged pages in another way: what it refuses to them is judged by pages that it finds as usual.
            page.control |= at.0 == control && !ksm;
            if w.lock_of(at) != Lock::None {
                page.locked.push(at);
            }
        }
    }
    let mut pages: Vec<Page> = all.into_values().collect();
    let held = w.held_folios(&seen)?;
    if !held.is_empty() || pages.iter().any(|p| !p.locked.is_empty()) {
        mark_folios(w, &held, &mut pages)?;
    }
    tally::sort(w, &mut pages)?;
    w.tally().met(&pages);
    Ok(pages)
}

/// Notes which pages are part of a folio that is held or locked in part. They are in the order of their PFNs.
fn mark_folios(w: &World, held: &[(Pfn, Hold)], pages: &mut [Page]) -> TestResult {
    let mut locked: HashMap<Pfn, usize> = HashMap::new();
    let mut heads = Vec::with_capacity(pages.len());
    // The page before, and the head of its folio.
    let mut last: Option<(Pfn, Pfn)> = None;
    for page in &mut *pages {
        let tail = w
            .page_flags(page.pfn)?
            .is_some_and(|f| f.has(Flags::COMPOUND_TAIL));
        let head = match last {
            _ if !tail => page.pfn,
            Some((before, head)) if before.0.get() + 1 == page.pfn.0.get() => head,
            _ => w.folio_head(page.pfn)?,
        };
        last = Some((page.pfn, head));
        page.held = held.iter().find(|h| h.0 == head).map(|h| h.1);
        *locked.entry(head).or_default() += usize::from(!page.locked.is_empty());
        heads.push(head);
    }
    for (page, head) in pages.iter_mut().zip(heads) {
        page.beside_locked = locked[&head] > usize::from(!page.locked.is_empty());
    }
    Ok(())
}

/// Whether every mapper has the page where it was.
pub fn here(w: &World, page: &Page) -> TestResult<bool> {
    Ok(page.fate(&entries(w)?) == Fate::Stayed)
}

impl Page {
    /// A page that is known by its mappers only.
    pub(crate) fn of(pfn: Pfn, frame: FrameId, mappers: Vec<(ActorId, usize)>) -> Page {
        Page {
            pfn,
            frame,
            mappers,
            locked: Vec::new(),
            beside_locked: false,
            control: false,
            hugetlb: false,
            disk: false,
            tables_shared: false,
            held: None,
            kinds: Kinds::default(),
        }
    }

    /// What became of the page, by the entries of its mappers now.
    pub fn fate(&self, now: &Entries) -> Fate {
        let mut fate: Option<Fate> = None;
        let mut slot: Option<State> = None;
        for at in &self.mappers {
            let Some(seen) = now.get(at) else {
                return Fate::Torn;
            };
            if self.tables_shared && seen.state == State::Empty {
                continue;
            }
            let this = match seen.state {
                State::Present(Some(pfn)) if pfn == self.pfn => Fate::Stayed,
                State::Present(Some(pfn)) => Fate::Moved(pfn),
                State::Present(None) => return Fate::Torn,
                gone @ (State::Empty | State::Swapped(_)) => {
                    // All mappers of a swapped page hold the same swap entry.
                    if *slot.get_or_insert(gone) != gone {
                        return Fate::Torn;
                    }
                    Fate::Left
                }
            };
            match &fate {
                None => fate = Some(this),
                Some(f) if *f == this => {}
                Some(_) => return Fate::Torn,
            }
        }
        fate.unwrap_or(Fate::Torn)
    }

    /// A failure when a pinned page has left its place. Others may be let go of at any time by whoever holds them, and are not judged.
    #[track_caller]
    pub fn judge_pin(&self, w: &World, fate: &Fate, now: &Entries) -> TestResult {
        if self.held != Some(Hold::Pin) || *fate == Fate::Stayed {
            return Ok(());
        }
        // Reclaim unmaps shared memory before it looks at the count (shrink_folio_list()).
        if *fate == Fate::Left && w.frame(self.frame).cached {
            return Ok(());
        }
        Err(self.fail(w, "a pinned page stays where it is", "it is pinned", now))
    }

    /// The mappers and what they show, for a report.
    pub fn describe(&self, w: &World, now: &Entries) -> String {
        let sightings: Vec<_> = self
            .mappers
            .iter()
            .filter_map(|at| now.get(at).map(|s| (*at, *s)))
            .collect();
        format!("was at pfn {:#x}; now {}", self.pfn.0, w.others(&sightings))
    }

    /// A failure about this page.
    #[track_caller]
    pub fn fail(&self, w: &World, property: &'static str, detail: &str, now: &Entries) -> Stop {
        w.report(&Finding {
            property,
            detail: format!("{detail}; {}", self.describe(w, now)),
            at: self.mappers.first().copied(),
        })
    }
}

/// How long an entry of a migration may stay: whoever made it is at work on it.
const MIGRATING: Duration = Duration::from_secs(5);

/// After a walk no page is on its way any more. An entry that a migration or a split has left behind (remove_migration_ptes()) stops for ever
/// whoever touches the page; so this is looked at first, from outside.
#[track_caller]
pub fn settled(w: &World) -> TestResult {
    let mut until = w.limit(MIGRATING);
    loop {
        let all = w.look()?;
        let left = all.values().find_map(|sightings| {
            let stuck =
                |s: &Seen| matches!(s.state, State::Swapped(Some((ty, _))) if ty >= NO_SWAP);
            let at = sightings.iter().find(|(_, s)| stuck(s))?;
            Some((at.0, sightings))
        });
        let Some((at, sightings)) = left else {
            return Ok(());
        };
        if until.over() {
            return Err(w.report(&Finding {
                property: "every entry that a migration takes away comes back",
                detail: w.others(sightings),
                at: Some(at),
            }));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The fates of all pages. A torn one is looked at again for a while, the walk is not repeated: what a walk
/// missed stays missed, what another user of the machine is just moving does not stay torn.
pub fn fates(w: &World, pages: &[Page]) -> TestResult<(Entries, Vec<Fate>)> {
    let mut until = w.limit(PATIENCE);
    let mut pause = Duration::from_millis(1);
    loop {
        let now = entries(w)?;
        let fates: Vec<Fate> = pages.iter().map(|p| p.fate(&now)).collect();
        if !fates.contains(&Fate::Torn) || until.over() {
            return Ok((now, fates));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
