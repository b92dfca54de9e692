// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel tells of private memory by process: the shares of smaps and the bytes of mincore(2), against what the page tables
//! show. Nothing is brought in.
//!
//! A present page counts in Pss by its mapcount (smaps_account()), one in swap in SwapPss by how many entries its slot is counted for
//! (swp_swapcount()): nothing else shows that number.

use super::check::Finding;
use super::model::{ActorId, Frame, FrameId, Held, Lock};
use super::sight::{Lie, Seen};
use super::{Actor, Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::{Pfn, State};
use crate::kernel::vma::{self, Smaps};
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::libc::PROT_NONE;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long reclaim is asked for what may be left in the swap cache.
const LIMIT: Duration = Duration::from_secs(2);
/// The kernel's shares have so many binary digits behind the point (PSS_SHIFT).
const SHIFT: u32 = 12;

/// Who has a page, and who an entry for its slot in swap.
#[derive(Default)]
struct Users {
    pages: HashMap<Pfn, u64>,
    slots: HashMap<(u32, u64), u64>,
}

/// What smaps says of one VMA, kB; `None`: not judged.
type Shares = [Option<u64>; 6];
/// What it is called there, or the parts that it is the sum of.
const FIELDS: [(&str, &[&str]); 6] = [
    ("Rss", &["Rss"]),
    ("Pss", &["Pss"]),
    ("Private", &["Private_Clean", "Private_Dirty"]),
    ("Swap", &["Swap"]),
    ("SwapPss", &["SwapPss"]),
    ("Locked", &["Locked"]),
];

impl World<'_> {
    /// Rss, Pss, Private_*, Swap and SwapPss of every VMA of private anonymous memory are what the entries of all actors make them, Locked is
    /// the Pss of those that are locked, by a PTE or a PMD (smaps_account()), and numa_maps agrees. Nobody but actors may have the pages.
    #[track_caller]
    pub fn check_shares(&self) -> TestResult {
        self.unless_it_lasts(|| self.wrong_gathered())?;
        self.unless_it_lasts(|| self.wrong_share())
    }

    /// What is found wrong counts when it is so for a while.
    #[track_caller]
    pub(super) fn unless_it_lasts(
        &self,
        look: impl Fn() -> TestResult<Option<Finding>>,
    ) -> TestResult {
        let mut until = self.limit(PATIENCE);
        loop {
            let Some(finding) = look()? else {
                return Ok(());
            };
            if until.over() {
                return Err(self.report(&finding));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wrong_share(&self) -> TestResult<Option<Finding>> {
        let seen: HashMap<(ActorId, usize), Seen> = self.look()?.into_values().flatten().collect();
        let mut users = Users::default();
        for s in seen.values() {
            match s.state {
                State::Present(Some(pfn)) => *users.pages.entry(pfn).or_default() += 1,
                State::Swapped(Some(slot)) => *users.slots.entry(slot).or_default() += 1,
                _ => {}
            }
        }
        let living: Vec<ActorId> = self.model.borrow().living().collect();
        for id in living {
            if self.model.borrow().foreign.contains(&id) {
                continue;
            }
            let (start, end) = (self.carve.vpn, self.carve.vpn + self.carve.pages);
            let pid = self.pid(id)?;
            let list = vma::in_range(pid, start * self.page, end * self.page).doing("read maps")?;
            let smaps = Smaps::read(pid).doing("read smaps")?;
            if let Some(finding) = self.wrong_sum(id, pid, &smaps)? {
                return Ok(Some(finding));
            }
            for v in list.iter().filter(|v| v.prot != PROT_NONE) {
                let area = Area {
                    vpn: v.start / self.page,
                    pages: (v.end - v.start) / self.page,
                };
                let Some(want) = self.shares_of(id, area, &seen, &users)? else {
                    continue;
                };
                for ((name, parts), want) in FIELDS.iter().zip(want) {
                    let Some(mut want) = want else { continue };
                    want += u64::from(self.eye.lie == Some(Lie::Shares));
                    let mut told = Some(0);
                    for part in *parts {
                        told = told.zip(smaps.kb(v.start, part)).map(|(sum, kb)| sum + kb);
                    }
                    if told.is_some_and(|told| told != want) {
                        let detail = format!(
                            "{} {}: {name} expected {want} kB, seen {told:?}",
                            self.actor_name(id),
                            self.show(area)
                        );
                        return Ok(Some(Finding {
                            property: "smaps counts a page for each process by how many have it",
                            detail,
                            at: Some((id, area.vpn)),
                        }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Pss_Anon of smaps_rollup is not less than the Pss of all VMAs that have anonymous pages only.
    fn wrong_sum(&self, id: ActorId, pid: i32, smaps: &Smaps) -> TestResult<Option<Finding>> {
        let mut anon = 0;
        for v in vma::in_range(pid, 0, usize::MAX).doing("read maps")? {
            let kb = |name| smaps.kb(v.start, name);
            if let (Some(of_anon), Some(all), Some(pss)) = (kb("Anonymous"), kb("Rss"), kb("Pss"))
                && of_anon == all
            {
                anon += pss;
            }
        }
        // Since Linux 5.3.
        let Some(told) = vma::rollup_kb(pid, "Pss_Anon").doing("read smaps_rollup")? else {
            return Ok(None);
        };
        let lie = u64::from(self.eye.lie == Some(Lie::Sum)) << 30;
        Ok((told < anon + lie).then(|| Finding {
            property: "smaps counts anonymous pages as such, whatever may become of them",
            detail: format!(
                "{}: {anon} kB of areas with anonymous pages only, Pss_Anon of smaps_rollup {told} kB",
                self.actor_name(id)
            ),
            at: None,
        }))
    }

    /// `None` for a VMA of another kind of memory.
    fn shares_of(
        &self,
        id: ActorId,
        area: Area,
        seen: &HashMap<(ActorId, usize), Seen>,
        users: &Users,
    ) -> TestResult<Option<Shares>> {
        let (held, locked): (Vec<(usize, Held)>, bool) = {
            let model = self.model.borrow();
            let space = model.spaces[id].as_ref().expect("living");
            let slots: Vec<_> = space.range(area.vpns()).collect();
            if slots.iter().any(|(_, s)| s.shared || s.object.is_some()) {
                return Ok(None);
            }
            // The same for all of a VMA.
            let locked = slots.iter().any(|(_, s)| s.lock != Lock::None);
            let held = slots.into_iter().map(|(&v, s)| (v, s.held));
            (held.collect(), locked)
        };
        let one = (self.page as u64) << SHIFT;
        let [mut rss, mut pss, mut private, mut swap, mut swap_pss] = [0; 5];
        // Whether zeroes read are the zero page, which counts for nobody, is the architecture's affair.
        let mut rss_known = true;
        // Those of a large folio may be of its average (CONFIG_NO_PAGE_MAPCOUNT).
        let exact = self.features().page_mapcount;
        let mut pss_known = true;
        for (vpn, held) in held {
            match (held, seen.get(&(id, vpn)).map(|s| s.state)) {
                (Held::Zero, _) => rss_known = false,
                (Held::Frame(_), Some(State::Present(Some(pfn)))) => {
                    rss += one;
                    pss += one / users.pages[&pfn];
                    private += if users.pages[&pfn] == 1 { one } else { 0 };
                    let large = Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL;
                    pss_known &= exact || self.page_flags(pfn)?.is_some_and(|f| f.0 & large == 0);
                }
                (Held::Frame(_), Some(State::Swapped(Some(slot)))) => {
                    swap += one;
                    swap_pss += one / users.slots[&slot];
                }
                (Held::Frame(_), Some(State::Present(None) | State::Swapped(None))) => {
                    return Ok(None);
                }
                _ => {}
            }
        }
        let kb = |sum: u64| Some(sum >> SHIFT >> 10);
        let pss = kb(pss).filter(|_| rss_known && pss_known);
        Ok(Some([
            kb(rss).filter(|_| rss_known),
            pss,
            kb(private).filter(|_| rss_known && pss_known),
            kb(swap),
            kb(swap_pss),
            if locked { pss } else { Some(0) },
        ]))
    }

    /// mincore(2) says of every page of private anonymous memory that it is in memory where it is mapped, and that it is not where
    /// nothing ever was. What is in swap may be in its cache, and is when a sharer's page is.
    #[track_caller]
    pub fn check_mincore(&self) -> TestResult {
        for (id, runs) in self.private_runs() {
            for area in runs {
                let vpns: Vec<usize> = area.vpns().collect();
                let held: Vec<(Held, bool)> = {
                    let model = self.model.borrow();
                    let space = model.spaces[id].as_ref().expect("living");
                    let of = |v: &usize| (space[v].held, space[v].object.is_some());
                    vpns.iter().map(of).collect()
                };
                let mut until = self.limit(PATIENCE);
                loop {
                    let cached = self.in_swap_cache()?;
                    let before = self.eye.entries(self.pid(id)?, &vpns)?;
                    let told = self.mincore(id, area)?;
                    let after = self.eye.entries(self.pid(id)?, &vpns)?;
                    let still = self.in_swap_cache()?;
                    let wrong = (0..vpns.len()).find(|&i| {
                        let there = |s: &Seen| matches!(s.state, State::Present(_));
                        let nothing = held[i] == (Held::Nothing, false)
                            && before[i].state == State::Empty
                            && after[i].state == State::Empty;
                        let out = |s: &Seen| matches!(s.state, State::Swapped(_));
                        // Migration entries look like swap, and are of pages in memory as well.
                        let in_cache = matches!(held[i].0, Held::Frame(f)
                            if cached.contains(&f) && still.contains(&f))
                            && out(&before[i])
                            && out(&after[i]);
                        let here = there(&before[i]) && there(&after[i]) || in_cache;
                        here && !told[i] || nothing && told[i]
                    });
                    let Some(i) = wrong else { break };
                    if until.over() {
                        return Err(self.report(&Finding {
                            property: "mincore tells the pages that are in memory",
                            detail: format!("told {}, seen {}", told[i], after[i]),
                            at: Some((id, vpns[i])),
                        }));
                    }
                }
            }
        }
        Ok(())
    }

    /// mincore(2) finds no page in memory where an entry of `area` is a mark that no page is behind: a guard, or what userfaultfd notes of a page that
    /// nobody has touched or that is lost (mincore_pte_range()). In private memory, or in holes of a file.
    #[track_caller]
    pub fn check_mincore_marks(&self, actor: Actor, area: Area) -> TestResult {
        match self.mincore(actor.id(), area)?.iter().position(|t| *t) {
            None => Ok(()),
            Some(i) => Err(self.report(&Finding {
                property: "mincore finds no page in memory where only a mark is",
                detail: String::from("it finds one"),
                at: Some((actor.id(), area.vpn + i)),
            })),
        }
    }

    /// The frames that somebody has in memory with a slot in swap; none that KSM may have copied for him.
    fn in_swap_cache(&self) -> TestResult<HashSet<FrameId>> {
        let mut cached = HashSet::new();
        for (f, sightings) in self.look()? {
            let frame = self.frame(f);
            let pfn = sightings.iter().find_map(|(_, s)| s.pfn());
            if let Some(pfn) = pfn.filter(|_| !frame.ksm && !frame.scattered)
                && let Some(flags) = self.page_flags(pfn)?
                && flags.has(Flags::SWAPCACHE)
            {
                cached.insert(f);
            }
        }
        Ok(cached)
    }

    /// mincore(2) says of pages of this actor that are in swap, and that nobody has in memory, that they are not: at last, since reclaim
    /// may leave one in the swap cache for a while. `plain` is anonymous memory that is in swap as well.
    ///
    /// # Errors
    /// `Skip` when mincore finds what is `plain` in memory all the time, too, or when it comes back.
    #[track_caller]
    pub fn check_mincore_out(&self, actor: Actor, area: Area, plain: Area) -> TestResult {
        let memcg = self.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
        let id = actor.id();
        let out = |area: Area| -> TestResult<bool> {
            let vpns: Vec<usize> = area.vpns().collect();
            let seen = self.eye.entries(self.pid(id)?, &vpns)?;
            Ok(seen.iter().all(|s| matches!(s.state, State::Swapped(_))))
        };
        let mut until = self.limit(LIMIT);
        loop {
            let told = self.mincore(id, area)?;
            let Some(i) = told.iter().position(|t| *t) else {
                return Ok(());
            };
            let control = self.mincore(id, plain)?.contains(&true);
            if !out(area)? || !out(plain)? {
                return Err(Stop::Skip("needs pages that stay in swap"));
            }
            if until.over() {
                if control {
                    return Err(Stop::Skip("needs pages that leave the swap cache"));
                }
                return Err(self.report(&Finding {
                    property: "mincore does not find in memory what is in swap",
                    detail: String::from("it finds this page, and none of plain memory"),
                    at: Some((id, area.vpn + i)),
                }));
            }
            // What is in a batch cannot be taken.
            lru::drain().doing("drain the LRU batches")?;
            memcg.reclaim().doing("reclaim of a memory cgroup")?;
            self.each_frame(Frame::swapped);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// MADV_WILLNEED brings into memory what of an area is in swap, wherever in its object the area begins (madvise_willneed(),
    /// shmem_swapin_range()): mincore finds all of it that has content. It may leave some out, so it is asked again. False when all is in
    /// memory before.
    #[track_caller]
    pub fn check_willneed(&self, actor: Actor, area: Area) -> TestResult<bool> {
        let is_held = |vpn: usize| self.frame_at(actor.id(), vpn).is_some();
        let out = || -> TestResult<Option<usize>> {
            let told = self.mincore(actor.id(), area)?;
            let mut pages = area.vpns().zip(told);
            Ok(pages.find_map(|(vpn, there)| (!there && is_held(vpn)).then_some(vpn)))
        };
        if out()?.is_none() {
            return Ok(false);
        }
        let mut until = self.limit(LIMIT);
        loop {
            actor.advise(area, advice::WILLNEED)?;
            let Some(vpn) = out()? else {
                return self.check_partly().map(|()| true);
            };
            if until.over() {
                return Err(self.report(&Finding {
                    property: "MADV_WILLNEED brings what is in swap into memory",
                    detail: String::from("mincore does not find this page there"),
                    at: Some((actor.id(), vpn)),
                }));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn mincore(&self, id: ActorId, area: Area) -> TestResult<Vec<bool>> {
        let cmd = Cmd::Mincore {
            addr: area.vpn * self.page,
            len: area.pages * self.page,
        };
        let lie = self.eye.lie == Some(Lie::Mincore);
        match self.ask(id, &cmd)? {
            Reply::Values(v) => Ok(v.into_iter().map(|bit| bit != 0 && !lie).collect()),
            other => Err(Stop::error(format_args!("mincore: {other:?}"))),
        }
    }
}
