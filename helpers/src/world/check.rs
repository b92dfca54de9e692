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

use super::model::{Exclusive, FrameId, Held, Lock};
use super::sight::{Lie, Seen};
use super::{Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{Pfn, State};
use crate::kernel::vma;
use crate::{Stop, TestResult, stop::Doing};
use nix::libc::{PROT_NONE, PROT_READ};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

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
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let liar = self
            .lie_target()
            .filter(|_| self.eye.lie == Some(Lie::Content));
        for id in ids {
            let pages: Vec<(usize, u64)> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                space
                    .iter()
                    .filter(|(_, s)| s.prot & PROT_READ != 0)
                    .filter_map(|(&vpn, s)| match s.held {
                        Held::Nothing => None,
                        Held::Zero => Some((vpn, 0)),
                        Held::Frame(f) => Some((vpn, model.frames[f].stamp)),
                    })
                    .map(|(vpn, stamp)| {
                        let lie = liar == Some((id, vpn));
                        (vpn * self.page, if lie { stamp ^ 2 } else { stamp })
                    })
                    .collect()
            };
            for chunk in pages.chunks(CHUNK) {
                self.compare(id, chunk.to_vec())?;
            }
        }
        Ok(())
    }

    #[track_caller]
    fn compare(&self, id: usize, pages: Vec<(usize, u64)>) -> TestResult {
        let cmd = Cmd::Compare {
            page: self.page,
            pages,
        };
        let diffs = match self.ask(id, &cmd)? {
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
    fn owner_of_word(&self, word: u64, index: usize) -> String {
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
            Some(Lie::Pfn) => crate::kernel::pagemap::Entry(seen.entry.0 ^ 1),
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
        let until = self.limit(PATIENCE);
        let mut pause = Duration::from_millis(1);
        loop {
            let Some(finding) = self.first_finding()? else {
                return Ok(None);
            };
            if Instant::now() >= until {
                return Ok(Some(finding));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn first_finding(&self) -> TestResult<Option<Finding>> {
        let all = self.look()?;
        let mut users: HashMap<Pfn, u64> = HashMap::new();
        let mut owner: HashMap<Pfn, FrameId> = HashMap::new();
        for (&f, sightings) in &all {
            for pfn in sightings.iter().filter_map(|(_, s)| s.pfn()) {
                *users.entry(pfn).or_default() += 1;
                let first = *owner.entry(pfn).or_insert(f);
                if first != f && !self.may_share_page(first, f) {
                    return Ok(Some(Finding {
                        property: "a page belongs to one frame",
                        detail: format!(
                            "pfn {:#x} is mapped for frame {first} and frame {f}",
                            pfn.0
                        ),
                        at: sightings.first().map(|s| s.0),
                    }));
                }
            }
        }
        for (&f, sightings) in &all {
            if let Some(finding) = self.judge_frame(f, sightings, &users)? {
                return Ok(Some(finding));
            }
        }
        if let Some(finding) = self.judge_empty()? {
            return Ok(Some(finding));
        }
        self.judge_vmas()
    }

    /// Whether KSM may have put two frames of equal content into one page.
    fn may_share_page(&self, a: FrameId, b: FrameId) -> bool {
        let model = self.model.borrow();
        let (a, b) = (&model.frames[a], &model.frames[b]);
        a.ksm && b.ksm && a.stamp == b.stamp
    }

    fn judge_frame(
        &self,
        f: FrameId,
        sightings: &Sightings,
        users: &HashMap<Pfn, u64>,
    ) -> TestResult<Option<Finding>> {
        let (frame, readable): (_, Vec<bool>) = {
            let model = self.model.borrow();
            let can = |&((a, v), _): &((usize, usize), Seen)| {
                model.spaces[a]
                    .as_ref()
                    .is_some_and(|s| s[&v].prot & PROT_READ != 0)
            };
            (model.frames[f].clone(), sightings.iter().map(can).collect())
        };
        let found = |property, detail: String, at| {
            Ok(Some(Finding {
                property,
                detail,
                at: Some(at),
            }))
        };
        for (&(at, seen), &can_read) in sightings.iter().zip(&readable) {
            match seen.state {
                State::Present(_) => {}
                State::Swapped(_) if !can_read => {}
                State::Empty if !can_read && frame.shared => {}
                State::Swapped(_) => return found(RESIDENT, format!("{seen}, just read"), at),
                State::Empty if frame.shared => {
                    return found(RESIDENT, format!("{seen}, just read"), at);
                }
                State::Empty => {
                    let detail =
                        format!("expected a page, seen {seen}; {}", self.others(sightings));
                    return found("a mapped page stays mapped", detail, at);
                }
            }
        }
        if !frame.ksm && !frame.scattered {
            let mut pfns = sightings
                .iter()
                .filter_map(|(at, s)| s.pfn().map(|p| (*at, p)));
            if let Some((_, first)) = pfns.next()
                && let Some((at, other)) = pfns.find(|(_, p)| *p != first)
            {
                let detail = format!(
                    "expected pfn {:#x}, seen pfn {:#x}; {}",
                    first.0,
                    other.0,
                    self.others(sightings)
                );
                return found("all sharers map the same page", detail, at);
            }
        }
        let mut judged = HashSet::new();
        for &(at, seen) in sightings {
            let Some(pfn) = seen.pfn().filter(|&p| judged.insert(p)) else {
                continue;
            };
            if let Some((property, detail)) = self.judge_page(&frame, pfn, users[&pfn], seen)? {
                let detail = format!("pfn {:#x}: {detail}; {}", pfn.0, self.others(sightings));
                return found(property, detail, at);
            }
        }
        Ok(None)
    }

    /// What kpagecount and kpageflags say of one page with `users` mappers in this world.
    fn judge_page(
        &self,
        frame: &super::model::Frame,
        pfn: Pfn,
        users: u64,
        seen: Seen,
    ) -> TestResult<Option<(&'static str, String)>> {
        let features = self.features();
        let lying = self.eye.lie.filter(|_| users > 1);
        let flags = if features.kpageflags {
            self.eye.flags(pfn)?
        } else {
            None
        };
        let large = flags.is_some_and(|f| f.0 & (Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL) != 0);
        let exact = !large || features.page_mapcount;
        if features.kpagecount
            && exact
            && let Some(mut count) = self.eye.count(pfn)?
        {
            count += u64::from(lying == Some(Lie::Count));
            if count != users {
                let detail = format!("expected kpagecount {users}, seen {count}");
                return Ok(Some(("the mapcount is the number of mappers", detail)));
            }
        }
        // For a PMD-mapped page the bit is about the first page of the folio.
        if !large && seen.entry.exclusive() != (users == 1) {
            let detail = format!(
                "{users} mapper(s), but pagemap bit 56 (mapped once) is {}",
                u8::from(seen.entry.exclusive())
            );
            return Ok(Some((
                "pagemap tells a page mapped once from a shared one",
                detail,
            )));
        }
        let Some(mut flags) = flags else {
            return Ok(None);
        };
        if lying == Some(Lie::Flags) {
            flags.0 &= !Flags::ANON;
        }
        if lying == Some(Lie::Exclusive) {
            flags.0 |= Flags::ANON_EXCLUSIVE;
        }
        let wanted = Flags::MMAP | if frame.shared { 0 } else { Flags::ANON };
        let banned = Flags::BUDDY
            | Flags::HWPOISON
            | Flags::NOPAGE
            | Flags::ZERO_PAGE
            | if frame.shared { Flags::ANON } else { 0 };
        if !flags.has(wanted) || flags.0 & banned != 0 {
            let detail = format!(
                "expected {:?} and none of {:?}, seen {flags:?}",
                Flags(wanted),
                Flags(banned)
            );
            return Ok(Some(("the page's flags tell what it is", detail)));
        }
        let ksm = if features.ksm_flag {
            flags.has(Flags::KSM)
        } else {
            frame.ksm
        };
        if ksm && !frame.ksm {
            return Ok(Some((
                "only merged pages are KSM pages",
                format!("seen {flags:?}"),
            )));
        }
        if features.anon_exclusive && !large && !frame.shared && !ksm {
            let bit = flags.has(Flags::ANON_EXCLUSIVE);
            if bit && users > 1 {
                let detail = format!("{users} mappers, seen {flags:?}");
                return Ok(Some(("a shared anonymous page is not exclusive", detail)));
            }
            if !bit && frame.exclusive == Exclusive::Set && users == 1 {
                let detail = format!("just written by its only mapper, seen {flags:?}");
                return Ok(Some((
                    "a page just written by its only mapper is exclusive",
                    detail,
                )));
            }
        }
        Ok(None)
    }

    /// Slots that were never accessed have no page. A VMA locked or huge may be populated by the kernel's own choice.
    fn judge_empty(&self) -> TestResult<Option<Finding>> {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        for id in ids {
            let vpns: Vec<usize> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                let empty = |s: &super::model::Slot| {
                    s.held == Held::Nothing && s.lock == Lock::None && !s.shared
                };
                space
                    .iter()
                    .filter(|(_, s)| empty(s))
                    .map(|(&v, _)| v)
                    .collect()
            };
            if vpns.is_empty() {
                continue;
            }
            for (&vpn, seen) in vpns.iter().zip(self.eye.entries(self.pid(id)?, &vpns)?) {
                if seen.state != State::Empty {
                    return Ok(Some(Finding {
                        property: "a page never touched, wiped or moved away is not mapped",
                        detail: format!("seen {seen}"),
                        at: Some((id, vpn)),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The address space inside the carve-out: mapped where the model says, with its protection, and nowhere else.
    fn judge_vmas(&self) -> TestResult<Option<Finding>> {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let (start, end) = (self.carve.vpn, self.carve.vpn + self.carve.pages);
        for id in ids {
            // The address space of a program of its own: its mappings may be anywhere.
            if self.model.borrow().foreign.contains(&id) {
                continue;
            }
            let pid = self.pid(id)?;
            let vmas = vma::in_range(pid, start * self.page, end * self.page)
                .doing(format_args!("read /proc/{pid}/maps"))?;
            let model = self.model.borrow();
            let space = model.spaces[id].as_ref().expect("living");
            // Runs of equal protection, from both sides.
            let mut expected: Vec<(usize, usize, i32, bool)> = Vec::new();
            for (&vpn, s) in space.iter().filter(|(_, s)| s.prot != PROT_NONE) {
                push_run(&mut expected, vpn, vpn + 1, s.prot, s.shared);
            }
            let mut seen: Vec<(usize, usize, i32, bool)> = Vec::new();
            for v in vmas.iter().filter(|v| v.prot != PROT_NONE) {
                let first = (v.start / self.page).max(start);
                push_run(
                    &mut seen,
                    first,
                    (v.end / self.page).min(end),
                    v.prot,
                    v.shared,
                );
            }
            if self.eye.lie == Some(Lie::Vma) {
                seen.pop();
            }
            if expected != seen {
                let lost = expected.iter().find(|e| !seen.contains(e));
                let extra = seen.iter().find(|s| !expected.contains(s));
                let text = |r: Option<&(usize, usize, i32, bool)>| match r {
                    Some(&(a, b, prot, shared)) => format!(
                        "{} prot {prot:#x}{}",
                        self.show(Area {
                            vpn: a,
                            pages: b - a
                        }),
                        if shared { " shared" } else { "" }
                    ),
                    None => String::from("nothing"),
                };
                return Ok(Some(Finding {
                    property: "the address space is what the script made it",
                    detail: format!("expected {}, seen {}", text(lost), text(extra)),
                    at: lost.or(extra).map(|r| (id, r.0)),
                }));
            }
        }
        Ok(None)
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
    pub(crate) fn report(&self, finding: &Finding) -> Stop {
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
const RESIDENT: &str = "a page just read is resident";

fn push_run(
    runs: &mut Vec<(usize, usize, i32, bool)>,
    from: usize,
    to: usize,
    prot: i32,
    shared: bool,
) {
    match runs.last_mut() {
        Some(last) if last.1 == from && last.2 == prot && last.3 == shared => last.1 = to,
        _ => runs.push((from, to, prot, shared)),
    }
}
