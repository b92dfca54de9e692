// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that some of their mappers have and others have in swap: looked at from outside, since a read would bring them in.

use super::check::Finding;
use super::model::Held;
use super::sight::Seen;
use super::{Actor, Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::{Pfn, State};
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);

impl World<'_> {
    /// Every private page as it is now, in memory or in swap: all its mappers agree on where it is, it is counted for those that map
    /// it, and it is exclusive to none while there are others. What is write-protected by userfaultfd is so in each entry, also of an
    /// object's pages. Brings nothing in.
    #[track_caller]
    pub fn check_partly(&self) -> TestResult {
        let mut until = self.limit(PATIENCE);
        loop {
            let Some(finding) = self.partly()? else {
                return Ok(());
            };
            if until.over() {
                return Err(self.report(&finding));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn partly(&self) -> TestResult<Option<Finding>> {
        let features = self.features();
        let all = self.look()?;
        if let Some(finding) = self.judge_guarded(&all) {
            return Ok(Some(finding));
        }
        if let Some(finding) = self.judge_guarded_zeroes()? {
            return Ok(Some(finding));
        }
        for (f, sightings) in all {
            let frame = self.frame(f);
            if frame.cached || frame.hugetlb || frame.ksm {
                continue;
            }
            let found = |property, detail: String| {
                Ok(Some(Finding {
                    property,
                    detail: format!("{detail}; {}", self.others(&sightings)),
                    at: sightings.first().map(|s| s.0),
                }))
            };
            let place = |want: fn(&State) -> bool| {
                let mut there = sightings.iter().map(|s| s.1.state).filter(want);
                let first = there.next();
                (
                    first,
                    1 + there.clone().count(),
                    there.all(|s| Some(s) == first),
                )
            };
            let (present, users, one) = place(|s| matches!(s, State::Present(_)));
            let (_, _, same) = place(|s| matches!(s, State::Swapped(_)));
            if !one || !same {
                return found(
                    "all sharers have the same page, or the same swap entry",
                    String::from("the mappers do not agree"),
                );
            }
            if sightings.iter().any(|s| s.1.state == State::Empty) {
                return found("a page is in memory or in swap", String::from("it is gone"));
            }
            let Some(State::Present(Some(pfn))) = present else {
                continue;
            };
            let flags = self.page_flags(pfn)?;
            let large =
                flags.is_none_or(|f| f.0 & (Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL) != 0);
            if large {
                continue;
            }
            if let Some(count) = self.eye.count(pfn)?
                && features.kpagecount
                && count != users as u64
            {
                return found(
                    "the mapcount is the number of mappers",
                    format!("pfn {pfn}: expected kpagecount {users}, seen {count}"),
                );
            }
            let soft = |s: &((usize, usize), Seen)| {
                let model = self.model();
                let dirty = model.spaces[s.0.0]
                    .as_ref()
                    .is_some_and(|m| m[&s.0.1].soft_dirty);
                dirty && !s.1.entry.soft_dirty()
            };
            if features.soft_dirty && sightings.iter().any(soft) {
                return found(
                    "a page written or moved since the soft-dirty bits were cleared is soft-dirty",
                    String::from("a mapper has lost the bit"),
                );
            }
            if features.anon_exclusive
                && sightings.len() > 1
                && flags.is_some_and(|f| f.has(Flags::ANON_EXCLUSIVE))
            {
                return found(
                    "a page that others have in swap is not exclusive",
                    format!("pfn {pfn}, flags {flags:?}"),
                );
            }
        }
        Ok(None)
    }
}

impl Actor<'_, '_> {
    /// MADV_FREE. Until they are written again the pages of the area may be taken at any time:
    /// [`Actor::settle_freed`] says what became of them. The actor's other pages are not given up with them, as parts of the same folios.
    #[track_caller]
    pub fn free(&self, area: Area) -> TestResult {
        let w = self.world;
        let given_up = |pfn: Option<(Pfn, Flags)>| pfn.filter(|(_, f)| !f.has(Flags::SWAPBACKED));
        let mut kept = Vec::new();
        for run in w.runs(self.id) {
            for (vpn, seen) in run.vpns().zip(w.pages_of(*self, run)?) {
                // A tail page shows no flags of its folio before Linux 6.10.
                if seen.is_some() && given_up(seen).is_none() && !area.vpns().contains(&vpn) {
                    kept.push((vpn, seen));
                }
            }
        }
        self.advise(area, advice::FREE)?;
        lru::drain().doing("drain the LRU batches")?;
        for (vpn, before) in kept {
            let now = w.pages_of(*self, Area { vpn, pages: 1 })?[0];
            let same = |(pfn, _): &(Pfn, Flags)| before.is_some_and(|b| b.0 == *pfn);
            if let Some((pfn, flags)) = given_up(now).filter(same) {
                return Err(w.report(&Finding {
                    property: "MADV_FREE gives up the pages of its range and no others",
                    detail: format!("pfn {pfn}, flags {flags:?}"),
                    at: Some((self.id, vpn)),
                }));
            }
        }
        Ok(())
    }

    /// Each freed page has its old content or is all zeroes; then all are written anew. How many were zeroes. One that is pinned or in a pipe
    /// has its old content: try_to_unmap_one() takes none that has more references than mappings.
    #[track_caller]
    pub fn settle_freed(&self, area: Area) -> TestResult<usize> {
        let w = self.world;
        w.note(format!(
            "{}: look what became of {}",
            self.name(),
            w.show(area)
        ));
        let mut gone = 0;
        for vpn in area.vpns() {
            let Some(f) = w.frame_at(self.id, vpn) else {
                continue;
            };
            let stamp = w.frame(f).stamp;
            if self.differs(vpn, stamp)? {
                if self.differs(vpn, 0)? {
                    return Err(w.report(&Finding {
                        property: "a page freed with MADV_FREE has its old content or zeroes",
                        detail: String::from("it has something else"),
                        at: Some((self.id, vpn)),
                    }));
                }
                if w.is_held(f) {
                    return Err(w.report(&Finding {
                        property: "a page that somebody holds is not taken away, whether freed with MADV_FREE or not",
                        detail: String::from("it is all zeroes"),
                        at: Some((self.id, vpn)),
                    }));
                }
                gone += 1;
                let page = Area { vpn, pages: 1 };
                w.each_slot(*self, page, |slot| slot.held = Held::Zero);
            }
        }
        self.write(area)?;
        Ok(gone)
    }

    fn differs(&self, vpn: usize, stamp: u64) -> TestResult<bool> {
        let (w, page) = (self.world, self.world.page);
        let pages = vec![(vpn * page, stamp)];
        match w.ask(self.id, &Cmd::Compare { page, pages })? {
            Reply::Differs(diffs) => Ok(!diffs.is_empty()),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }
}
