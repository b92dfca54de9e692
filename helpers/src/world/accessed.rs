// SPDX-License-Identifier: GPL-2.0-or-later
//! Which pages of an area that userfaultfd protects from access have been accessed since: PAGE_IS_ACCESSED of PAGEMAP_SCAN.

use super::World;
use super::check::Finding;
use super::model::ActorId;
use super::sight::Lie;
use crate::kernel::pagemap::{Pagemap, State};
use crate::stop::Doing;
use crate::sys::uffd;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};

impl World<'_> {
    /// PAGEMAP_SCAN says of the pages that are registered for [`uffd::RWP`] that those were accessed which are there, in memory or in swap, and not
    /// protected in pagemap (pagemap_page_category(), pagemap_thp_category(), pagemap_hugetlb_category()).
    #[track_caller]
    pub(super) fn check_accessed(&self) -> TestResult {
        self.unless_it_lasts(|| {
            for (id, vpns) in self.shut_areas() {
                if let Some(finding) = self.wrong_accessed(id, &vpns)? {
                    return Ok(Some(finding));
                }
            }
            Ok(None)
        })
    }

    /// What living actors have registered.
    fn shut_areas(&self) -> BTreeMap<ActorId, Vec<usize>> {
        let (kept, model) = (self.kept.borrow(), self.model.borrow());
        let mut all: BTreeMap<ActorId, Vec<usize>> = BTreeMap::new();
        for (&(id, vpn), modes) in &kept.modes {
            let mapped = |id: ActorId| {
                model.spaces[id]
                    .as_ref()
                    .is_some_and(|s| s.contains_key(&vpn))
            };
            if modes & uffd::RWP != 0 && mapped(id) {
                all.entry(id).or_default().push(vpn);
            }
        }
        all
    }

    fn wrong_accessed(&self, id: ActorId, vpns: &[usize]) -> TestResult<Option<Finding>> {
        let pid = self.pid(id)?;
        // First, as it says when there is no pagemap.
        let seen = self.eye.entries(pid, vpns)?;
        let pagemap = Pagemap::open(pid).doing("open pagemap")?;
        let mut told = BTreeSet::new();
        for run in vpns.chunk_by(|a, b| a + 1 == *b) {
            match pagemap.accessed(run[0] * self.page, run.len() * self.page) {
                Ok(found) => told.extend(found.into_iter().map(|addr| addr / self.page)),
                // No such category.
                Err(Errno::EINVAL | Errno::ENOTTY) => return Ok(None),
                Err(e) => return Err(Stop::error(format_args!("PAGEMAP_SCAN: {e}"))),
            }
        }
        let lie = self.eye.lie == Some(Lie::Guard);
        for (&vpn, seen) in vpns.iter().zip(seen) {
            let there = matches!(seen.state, State::Present(_) | State::Swapped(_));
            let expected = there && !seen.entry.uffd_wp();
            if (told.contains(&vpn) ^ lie) != expected {
                return Ok(Some(Finding {
                    property: "PAGEMAP_SCAN tells which pages were accessed since they were protected",
                    detail: format!("PAGE_IS_ACCESSED is {}, seen {seen}", !expected),
                    at: Some((id, vpn)),
                }));
            }
        }
        Ok(None)
    }
}
