// SPDX-License-Identifier: GPL-2.0-or-later
//! The steps of an actor whose userfaultfd the test holds, see [`super::keeper`].

use super::check::Finding;
use super::keeper::{Answer, Keeper};
use super::model::{ActorId, Held};
use super::{Actor, Area, REPLY_LIMIT, World};
use crate::actor::uffd::Cmd as Uffd;
use crate::actor::{Channel, Cmd, Reply};
use crate::pace::Wait;
use crate::sys::fd;
use crate::sys::uffd::{self, Event};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// Features by bit, and what to say without them.
const FEATURES: [(u64, &str); 11] = [
    (uffd::FEATURE_MOVE, "needs UFFDIO_MOVE (Linux 6.8)"),
    (uffd::FEATURE_RWP, "needs UFFDIO_RWPROTECT"),
    (uffd::FEATURE_RWP_ASYNC, "needs UFFD_FEATURE_RWP_ASYNC"),
    (
        uffd::FEATURE_WP_UNPOPULATED,
        "needs UFFD_FEATURE_WP_UNPOPULATED (Linux 6.4)",
    ),
    (
        uffd::FEATURE_WP_ASYNC,
        "needs UFFD_FEATURE_WP_ASYNC (Linux 6.7)",
    ),
    (
        uffd::FEATURE_EVENT_FORK,
        "needs UFFD_FEATURE_EVENT_FORK (Linux 4.11)",
    ),
    (
        uffd::FEATURE_EVENT_REMAP,
        "needs UFFD_FEATURE_EVENT_REMAP (Linux 4.11)",
    ),
    (
        uffd::FEATURE_EVENT_UNMAP,
        "needs UFFD_FEATURE_EVENT_UNMAP (Linux 4.11)",
    ),
    (
        uffd::FEATURE_MINOR_SHMEM,
        "needs UFFD_FEATURE_MINOR_SHMEM (Linux 5.14)",
    ),
    (
        uffd::FEATURE_MINOR_HUGETLBFS,
        "needs UFFD_FEATURE_MINOR_HUGETLBFS (Linux 5.13)",
    ),
    (
        uffd::FEATURE_POISON,
        "needs UFFD_FEATURE_POISON (Linux 6.6)",
    ),
];

/// What a fault is told as.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fault {
    write: bool,
    wp: bool,
    minor: bool,
    rwp: bool,
}

impl Fault {
    /// The one that is answered so.
    fn by(answer: Answer, write: bool) -> Fault {
        Fault {
            write,
            wp: false,
            minor: answer == Answer::Continue,
            rwp: false,
        }
    }

    /// At a page that UFFDIO_RWPROTECT protects.
    fn shut(write: bool) -> Fault {
        Fault {
            write,
            wp: false,
            minor: false,
            rwp: true,
        }
    }
}

impl<'w, 'c> Actor<'w, 'c> {
    /// A userfaultfd with all these features, which the test takes; the actor keeps none.
    ///
    /// # Errors
    /// `Skip` where the kernel has none, or not these features, or does not give it away.
    #[track_caller]
    pub fn keeper(&self, features: u64) -> TestResult<Keeper<'w, 'c>> {
        let keeper = self.keeper_for_both(features)?;
        self.world.tell(self.id, &Cmd::Uffd(Uffd::Close))?;
        Ok(keeper)
    }

    /// The same, and the actor keeps it as well: [`Actor::uffd_move`] is for a process's own pages.
    ///
    /// # Errors
    /// As [`Actor::keeper`].
    #[track_caller]
    pub fn keeper_for_both(&self, features: u64) -> TestResult<Keeper<'w, 'c>> {
        let w = self.world;
        w.note(format!(
            "{}: userfaultfd, features {features:#x}, for the test",
            self.name()
        ));
        let cmd = Cmd::Uffd(Uffd::Serve { features });
        let (number, offered) = match w.ask(self.id, &cmd)? {
            Reply::Values(v) => (v[0] as i32, v[1] as u64),
            Reply::Errno(e) if uffd::is_lacking(Errno::from_raw(e)) => {
                return Err(Stop::Skip("needs userfaultfd"));
            }
            other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        };
        for (feature, lacking) in FEATURES {
            if features & feature & !offered != 0 {
                return Err(Stop::Skip(lacking));
            }
        }
        let file = match fd::take(self.pid()?, number) {
            Ok(file) => file,
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => {
                return Err(Stop::Skip("needs pidfd_getfd(2) (Linux 5.6)"));
            }
            Err(e) => return Err(w.blame(self.id, Stop::error(format_args!("pidfd_getfd: {e}")))),
        };
        Ok(w.keeper(self.id, features, file))
    }

    /// fork of a process with UFFD_FEATURE_EVENT_FORK: the child, and its userfaultfd, which the event brings. What is registered or
    /// write-protected in the parent is so in the child.
    #[track_caller]
    pub fn fork_kept(
        &self,
        name: &str,
        keeper: &Keeper<'w, 'c>,
    ) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>)> {
        let w = self.world;
        let ours = self.begin_fork(name)?;
        let file = match w.event(self.id, &Cmd::Fork, "a fork")? {
            Event::Fork(file) => file,
            other => return Err(self.unexpected(&other, "a fork")),
        };
        let child = self.end_fork(name, ours)?;
        let keeper = w.keeper(child.id, keeper.features, file);
        w.no_event("a fork")?;
        w.inherit(self.id, child.id);
        Ok((child, keeper))
    }

    /// The same, but the userfaultfd is closed while the fork waits for its event to be read: neither has one any more.
    #[track_caller]
    pub fn fork_unread(&self, name: &str, keeper: Keeper<'w, 'c>) -> TestResult<Actor<'w, 'c>> {
        let w = self.world;
        let ours = self.begin_fork(name)?;
        let mut limit = Wait::new(REPLY_LIMIT);
        loop {
            match w.readable(Some(self.id), &limit)? {
                (Some((id, _)), _) if id == self.id => break,
                (None, false) if !limit.over() => {}
                other => {
                    let stop = Stop::fail(format_args!(
                        "a fork is told to the userfaultfd and waits: seen {other:?}"
                    ));
                    return Err(w.blame(self.id, stop));
                }
            }
        }
        keeper.close()?;
        self.end_fork(name, ours)
    }

    #[track_caller]
    fn begin_fork(&self, name: &str) -> TestResult<OwnedFd> {
        let w = self.world;
        w.note(format!("{}: fork -> {name}", self.name()));
        w.flush()?;
        w.channel(self.id, Channel::begin_fork)
    }

    #[track_caller]
    fn end_fork(&self, name: &str, ours: OwnedFd) -> TestResult<Actor<'w, 'c>> {
        let end = |c: &mut Channel| c.end_fork(ours, REPLY_LIMIT);
        Ok(self.born(name, self.world.channel(self.id, end)?))
    }

    /// Reads missing pages, which the test fills one by one. Of a hugetlb page the first one faults for all.
    #[track_caller]
    pub fn read_kept(&self, area: Area, keeper: &Keeper, with: Answer) -> TestResult {
        let w = self.world;
        for page in w.faults(self.id, area) {
            w.note(format!("{}: read {}", self.name(), w.show(page)));
            let addrs = page.vpns().map(|vpn| vpn * w.page).collect();
            let fault = Fault::by(with, false);
            self.faulting(&Cmd::Read { addrs }, page, fault, || {
                keeper.fill(page, with)
            })?;
        }
        Ok(())
    }

    /// Writes to missing pages, which the test fills one by one first.
    #[track_caller]
    pub fn write_missing(&self, area: Area, keeper: &Keeper, with: Answer) -> TestResult {
        self.write_after(area, Fault::by(with, true), |page| keeper.fill(page, with))
    }

    /// Writes to write-protected pages, which the test lets go one by one.
    #[track_caller]
    pub fn write_kept(&self, area: Area, keeper: &Keeper) -> TestResult {
        let fault = Fault {
            write: true,
            wp: true,
            minor: false,
            rwp: false,
        };
        self.write_after(area, fault, |page| keeper.unprotect(page))
    }

    /// Reads pages that [`Keeper::shut`] has protected from it, which the test lets go one by one.
    #[track_caller]
    pub fn read_shut(&self, area: Area, keeper: &Keeper) -> TestResult {
        let w = self.world;
        for page in w.faults(self.id, area) {
            w.note(format!("{}: read {}", self.name(), w.show(page)));
            let addrs = page.vpns().map(|vpn| vpn * w.page).collect();
            self.faulting(&Cmd::Read { addrs }, page, Fault::shut(false), || {
                keeper.open(page)
            })?;
        }
        Ok(())
    }

    /// Writes to such pages.
    #[track_caller]
    pub fn write_shut(&self, area: Area, keeper: &Keeper) -> TestResult {
        self.write_after(area, Fault::shut(true), |page| keeper.open(page))
    }

    #[track_caller]
    fn write_after(
        &self,
        area: Area,
        fault: Fault,
        answer: impl Fn(Area) -> TestResult,
    ) -> TestResult {
        let w = self.world;
        for page in w.faults(self.id, area) {
            w.note(format!("{}: write {}", self.name(), w.show(page)));
            let stamps: Vec<(usize, u64)> = page.vpns().map(|v| (v, w.stamp())).collect();
            let cmd = Cmd::Fill {
                page: w.page,
                pages: stamps.iter().map(|&(v, s)| (v * w.page, s)).collect(),
            };
            self.faulting(&cmd, page, fault, || answer(page))?;
            let mut model = w.model.borrow_mut();
            model.write(self.id, &stamps);
            model.change(self.id, page.vpns(), |s| s.soft_dirty = true);
        }
        Ok(())
    }

    /// A command that faults at a page: the fault is told, answered, and the command ends.
    #[track_caller]
    fn faulting(
        &self,
        cmd: &Cmd,
        page: Area,
        expected: Fault,
        answer: impl FnOnce() -> TestResult,
    ) -> TestResult {
        let w = self.world;
        w.flush()?;
        w.channel(self.id, |c| c.send(cmd, None))?;
        let event = w.event(self.id, cmd, "a fault")?;
        match event {
            Event::Fault {
                addr,
                write,
                wp,
                minor,
                rwp,
            } if addr / w.page == page.vpn
                && expected
                    == Fault {
                        write,
                        wp,
                        minor,
                        rwp,
                    } => {}
            other => return Err(self.unexpected(&other, "this fault")),
        }
        answer()?;
        match w.channel(self.id, |c| c.reply(cmd, REPLY_LIMIT))? {
            Reply::Done => w.no_event("a fault"),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// mremap with UFFD_FEATURE_EVENT_REMAP: told, and what was registered is so in its new place.
    #[track_caller]
    pub fn move_kept(&self, from: Area, to: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: mremap {} -> {}",
            self.name(),
            w.show(from),
            w.show(to)
        ));
        self.needs_one_vma(from)?;
        let size = w.page;
        let cmd = Cmd::move_to(from.vpn * size, from.pages * size, to.vpn * size, false);
        let event = self.telling(&cmd, "an mremap")?;
        let told = |event: &Event| {
            matches!(event, Event::Remap { from: a, to: b, len }
                if (a / size, b / size, len / size) == (from.vpn, to.vpn, from.pages))
        };
        if !told(&event) {
            return Err(self.unexpected(&event, "this mremap"));
        }
        self.told(&cmd)?;
        let mut model = w.model.borrow_mut();
        model.move_slots(self.id, from.vpn, to.vpn, from.pages, false);
        let (mut kept, mut guarded) = (w.kept.borrow_mut(), w.guarded.borrow_mut());
        for (old, new) in from.vpns().zip(to.vpns()) {
            if let Some(modes) = kept.modes.remove(&(self.id, old)) {
                kept.modes.insert((self.id, new), modes);
            }
            if guarded.remove(&(self.id, old)) {
                guarded.insert((self.id, new));
            }
        }
        Ok(())
    }

    /// mremap without that feature: nobody is told, and nothing is registered in the new place.
    #[track_caller]
    pub fn move_unkept(&self, from: Area, to: Area) -> TestResult {
        self.move_to(from, to)?;
        let mut guarded = self.world.guarded.borrow_mut();
        guarded.retain(|(id, vpn)| *id != self.id || !from.vpns().contains(vpn));
        drop(guarded);
        let mut kept = self.world.kept.borrow_mut();
        kept.modes
            .retain(|(id, vpn), _| *id != self.id || !from.vpns().contains(vpn));
        Ok(())
    }

    /// munmap with UFFD_FEATURE_EVENT_UNMAP.
    #[track_caller]
    pub fn unmap_kept(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: munmap {}", self.name(), w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        let cmd = Cmd::Unmap { addr, len };
        match self.telling(&cmd, "a munmap")? {
            Event::Unmap { start, end } if (start, end) == (addr, addr + len) => {}
            other => return Err(self.unexpected(&other, "this munmap")),
        }
        self.told(&cmd)?;
        w.model.borrow_mut().unmap(self.id, area.vpns());
        let mut kept = w.kept.borrow_mut();
        kept.modes
            .retain(|(id, vpn), _| *id != self.id || !area.vpns().contains(vpn));
        Ok(())
    }

    /// Pages that UFFDIO_POISON has marked, in this process or before the fork: none can be read.
    #[track_caller]
    pub fn check_poisoned(&self, area: Area) -> TestResult {
        let w = self.world;
        match self.probe(area)?.iter().position(|&read| read) {
            None => Ok(()),
            Some(i) => Err(w.report(&Finding {
                property: "what UFFDIO_POISON has marked cannot be read, in children neither",
                detail: String::from("a read succeeded"),
                at: Some((self.id, area.vpn + i)),
            })),
        }
    }

    #[track_caller]
    fn telling(&self, cmd: &Cmd, what: &str) -> TestResult<Event> {
        let w = self.world;
        w.flush()?;
        w.channel(self.id, |c| c.send(cmd, None))?;
        w.event(self.id, cmd, what)
    }

    #[track_caller]
    fn told(&self, cmd: &Cmd) -> TestResult {
        let w = self.world;
        let reply = w.channel(self.id, |c| c.reply(cmd, REPLY_LIMIT))?;
        w.value(self.id, reply)?;
        w.no_event("the step")
    }

    #[track_caller]
    fn unexpected(&self, event: &Event, what: &str) -> Stop {
        let stop = Stop::fail(format_args!(
            "the userfaultfd is told of {what}: seen {event:?}"
        ));
        self.world.blame(self.id, stop)
    }
}

impl World<'_> {
    /// What a child has from its parent where the fork was told.
    fn inherit(&self, parent: ActorId, child: ActorId) {
        let model = self.model.borrow();
        let space = model.spaces[child].as_ref().expect("just forked");
        let there = |vpn: &usize| space.contains_key(vpn);
        let mut kept = self.kept.borrow_mut();
        let of_parent = (parent, 0)..=(parent, usize::MAX);
        let modes = kept.modes.range(of_parent.clone());
        let modes: Vec<_> = modes.map(|(k, &m)| (k.1, m)).collect();
        let modes = modes.into_iter().filter(|(vpn, _)| there(vpn));
        kept.modes.extend(modes.map(|(vpn, m)| ((child, vpn), m)));
        let mut guarded = self.guarded.borrow_mut();
        let marks: Vec<usize> = guarded.range(of_parent).map(|k| k.1).collect();
        let marks = marks
            .into_iter()
            .filter(|vpn| there(vpn) && space[vpn].held != Held::Nothing);
        guarded.extend(marks.map(|vpn| (child, vpn)));
    }
}
