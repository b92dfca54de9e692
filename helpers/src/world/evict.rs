// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are in swap when the next step is taken. The walk of reclaim ends with a check, which brings all of them back.

use super::check::Finding;
use super::model::{ActorId, Exclusive};
use super::sight::Seen;
use super::{Actor, Area, World};
use crate::actor::Cmd;
use crate::kernel::lru;
use crate::kernel::pagemap::State;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long reclaim is asked: pages in another CPU's LRU batch are left out.
const LIMIT: Duration = Duration::from_secs(2);

/// How often shared pages are to stay.
const ROUNDS: usize = 4;

impl World<'_> {
    /// Gives the control pages that no swap has a copy of: what has been to swap may go again without a slot in it.
    pub(crate) fn freshen_control(&self) -> TestResult {
        let (id, area) = self.control()?;
        self.actor_by_id(id).write(area)
    }

    /// Whether MADV_PAGEOUT takes a page of the control now.
    fn control_pages_out(&self) -> TestResult<bool> {
        self.freshen_control()?;
        let (id, area) = self.control()?;
        let cmd = Cmd::Advise {
            addr: area.vpn * self.page,
            len: area.pages * self.page,
            advice: advice::PAGEOUT,
        };
        self.tell(id, &cmd)?;
        self.each_frame(|frame| frame.exclusive = Exclusive::Either);
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(self.pid(id)?, &vpns)?;
        Ok(seen.iter().any(|s| matches!(s.state, State::Swapped(_))))
    }

    /// Whether a folio that nobody asks for stays in memory while MADV_PAGEOUT takes the control.
    fn stays(&self, id: ActorId, folio: Area) -> TestResult<bool> {
        let vpns: Vec<usize> = folio.vpns().collect();
        for _ in 0..ROUNDS {
            self.control_pages_out()?;
            let seen = self.eye.entries(self.pid(id)?, &vpns)?;
            if !seen.iter().all(|s| matches!(s.state, State::Present(_))) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Actor<'_, '_> {
    /// MADV_PAGEOUT of pages that this actor has for itself, until all of them are in swap.
    ///
    /// # Errors
    /// `Skip` without swap of the suite's own, and when the kernel does not take a page of the control either.
    #[track_caller]
    pub fn page_out(&self, area: Area) -> TestResult {
        let w = self.world;
        let Some(stayed) = self.stays_asked(area)? else {
            return Ok(());
        };
        if !w.control_pages_out()? {
            return Err(Stop::Skip("needs MADV_PAGEOUT that takes pages now"));
        }
        Err(w.report(&Finding {
            property: "MADV_PAGEOUT takes every page that one process has for itself",
            detail: String::from("it takes the control's, and not this one"),
            at: Some((self.id, stayed)),
        }))
    }

    /// MADV_PAGEOUT until all pages of an area are in swap; the first that is not when time is over.
    fn stays_asked(&self, area: Area) -> TestResult<Option<usize>> {
        let w = self.world;
        w.arena().swap.as_ref().map_err(|e| Stop::Skip(e))?;
        w.note(format!("{}: madvise PAGEOUT {}", self.name(), w.show(area)));
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            advice: advice::PAGEOUT,
        };
        let vpns: Vec<usize> = area
            .vpns()
            .filter(|&v| w.is_populated(self.id, v))
            .collect();
        let mut until = w.limit(LIMIT);
        let mut pause = Duration::from_millis(1);
        let stayed = loop {
            // What is in the batch of another CPU is passed over, and may be there for long.
            lru::drain().doing("drain the LRU batches")?;
            w.tell(self.id, &cmd)?;
            let seen = w.eye.entries(w.pid(self.id)?, &vpns)?;
            let stayed = seen
                .iter()
                .position(|s| !matches!(s.state, State::Swapped(_)));
            match stayed {
                None => break None,
                Some(i) if until.over() => break Some(vpns[i]),
                Some(_) => {}
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        };
        let mut model = w.model.borrow_mut();
        for vpn in vpns {
            if let Some(f) = model.frame_at(self.id, vpn) {
                model.frames[f].exclusive = Exclusive::Either;
            }
        }
        Ok(stayed)
    }

    /// MADV_PAGEOUT of base pages all of which others map too, again and again beside pages of this actor alone (`own`), which go: they
    /// stay for the others' sake (madvise_cold_or_pageout_pte_range()).
    ///
    /// # Errors
    /// `Skip` where the kernel does not take what is `own` either.
    #[track_caller]
    pub fn page_out_shared(&self, shared: Area, own: Area) -> TestResult {
        let w = self.world;
        let vpns: Vec<usize> = shared.vpns().collect();
        let mut looked = false;
        for _ in 0..ROUNDS {
            // Nothing is left from before that swap has a copy of.
            self.read(shared)?;
            self.write(own)?;
            let before = w.eye.entries(w.pid(self.id)?, &vpns)?;
            w.note(format!(
                "{}: madvise PAGEOUT {}",
                self.name(),
                w.show(shared)
            ));
            let cmd = Cmd::Advise {
                addr: shared.vpn * w.page,
                len: shared.pages * w.page,
                advice: advice::PAGEOUT,
            };
            // What is in a CPU's batch is left out, whoever maps it.
            lru::drain().doing("drain the LRU batches")?;
            w.tell(self.id, &cmd)?;
            let after = w.eye.entries(w.pid(self.id)?, &vpns)?;
            self.page_out(own)?;
            let gone = after
                .iter()
                .filter(|s| matches!(s.state, State::Swapped(_)))
                .count();
            let there = |s: &&Seen| matches!(s.state, State::Present(_));
            let was = before.iter().filter(there).count();
            // Others may reclaim at any time, but not some of it just then, each time.
            if was == vpns.len() && gone == 0 {
                return Ok(());
            }
            looked |= was == vpns.len();
        }
        if !looked {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        }
        Err(w.report(&Finding {
            property: "MADV_PAGEOUT leaves what other processes map too",
            detail: format!("some of it went, {ROUNDS} times"),
            at: Some((self.id, shared.vpn)),
        }))
    }
    /// MADV_PAGEOUT of a part of a large folio that this actor has for itself: the part goes, what is outside of it stays. `fresh` makes
    /// the folio, for each look anew. Whether the part went: a folio that is mapped by single entries is left alone before Linux 6.6.
    ///
    /// # Errors
    /// `Skip` where others reclaim.
    #[track_caller]
    pub fn page_out_part(
        &self,
        folio: Area,
        part: Area,
        fresh: impl Fn() -> TestResult,
    ) -> TestResult<bool> {
        let w = self.world;
        let outside: Vec<usize> = folio.vpns().filter(|v| !part.vpns().contains(v)).collect();
        let mut gone = None;
        for _ in 0..ROUNDS {
            fresh()?;
            lru::drain().doing("drain the LRU batches")?;
            let went = self.stays_asked(part)?.is_none();
            let seen = w.eye.entries(w.pid(self.id)?, &outside)?;
            let there = |s: &Seen| matches!(s.state, State::Present(_));
            // Others may reclaim at any time, but not some of it just then, each time.
            match seen.iter().position(|s| !there(s)) {
                None => return Ok(went),
                Some(i) => gone = Some((outside[i], seen[i])),
            }
        }
        let Some((vpn, seen)) = gone else {
            return Ok(false);
        };
        // What goes by itself is not the advice's.
        fresh()?;
        if !w.stays(self.id, folio)? {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        }
        Err(w.report(&Finding {
            property: "MADV_PAGEOUT leaves what is outside of its range",
            detail: format!("some of it went, {ROUNDS} times; the last time {seen}"),
            at: Some((self.id, vpn)),
        }))
    }
}
