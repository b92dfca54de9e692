// SPDX-License-Identifier: GPL-2.0-or-later
//! The oracles: model against kernel, every mapper of every frame.
//!
//! Two halves. *Content* lets each actor read each of its pages through its own page tables and
//! compare every word. *Structure* looks from outside, through /proc: where each page is, how often
//! it is mapped, what its flags say.
//!
//! Reading is not atomic. ksmd, kcompactd or another user of the machine may move a page between two reads of two
//! mappers, so a difference counts only when it is still there after the observation (never the walk) was repeated
//! for a while: a page that one mapper lost does not come back by looking again.

use super::model::{FrameId, Held};
use super::sight::{Lie, Seen};
use super::{Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::vma;
use crate::{Stop, TestResult};
use nix::libc::PROT_READ;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);
/// Pages per Compare command.
const CHUNK: usize = 1500;

/// Where each mapper of one frame is.
pub type Sightings = Vec<((usize, usize), Seen)>;

/// One thing that is not as the model says.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The property, in words.
    pub property: &'static str,
    /// What was expected and seen.
    pub detail: String,
    /// A mapper to show the VMA of.
    pub at: Option<(usize, usize)>,
}

impl World<'_> {
    /// Compares everything with the kernel: content first (which brings swapped pages back), then structure.
    #[track_caller]
    pub fn check(&self) -> TestResult {
        // Before the pages are read, which brings back what is in swap.
        self.check_accessed()?;
        // Reclaim by others may take a page between the two halves: read again then.
        for _ in 0..3 {
            self.check_content()?;
            match self.check_structure()? {
                None => return Ok(()),
                Some(finding) if finding.property == RESIDENT => {
                    self.diag(format_args!("under memory pressure: {}", finding.detail));
                }
                Some(finding) => return Err(self.report(&finding)),
            }
        }
        Err(Stop::Skip("needs memory that nobody else reclaims"))
    }

    /// Every readable page that the model knows the content of, read by its own actor.
    #[track_caller]
    pub fn check_content(&self) -> TestResult {
        let mut ids: Vec<usize> = self.model.borrow().living().collect();
        // Whoever reads first swaps a shared page in, and its anon_vma may be the one that the new page gets: parents
        // and children take turns.
        let turn = self.turns.get();
        self.turns.set(turn + 1);
        if turn % 2 == 1 {
            ids.reverse();
        }
        let liar = self
            .lie_target()
            .filter(|_| self.eye.lie == Some(Lie::Content));
        let mut cmds = Vec::new();
        for id in ids {
            let pages: Vec<(usize, u64)> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                space
                    .iter()
                    .filter(|(vpn, s)| s.prot & PROT_READ != 0 && !self.is_shut((id, **vpn)))
                    .filter_map(|(&vpn, s)| match s.held {
                        Held::Nothing | Held::Gone | Held::Guard => None,
                        Held::Zero => Some((vpn, 0)),
                        Held::Frame(f) => Some((vpn, model.frames[f].stamp)),
                    })
                    .map(|(vpn, stamp)| {
                        let lie = liar == Some((id, vpn));
                        (vpn * self.page, if lie { stamp ^ 2 } else { stamp })
                    })
                    .collect()
            };
            let page = self.page;
            cmds.extend(pages.chunks(CHUNK).map(|chunk| {
                let pages = chunk.to_vec();
                (id, Cmd::Compare { page, pages })
            }));
        }
        let replies = self.ask_all(&cmds)?;
        for ((id, _), reply) in cmds.iter().zip(replies) {
            self.judge_content(*id, reply)?;
        }
        self.check_closed()
    }

    #[track_caller]
    fn compare(&self, id: usize, pages: Vec<(usize, u64)>) -> TestResult {
        let cmd = Cmd::Compare {
            page: self.page,
            pages,
        };
        let reply = self.ask(id, &cmd)?;
        self.judge_content(id, reply)
    }

    #[track_caller]
    pub(super) fn judge_content(&self, id: usize, reply: Reply) -> TestResult {
        let diffs = match reply {
            Reply::Differs(diffs) => diffs,
            other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        };
        let Some(first) = diffs.first() else {
            return Ok(());
        };
        let vpn = first.addr / self.page;
        let whose = self.owner_of_word(first.seen, first.addr % self.page / 8);
        Err(self.report(&Finding {
            property: "each mapper reads what was last written to its page",
            detail: format!(
                "{} page(s) wrong; first: word {} of the page is {:#x}, expected {:#x}{whose}",
                diffs.len(),
                first.addr % self.page / 8,
                first.seen,
                first.expected
            ),
            at: Some((id, vpn)),
        }))
    }

    /// If a wrong word belongs to another frame, says to which: a page in a wrong place is told
    /// from one that was lost.
    pub(super) fn owner_of_word(&self, word: u64, index: usize) -> String {
        if word == 0 {
            return String::from(" (zero: the page was lost or never arrived)");
        }
        let model = self.model.borrow();
        let owner = (0..model.frames.len())
            .find(|&f| crate::sys::mem::pattern_word(model.frames[f].stamp, index) == word);
        match owner {
            Some(f) => format!(" (that is the content of frame {f})"),
            None => String::new(),
        }
    }

    /// Reads an area that must be all zeroes in one actor, as wiped or fresh memory is.
    #[track_caller]
    pub fn check_zero(&self, id: usize, area: Area) -> TestResult {
        let pages = area.vpns().map(|v| (v * self.page, 0)).collect();
        self.note(format!(
            "{}: read {}, expecting zeroes",
            self.actor_name(id),
            self.show(area)
        ));
        self.compare(id, pages)?;
        self.model.borrow_mut().change(id, area.vpns(), |s| {
            if s.held == Held::Nothing {
                s.held = Held::Zero;
            }
        });
        Ok(())
    }

    /// All mappers of all frames, as the kernel shows them now.
    pub fn look(&self) -> TestResult<BTreeMap<FrameId, Sightings>> {
        let mut all: BTreeMap<FrameId, Sightings> = BTreeMap::new();
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let lie = self.lie_target();
        for id in ids {
            let held: Vec<(usize, FrameId)> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                let frame = |(&v, s): (&usize, &super::model::Slot)| match s.held {
                    Held::Frame(f) => Some((v, f)),
                    _ => None,
                };
                space.iter().filter_map(frame).collect()
            };
            if held.is_empty() {
                continue;
            }
            let vpns: Vec<usize> = held.iter().map(|h| h.0).collect();
            let seen = self.eye.entries(self.pid(id)?, &vpns)?;
            for ((vpn, f), mut s) in held.into_iter().zip(seen) {
                if lie == Some((id, vpn)) {
                    s = self.falsify(s);
                }
                all.entry(f).or_default().push(((id, vpn), s));
            }
        }
        Ok(all)
    }

    /// The mapper that a lie is about: the last one of the first frame with two.
    fn lie_target(&self) -> Option<(usize, usize)> {
        self.eye.lie?;
        let model = self.model.borrow();
        model
            .mappers()
            .into_values()
            .find(|m| m.len() > 1)
            .and_then(|m| m.last().copied())
    }

    fn falsify(&self, seen: Seen) -> Seen {
        let entry = match self.eye.lie {
            // A page that no machine has: its neighbour may belong to another frame, and that is another failure.
            Some(Lie::Pfn) => crate::kernel::pagemap::Entry(seen.entry.0 ^ 1 << 50),
            Some(Lie::LostMapper) => crate::kernel::pagemap::Entry(0),
            _ => return seen,
        };
        Seen {
            entry,
            state: entry.state(),
        }
    }

    /// Structure, looked at until it is as the model says or has been otherwise for [`PATIENCE`].
    fn check_structure(&self) -> TestResult<Option<Finding>> {
        if !self.features().pagemap {
            return Ok(None);
        }
        let mut until = self.limit(PATIENCE);
        let mut pause = Duration::from_millis(1);
        loop {
            let Some(finding) = self.first_finding()? else {
                return Ok(None);
            };
            if until.over() {
                return Ok(Some(finding));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Where every mapper of a frame is, for a report.
    pub(crate) fn others(&self, sightings: &Sightings) -> String {
        const SHOWN: usize = 12;
        let mut text = format!("{} mapper(s):", sightings.len());
        for ((actor, vpn), seen) in sightings.iter().take(SHOWN) {
            let page = self.show(Area {
                vpn: *vpn,
                pages: 1,
            });
            text += &format!("\n    {} {page}: {seen}", self.actor_name(*actor));
        }
        if sightings.len() > SHOWN {
            text += &format!("\n    ... and {} more", sightings.len() - SHOWN);
        }
        text
    }

    /// A failure with all that a reader of the log needs.
    #[track_caller]
    pub fn report(&self, finding: &Finding) -> Stop {
        let mut text = format!("{}: {}", finding.property, finding.detail);
        if let Some((id, vpn)) = finding.at {
            let page = self.show(Area { vpn, pages: 1 });
            text += &format!(
                "\nin actor {}, page {page}, address {:#x}",
                self.actor_name(id),
                vpn * self.page
            );
            let smaps = self
                .pid(id)
                .ok()
                .and_then(|pid| vma::smaps_text(pid, vpn * self.page).ok()?);
            for line in smaps.iter().flat_map(|s| s.lines()) {
                let kept = [
                    "Rss",
                    "Anonymous",
                    "KSM",
                    "AnonHuge",
                    "Swap:",
                    "Locked",
                    "VmFlags",
                ];
                if kept.iter().any(|k| line.starts_with(k)) || line.contains('-') {
                    text += &format!("\n    {line}");
                }
            }
        }
        text += &format!("\n{}", self.script_text());
        Stop::fail(text)
    }
}

/// A page was taken by reclaim between two looks: not judged, looked at again.
pub(super) const RESIDENT: &str = "a page just read is resident";
