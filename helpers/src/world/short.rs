// SPDX-License-Identifier: GPL-2.0-or-later
//! A pool of huge pages that has none left. Who was promised pages (a reserved private mapping) keeps those that it writes to, and they are
//! taken from all who share them since a fork (unmap_ref_private()): these find nothing there ever after, and no zeroes either.

use super::check::Finding;
use super::model::{ActorId, Held};
use super::{Actor, Area, World};
use crate::kernel::hugetlb;
use crate::kernel::pagemap::{Pfn, State};
use crate::stop::Doing;
use crate::{Stop, TestResult};
use nix::libc::PROT_READ;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the pool may take to become empty: some pages are freed by a worker.
const LIMIT: Duration = Duration::from_secs(2);
const NOBODY_ELSE: &str = "needs a pool of huge pages that nobody else uses";

impl World<'_> {
    /// Nobody gets a page from the pool of huge pages any more that was not promised to it.
    ///
    /// # Errors
    /// `Skip` when others give pages to the pool.
    #[track_caller]
    pub fn empty_pool(&self) -> TestResult {
        self.flush()?;
        self.note(String::from("the pool of huge pages is emptied"));
        let mut until = self.limit(LIMIT);
        loop {
            hugetlb::empty().doing("make the pool smaller")?;
            if hugetlb::free() == 0 {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::Skip(NOBODY_ELSE));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Who has lost a hugetlb page is refused to read there.
    #[track_caller]
    pub fn check_lost(&self) -> TestResult {
        self.note(String::from("all who lost a hugetlb page read there"));
        let huge = hugetlb::default_size().unwrap_or(self.page);
        let lost: Vec<(ActorId, usize)> = {
            let model = self.model.borrow();
            let living = model.living();
            let slots =
                living.flat_map(|id| model.spaces[id].iter().flatten().map(move |s| (id, s)));
            slots
                .filter(|(_, (vpn, s))| {
                    let hugetlb = s.object.is_some_and(|(o, _)| model.objects[o].hugetlb);
                    // One page of each stands for its neighbours: they have one entry.
                    let first = (*vpn * self.page).is_multiple_of(huge);
                    hugetlb && first && s.held == Held::Gone && s.prot & PROT_READ != 0
                })
                .map(|(id, (&vpn, _))| (id, vpn))
                .collect()
        };
        for (id, vpn) in lost {
            if self.actor_by_id(id).probe(Area { vpn, pages: 1 })? != [false] {
                return Err(self.report(&Finding {
                    property: "who has lost a hugetlb page does not find other contents there",
                    detail: String::from("a read succeeded"),
                    at: Some((id, vpn)),
                }));
            }
        }
        Ok(())
    }

    fn pfn_at(&self, id: ActorId, vpn: usize) -> TestResult<Option<Pfn>> {
        Ok(self.eye.entries(self.pid(id)?, &[vpn])?[0].pfn())
    }
}

impl Actor<'_, '_> {
    /// Writes to a private hugetlb page while the pool is empty (see [`World::empty_pool`]). The mapping is a reserved one that this actor has
    /// made, and all others have theirs by a fork: they lose the page.
    ///
    /// # Errors
    /// `Skip` when there was a page in the pool for a copy.
    #[track_caller]
    pub fn write_alone(&self, huge: Area) -> TestResult {
        let w = self.world;
        let frame = |vpn| w.frame_at(self.id, vpn);
        let frames: BTreeSet<usize> = huge.vpns().filter_map(frame).collect();
        let mut others = Vec::new();
        {
            let mut model = w.model.borrow_mut();
            for (id, space) in model.spaces.iter_mut().enumerate() {
                for (&vpn, slot) in space.iter_mut().flatten() {
                    if id != self.id && matches!(slot.held, Held::Frame(f) if frames.contains(&f)) {
                        slot.held = Held::Gone;
                        others.push((id, vpn));
                    }
                }
            }
        }
        self.write(huge)?;
        let mine = w.pfn_at(self.id, huge.vpn)?;
        let mut left = Vec::new();
        for &(id, vpn) in &others {
            let seen = w.eye.entries(w.pid(id)?, &[vpn])?[0];
            if matches!(seen.state, State::Present(_)) {
                left.push((id, vpn));
            }
        }
        if !left.is_empty() && left == others && w.pfn_at(left[0].0, left[0].1)? != mine {
            return Err(Stop::Skip(NOBODY_ELSE));
        }
        if let Some(&at) = left.first() {
            return Err(w.report(&Finding {
                property: "a hugetlb page that its owner needs is taken from all who share it",
                detail: format!("{} of {} have it", left.len(), others.len()),
                at: Some(at),
            }));
        }
        Ok(())
    }
}
