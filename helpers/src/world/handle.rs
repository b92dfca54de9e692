// SPDX-License-Identifier: GPL-2.0-or-later
//! What a test says to an actor. Every method is one line of the script, one command, one step of the model.

use super::model::ActorId;
use super::object::{Object, Share};
use super::{Area, Member, World};
use crate::actor::{Channel, Cmd, Reply};
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{
    MAP_ANONYMOUS, MAP_DROPPABLE, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_EXEC,
    PROT_NONE, PROT_READ, PROT_WRITE,
};

/// Read and write.
pub const RW: i32 = PROT_READ | PROT_WRITE;
/// Pages per Fill or Compare command: keeps the packet small.
pub(super) const CHUNK: usize = 1500;

/// Commands in one packet of [`Actor::unmodelled`]: few, since an actor's heap keeps what the longest list needed, and
/// [`Counters`](crate::counters::Counters) counts its heap as well.
const BATCH: usize = 64;

/// A living actor of a world.
#[derive(Clone, Copy)]
pub struct Actor<'w, 'c> {
    pub(super) world: &'w World<'c>,
    pub(super) id: ActorId,
}

impl<'w, 'c> Actor<'w, 'c> {
    /// Its name in the script.
    pub fn name(&self) -> String {
        self.world.actor_name(self.id)
    }

    /// Its number in the model.
    pub fn id(&self) -> ActorId {
        self.id
    }

    /// Process ID.
    pub fn pid(&self) -> TestResult<i32> {
        self.world.pid(self.id)
    }

    pub(super) fn note(&self, what: String) {
        self.world.note(format!("{}: {what}", self.name()));
    }

    pub(super) fn bytes(&self, area: Area) -> (usize, usize) {
        (area.vpn * self.world.page, area.pages * self.world.page)
    }

    /// mmap of private anonymous memory, read and write, at a fixed place.
    ///
    /// MAP_NORESERVE as upstream's merge tests have it: without it VM_ACCOUNT would differ between
    /// VMAs that were mapped at different times and keep them from merging.
    #[track_caller]
    pub fn map(&self, area: Area) -> TestResult {
        self.map_prot(area, RW)
    }

    /// The same with another protection.
    #[track_caller]
    pub fn map_prot(&self, area: Area, prot: i32) -> TestResult {
        self.map_flags(area, prot, MAP_PRIVATE)
    }

    /// Shared anonymous memory (shmem): seen by every descendant.
    #[track_caller]
    pub fn map_shared(&self, area: Area) -> TestResult {
        self.map_flags(area, RW, MAP_SHARED)?;
        // An object from now on, untouched: descendants that map it before the first write see that write too.
        let w = self.world;
        let mut model = w.model.borrow_mut();
        let object = model.add_object(area.pages, false);
        model.map_object(self.id, area.vpns(), RW, true, (object, 0));
        model.mapped_anew(self.id, area.vpns());
        drop(model);
        self.read(area)
    }

    /// Memory that the kernel may drop at any time (MAP_DROPPABLE), written as a whole. The model knows nothing of it.
    ///
    /// # Errors
    /// `Skip` where there is no such mapping.
    #[track_caller]
    pub fn map_droppable(&self, area: Area) -> TestResult {
        let w = self.world;
        self.note(format!("mmap {} droppable, written", w.show(area)));
        match w.ask(self.id, &self.anonymous(area, RW, MAP_DROPPABLE))? {
            Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::EINVAL | Errno::EOPNOTSUPP) => {
                return Err(Stop::Skip("needs MAP_DROPPABLE (Linux 6.11)"));
            }
            reply => w.value(self.id, reply)?,
        };
        let pages = area.vpns().map(|vpn| (vpn * w.page, w.stamp())).collect();
        w.tell(
            self.id,
            &Cmd::Fill {
                page: w.page,
                pages,
            },
        )
        .map(drop)
    }

    /// Anonymous memory in this place, over what is there.
    pub(super) fn anonymous(&self, area: Area, prot: i32, flags: i32) -> Cmd {
        let (addr, len) = self.bytes(area);
        Cmd::Map {
            addr,
            len,
            prot,
            flags: flags | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
            fd: false,
            off: 0,
        }
    }

    #[track_caller]
    fn map_flags(&self, area: Area, prot: i32, flags: i32) -> TestResult {
        let w = self.world;
        let kind = if flags & MAP_SHARED != 0 {
            "shared"
        } else {
            "private"
        };
        self.note(format!("mmap {} {} {kind}", w.show(area), show_prot(prot)));
        w.tell(self.id, &self.anonymous(area, prot, flags))?;
        let mut model = w.model.borrow_mut();
        model.map(self.id, area.vpns(), prot);
        model.mapped_anew(self.id, area.vpns());
        model.lock_new(self.id, area.vpns());
        Ok(())
    }

    /// mmap of an object from its page `first` on, at a fixed place. Reads what it may, so that it is mapped.
    #[track_caller]
    pub fn map_object(
        &self,
        area: Area,
        object: &Object,
        first: usize,
        prot: i32,
        share: Share,
    ) -> TestResult {
        let flags = MAP_NORESERVE | share.flag();
        self.map_file(area, object, first, prot, flags)
    }

    /// The same with a promise of pages for all of it, which hugetlb keeps account of.
    ///
    /// # Errors
    /// `Skip` where there are not so many.
    #[track_caller]
    pub fn map_reserved(
        &self,
        area: Area,
        object: &Object,
        first: usize,
        prot: i32,
        share: Share,
    ) -> TestResult {
        self.map_file(area, object, first, prot, share.flag())
    }

    #[track_caller]
    fn map_file(
        &self,
        area: Area,
        object: &Object,
        first: usize,
        prot: i32,
        flags: i32,
    ) -> TestResult {
        let w = self.world;
        let shared = flags & MAP_SHARED != 0;
        let share = if shared { "Shared" } else { "Private" };
        let promise = if flags & MAP_NORESERVE == 0 {
            ", reserved"
        } else {
            ""
        };
        self.note(format!(
            "mmap {} {} {share}{promise} of {} from page {first}",
            w.show(area),
            show_prot(prot),
            object.name()
        ));
        let (addr, len) = self.bytes(area);
        let off = ((object.base + first) * w.page) as u64;
        let cmd = Cmd::Map {
            addr,
            len,
            prot,
            flags: flags | MAP_FIXED,
            fd: true,
            off,
        };
        match w.ask_with(self.id, &cmd, Some(object.fd()))? {
            Reply::Errno(e)
                if flags & MAP_NORESERVE == 0 && Errno::from_raw(e) == Errno::ENOMEM =>
            {
                return Err(Stop::Skip("needs free huge pages"));
            }
            Reply::Errno(e) if prot & PROT_EXEC != 0 && Errno::from_raw(e) == Errno::EPERM => {
                return Err(Stop::Skip("needs files that may be executed"));
            }
            reply => w.value(self.id, reply)?,
        };
        {
            let mut model = w.model.borrow_mut();
            model.map_object(self.id, area.vpns(), prot, shared, (object.id, first));
            model.mapped_anew(self.id, area.vpns());
            model.lock_new(self.id, area.vpns());
        }
        if prot & PROT_READ != 0 {
            self.read(area.sub(0..area.pages.min(w.object_pages(object).saturating_sub(first))))?;
        }
        Ok(())
    }

    /// Which pages of an area can be read, without a signal where they cannot: the kernel reads them for the actor.
    #[track_caller]
    pub fn probe(&self, area: Area) -> TestResult<Vec<bool>> {
        let w = self.world;
        self.note(format!("probe {}", w.show(area)));
        let addrs = area.vpns().map(|v| v * w.page).collect();
        match w.ask(self.id, &Cmd::Probe { addrs })? {
            Reply::Values(v) => Ok(v.into_iter().map(|e| e == 0).collect()),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// munmap.
    #[track_caller]
    pub fn unmap(&self, area: Area) -> TestResult {
        self.note(format!("munmap {}", self.world.show(area)));
        let (addr, len) = self.bytes(area);
        self.world.tell(self.id, &Cmd::Unmap { addr, len })?;
        self.world.model.borrow_mut().unmap(self.id, area.vpns());
        Ok(())
    }

    /// mprotect.
    ///
    /// # Errors
    /// `Skip` where memory may not be made executable.
    #[track_caller]
    pub fn protect(&self, area: Area, prot: i32) -> TestResult {
        self.note(format!(
            "mprotect {} {}",
            self.world.show(area),
            show_prot(prot)
        ));
        let (addr, len) = self.bytes(area);
        match self.world.ask(self.id, &Cmd::Protect { addr, len, prot })? {
            Reply::Errno(e) if prot & PROT_EXEC != 0 && Errno::from_raw(e) == Errno::EACCES => {
                return Err(Stop::Skip("needs memory that may be executed"));
            }
            reply => self.world.value(self.id, reply)?,
        };
        self.world
            .model
            .borrow_mut()
            .protect(self.id, area.vpns(), prot);
        Ok(())
    }

    /// madvise. EINVAL means that the kernel does not know the advice, since areas are what the advice asks for.
    #[track_caller]
    pub fn advise(&self, area: Area, what: i32) -> TestResult {
        self.note(format!(
            "madvise {} {}",
            self.world.show(area),
            show_advice(what)
        ));
        let (addr, len) = self.bytes(area);
        match self.world.ask(
            self.id,
            &Cmd::Advise {
                addr,
                len,
                advice: what,
            },
        )? {
            Reply::Done => {}
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EINVAL => {
                return Err(Stop::Skip(match what {
                    advice::WIPEONFORK | advice::KEEPONFORK => "needs MADV_WIPEONFORK",
                    advice::MERGEABLE | advice::UNMERGEABLE => "needs KSM",
                    advice::HUGEPAGE | advice::NOHUGEPAGE | advice::COLLAPSE => {
                        "needs transparent huge pages"
                    }
                    advice::GUARD_INSTALL => "needs MADV_GUARD_INSTALL (Linux 6.13, of files 6.15)",
                    _ => "needs an madvise advice that this kernel lacks",
                }));
            }
            other => {
                let stop = Stop::error(format_args!("madvise {}: {other:?}", show_advice(what)));
                return Err(self.world.blame(self.id, stop));
            }
        }
        let mut model = self.world.model.borrow_mut();
        model.advise(self.id, area.vpns(), what);
        Ok(())
    }

    /// mremap that moves an area to a fixed place, on top of what is there.
    #[track_caller]
    pub fn move_to(&self, from: Area, to: Area) -> TestResult {
        self.remap_to(from, to, false)
    }

    /// mremap that moves the pages but leaves the source mapped and empty.
    #[track_caller]
    pub fn move_dontunmap(&self, from: Area, to: Area) -> TestResult {
        self.remap_to(from, to, true)
    }

    #[track_caller]
    pub(super) fn remap_to(&self, from: Area, to: Area, keep: bool) -> TestResult {
        assert_eq!(from.pages, to.pages, "a move keeps the size");
        let w = self.world;
        let how = if keep { " DONTUNMAP" } else { "" };
        self.note(format!("mremap {} -> {}{how}", w.show(from), w.show(to)));
        let (addr, len) = self.bytes(from);
        let new_addr = to.vpn * w.page;
        let marks = self.move_marks(from, to)?;
        let locked = keep && self.leaves_lock(from)?;
        let cmd = Cmd::move_to(addr, len, new_addr, keep);
        match w.ask(self.id, &cmd)? {
            Reply::Value(at) if at == new_addr => {}
            Reply::Errno(e) if keep && Errno::from_raw(e) == Errno::EINVAL => {
                return Err(Stop::Skip("needs MREMAP_DONTUNMAP"));
            }
            Reply::Errno(e)
                if Errno::from_raw(e) == Errno::EINVAL
                    && w.features().version() < (5, 16)
                    && w.model.borrow().has_hugetlb(self.id, from.vpns()) =>
            {
                return Err(Stop::Skip("needs mremap of hugetlb memory (Linux 5.16)"));
            }
            // vma_to_resize() before 6.17, check_prep_vma() since where not all is kept.
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EFAULT => {
                self.needs_one_vma(from)?;
                return Err(w.blame(self.id, Stop::error("mremap of one VMA: EFAULT")));
            }
            other => {
                return Err(w.blame(self.id, Stop::error(format_args!("mremap: {other:?}"))));
            }
        }
        w.model
            .borrow_mut()
            .move_slots(self.id, from.vpn, to.vpn, from.pages, keep);
        if marks {
            self.mark_moved(to);
        }
        if locked {
            self.lock_left();
        }
        Ok(())
    }

    /// mremap in place to a new size; a growing area needs free address space (see [`Actor::make_room`]) behind it.
    #[track_caller]
    pub fn resize(&self, area: Area, pages: usize) -> TestResult<Area> {
        let w = self.world;
        self.note(format!("mremap {} to {pages} pages", w.show(area)));
        let (addr, old_len) = self.bytes(area);
        let new_len = pages * w.page;
        match w.ask(self.id, &Cmd::resize(addr, old_len, new_len))? {
            Reply::Value(_) => {}
            Reply::Errno(e) if pages > area.pages && Errno::from_raw(e) == Errno::ENOMEM => {
                return Err(self.cannot_grow(area)?);
            }
            other => {
                return Err(w.blame(self.id, Stop::error(format_args!("mremap: {other:?}"))));
            }
        }
        w.model
            .borrow_mut()
            .resize(self.id, area.vpn, area.pages, pages);
        let new = Area {
            vpn: area.vpn,
            pages,
        };
        Ok(new)
    }

    /// What it means that mremap could not grow an area in place: a failure if it can grow one that is new.
    fn cannot_grow(&self, area: Area) -> TestResult<Stop> {
        let w = self.world;
        let fresh = w.place(2);
        let (addr, len) = self.bytes(fresh);
        let one = len / 2;
        w.tell(self.id, &Cmd::Unmap { addr, len })?;
        w.tell(self.id, &Cmd::map(addr, one, RW))?;
        let grown = w.ask(self.id, &Cmd::resize(addr, one, len))?;
        w.tell(self.id, &Cmd::map(addr, len, PROT_NONE))?;
        Ok(match grown {
            Reply::Value(_) => w.blame(
                self.id,
                Stop::fail(format_args!(
                    "{} does not grow in place (ENOMEM) although the addresses behind it are free; a new area does",
                    w.show(area)
                )),
            ),
            _ => Stop::Skip("needs areas that grow in place"),
        })
    }

    /// Takes the carve-out's PROT_NONE filling away from an area that nothing is mapped in, so that a neighbour can grow into it.
    #[track_caller]
    pub fn make_room(&self, area: Area) -> TestResult {
        self.unmap(area)
    }

    /// Puts PROT_NONE filling back.
    #[track_caller]
    pub fn fill_room(&self, area: Area) -> TestResult {
        self.note(format!("mmap {} --- filling", self.world.show(area)));
        let (addr, len) = self.bytes(area);
        self.world.tell(self.id, &Cmd::map(addr, len, PROT_NONE))?;
        self.world.model.borrow_mut().unmap(self.id, area.vpns());
        Ok(())
    }

    /// Writes to every page of the area, each a content never used before.
    #[track_caller]
    pub fn write(&self, area: Area) -> TestResult {
        let stamps: Vec<_> = area.vpns().map(|v| (v, self.world.stamp())).collect();
        self.write_stamps(area, &stamps)
    }

    /// The same for several areas at once.
    #[track_caller]
    pub fn write_all(&self, areas: &[Area]) -> TestResult {
        let vpns = areas.iter().flat_map(Area::vpns);
        let stamps: Vec<_> = vpns.map(|v| (v, self.world.stamp())).collect();
        match areas {
            [] => Ok(()),
            [one] => self.write_stamps(*one, &stamps),
            [first, .., last] => {
                self.note(format!(
                    "write {} pages in {} areas, {} to {}",
                    stamps.len(),
                    areas.len(),
                    self.world.show(*first),
                    self.world.show(*last)
                ));
                self.fill(&stamps)
            }
        }
    }

    /// Writes the same content to every page of the area: what KSM can merge.
    #[track_caller]
    pub fn write_equal(&self, area: Area) -> TestResult {
        let stamp = self.world.stamp();
        let stamps: Vec<_> = area.vpns().map(|v| (v, stamp)).collect();
        self.write_stamps(area, &stamps)
    }

    /// Writes given contents, (page number, stamp).
    #[track_caller]
    pub(crate) fn write_stamps(&self, area: Area, stamps: &[(usize, u64)]) -> TestResult {
        let w = self.world;
        self.note(format!("write {}", w.show(area)));
        self.fill(stamps)
    }

    #[track_caller]
    fn fill(&self, stamps: &[(usize, u64)]) -> TestResult {
        let w = self.world;
        for chunk in stamps.chunks(CHUNK) {
            let pages = chunk.iter().map(|&(v, s)| (v * w.page, s)).collect();
            w.tell(
                self.id,
                &Cmd::Fill {
                    page: w.page,
                    pages,
                },
            )?;
        }
        let mut model = w.model.borrow_mut();
        model.write(self.id, stamps);
        let space = model.space(self.id);
        for (vpn, _) in stamps {
            space.get_mut(vpn).expect("just written").soft_dirty = true;
        }
        if w.scanned.borrow().contains(&self.id) {
            // The write has taken the protection off.
            let mut guarded = w.guarded.borrow_mut();
            stamps.iter().for_each(|(vpn, _)| {
                guarded.remove(&(self.id, *vpn));
            });
        }
        Ok(())
    }

    /// Reads every page of the area, without looking at the content.
    #[track_caller]
    pub fn read(&self, area: Area) -> TestResult {
        let w = self.world;
        self.note(format!("read {}", w.show(area)));
        let vpns: Vec<usize> = area.vpns().collect();
        for chunk in vpns.chunks(CHUNK) {
            let addrs = chunk.iter().map(|v| v * w.page).collect();
            w.tell(self.id, &Cmd::Read { addrs })?;
        }
        w.model.borrow_mut().read(self.id, area.vpns());
        Ok(())
    }

    /// fork.
    #[track_caller]
    pub fn fork(&self, name: &str) -> TestResult<Actor<'w, 'c>> {
        let w = self.world;
        self.note(format!("fork -> {name}"));
        w.flush()?;
        let channel = w.channel(self.id, |c| c.fork(super::REPLY_LIMIT))?;
        Ok(self.born(name, channel))
    }

    /// The child that this actor has just forked.
    pub(super) fn born(&self, name: &str, channel: Channel) -> Actor<'w, 'c> {
        let w = self.world;
        let id = w.model.borrow_mut().fork(self.id);
        w.cast.borrow_mut().push(Member {
            name: name.to_owned(),
            channel: Some(channel),
        });
        Actor { world: w, id }
    }

    /// execve of this program: the old address space goes, the process obeys on.
    #[track_caller]
    pub fn exec(&self) -> TestResult {
        self.note(String::from("exec"));
        self.world.tell(self.id, &Cmd::Exec { environment: 0 })?;
        self.world.model.borrow_mut().exec(self.id);
        Ok(())
    }

    /// Commands by the hundreds, in few packets. The model does not follow, it forgets what this actor maps: for what is left to an
    /// exit without another look.
    #[track_caller]
    pub fn unmodelled(&self, what: &str, cmds: &[Cmd]) -> TestResult {
        let w = self.world;
        self.note(format!("{what} ({} commands)", cmds.len()));
        for part in cmds.chunks(BATCH) {
            match w.ask(self.id, &Cmd::Batch(part.to_vec()))? {
                Reply::Done => {}
                Reply::Failed(i, e) => {
                    let e = Errno::from_raw(e);
                    let stop = Stop::error(format_args!("{:?}: {e}", part[i]));
                    return Err(w.blame(self.id, stop));
                }
                other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
            }
        }
        let mut model = w.model.borrow_mut();
        model.space(self.id).clear();
        model.mapped_in_part(self.id);
        Ok(())
    }

    /// The process exits and is awaited.
    #[track_caller]
    pub fn exit(self) -> TestResult {
        let w = self.world;
        self.note(String::from("exit"));
        w.flush()?;
        let channel = w.cast.borrow_mut()[self.id].channel.take();
        let Some(mut channel) = channel else {
            return Err(Stop::error(format_args!(
                "{} has exited already",
                self.name()
            )));
        };
        channel
            .exit(super::REPLY_LIMIT)
            .map_err(|s| w.blame(self.id, s))?;
        w.model.borrow_mut().spaces[self.id] = None;
        Ok(())
    }
}

/// Protection as maps shows it.
pub(super) fn show_prot(prot: i32) -> String {
    let bit = |b, c| if prot & b != 0 { c } else { '-' };
    [
        bit(PROT_READ, 'r'),
        bit(PROT_WRITE, 'w'),
        bit(PROT_EXEC, 'x'),
    ]
    .iter()
    .collect()
}

/// The advice's name without MADV_.
pub(super) fn show_advice(what: i32) -> String {
    let name = match what {
        advice::RANDOM => "RANDOM",
        advice::SEQUENTIAL => "SEQUENTIAL",
        advice::WILLNEED => "WILLNEED",
        advice::DONTNEED => "DONTNEED",
        advice::FREE => "FREE",
        advice::DONTFORK => "DONTFORK",
        advice::DOFORK => "DOFORK",
        advice::MERGEABLE => "MERGEABLE",
        advice::UNMERGEABLE => "UNMERGEABLE",
        advice::HUGEPAGE => "HUGEPAGE",
        advice::NOHUGEPAGE => "NOHUGEPAGE",
        advice::DONTDUMP => "DONTDUMP",
        advice::DODUMP => "DODUMP",
        advice::WIPEONFORK => "WIPEONFORK",
        advice::KEEPONFORK => "KEEPONFORK",
        advice::COLD => "COLD",
        advice::PAGEOUT => "PAGEOUT",
        advice::POPULATE_READ => "POPULATE_READ",
        advice::POPULATE_WRITE => "POPULATE_WRITE",
        advice::COLLAPSE => "COLLAPSE",
        advice::GUARD_INSTALL => "GUARD_INSTALL",
        advice::GUARD_REMOVE => "GUARD_REMOVE",
        n => return n.to_string(),
    };
    name.to_owned()
}
