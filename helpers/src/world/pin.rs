// SPDX-License-Identifier: GPL-2.0-or-later
//! References to pages that are no mappings, and what they promise: a pinned page stays where it is, and what is in a pipe is
//! nobody else's to change.

use super::check::{Finding, Sightings};
use super::handle::CHUNK;
use super::model::{ActorId, FrameId, Held};
use super::{Actor, Area, World};
use crate::actor::pin::{Cmd as Pin, Lookup, Way};
use crate::actor::{Cmd, Diff, Reply};
use crate::kernel::features::NO_GUP_TEST;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::{BTreeMap, BTreeSet};

/// What keeps a page in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// A plain reference (FOLL_GET), as a pipe has after vmsplice(2): whether such a page moves is not judged.
    Reference,
    /// Pinned (FOLL_PIN | FOLL_LONGTERM): it must not move, go to swap or be merged, and a fork copies it for the child.
    Pin,
}

/// One page that is held.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    hold: Hold,
    actor: ActorId,
    vpn: usize,
    /// `None` where PFNs cannot be seen.
    pfn: Option<Pfn>,
    frame: Option<FrameId>,
    /// What it held when it was taken.
    stamp: u64,
    /// By [`Actor::pin_to_read`].
    to_read: bool,
}

impl Actor<'_, '_> {
    /// vmsplice of an area into a pipe of this actor's own.
    ///
    /// # Errors
    /// `Skip` where it is not to be had.
    #[track_caller]
    pub fn splice(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: vmsplice {}", self.name(), w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match w.ask(self.id, &Cmd::Pin(Pin::Splice { addr, len }))? {
            Reply::Value(n) if n == len => self.hold(area, Hold::Reference, false),
            Reply::Value(n) => Err(Stop::error(format_args!(
                "vmsplice took {n} bytes of {len}"
            ))),
            Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::ENOSYS | Errno::EPERM) => {
                Err(Stop::Skip("needs vmsplice"))
            }
            other => Err(w.blame(self.id, Stop::error(format_args!("vmsplice: {other:?}")))),
        }
    }

    /// Reads what [`Actor::splice`] has put into the pipe. It is what was there then; what this actor itself has written to the
    /// page since may be seen or not; what anybody else has written may not.
    #[track_caller]
    pub fn drain(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: read the pipe", self.name()));
        let page = w.page;
        let mine = |h: &Holding| h.actor == self.id && h.hold == Hold::Reference;
        let taken: Vec<Holding> = w.pins.borrow_mut().extract_if(.., |h| mine(h)).collect();
        let allowed = taken
            .iter()
            .map(|h| {
                let now = w.frame_at(h.actor, h.vpn).filter(|&f| h.frame == Some(f));
                let own = now.map(|f| w.frame(f).stamp).filter(|&s| s != h.stamp);
                std::iter::once(h.stamp).chain(own).collect()
            })
            .collect();
        let cmd = Pin::Drain { page, allowed };
        let diffs = match w.ask(self.id, &Cmd::Pin(cmd))? {
            Reply::Differs(diffs) => diffs,
            other => {
                return Err(w.blame(self.id, Stop::error(format_args!("the pipe: {other:?}"))));
            }
        };
        let at = |d: &Diff| taken[d.addr / page].vpn;
        w.judge_diffs(
            self.id,
            "what is in a pipe is not changed by others",
            &diffs,
            at,
        )
    }

    /// Pins an area as for a device that writes to it. Breaks COW as a write does.
    ///
    /// # Errors
    /// `Skip` where io_uring is not to be had.
    #[track_caller]
    pub fn pin(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: pin {} (io_uring)", self.name(), w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match w.ask(self.id, &Cmd::Pin(Pin::Register { addr, len }))? {
            Reply::Done => {}
            Reply::Errno(e) => {
                return Err(match Errno::from_raw(e) {
                    Errno::ENOSYS | Errno::EPERM | Errno::EACCES => Stop::Skip("needs io_uring"),
                    Errno::ENOMEM => Stop::Skip("needs a larger RLIMIT_MEMLOCK"),
                    e => w.blame(self.id, Stop::error(format_args!("register buffers: {e}"))),
                });
            }
            other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
        {
            let mut model = w.model.borrow_mut();
            let same: Vec<(usize, u64)> = area
                .vpns()
                .map(|v| match model.frame_at(self.id, v) {
                    Some(f) => (v, model.frames[f].stamp),
                    None => (v, 0),
                })
                .collect();
            model.write(self.id, &same);
        }
        self.hold(area, Hold::Pin, false)
    }

    /// The same is refused, for shared pages of a file on a disk: written through a pin they would be dirty behind the back of their file
    /// system (writable_file_mapping_allowed(), gup_fast_folio_allowed()).
    ///
    /// # Errors
    /// `Skip` where io_uring is not to be had.
    #[track_caller]
    pub fn pin_refused(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: pin {} (io_uring), to be refused",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match w.ask(self.id, &Cmd::Pin(Pin::Register { addr, len }))? {
            Reply::Errno(e) => match Errno::from_raw(e) {
                // Linux 6.5; before it io_uring itself.
                Errno::EFAULT | Errno::EOPNOTSUPP => Ok(()),
                Errno::ENOSYS | Errno::EPERM | Errno::EACCES => Err(Stop::Skip("needs io_uring")),
                Errno::ENOMEM => Err(Stop::Skip("needs a larger RLIMIT_MEMLOCK")),
                e => Err(w.blame(self.id, Stop::error(format_args!("register buffers: {e}")))),
            },
            Reply::Done => Err(w.report(&Finding {
                property: "shared pages of a file on a disk are not pinned to be written to for long",
                detail: String::from("io_uring has registered them"),
                at: Some((self.id, area.vpn)),
            })),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// Pins an area as for a device that reads from it for a long time (gup_test). Each private page is the actor's own afterwards, with
    /// the content that it had. One actor at a time can do so.
    ///
    /// # Errors
    /// `Skip` where there is no gup_test; for tests that need [`Features::gup_test`](crate::kernel::features::Features::gup_test). An error while anybody else has pages pinned so: what a test has pinned before must be let go.
    #[track_caller]
    pub fn pin_to_read(&self, area: Area, lookup: Lookup) -> TestResult {
        let w = self.world;
        let name = self.name();
        w.note(format!("{name}: pin {} to read, {lookup:?}", w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        let file = w.features().gup_test_file();
        let cmd = Pin::ToRead {
            file: file.ok_or(Stop::Skip(NO_GUP_TEST))?,
            addr,
            len,
            lookup,
        };
        match w.ask(self.id, &Cmd::Pin(cmd))? {
            Reply::Done => {}
            other => {
                let stop = Stop::error(format_args!("gup_test, pin to read: {other:?}"));
                return Err(w.blame(self.id, stop));
            }
        }
        w.model.borrow_mut().pin_to_read(self.id, area.vpns());
        self.hold(area, Hold::Pin, true)
    }

    /// Reads what [`Actor::pin_to_read`] has pinned, as the device would: the pages are what the actor has there, or what it had when it
    /// gave them back, whoever has written to them.
    #[track_caller]
    pub fn read_pinned(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: read what is pinned", self.name()));
        let page = w.page;
        let pins: Vec<Holding> = {
            let all = w.pins.borrow();
            let mine = all.iter().filter(|h| h.actor == self.id && h.to_read);
            mine.cloned().collect()
        };
        let mut diffs = Vec::new();
        for (i, part) in pins.chunks(CHUNK).enumerate() {
            let stamp = |h: &Holding| h.frame.map_or(h.stamp, |f| w.frame(f).stamp);
            let cmd = Pin::Pinned {
                page,
                first: i * CHUNK,
                stamps: part.iter().map(stamp).collect(),
            };
            match w.ask(self.id, &Cmd::Pin(cmd))? {
                Reply::Differs(some) => diffs.extend(some),
                other => {
                    let stop = Stop::error(format_args!("gup_test, read: {other:?}"));
                    return Err(w.blame(self.id, stop));
                }
            }
        }
        let property = "what is pinned to be read is what its process has";
        w.judge_diffs(self.id, property, &diffs, |d| pins[d.addr / page].vpn)
    }

    /// Lets go of everything that this actor has pinned or spliced.
    #[track_caller]
    pub fn unpin(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: unpin", self.name()));
        w.tell(self.id, &Cmd::Pin(Pin::Close))?;
        let mut pins = w.pins.borrow_mut();
        let gone: Vec<Holding> = pins.extract_if(.., |h| h.actor == self.id).collect();
        let mut model = w.model.borrow_mut();
        for f in gone.iter().filter_map(|h| h.frame) {
            model.frames[f].pinned = pins
                .iter()
                .any(|h| h.frame == Some(f) && h.hold == Hold::Pin);
        }
        Ok(())
    }

    fn hold(&self, area: Area, hold: Hold, to_read: bool) -> TestResult {
        let w = self.world;
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = if w.features().pfn {
            w.eye.entries(w.pid(self.id)?, &vpns)?
        } else {
            Vec::new()
        };
        let mut model = w.model.borrow_mut();
        for (i, &vpn) in vpns.iter().enumerate() {
            let frame = model.frame_at(self.id, vpn);
            if let Some(f) = frame {
                model.frames[f].pinned |= hold == Hold::Pin;
            }
            w.pins.borrow_mut().push(Holding {
                hold,
                actor: self.id,
                vpn,
                pfn: seen.get(i).and_then(|s| s.pfn()),
                frame,
                stamp: frame.map_or(0, |f| model.frames[f].stamp),
                to_read,
            });
        }
        Ok(())
    }

    /// Writes to every page of an area of another actor, from this one.
    #[track_caller]
    pub fn poke(&self, other: Actor, area: Area, way: Way) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: write {} of {} by {way:?}",
            self.name(),
            w.show(area),
            other.name()
        ));
        let stamps: Vec<(usize, u64)> = area.vpns().map(|v| (v, w.stamp())).collect();
        let (pid, page) = (other.pid()?, w.page);
        for part in stamps.chunks(CHUNK) {
            let cmd = Pin::Poke {
                way,
                pid,
                page,
                pages: part.iter().map(|&(v, s)| (v * w.page, s)).collect(),
            };
            match w.ask(self.id, &Cmd::Pin(cmd))? {
                Reply::Done => {}
                // Since v6.12 the overriding of protections is a choice (CONFIG_PROC_MEM_*, proc_mem.force_override).
                Reply::Errno(e)
                    if Errno::from_raw(e) == Errno::EIO && !w.is_writable(other.id, area) =>
                {
                    return Err(Stop::Skip("needs /proc/PID/mem that overrides protections"));
                }
                other => return Err(w.denied(self.id, "write to another process", &other)),
            }
        }
        w.model.borrow_mut().write(other.id, &stamps);
        Ok(())
    }

    /// Nothing of an area of another actor can be read from this one: it is protected from that.
    #[track_caller]
    pub fn peek_refused(&self, other: Actor, area: Area, way: Way) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: read {} of {} by {way:?}, to be refused",
            self.name(),
            w.show(area),
            other.name()
        ));
        let (pid, page) = (other.pid()?, w.page);
        for vpn in area.vpns() {
            let cmd = Pin::Peek {
                way,
                pid,
                page,
                pages: vec![(vpn * page, 0)],
            };
            match w.ask(self.id, &Cmd::Pin(cmd))? {
                // /proc/PID/mem says EIO.
                Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::EFAULT | Errno::EIO) => {}
                Reply::Differs(_) => {
                    return Err(w.report(&Finding {
                        property: "what userfaultfd protects from any access no other process reads",
                        detail: format!("a read by {way:?} succeeded"),
                        at: Some((other.id, vpn)),
                    }));
                }
                other => return Err(w.denied(self.id, "read another process", &other)),
            }
        }
        Ok(())
    }

    /// Reads every page of an area of another actor, from this one: it must be what that actor has there.
    #[track_caller]
    pub fn peek(&self, other: Actor, area: Area, way: Way) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: read {} of {} by {way:?}",
            self.name(),
            w.show(area),
            other.name()
        ));
        let stamp = |v| match w.frame_at(other.id, v) {
            Some(f) => (v * w.page, w.frame(f).stamp),
            None => (v * w.page, 0),
        };
        let pages: Vec<(usize, u64)> = area.vpns().map(stamp).collect();
        let (pid, page) = (other.pid()?, w.page);
        let mut diffs = Vec::new();
        for part in pages.chunks(CHUNK) {
            let cmd = Pin::Peek {
                way,
                pid,
                page,
                pages: part.to_vec(),
            };
            match w.ask(self.id, &Cmd::Pin(cmd))? {
                Reply::Differs(some) => diffs.extend(some),
                other => return Err(w.denied(self.id, "read another process", &other)),
            }
        }
        let mut model = w.model.borrow_mut();
        model.read(other.id, area.vpns());
        if way == Way::Vm {
            // It pins what it reads (FOLL_PIN), and who shares a page may get a copy for that (FAULT_FLAG_UNSHARE).
            for vpn in area.vpns() {
                if let Some(f) = model.frame_at(other.id, vpn) {
                    model.frames[f].scattered |= !model.frames[f].cached;
                }
            }
        }
        drop(model);
        let at = |d: &Diff| d.addr / page;
        w.judge_diffs(
            other.id,
            "another process reads what a process has",
            &diffs,
            at,
        )
    }
}

impl World<'_> {
    fn is_writable(&self, id: ActorId, area: Area) -> bool {
        let model = self.model.borrow();
        let slots = |v: usize| model.spaces[id].as_ref()?.get(&v);
        let mut vpns = area.vpns();
        vpns.all(|v| slots(v).is_some_and(|s| s.prot & nix::libc::PROT_WRITE != 0))
    }

    fn denied(&self, id: ActorId, what: &str, reply: &Reply) -> Stop {
        match reply {
            Reply::Errno(e)
                if matches!(
                    Errno::from_raw(*e),
                    Errno::ENOSYS | Errno::EPERM | Errno::EACCES
                ) =>
            {
                Stop::Skip("needs access to the memory of other processes")
            }
            other => self.blame(id, Stop::error(format_args!("{what}: {other:?}"))),
        }
    }

    #[track_caller]
    fn judge_diffs(
        &self,
        id: ActorId,
        property: &'static str,
        diffs: &[Diff],
        vpn: impl Fn(&Diff) -> usize,
    ) -> TestResult {
        let Some(first) = diffs.first() else {
            return Ok(());
        };
        let word = first.addr % self.page / 8;
        Err(self.report(&Finding {
            property,
            detail: format!(
                "{} page(s) wrong; first: word {word} of the page is {:#x}, expected {:#x}{}",
                diffs.len(),
                first.seen,
                first.expected,
                self.owner_of_word(first.seen, word)
            ),
            at: Some((id, vpn(first))),
        }))
    }

    /// The first page of the folio that a page is part of, as far as kpageflags tells.
    pub(crate) fn folio_head(&self, pfn: Pfn) -> TestResult<Pfn> {
        let mut at = pfn;
        while self
            .page_flags(at)?
            .is_some_and(|f| f.has(Flags::COMPOUND_TAIL))
        {
            match std::num::NonZero::new(at.0.get() - 1) {
                Some(n) => at = Pfn(n),
                None => break,
            }
        }
        Ok(at)
    }

    /// Whether anybody has held a page.
    pub(crate) fn has_pins(&self) -> bool {
        !self.pins.borrow().is_empty()
    }

    /// Whether somebody who lives holds the page, in a pipe or by a pin.
    pub(super) fn is_held(&self, frame: FrameId) -> bool {
        let (pins, model) = (self.pins.borrow(), self.model.borrow());
        pins.iter()
            .any(|h| h.frame == Some(frame) && model.spaces[h.actor].is_some())
    }

    /// The folios that are held, by their first page; `all` is where the world's frames are now.
    pub(crate) fn held_folios(
        &self,
        all: &BTreeMap<FrameId, Sightings>,
    ) -> TestResult<Vec<(Pfn, Hold)>> {
        let held: BTreeSet<(Pfn, bool)> = {
            let (pins, model) = (self.pins.borrow(), self.model.borrow());
            let lives = |h: &&Holding| model.spaces[h.actor].is_some();
            let of_the_dead: BTreeSet<Pfn> = pins
                .iter()
                .filter(|h| !lives(h))
                .filter_map(|h| h.pfn)
                .collect();
            let now = frames_at(all, &of_the_dead);
            // The end of a process lets go of what it has pinned at some later time (io_ring_exit_work()). A page that is another frame's by
            // now has been free since.
            let over = |h: &&Holding| {
                let there = h.pfn.and_then(|pfn| now.get(&pfn));
                !lives(h) && there.is_some_and(|f| h.frame.is_none_or(|held| !f.contains(&held)))
            };
            pins.iter()
                .filter(|h| !over(h))
                .filter_map(|h| Some((h.pfn?, h.hold == Hold::Pin && lives(&h))))
                .collect()
        };
        let mut heads: Vec<(Pfn, Hold)> = Vec::new();
        for (pfn, pinned) in held {
            let hold = if pinned { Hold::Pin } else { Hold::Reference };
            // A run of pages of one folio: its head is known.
            heads.push((self.folio_head(pfn)?, hold));
        }
        heads.sort_by_key(|&(pfn, hold)| (pfn, hold == Hold::Reference));
        heads.dedup_by_key(|h| h.0);
        Ok(heads)
    }

    /// A pinned page that its owner still maps is where it was when it was pinned: what a device writes there must be seen.
    pub(super) fn judge_pins(&self) -> TestResult<Option<Finding>> {
        let pins: Vec<Holding> = self.pins.borrow().clone();
        for h in pins.iter().filter(|h| h.hold == Hold::Pin) {
            let (Some(pfn), Some(frame)) = (h.pfn, h.frame) else {
                continue;
            };
            let Some(vpn) = self.place_of(h.actor, frame) else {
                continue;
            };
            let seen = self.eye.entries(self.pid(h.actor)?, &[vpn])?[0];
            if seen.pfn() != Some(pfn) {
                return Ok(Some(Finding {
                    property: "a pinned page stays its owner's page",
                    detail: format!("pinned at pfn {:#x}, seen {seen}", pfn.0),
                    at: Some((h.actor, vpn)),
                }));
            }
        }
        Ok(None)
    }

    /// Where an actor maps a frame now, if it does.
    fn place_of(&self, actor: ActorId, frame: FrameId) -> Option<usize> {
        let model = self.model.borrow();
        let mut slots = model.spaces[actor].as_ref()?.iter();
        slots
            .find(|(_, s)| s.held == Held::Frame(frame))
            .map(|(&vpn, _)| vpn)
    }
}

/// Which frames some pages hold.
fn frames_at(
    all: &BTreeMap<FrameId, Sightings>,
    pages: &BTreeSet<Pfn>,
) -> BTreeMap<Pfn, BTreeSet<FrameId>> {
    let mut there: BTreeMap<Pfn, BTreeSet<FrameId>> = BTreeMap::new();
    if pages.is_empty() {
        return there;
    }
    for (&frame, sightings) in all {
        for pfn in sightings.iter().filter_map(|(_, seen)| seen.pfn()) {
            if pages.contains(&pfn) {
                there.entry(pfn).or_default().insert(frame);
            }
        }
    }
    there
}
