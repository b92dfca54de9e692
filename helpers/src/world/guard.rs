// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that userfaultfd write-protects (UFFDIO_WRITEPROTECT): the mark is each mapper's own, in its page-table entry, and has to
//! come along through migration entries, swap entries and the parts of a split huge page.

use super::check::{Finding, Sightings};
use super::model::{ActorId, FrameId};
use super::sight::Lie;
use super::{Actor, Area, World};
use crate::actor::uffd::Cmd as Uffd;
use crate::actor::{Cmd, Reply};
use crate::{Stop, TestResult};
use std::collections::BTreeMap;

impl Actor<'_, '_> {
    /// UFFDIO_WRITEPROTECT of pages that are there. The script reads them and does not write to them: a write would wait forever. A
    /// child does not inherit it. Let go by [`Actor::unguard`].
    ///
    /// # Errors
    /// `Skip` where the kernel cannot, or does not show it in pagemap (bit 57, Linux 5.13).
    #[track_caller]
    pub fn guard(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: UFFDIO_WRITEPROTECT {}",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        if let Reply::Errno(_) = w.ask(self.id, &Cmd::Uffd(Uffd::Protect { addr, len }))? {
            return Err(Stop::Skip("needs UFFDIO_WRITEPROTECT"));
        }
        w.guard(self.id, area)
    }

    /// Gives all of it up. A child forked meanwhile has the file too, and keeps it in force.
    #[track_caller]
    pub fn unguard(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: no more UFFDIO_WRITEPROTECT", self.name()));
        w.tell(self.id, &Cmd::Uffd(Uffd::Unprotect))?;
        w.guarded.borrow_mut().retain(|(id, _)| *id != self.id);
        Ok(())
    }
}

impl World<'_> {
    /// Pages of an actor are write-protected from now on, and every check expects it. A kernel that shows it of none has no such bit in
    /// pagemap; one page that lacks it is a failure of the next check.
    pub(super) fn guard(&self, id: ActorId, area: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(self.pid(id)?, &vpns)?;
        if !seen.iter().any(|s| s.entry.uffd_wp()) {
            return Err(Stop::Skip(
                "needs the write protection in pagemap (Linux 5.13)",
            ));
        }
        let mut guarded = self.guarded.borrow_mut();
        guarded.extend(vpns.into_iter().map(|vpn| (id, vpn)));
        Ok(())
    }

    /// Who write-protected a page has it so, and nobody else.
    pub(super) fn judge_guarded(&self, all: &BTreeMap<FrameId, Sightings>) -> Option<Finding> {
        let guarded = self.guarded.borrow();
        let model = self.model.borrow();
        for (&f, sightings) in all {
            // replace_page() does not carry the mark over.
            if model.frames[f].ksm {
                continue;
            }
            for (at, seen) in sightings {
                let lie = self.eye.lie == Some(Lie::Guard);
                let expected = guarded.contains(at);
                if (seen.entry.uffd_wp() && !lie) != expected {
                    return Some(Finding {
                        property: "a page is write-protected by userfaultfd where it was asked for, and nowhere else",
                        detail: format!(
                            "pagemap bit 57 is {}; {}",
                            u8::from(seen.entry.uffd_wp()),
                            self.others(sightings)
                        ),
                        at: Some(*at),
                    });
                }
            }
        }
        None
    }
}
