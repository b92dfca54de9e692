// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory failures: who is told of a poisoned page, and that nobody has it any more.

use super::check::Finding;
use super::model::{ActorId, Held, Slot};
use super::unsplit::{cannot_be_asked, says_unsplit};
use super::{Actor, Area, Object, World};
use crate::actor::bus::Cmd as Bus;
use crate::actor::{Cmd, Reply};
use crate::kernel::hwpoison;
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::{Pfn, State};
use crate::stop::Doing;
use crate::sys::bus::{self, BUS_MCEERR_AO, BUS_MCEERR_AR};
use crate::sys::fd;
use crate::walk::fate::Page;
use crate::walk::tally;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// What brings a failure about.
#[derive(Clone, Copy)]
pub enum Cause<'w, 'c> {
    /// MADV_HWPOISON by a mapper, as if its access had found the poison: it is told by force (action required).
    Access(Actor<'w, 'c>),
    /// The same by another thread of the mapper than its first.
    Thread(Actor<'w, 'c>),
    /// corrupt-pfn in debugfs, by a process that does not map the page: those who asked for it are told early (action optional).
    Outside,
}

impl Cause<'_, '_> {
    /// Who asks for it.
    pub(super) fn by(self) -> Option<ActorId> {
        match self {
            Cause::Access(by) | Cause::Thread(by) => Some(by.id),
            Cause::Outside => None,
        }
    }

    /// For the script.
    pub(super) fn text(self) -> String {
        match self {
            Cause::Access(by) => format!("{}: madvise HWPOISON", by.name()),
            Cause::Thread(by) => format!("{}: madvise HWPOISON by a thread", by.name()),
            Cause::Outside => String::from("from outside: corrupt-pfn"),
        }
    }
}

/// Who must be told of a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signals {
    /// Its mappers and nobody else: an anonymous page.
    Mappers,
    /// Its mappers; who has a VMA over a file's page without mapping it is told as well (collect_procs_file()), and of a KSM page whoever has a
    /// relative's VMA at the same address may be (collect_procs_ksm()).
    MappersAtLeast,
}

/// What a world knows of failures.
#[derive(Default)]
pub(super) struct Poison {
    /// Who catches SIGBUS, and whether it wants to be told early.
    listeners: BTreeMap<ActorId, bool>,
    /// Those of them whose thread is told: when it comes to run.
    threaded: BTreeSet<ActorId>,
    /// Pages that were poisoned and not given back.
    pub(super) pages: Vec<Pfn>,
    /// Whether one ever was.
    pub(super) failed: bool,
    /// HardwareCorrupted before the first failure, bytes.
    base: Option<u64>,
}

/// One SIGBUS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Signal {
    code: i32,
    addr: usize,
    lsb: i64,
    /// Whether the process' first thread was told.
    first: bool,
}

impl Actor<'_, '_> {
    /// Catches SIGBUS from now on; `early`: wants to be told of a failure at once.
    #[track_caller]
    pub fn catch(&self, early: bool) -> TestResult {
        let w = self.world;
        let when = if early { "early" } else { "late" };
        w.note(format!("{}: catch SIGBUS, {when}", self.name()));
        let policy = match early {
            true => bus::MCE_KILL_EARLY,
            false => bus::MCE_KILL_LATE,
        };
        self.listen(Bus::Catch { policy }, early)
    }

    /// The same, as soon as vm.memory_failure_early_kill says, which is set to `early`.
    #[track_caller]
    pub fn catch_by_rule(&self, early: bool) -> TestResult {
        let w = self.world;
        w.note(format!("{}: catch SIGBUS by the rule", self.name()));
        let policy = bus::MCE_KILL_DEFAULT;
        self.listen(Bus::Catch { policy }, early)
    }

    /// The same, early, but asked for and heard by another thread of the process than its first.
    #[track_caller]
    pub fn catch_by_thread(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: catch SIGBUS, early, by a thread", self.name()));
        w.poison.borrow_mut().threaded.insert(self.id);
        self.listen(Bus::CatchByThread, true)
    }

    fn listen(&self, cmd: Bus, early: bool) -> TestResult {
        let w = self.world;
        match w.ask(self.id, &Cmd::Bus(cmd))? {
            Reply::Done => {}
            Reply::Errno(_) => return Err(Stop::Skip(NEEDS)),
            other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
        w.poison.borrow_mut().listeners.insert(self.id, early);
        Ok(())
    }

    /// Reads a poisoned page: exactly one SIGBUS (action required) with its address. Then the actor maps a fresh page there.
    #[track_caller]
    pub fn access_poison(&self, page: Area) -> TestResult {
        self.touch_poison(page, false)
    }

    /// The same by a write.
    #[track_caller]
    pub fn write_poison(&self, page: Area) -> TestResult {
        self.touch_poison(page, true)
    }

    /// MADV_POPULATE_READ or MADV_POPULATE_WRITE of a poisoned page: no signal, and the error that says why.
    #[track_caller]
    pub fn populate_poison(&self, page: Area, advice: i32) -> TestResult {
        let addr = page.vpn * self.world.page;
        let cmd = Cmd::Advise {
            addr,
            len: self.world.page,
            advice,
        };
        self.refused(&cmd, Errno::EHWPOISON)
    }

    #[track_caller]
    fn touch_poison(&self, page: Area, write: bool) -> TestResult {
        let w = self.world;
        let how = if write { "write" } else { "read" };
        w.note(format!("{}: {how} poisoned {}", self.name(), w.show(page)));
        let addr = page.vpn * w.page;
        w.signals(self.id)?;
        w.tell(self.id, &Cmd::Bus(Bus::Access { addr, write }))?;
        let seen = w.signals(self.id)?;
        let right = |s: &Signal| s.code == BUS_MCEERR_AR && s.addr == addr && s.lsb == w.page_lsb();
        if seen.len() != 1 || !seen.iter().all(right) {
            return Err(w.report(&Finding {
                property: "an access to a poisoned page is answered with SIGBUS and its address",
                detail: format!("expected one, AR at {addr:#x}, seen {}", show(&seen)),
                at: Some((self.id, page.vpn)),
            }));
        }
        let mut model = w.model.borrow_mut();
        model.map(self.id, page.vpns(), super::handle::RW);
        model.read(self.id, page.vpns());
        Ok(())
    }
}

/// How long a thread may take to hear of a signal.
const THREAD: Duration = Duration::from_secs(2);
/// Who has a page, and where.
pub(super) type Places = BTreeSet<(ActorId, usize)>;
pub(super) const NEEDS: &str = "needs CONFIG_MEMORY_FAILURE";

impl<'c> World<'c> {
    /// Has one page of an actor fail. Everybody who must be told is, with the right address, nobody else is, nobody has the page
    /// any more, and the content of all others is what it was.
    #[track_caller]
    pub fn fail_page(&self, of: Actor, page: Area, cause: Cause, signals: Signals) -> TestResult {
        self.check()?;
        let how = cause.text();
        self.note(format!("{how} {} of {}", self.show(page), of.name()));
        let base = hwpoison::corrupted().ok_or(Stop::Skip(NEEDS))?;
        let Some(pfn) = self.eye.entries(self.pid(of.id)?, &[page.vpn])?[0].pfn() else {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        };
        let (mappers, failing) = self.mappers_of(pfn)?;
        let frame = failing[0].frame;
        for id in self.listeners() {
            self.signals(id)?;
        }
        self.poison.borrow_mut().base.get_or_insert(base);
        self.strike(pfn, page, cause, &mappers)?;
        self.tally().walked("poison", &failing);
        self.judge_told(pfn, &mappers, cause, signals, &[self.page_lsb()])?;
        self.judge_poison(pfn, &mappers, base)?;
        {
            let mut model = self.model.borrow_mut();
            for &(id, vpn) in &mappers {
                model.change(id, vpn..vpn + 1, |s| s.held = Held::Gone);
            }
            // Who has not mapped the object's page yet cannot have it any more either.
            if model.frames[frame].cached {
                model.frames[frame].poisoned = true;
                let slots = model
                    .spaces
                    .iter_mut()
                    .flatten()
                    .flat_map(|s| s.values_mut());
                for slot in slots.filter(|s| s.held == Held::Frame(frame)) {
                    slot.held = Held::Gone;
                }
            }
        }
        for &(id, vpn) in mappers.iter().filter(|&&m| self.is_readable(m)) {
            let area = Area { vpn, pages: 1 };
            if self.actor_by_id(id).probe(area)? != [false] {
                return Err(self.report(&Finding {
                    property: "a poisoned page cannot be read",
                    detail: format!("pfn {pfn}: a read succeeded"),
                    at: Some((id, vpn)),
                }));
            }
        }
        self.check()
    }

    /// What everybody who listens was told of a failure, of which a size of the order `lsbs` may be lost.
    #[track_caller]
    pub(super) fn judge_told(
        &self,
        pfn: Pfn,
        mappers: &Places,
        cause: Cause,
        signals: Signals,
        lsbs: &[i64],
    ) -> TestResult {
        for id in self.listeners() {
            let mut seen = self.signals(id)?;
            let threaded = self.poison.borrow().threaded.contains(&id);
            let mut until = self.limit(THREAD);
            // The signal is there already; the thread has to come to run.
            while threaded && seen.is_empty() && mappers.iter().any(|m| m.0 == id) {
                if until.over() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
                seen = self.signals(id)?;
            }
            if let Some(detail) = self.judge_signals(id, mappers, cause, signals, lsbs, &seen) {
                let at = mappers.iter().find(|m| m.0 == id).copied();
                return Err(self.report(&Finding {
                    property: "who maps a poisoned page is told, with its address, and nobody else",
                    detail: format!("pfn {pfn}: {}: {detail}", self.actor_name(id)),
                    at,
                }));
            }
        }
        Ok(())
    }

    /// Has a page of a file fail that is the same on the disk (written back, and not written since), from outside: nobody is told of it, and
    /// it is read anew from the file.
    #[track_caller]
    pub fn fail_clean_page(&self, of: Actor, page: Area) -> TestResult {
        self.check()?;
        self.fail_clean_page_now(of, page)?;
        // Whoever were told would die of it: none of them catches SIGBUS.
        self.check()
    }

    /// The same, and nobody reads anything before or after it: of a page that is the same in swap, while some of its mappers have it there.
    #[track_caller]
    pub fn fail_clean_page_now(&self, of: Actor, page: Area) -> TestResult {
        let shown = self.show(page);
        self.note(format!(
            "from outside: corrupt-pfn {shown} of {}, clean",
            of.name()
        ));
        self.flush()?;
        let base = hwpoison::corrupted().ok_or(Stop::Skip(NEEDS))?;
        self.poison.borrow_mut().base.get_or_insert(base);
        let Some(pfn) = self.eye.entries(self.pid(of.id)?, &[page.vpn])?[0].pfn() else {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        };
        if self
            .page_flags(pfn)?
            .is_none_or(|f| f.0 & (Flags::DIRTY | Flags::WRITEBACK) != 0)
        {
            return Err(Stop::Skip(
                "needs a page that is the same where it is stored",
            ));
        }
        let (_, failing) = self.mappers_of(pfn)?;
        // A batch of some CPU has a reference of its own, and then the page stays.
        lru::drain().doing("drain the LRU batches")?;
        if let Err(errno) = self.inject(pfn, page.vpn, None)? {
            if cannot_be_asked(errno) {
                return Err(Stop::Skip(NEEDS));
            }
            return Err(Stop::fail(format_args!(
                "a failure of a clean page is handled: pfn {pfn}: {errno}\n{}",
                self.script_text()
            )));
        }
        self.tally().walked("poison", &failing);
        Ok(())
    }

    /// Whether the next that writes the object back is told that some of it was lost (AS_EIO, me_pagecache_dirty()); each is told once.
    #[track_caller]
    pub fn judge_loss(&self, object: &Object, lost: bool) -> TestResult {
        self.note(format!("{}: sync_file_range, twice", object.name()));
        for due in [lost, false] {
            let seen = match fd::write_back(object.file().as_fd()) {
                Ok(()) => false,
                Err(Errno::EIO) => true,
                Err(e) => return Err(Stop::error(format_args!("sync_file_range: {e}"))),
            };
            if seen != due {
                return Err(Stop::fail(format_args!(
                    "who has written what is lost with a page is told with the next write back, once: expected {}, seen {}\n{}",
                    if due { "EIO" } else { "no error" },
                    if seen { "EIO" } else { "none" },
                    self.script_text()
                )));
            }
        }
        Ok(())
    }

    /// Who maps a page, and what it is to them.
    pub(super) fn mappers_of(&self, pfn: Pfn) -> TestResult<(Places, [Page; 1])> {
        let mut mappers = BTreeSet::new();
        let mut frame = 0;
        for (f, sightings) in self.look()? {
            for (at, _) in sightings.iter().filter(|s| s.1.pfn() == Some(pfn)) {
                frame = f;
                mappers.insert(*at);
            }
        }
        let mut failing = [Page::of(pfn, frame, mappers.iter().copied().collect())];
        tally::sort(self, &mut failing)?;
        Ok((mappers, failing))
    }

    /// The failure itself.
    fn strike(&self, pfn: Pfn, page: Area, cause: Cause, mappers: &Places) -> TestResult {
        let (by, vpn) = match cause.by() {
            Some(by) => {
                let mine = mappers.iter().find(|m| m.0 == by).map(|m| m.1);
                (Some(by), mine.unwrap_or(page.vpn))
            }
            None => (None, page.vpn),
        };
        let Err(errno) = self.inject_by(pfn, vpn, cause)? else {
            return Ok(());
        };
        if cannot_be_asked(errno) {
            return Err(Stop::Skip(NEEDS));
        }
        let flags = self.page_flags(pfn)?;
        let whole = flags.is_some_and(|f| f.has(Flags::THP));
        let mapper = by.map(|id| (id, vpn)).or(mappers.first().copied());
        if let Some(mapper) = mapper.filter(|_| whole && says_unsplit(errno))
            && !self.never_splits(pfn, mapper, by.is_none())?
        {
            return Err(Stop::Skip("needs a huge page that can be split now"));
        }
        let merged = mappers.iter().all(|m| {
            let frame = self.frame_at(m.0, m.1);
            frame.is_some_and(|f| self.frame(f).ksm)
        });
        if merged && errno == Errno::EBUSY && self.everybody_has(pfn, mappers)? {
            return Err(Stop::Skip("needs memory failure of KSM pages (Linux 6.4)"));
        }
        Err(Stop::fail(format_args!(
            "a failure of a mapped page is handled: pfn {pfn}: {errno}\n{}",
            self.script_text()
        )))
    }

    fn everybody_has(&self, pfn: Pfn, mappers: &Places) -> TestResult<bool> {
        for &(id, vpn) in mappers {
            if self.eye.entries(self.pid(id)?, &[vpn])?[0].pfn() != Some(pfn) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn listeners(&self) -> Vec<ActorId> {
        let living: BTreeSet<ActorId> = self.model.borrow().living().collect();
        let poison = self.poison.borrow();
        let ids = poison.listeners.keys().copied();
        ids.filter(|id| living.contains(id)).collect()
    }

    /// Whether a page of this world has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.poison.borrow().failed
    }

    /// What one actor was told since the last time. The signals of a failure are there before the call that made it returns.
    pub(super) fn signals(&self, id: ActorId) -> TestResult<Vec<Signal>> {
        match self.ask(id, &Cmd::Bus(Bus::Take))? {
            Reply::Values(v) => Ok(v
                .as_chunks()
                .0
                .iter()
                .map(|&[code, addr, lsb, first]| Signal {
                    code: code as i32,
                    addr: addr as usize,
                    lsb,
                    first: first != 0,
                })
                .collect()),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    pub(super) fn page_lsb(&self) -> i64 {
        self.page.ilog2().into()
    }

    /// What is wrong with what one actor was told.
    fn judge_signals(
        &self,
        id: ActorId,
        mappers: &Places,
        cause: Cause,
        signals: Signals,
        lsbs: &[i64],
        seen: &[Signal],
    ) -> Option<String> {
        let early = self.poison.borrow().listeners[&id];
        let by_access = cause.by() == Some(id);
        let mine: BTreeSet<usize> = mappers
            .iter()
            .filter(|m| m.0 == id)
            .map(|m| m.1 * self.page)
            .collect();
        let (mut must, mut may) = (mine.clone(), mine);
        if signals == Signals::MappersAtLeast {
            let (file, over) = self.over_page(id, mappers);
            may.extend(&over);
            if file {
                must.extend(over);
            }
        }
        let forced = by_access && self.forces_access();
        let told = early || forced;
        let code = if forced { BUS_MCEERR_AR } else { BUS_MCEERR_AO };
        if !self.forces_access() {
            // Of a hugetlb page the address of the whole was told.
            let size = |lsb: &&i64| **lsb > self.page_lsb();
            let wholes = lsbs.iter().filter(size).map(|lsb| !((1_usize << lsb) - 1));
            let wholes: Vec<usize> = wholes
                .flat_map(|m| may.iter().map(move |a| a & m))
                .collect();
            may.extend(wholes);
        }
        let text = |what: &str| Some(format!("expected {what}, seen {}", show(seen)));
        if told && !must.is_empty() && seen.is_empty() {
            return text(&format!("a signal, address one of {must:x?}"));
        }
        if (!told || may.is_empty()) && !seen.is_empty() {
            return text("nothing");
        }
        // Signals of one number do not queue: who maps the page several times is told once or more.
        if seen.len() > may.len() {
            return text(&format!("at most {} signals", may.len()));
        }
        let wrong = |s: &Signal| s.code != code || !lsbs.contains(&s.lsb) || !may.contains(&s.addr);
        if seen.iter().any(wrong) {
            return text(&format!(
                "code {code}, lsb one of {lsbs:?}, address one of {may:x?}"
            ));
        }
        // The thread whose access it was, else the one that asked for it.
        let first = if forced {
            !matches!(cause, Cause::Thread(_))
        } else {
            !self.poison.borrow().threaded.contains(&id)
        };
        if seen.iter().any(|s| s.first != first) {
            return text(if first {
                "it told to the first thread"
            } else {
                "it told to another thread than the first"
            });
        }
        None
    }

    /// Whether MADV_HWPOISON is as an access by the process that asks for it. Before Linux 6.11 it is as a failure that somebody else has found,
    /// though by nobody but those who map the page ("mm/madvise: add MF_ACTION_REQUIRED to madvise(MADV_HWPOISON)").
    fn forces_access(&self) -> bool {
        self.features().version() >= (6, 11)
    }

    /// Where one actor has a VMA over a page, whether or not it maps the page there: over the same page of the same object, or
    /// private memory at the address of another mapper. True when it is an object's page.
    fn over_page(&self, id: ActorId, mappers: &Places) -> (bool, Vec<usize>) {
        let model = self.model.borrow();
        let slot = |&(a, v): &(ActorId, usize)| model.spaces[a].as_ref()?.get(&v).copied();
        let objects: BTreeSet<_> = mappers.iter().filter_map(|m| slot(m)?.object).collect();
        let over = |(&v, s): (&usize, &Slot)| match s.object {
            Some(object) => objects.contains(&object),
            None => objects.is_empty() && mappers.iter().any(|m| m.1 == v),
        };
        let space = model.spaces[id].iter().flatten();
        let found = space.filter(|&(v, s)| over((v, s)));
        (
            !objects.is_empty(),
            found.map(|(v, _)| v * self.page).collect(),
        )
    }

    /// Nobody has it, and it is marked and counted.
    #[track_caller]
    fn judge_poison(&self, pfn: Pfn, mappers: &Places, base: u64) -> TestResult {
        for &(id, vpn) in mappers {
            let seen = self.eye.entries(self.pid(id)?, &[vpn])?[0];
            // Empty would read as a page of zeroes, as if nothing had been there.
            if !matches!(seen.state, State::Swapped(_)) {
                return Err(self.report(&Finding {
                    property: "every mapper of a poisoned page has an entry that says so",
                    detail: format!("pfn {pfn}: seen {seen}"),
                    at: Some((id, vpn)),
                }));
            }
        }
        if self.features().kpageflags
            && let Some(flags) = self.eye.flags(pfn)?
            && !flags.has(Flags::HWPOISON)
        {
            let text = format!("a poisoned page is marked: pfn {pfn}: seen {flags:?}");
            return Err(Stop::fail(text));
        }
        let now = hwpoison::corrupted().unwrap_or(0);
        if now != base + self.page as u64 {
            return Err(Stop::fail(format_args!(
                "a poisoned page is counted once: HardwareCorrupted was {base}, is {now}"
            )));
        }
        Ok(())
    }

    /// Whether the kernel shows the mark of a hugetlb page with its head only, as before Linux 6.11, and it is there.
    pub(super) fn is_marked_whole(&self, pfn: Pfn) -> TestResult<bool> {
        if self.features().version() >= (6, 11) {
            return Ok(false);
        }
        let head = self.page_flags(self.folio_head(pfn)?)?;
        Ok(head.is_some_and(|f| f.has(Flags::HUGE) && f.has(Flags::HWPOISON)))
    }

    /// Gives all poisoned pages back, after those who mapped them have gone. Where the kernel cannot, they stay poisoned.
    #[track_caller]
    pub fn unpoison(&self) -> TestResult {
        let dir = match self.features().unpoison() {
            Ok(dir) => dir,
            Err(why) => {
                let n = self.poison.borrow().pages.len();
                self.diag(format_args!(
                    "{n} page(s) stay poisoned until the next boot: {why}"
                ));
                return Ok(());
            }
        };
        self.note(String::from("unpoison"));
        let pages = std::mem::take(&mut self.poison.borrow_mut().pages);
        for pfn in pages {
            if let Err(e) = self.give_back(dir, pfn) {
                return Err(Stop::fail(format_args!(
                    "a poisoned page that nobody uses can be given back: pfn {pfn}: {e}\n{}",
                    self.script_text()
                )));
            }
        }
        let (base, now) = (self.poison.borrow().base, hwpoison::corrupted());
        if base.is_some() && now != base {
            return Err(Stop::fail(format_args!(
                "the count of poisoned memory is back: HardwareCorrupted was {base:?}, is {now:?}"
            )));
        }
        Ok(())
    }

    /// The same when a test has failed or was skipped: as much as is possible. A page that is not given back may be met again, by its mark.
    pub(super) fn unpoison_quietly(&self) {
        if self.poison.borrow().pages.is_empty() {
            return;
        }
        // What an object has cannot be given back.
        self.ctx.left.empty();
        if let Ok(dir) = self.features().unpoison() {
            let pages = std::mem::take(&mut self.poison.borrow_mut().pages);
            for pfn in pages {
                let _ = self.give_back(dir, pfn);
            }
        }
    }

    /// Gives one back; of a hugetlb page that is still whole the mark is at its head, and all failed pages of it are given back at once.
    fn give_back(&self, dir: &Path, pfn: Pfn) -> io::Result<()> {
        let given = hwpoison::unpoison(dir, pfn);
        match self.folio_head(pfn) {
            Ok(head) if given.is_err() && head != pfn => hwpoison::unpoison(dir, head),
            _ => given,
        }
    }
}

/// Signals in words.
fn show(seen: &[Signal]) -> String {
    if seen.is_empty() {
        return String::from("nothing");
    }
    let one = |s: &Signal| {
        let thread = if s.first {
            ""
        } else {
            ", not the first thread"
        };
        format!(
            "code {} address {:#x} lsb {}{thread}",
            s.code, s.addr, s.lsb
        )
    };
    seen.iter().map(one).collect::<Vec<_>>().join(", ")
}
