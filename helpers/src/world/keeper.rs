// SPDX-License-Identifier: GPL-2.0-or-later
//! userfaultfds whose events the test answers, while the actor that caused one waits in its fork, its mremap or its fault.
//!
//! A step that waits for an answer is a command in two halves: sent, answered here, its reply awaited. Every userfaultfd of the world
//! is looked at meanwhile, so an event that arrives at the wrong one is told from one that does not arrive.

use super::check::Finding;
use super::model::{ActorId, Held};
use super::{Area, REPLY_LIMIT, World};
use crate::actor::Cmd;
use crate::kernel::vma;
use crate::pace::Wait;
use crate::sys::mem;
use crate::sys::uffd::{self, Event};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::{Rc, Weak};

/// What VmFlags say of an area that is registered.
const CODES: [(u64, &str); 4] = [
    (uffd::MISSING, "um"),
    (uffd::WP, "uw"),
    (uffd::MINOR, "ui"),
    (uffd::RWP, "ur"),
];

/// Whose userfaultfd, and the file.
type File = (ActorId, Rc<OwnedFd>);

/// The world's userfaultfds, and which pages are registered with them for what ([`uffd::MISSING`], [`uffd::WP`],
/// [`uffd::MINOR`], [`uffd::RWP`]).
#[derive(Default)]
pub(super) struct Kept {
    files: Vec<(ActorId, Weak<OwnedFd>)>,
    pub(super) modes: BTreeMap<(ActorId, usize), u64>,
    /// Whether anything ever was registered: then what is not has to be free of it.
    used: bool,
}

/// What the test gives to somebody who waits for a missing page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A page of new content (UFFDIO_COPY).
    Copy,
    /// Zeroes (UFFDIO_ZEROPAGE).
    Zero,
    /// The page that the object has (UFFDIO_CONTINUE).
    Continue,
}

/// The userfaultfd of one actor, in the hands of the test.
pub struct Keeper<'w, 'c> {
    pub(super) world: &'w World<'c>,
    pub(super) actor: ActorId,
    pub(super) features: u64,
    pub(super) file: Rc<OwnedFd>,
}

impl<'w, 'c> World<'c> {
    pub(super) fn keeper(&'w self, actor: ActorId, features: u64, file: OwnedFd) -> Keeper<'w, 'c> {
        let file = Rc::new(file);
        let mut kept = self.kept.borrow_mut();
        kept.files.push((actor, Rc::downgrade(&file)));
        self.model.borrow_mut().keeps(actor);
        Keeper {
            world: self,
            actor,
            features,
            file,
        }
    }

    /// Waits for an event of `actor`, which has been sent `cmd` and must not be ready before the event is read.
    #[track_caller]
    pub(super) fn event(&self, actor: ActorId, cmd: &Cmd, what: &str) -> TestResult<Event> {
        let mut limit = Wait::new(REPLY_LIMIT);
        loop {
            let (at, answered) = self.readable(Some(actor), &limit)?;
            match at {
                Some((id, file)) => match uffd::next(&file)? {
                    Some(event) if id == actor => return Ok(event),
                    Some(event) => return Err(self.stray(id, &event, what)),
                    None => {}
                },
                None if answered => {
                    let reply = self.channel(actor, |c| c.reply(cmd, REPLY_LIMIT))?;
                    let stop = Stop::fail(format_args!(
                        "{what} is told to the userfaultfd and waits for the answer: it was answered {reply:?} without"
                    ));
                    return Err(self.blame(actor, stop));
                }
                None => {}
            }
            if limit.over() {
                let stop = Stop::fail(format_args!(
                    "{what} is told to the userfaultfd: nothing has arrived, and the actor still waits"
                ));
                return Err(self.blame(actor, stop));
            }
        }
    }

    /// The userfaultfds that the test has, and whose they are.
    pub(super) fn kept_files(&self) -> Vec<File> {
        let mut kept = self.kept.borrow_mut();
        kept.files.retain(|(_, file)| file.strong_count() > 0);
        let alive = |(id, file): &(ActorId, Weak<OwnedFd>)| Some((*id, file.upgrade()?));
        kept.files.iter().filter_map(alive).collect()
    }

    /// Waits until one of the userfaultfds has an event, or the actor an answer. Events come first: an answer that comes with one is not
    /// that of the command which the event is of.
    pub(super) fn readable(
        &self,
        actor: Option<ActorId>,
        limit: &Wait,
    ) -> TestResult<(Option<File>, bool)> {
        let files = self.kept_files();
        let cast = self.cast.borrow();
        let channel = actor.and_then(|id| cast[id].channel.as_ref());
        let mut fds: Vec<PollFd> = files
            .iter()
            .map(|(_, file)| PollFd::new(file.as_fd(), PollFlags::POLLIN))
            .collect();
        fds.extend(channel.map(|c| PollFd::new(c.socket(), PollFlags::POLLIN)));
        let ms = match actor {
            Some(_) => u16::try_from(limit.left().as_millis() + 1).unwrap_or(u16::MAX),
            None => 0,
        };
        match nix::poll::poll(&mut fds, PollTimeout::from(ms)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
        let ready = |f: &PollFd| f.revents().is_some_and(|r| !r.is_empty());
        let event = fds[..files.len()].iter().position(ready);
        let answered = fds[files.len()..].iter().any(ready);
        Ok((event.map(|i| files[i].clone()), answered))
    }

    #[track_caller]
    fn stray(&self, id: ActorId, event: &Event, what: &str) -> Stop {
        let stop = Stop::fail(format_args!(
            "an event arrives at the userfaultfd of the process that it is of, and once: {event:?} at this one's, after or instead of {what}"
        ));
        self.blame(id, stop)
    }

    /// No userfaultfd has an event that nobody asked for.
    #[track_caller]
    pub(super) fn no_event(&self, what: &str) -> TestResult {
        let now = Wait::new(std::time::Duration::ZERO);
        match self.readable(None, &now)?.0 {
            Some((id, file)) => match uffd::next(&file)? {
                Some(event) => Err(self.stray(id, &event, what)),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// VmFlags of every VMA say what is registered (um, uw, ui), and nothing else is; PAGEMAP_SCAN says what was accessed.
    #[track_caller]
    pub fn check_kept(&self) -> TestResult {
        if !self.kept.borrow().used {
            return Ok(());
        }
        self.no_event("the last step")?;
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            // No smaps (CONFIG_PROC_PAGE_MONITOR), nothing to compare.
            let Ok(areas) = vma::all_flags(self.pid(id)?) else {
                continue;
            };
            if let Some(finding) = self.judge_kept(id, &areas) {
                return Err(self.report(&finding));
            }
        }
        self.check_accessed()
    }

    fn judge_kept(&self, id: ActorId, areas: &[vma::Flagged]) -> Option<Finding> {
        let (model, kept) = (self.model.borrow(), self.kept.borrow());
        let space = model.spaces[id].as_ref().expect("living");
        for area in areas {
            for (&vpn, _) in space.range(area.start / self.page..area.end / self.page) {
                let modes = kept.modes.get(&(id, vpn)).copied().unwrap_or(0);
                for (mode, code) in CODES {
                    let expected = modes & mode != 0;
                    if area.has(code) != expected {
                        let page = self.show(Area { vpn, pages: 1 });
                        return Some(Finding {
                            property: "an area is registered with a userfaultfd where it was asked for or inherited, and nowhere else",
                            detail: format!(
                                "{page} is {}registered (VmFlags {code})",
                                if expected { "not " } else { "" }
                            ),
                            at: Some((id, vpn)),
                        });
                    }
                }
            }
        }
        None
    }
}

impl<'w, 'c> Keeper<'w, 'c> {
    pub(super) fn note(&self, what: &str, area: Area) {
        let w = self.world;
        w.note(format!(
            "userfaultfd of {}: {what} {}",
            w.actor_name(self.actor),
            w.show(area)
        ));
    }

    pub(super) fn bytes(&self, area: Area) -> (usize, usize) {
        (area.vpn * self.world.page, area.pages * self.world.page)
    }

    /// UFFDIO_REGISTER for [`uffd::MISSING`], [`uffd::WP`], [`uffd::MINOR`], [`uffd::RWP`] or several of them.
    ///
    /// # Errors
    /// `Skip` where the kernel has no write protection.
    #[track_caller]
    pub fn register(&self, area: Area, modes: u64) -> TestResult {
        self.register_parts(area, &[area], modes)
    }

    /// The same of an area of which the model knows the given parts only, see [`super::Actor::map_parts`].
    #[track_caller]
    pub fn register_parts(&self, area: Area, parts: &[Area], modes: u64) -> TestResult {
        self.note(&format!("UFFDIO_REGISTER for {modes:#x}"), area);
        let w = self.world;
        w.flush()?;
        let (addr, len) = self.bytes(area);
        match uffd::register_for(&self.file, addr, len, modes) {
            Ok(()) => {}
            Err(Errno::EINVAL) if modes & uffd::WP != 0 => {
                return Err(Stop::Skip("needs UFFDIO_WRITEPROTECT"));
            }
            Err(e) => return Err(self.error("UFFDIO_REGISTER", e)),
        }
        let mut kept = w.kept.borrow_mut();
        kept.used = true;
        let all = parts.iter().flat_map(|part| part.vpns());
        kept.modes.extend(all.map(|vpn| ((self.actor, vpn), modes)));
        Ok(())
    }

    /// UFFDIO_WRITEPROTECT of pages that are there. A write to them waits, see [`super::Actor::write_kept`].
    ///
    /// # Errors
    /// `Skip` where pagemap does not show it (bit 57, Linux 5.13).
    #[track_caller]
    pub fn protect(&self, area: Area) -> TestResult {
        self.note("UFFDIO_WRITEPROTECT", area);
        self.write_protect(area, true)?;
        self.world.guard(self.actor, area)
    }

    /// The end of it.
    #[track_caller]
    pub fn unprotect(&self, area: Area) -> TestResult {
        self.note("UFFDIO_WRITEPROTECT no more", area);
        self.write_protect(area, false)?;
        self.world.unmark(self.actor, area);
        Ok(())
    }

    /// UFFDIO_RWPROTECT of pages that are there: whoever touches them waits, see [`super::Actor::read_shut`], and no walk lets the kernel read them.
    #[track_caller]
    pub fn shut(&self, area: Area) -> TestResult {
        self.note("UFFDIO_RWPROTECT", area);
        self.rw_protect(area, true)?;
        self.world.guard(self.actor, area)
    }

    /// The end of it.
    #[track_caller]
    pub fn open(&self, area: Area) -> TestResult {
        self.note("UFFDIO_RWPROTECT no more", area);
        self.rw_protect(area, false)?;
        self.world.unmark(self.actor, area);
        Ok(())
    }

    /// What [`super::Actor::uffd_move`] has brought to an area that is registered for [`uffd::RWP`] is protected there from the start
    /// (move_present_ptes(), move_swap_pte(), move_zeropage_pte(), move_pages_huge_pmd()).
    #[track_caller]
    pub fn shut_by_move(&self, area: Area) -> TestResult {
        self.note("protected since they came:", area);
        self.world.guard(self.actor, area)
    }

    /// What has been taken from an area by [`super::Actor::uffd_move`] has left its protection there too.
    pub fn open_by_move(&self, area: Area) {
        self.note("protected no more since they went:", area);
        self.world.unmark(self.actor, area);
    }

    /// UFFDIO_RWPROTECT, or the end of it, of an area that is not registered as a whole: nothing of it is done (mrwprotect_range()).
    #[track_caller]
    pub fn shut_refused(&self, area: Area, on: bool) -> TestResult {
        let what = if on { "" } else { " no more" };
        let what = format!("to be refused: UFFDIO_RWPROTECT{what}");
        self.note(&what, area);
        let (w, (addr, len)) = (self.world, self.bytes(area));
        w.flush()?;
        match self.insist(|| uffd::rw_protect(&self.file, addr, len, on)) {
            Err(Errno::ENOENT) => Ok(()),
            other => Err(Stop::fail(format_args!(
                "what is not registered cannot be protected from access: {other:?}, not ENOENT"
            ))),
        }
    }

    #[track_caller]
    fn rw_protect(&self, area: Area, on: bool) -> TestResult {
        self.world.flush()?;
        let (addr, len) = self.bytes(area);
        self.insist(|| uffd::rw_protect(&self.file, addr, len, on))
            .map_err(|e| self.error("UFFDIO_RWPROTECT", e))
    }

    /// UFFDIO_UNREGISTER: nothing of the area is write-protected any more, nor waited for.
    #[track_caller]
    pub fn unregister(&self, area: Area) -> TestResult {
        self.note("UFFDIO_UNREGISTER", area);
        let w = self.world;
        w.flush()?;
        let (addr, len) = self.bytes(area);
        uffd::unregister(&self.file, addr, len).map_err(|e| self.error("UFFDIO_UNREGISTER", e))?;
        let vpns = area.vpns();
        let other = |&(id, vpn): &(ActorId, usize)| id != self.actor || !vpns.contains(&vpn);
        w.guarded.borrow_mut().retain(other);
        w.kept.borrow_mut().modes.retain(|at, _| other(at));
        Ok(())
    }

    #[track_caller]
    fn write_protect(&self, area: Area, on: bool) -> TestResult {
        self.world.flush()?;
        let (addr, len) = self.bytes(area);
        self.insist(|| uffd::write_protect(&self.file, addr, len, on))
            .map_err(|e| self.error("UFFDIO_WRITEPROTECT", e))
    }

    /// Fills missing pages one by one, whether somebody waits for them or not. Whole huge pages where they are a hugetlb object's.
    ///
    /// # Errors
    /// `Fail` when the kernel does not let it: a page is missing, and the area registered.
    #[track_caller]
    pub fn fill(&self, area: Area, with: Answer) -> TestResult {
        for unit in self.world.faults(self.actor, area) {
            self.fill_whole(unit, with, false)?;
        }
        Ok(())
    }

    /// Pages behind the end of the file that the area maps cannot be filled, or a page would be there that no truncation finds
    /// (mfill_file_over_size()).
    #[track_caller]
    pub fn fill_behind_end(&self, area: Area, with: Answer) -> TestResult {
        let w = self.world;
        w.flush()?;
        self.note("to be refused:", area);
        for vpn in area.vpns() {
            let (addr, len) = self.bytes(Area { vpn, pages: 1 });
            let done = self.insist(|| match with {
                Answer::Copy => {
                    uffd::copy(&self.file, addr, &vec![1; len / size_of::<u64>()], false)
                }
                Answer::Zero => uffd::zero(&self.file, addr, len),
                Answer::Continue => uffd::cont(&self.file, addr, len, false),
            });
            // EFAULT; ENOMEM for shared memory in Linux 7.
            if done.is_ok() {
                return Err(w.report(&Finding {
                    property: "userfaultfd fills in no page behind the end of a file",
                    detail: format!("{with:?} is not refused"),
                    at: Some((self.actor, vpn)),
                }));
            }
        }
        Ok(())
    }

    /// A page of the file that has failed cannot be mapped by UFFDIO_CONTINUE (mfill_atomic_pte_continue()).
    #[track_caller]
    pub fn continue_poisoned(&self, page: Area) -> TestResult {
        let w = self.world;
        w.flush()?;
        self.note("to be refused: UFFDIO_CONTINUE", page);
        let (addr, len) = self.bytes(page);
        match self.insist(|| uffd::cont(&self.file, addr, len, false)) {
            Err(_) => Ok(()),
            Ok(_) => Err(w.report(&Finding {
                property: "nobody has a page again where one was poisoned",
                detail: String::from("UFFDIO_CONTINUE is not refused"),
                at: Some((self.actor, page.vpn)),
            })),
        }
    }

    /// Fills missing pages one by one, write-protected from the start: a write to one of them waits. Whole huge pages where they are a
    /// hugetlb object's.
    ///
    /// # Errors
    /// As [`Keeper::fill`]; `Skip` where the kernel has no UFFDIO_CONTINUE that write-protects, or does not show it in pagemap.
    #[track_caller]
    pub fn fill_protected(&self, area: Area, with: Answer) -> TestResult {
        let w = self.world;
        if with == Answer::Continue && w.features().version() < (6, 4) {
            return Err(Stop::Skip("needs UFFDIO_CONTINUE_MODE_WP (Linux 6.4)"));
        }
        for unit in w.faults(self.actor, area) {
            self.fill_whole(unit, with, true)?;
        }
        w.guard(self.actor, area)
    }

    #[track_caller]
    fn fill_whole(&self, area: Area, with: Answer, wp: bool) -> TestResult {
        let w = self.world;
        w.flush()?;
        let name = match with {
            Answer::Copy => "UFFDIO_COPY",
            Answer::Zero => "UFFDIO_ZEROPAGE",
            Answer::Continue => "UFFDIO_CONTINUE",
        };
        let how = if wp { ", write-protected," } else { "" };
        self.note(&format!("{name}{how}"), area);
        let (addr, len) = self.bytes(area);
        let stamps: Vec<_> = area.vpns().map(|vpn| (vpn, w.stamp())).collect();
        let done = self.insist(|| match with {
            Answer::Copy => {
                let words = w.page / size_of::<u64>();
                let page = |&(_, stamp): &(usize, u64)| {
                    (0..words).map(move |i| mem::pattern_word(stamp, i))
                };
                let content: Vec<u64> = stamps.iter().flat_map(page).collect();
                uffd::copy(&self.file, addr, &content, wp)
            }
            Answer::Zero => uffd::zero(&self.file, addr, len),
            Answer::Continue => uffd::cont(&self.file, addr, len, wp),
        });
        if let Err(e) = done {
            let stop = Stop::fail(format_args!(
                "a missing page of a registered area can be filled: {with:?}: {e}"
            ));
            return Err(w.blame(self.actor, stop));
        }
        let mut model = w.model.borrow_mut();
        match with {
            Answer::Copy => {
                model.write(self.actor, &stamps);
                model.change(self.actor, area.vpns(), |s| s.soft_dirty = true);
            }
            Answer::Zero | Answer::Continue => model.read(self.actor, area.vpns()),
        }
        Ok(())
    }

    /// UFFDIO_POISON of missing pages: nobody can have them, until they are given back.
    #[track_caller]
    pub fn poison(&self, area: Area) -> TestResult {
        let w = self.world;
        w.flush()?;
        self.note("UFFDIO_POISON", area);
        let (addr, len) = self.bytes(area);
        self.insist(|| uffd::poison(&self.file, addr, len))
            .map_err(|e| self.error("UFFDIO_POISON", e))?;
        let mut model = w.model.borrow_mut();
        model.change(self.actor, area.vpns(), |s| s.held = Held::Gone);
        Ok(())
    }

    /// UFFDIO_ZEROPAGE of private anonymous memory that UFFDIO_POISON has marked: there is something already, so it is refused
    /// (mfill_atomic_pte_zeropage()).
    #[track_caller]
    pub fn zero_refused(&self, area: Area) -> TestResult {
        let w = self.world;
        w.flush()?;
        self.note("to be refused: UFFDIO_ZEROPAGE", area);
        for vpn in area.vpns() {
            let (addr, len) = self.bytes(Area { vpn, pages: 1 });
            match self.insist(|| uffd::zero(&self.file, addr, len)) {
                Err(Errno::EEXIST) => {}
                other => {
                    return Err(w.report(&Finding {
                        property: "UFFDIO_ZEROPAGE fills in what is missing, not what is marked as lost",
                        detail: format!("{other:?}, not EEXIST"),
                        at: Some((self.actor, vpn)),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Closes it: its areas are plain memory again, those of children that have a userfaultfd of their own are not.
    #[track_caller]
    pub fn close(self) -> TestResult {
        let w = self.world;
        w.note(format!(
            "userfaultfd of {}: close",
            w.actor_name(self.actor)
        ));
        w.flush()?;
        w.forget(self.actor);
        let actor = self.actor;
        drop(self);
        w.model.borrow_mut().keeps_no_more(actor);
        Ok(())
    }

    /// An ioctl is refused with EAGAIN while a fork, mremap or munmap is between its event and its end (mmap_changing).
    pub(super) fn insist(&self, mut ioctl: impl FnMut() -> Result<(), Errno>) -> Result<(), Errno> {
        let mut limit = Wait::new(REPLY_LIMIT);
        loop {
            match ioctl() {
                Err(Errno::EAGAIN) if !limit.over() => std::thread::yield_now(),
                other => return other,
            }
        }
    }

    #[track_caller]
    fn error(&self, what: &str, e: Errno) -> Stop {
        let stop = Stop::error(format_args!("{what}: {e}"));
        self.world.blame(self.actor, stop)
    }
}

impl World<'_> {
    /// What one fault each brings in of an area: its pages, or the huge ones of a hugetlb object.
    pub(super) fn faults(&self, actor: ActorId, area: Area) -> Vec<Area> {
        let model = self.model.borrow();
        let slot = model.spaces[actor].as_ref().expect("living")[&area.vpn];
        let hugetlb = slot.object.is_some_and(|(o, _)| model.objects[o].hugetlb);
        let pmd = self.features().pmd_size.filter(|_| hugetlb);
        let pages = pmd.map_or(1, |size| size / self.page);
        let unit = |vpn| Area { vpn, pages };
        area.vpns().step_by(pages).map(unit).collect()
    }

    /// Pages of an actor are let go.
    fn unmark(&self, actor: ActorId, area: Area) {
        let vpns = area.vpns();
        let mut guarded = self.guarded.borrow_mut();
        guarded.retain(|(id, vpn)| *id != actor || !vpns.contains(vpn));
    }

    /// Whether a mapper's page is protected from reads too, see [`Keeper::shut`].
    pub(super) fn is_shut(&self, at: (ActorId, usize)) -> bool {
        let modes = |kept: &Kept| kept.modes.get(&at).copied().unwrap_or(0);
        self.guarded.borrow().contains(&at) && modes(&self.kept.borrow()) & uffd::RWP != 0
    }

    /// An actor's areas are registered no more.
    pub(super) fn forget(&self, actor: ActorId) {
        self.kept.borrow_mut().modes.retain(|k, _| k.0 != actor);
        self.guarded.borrow_mut().retain(|k| k.0 != actor);
    }
}
