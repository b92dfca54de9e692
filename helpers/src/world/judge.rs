// SPDX-License-Identifier: GPL-2.0-or-later
//! The structural half of the oracles: every mapper of every frame, and what the kernel says of each page.

use super::check::{Finding, RESIDENT, Sightings};
use super::model::{Exclusive, FrameId, Held, Lock};
use super::sight::{Lie, Seen};
use super::{Area, World, fresh};
use crate::TestResult;
use crate::kernel::features::Features;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{NO_SWAP, Pfn, State};
use crate::kernel::vma;
use crate::stop::Doing;
use nix::libc::{PROT_NONE, PROT_READ};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known of a page besides its mappers' entries.
struct Told {
    /// Mappers in this world.
    users: u64,
    /// kpagecount, where it can be read.
    count: Option<u64>,
    /// kpageflags, where it can be read.
    flags: Option<Flags>,
}

impl Told {
    /// Whether the page is known to be one of a large folio.
    fn is_large(&self, features: &Features) -> bool {
        let large = Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL;
        features.kpageflags && self.flags.is_some_and(|f| f.0 & large != 0)
    }
}

impl World<'_> {
    /// The first thing that is not as the model says.
    pub(super) fn first_finding(&self) -> TestResult<Option<Finding>> {
        self.model.borrow_mut().note_locked();
        let all = self.look()?;
        let mut users: HashMap<Pfn, u64> = HashMap::new();
        let mut owner: HashMap<Pfn, FrameId> = HashMap::new();
        for (&f, sightings) in &all {
            for pfn in sightings.iter().filter_map(|(_, s)| s.pfn()) {
                *users.entry(pfn).or_default() += 1;
                let first = *owner.entry(pfn).or_insert(f);
                if first == f {
                    continue;
                }
                if let Some(property) = self.wrongly_shared(pfn, first, f, &all)? {
                    let detail =
                        format!("pfn {:#x} is mapped for frame {first} and frame {f}", pfn.0);
                    return Ok(Some(Finding {
                        property,
                        detail: format!("{detail}; {}", self.others(sightings)),
                        at: sightings.first().map(|s| s.0),
                    }));
                }
            }
        }
        self.count_read_zeroes(&all, &mut users)?;
        let mut pfns: Vec<Pfn> = users.keys().copied().collect();
        pfns.sort_unstable();
        let (counts, flags) = self.eye.all(&pfns)?;
        let page = |pfn: Pfn| -> TestResult<Told> {
            // What many at once did not tell is asked for by itself, and an error then.
            Ok(Told {
                users: users[&pfn],
                count: match counts.get(&pfn) {
                    Some(count) => Some(*count),
                    None if self.features().kpagecount => self.eye.count(pfn)?,
                    None => None,
                },
                flags: match flags.get(&pfn) {
                    Some(flags) => Some(Flags(*flags)),
                    None if self.features().kpageflags => self.eye.flags(pfn)?,
                    None => None,
                },
            })
        };
        for (&f, sightings) in &all {
            if let Some(finding) = self.judge_frame(f, sightings, page)? {
                return Ok(Some(finding));
            }
        }
        if let Some(finding) = self.judge_guarded(&all) {
            return Ok(Some(finding));
        }
        if let Some(finding) = self.judge_guarded_zeroes()? {
            return Ok(Some(finding));
        }
        if let Some(finding) = self.judge_pins()? {
            return Ok(Some(finding));
        }
        if let Some(finding) = self.judge_empty()? {
            return Ok(Some(finding));
        }
        if let Some(finding) = self.judge_fresh()? {
            return Ok(Some(finding));
        }
        self.judge_vmas()
    }

    /// Adds those who have only read to the mappers of merged pages of zeroes. A kernel may give whoever reads first a page of its own
    /// (mm_forbids_zeropage()), and ksmd then merges it with others of zeroes.
    fn count_read_zeroes(
        &self,
        all: &BTreeMap<FrameId, Sightings>,
        users: &mut HashMap<Pfn, u64>,
    ) -> TestResult {
        let model = self.model.borrow();
        let merged: BTreeSet<Pfn> = all
            .iter()
            .filter(|(f, _)| model.frames[**f].ksm && model.frames[**f].stamp == 0)
            .flat_map(|(_, sightings)| sightings.iter().filter_map(|(_, seen)| seen.pfn()))
            .collect();
        if merged.is_empty() {
            return Ok(());
        }
        for id in model.living() {
            let space = model.spaces[id].as_ref().expect("living");
            let read = space
                .iter()
                .filter(|(_, s)| s.held == Held::Zero && s.object.is_none());
            let vpns: Vec<usize> = read.map(|(&vpn, _)| vpn).collect();
            for seen in self.eye.entries(self.pid(id)?, &vpns)? {
                if let Some(pfn) = seen.pfn().filter(|pfn| merged.contains(pfn)) {
                    *users.entry(pfn).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    fn judge_frame(
        &self,
        f: FrameId,
        sightings: &Sightings,
        page: impl Fn(Pfn) -> TestResult<Told>,
    ) -> TestResult<Option<Finding>> {
        let model = self.model.borrow();
        let frame = &model.frames[f];
        let slot = |(a, v): (usize, usize)| model.spaces[a].as_ref().and_then(|s| s.get(&v));
        let found = |property, detail: String, at| {
            Ok(Some(Finding {
                property,
                detail,
                at: Some(at),
            }))
        };
        for &(at, seen) in sightings {
            let can_read = slot(at).is_some_and(|s| s.prot & PROT_READ != 0) && !self.is_shut(at);
            match seen.state {
                State::Present(_) => {}
                State::Swapped(_) if !can_read => {}
                State::Empty if !can_read && frame.cached => {}
                State::Swapped(_) => return found(RESIDENT, format!("{seen}, just read"), at),
                State::Empty if frame.cached => {
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
        // Most kernels do not carry the bit over to a KSM page (replace_page()), files lose it with the entry, hugetlb never shows it.
        let kept = !frame.ksm || self.features().ksm_keeps_soft_dirty();
        if self.features().soft_dirty && kept && !frame.cached && !frame.hugetlb {
            let lost = |&&(at, seen): &&((usize, usize), Seen)| {
                !seen.entry.soft_dirty() && slot(at).is_some_and(|s| s.soft_dirty)
            };
            if let Some(&(at, seen)) = sightings.iter().find(lost) {
                return found(
                    "a page written or moved since the soft-dirty bits were cleared is soft-dirty",
                    format!("seen {seen}; {}", self.others(sightings)),
                    at,
                );
            }
        }
        if self.features().soft_dirty {
            let lost = |&&(at, seen): &&((usize, usize), Seen)| {
                !seen.entry.soft_dirty() && slot(at).is_some_and(|s| s.fresh)
            };
            if let Some(&(at, seen)) = sightings.iter().find(lost) {
                return found(fresh::PROPERTY, format!("seen {seen}"), at);
            }
        }
        // Most frames have one page; those that KSM has taken may have several.
        let mut judged: Vec<Pfn> = Vec::with_capacity(1);
        for &(at, seen) in sightings {
            let Some(pfn) = seen.pfn() else {
                continue;
            };
            let told = page(pfn)?;
            let mut wrong = None;
            if !judged.contains(&pfn) {
                judged.push(pfn);
                wrong = self.judge_page(frame, &told, seen);
            }
            let wrong = wrong.or_else(|| self.judge_mapped_once(frame, &told, seen));
            if let Some((property, detail)) = wrong {
                let detail = format!("pfn {:#x}: {detail}; {}", pfn.0, self.others(sightings));
                return found(property, detail, at);
            }
        }
        Ok(None)
    }

    /// What is wrong with bit 56 of a mapper's entry. Each mapper is asked: of a large folio one may map it by a PMD and another by PTEs.
    fn judge_mapped_once(
        &self,
        frame: &super::model::Frame,
        told: &Told,
        seen: Seen,
    ) -> Option<(&'static str, String)> {
        let features = self.features();
        let users = told.users;
        let judged = if !told.is_large(features) {
            true
        } else if frame.hugetlb {
            // Before Linux 6.3 who shares a page table was not told.
            users > 1 && (!frame.tables_shared || features.version() >= (6, 3))
        } else {
            // Before Linux 6.11 a PMD's pages were all told of as the folio's first is (commit 2c1f057e5be6), and they are so again since 6.15,
            // where the option to have no counts of pages came in. Nothing but the version tells that from a bug.
            let by_page = (6, 11)..(6, 15);
            features.kpagecount && features.page_mapcount && by_page.contains(&features.version())
        };
        if !judged || seen.entry.exclusive() == (users == 1) {
            return None;
        }
        let detail = format!(
            "{users} mapper(s), but pagemap bit 56 (mapped once) is {}",
            u8::from(seen.entry.exclusive())
        );
        Some(("pagemap tells a page mapped once from a shared one", detail))
    }

    /// What is wrong with what kpagecount and kpageflags say of a page.
    fn judge_page(
        &self,
        frame: &super::model::Frame,
        told: &Told,
        seen: Seen,
    ) -> Option<(&'static str, String)> {
        let features = self.features();
        let users = told.users;
        let lying = self.eye.lie.filter(|_| users > 1);
        let flags = told.flags.filter(|_| features.kpageflags);
        let large = told.is_large(features);
        let exact = !large || features.page_mapcount;
        if features.kpagecount
            && exact
            && let Some(mut count) = told.count
        {
            count += u64::from(lying == Some(Lie::Count));
            let tables_shared = frame.tables_shared && (1..=users).contains(&count);
            if count != users && !tables_shared {
                let detail = format!("expected kpagecount {users}, seen {count}");
                return Some(("the mapcount is the number of mappers", detail));
            }
        }
        if seen.entry.file_or_shared() != frame.cached {
            let detail = format!("seen {seen}");
            return Some((
                "pagemap tells pages of files from anonymous ones (bit 61)",
                detail,
            ));
        }
        let mut flags = flags?;
        if lying == Some(Lie::Flags) {
            flags.0 &= !Flags::ANON;
        }
        if lying == Some(Lie::Exclusive) {
            flags.0 |= Flags::ANON_EXCLUSIVE;
        }
        let wanted = Flags::MMAP | if frame.cached { 0 } else { Flags::ANON };
        let banned = Flags::BUDDY
            | Flags::HWPOISON
            | Flags::NOPAGE
            | Flags::ZERO_PAGE
            | if frame.cached { Flags::ANON } else { 0 };
        if !flags.has(wanted) || flags.0 & banned != 0 {
            let detail = format!(
                "expected {:?} and none of {:?}, seen {flags:?}",
                Flags(wanted),
                Flags(banned)
            );
            return Some(("the page's flags tell what it is", detail));
        }
        let ksm = if features.ksm_flag {
            flags.has(Flags::KSM)
        } else {
            frame.ksm
        };
        if ksm && !frame.ksm {
            return Some(("only merged pages are KSM pages", format!("seen {flags:?}")));
        }
        // A merged page is several frames, and a huge page that is split hands its mark on to all of its parts.
        let alone = !ksm && !frame.ksm && !large && !self.has_huge.get();
        if alone && !frame.locked && flags.has(Flags::MLOCKED) {
            let detail = format!("seen {flags:?}");
            return Some(("a page that nobody has locked is not mlocked", detail));
        }
        // kpageflags shows a folio's flags, and the bit is each page's own: of a large folio the first page's is seen. A hugetlb
        // page has it there for the whole.
        let told = !large || flags.has(Flags::COMPOUND_HEAD);
        if features.anon_exclusive && told && !frame.cached && !ksm {
            let bit = flags.has(Flags::ANON_EXCLUSIVE);
            if bit && users > 1 {
                let detail = format!("{users} mappers, seen {flags:?}");
                return Some(("a shared anonymous page is not exclusive", detail));
            }
            if !bit && frame.exclusive == Exclusive::Set && users == 1 {
                let detail = format!("just written by its only mapper, seen {flags:?}");
                return Some((
                    "a page just written by its only mapper is exclusive",
                    detail,
                ));
            }
        }
        None
    }

    /// Slots that were never accessed have no page. A VMA locked or huge may be populated by the kernel's own choice.
    fn judge_empty(&self) -> TestResult<Option<Finding>> {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let slot = |id: usize, vpn| self.model.borrow().spaces[id].as_ref().expect("living")[&vpn];
        for id in ids {
            let vpns: Vec<usize> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                let empty = |s: &super::model::Slot| {
                    matches!(s.held, Held::Gone | Held::Guard)
                        || s.held == Held::Nothing && s.lock == Lock::None
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
                if slot(id, vpn).held == Held::Guard {
                    // An entry that is no page. Which mark it is PAGEMAP_SCAN tells (check_guards()).
                    let marker = matches!(seen.state, State::Swapped(k) if k.is_none_or(|(kind, _)| kind >= NO_SWAP));
                    if marker {
                        continue;
                    }
                    return Ok(Some(Finding {
                        property: "a guard is where it was put, and goes where its area goes",
                        detail: format!("seen {seen}"),
                        at: Some((id, vpn)),
                    }));
                }
                // A poisoned page leaves an entry that is no page. Behind the end of an object nothing is in swap.
                let gone = slot(id, vpn).held == Held::Gone;
                let poison = gone
                    && match seen.state {
                        State::Swapped(Some((kind, _))) if kind < NO_SWAP => {
                            !self.is_past_end((id, vpn))
                        }
                        State::Swapped(_) => true,
                        _ => false,
                    };
                // That of an object may be at its object only, for the next fault to find.
                if gone && !poison && slot(id, vpn).object.is_none() {
                    return Ok(Some(Finding {
                        property: "the place of a poisoned page has an entry that says so",
                        detail: format!("seen {seen}"),
                        at: Some((id, vpn)),
                    }));
                }
                if seen.state != State::Empty && !poison {
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
    pub(super) fn judge_vmas(&self) -> TestResult<Option<Finding>> {
        let ids: Vec<usize> = self.model.borrow().living().collect();
        let (start, end) = (self.carve.vpn, self.carve.vpn + self.carve.pages);
        for id in ids {
            // The address space of a program of its own: its mappings may be anywhere.
            if self.model.borrow().foreign.contains(&id) {
                continue;
            }
            let pid = self.pid(id)?;
            let vmas = vma::extents(pid, start * self.page, end * self.page)
                .doing(format_args!("read /proc/{pid}/maps"))?;
            let model = self.model.borrow();
            let space = model.spaces[id].as_ref().expect("living");
            // Runs of equal protection, from both sides.
            let mut expected: Vec<(usize, usize, i32, bool)> = Vec::new();
            for (&vpn, s) in space.range(start..end).filter(|(_, s)| s.prot != PROT_NONE) {
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
}

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
