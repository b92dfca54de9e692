// SPDX-License-Identifier: GPL-2.0-or-later
//! What processes map besides private anonymous memory: memfds, hugetlb memfds, files on a disk.

use super::model::{ActorId, Held, ObjectId};
use super::{Actor, Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::{disk, lru};
use crate::stop::Doing;
use crate::sys::mem::{self, advice};
use crate::{Stop, TestResult};
use memfd::MemfdOptions;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::libc::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, MREMAP_FIXED, MREMAP_MAYMOVE,
    PROT_NONE, PROT_READ, PROT_WRITE,
};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where an object's pages live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// memfd_create(2): shmem, goes to swap.
    Memfd,
    /// memfd_create(2) with MFD_HUGETLB and the default size of huge pages. Map and write whole huge pages of it.
    Hugetlb,
    /// A file without a name on a disk: written back, and read again.
    Disk,
}

/// MAP_SHARED or MAP_PRIVATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// MAP_SHARED.
    Shared,
    /// MAP_PRIVATE: copied at the first write.
    Private,
}

impl Share {
    pub(super) fn flag(self) -> i32 {
        match self {
            Share::Shared => MAP_SHARED,
            Share::Private => MAP_PRIVATE,
        }
    }
}

/// An object of a world. The file is closed when this is dropped, mappings of it stay.
pub struct Object {
    pub(super) id: ObjectId,
    kind: Kind,
    file: File,
    /// Pages of the file in front of the object's first: a hole that nobody maps.
    pub(super) base: usize,
}

impl Object {
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Name in scripts: "memfd 0".
    pub fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Memfd => "memfd",
            Kind::Hugetlb => "hugetlb",
            Kind::Disk => "file",
        };
        format!("{kind} {}", self.id)
    }

    /// The file, for what is done to it beside mapping it.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl World<'_> {
    /// A new object of `pages` pages, all holes: zeroes.
    ///
    /// # Errors
    /// `Skip` when this machine has no such objects.
    #[track_caller]
    pub fn object(&self, kind: Kind, pages: usize) -> TestResult<Object> {
        self.object_behind(kind, pages, 0)
    }

    /// The same, behind `base` pages of its file that nobody maps: page 0 of the object is page `base` of the file, in all that is said of it
    /// but [`Object::file`] and [`Actor::remap_pages`].
    ///
    /// # Errors
    /// `Skip` when this machine has no such objects, or none of that size.
    #[track_caller]
    pub fn object_behind(&self, kind: Kind, pages: usize, base: usize) -> TestResult<Object> {
        let file = make(kind, self.arena.disk.as_deref())?;
        self.object_from(kind, file, pages, base)
    }

    /// The same of a file that is there, empty.
    #[track_caller]
    pub(super) fn object_from(
        &self,
        kind: Kind,
        file: File,
        pages: usize,
        base: usize,
    ) -> TestResult<Object> {
        match ftruncate(&file, ((base + pages) * self.page) as i64) {
            Err(Errno::EFBIG) => return Err(Stop::Skip("needs a file system with larger files")),
            other => other.doing("ftruncate")?,
        }
        let id = self
            .model
            .borrow_mut()
            .add_object(pages, kind == Kind::Hugetlb);
        if kind == Kind::Disk {
            self.model.borrow_mut().on_disk(id);
        }
        let object = Object {
            id,
            kind,
            file,
            base,
        };
        let behind = match base {
            0 => String::new(),
            base => format!(", behind {base:#x} that nobody maps"),
        };
        self.note(format!("{}: {pages} pages{behind}", object.name()));
        self.ctx.left.add(kind, object.name(), object.fd());
        Ok(object)
    }

    /// The size of an object, pages.
    pub fn object_pages(&self, object: &Object) -> usize {
        self.model.borrow().objects[object.id].frames.len()
    }

    /// Whether anybody has a private copy of a page of an object.
    pub fn is_copied(&self, object: &Object) -> bool {
        let model = self.model.borrow();
        let mut slots = model.spaces.iter().flatten().flat_map(|s| s.values());
        slots.any(|s| {
            let copy = matches!(s.held, Held::Frame(f) if !model.frames[f].cached);
            copy && !s.shared && s.object.is_some_and(|(o, _)| o == object.id)
        })
    }

    /// Whether a truncation is known to take private copies away that are in swap. Before Linux 5.18 it left them there, and they came back
    /// (zap_pte_range(), commit 5abfd71d936a): only the tests of it judge earlier kernels, which may have the fix or not.
    pub fn truncates_swap(&self) -> bool {
        self.features().version() >= (5, 18)
    }

    /// fallocate(2) with FALLOC_FL_PUNCH_HOLE: every mapping of these pages goes, private copies stay.
    #[track_caller]
    pub fn punch(&self, object: &Object, pages: std::ops::Range<usize>) -> TestResult {
        self.note(format!("punch {} {pages:?}", object.name()));
        let how = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let at = (object.base + pages.start) * self.page;
        let len = pages.len() * self.page;
        match fallocate(&object.file, how, at as i64, len as i64) {
            Err(Errno::EOPNOTSUPP) => {
                return Err(Stop::Skip("needs a file system that punches holes"));
            }
            other => other.doing("fallocate PUNCH_HOLE")?,
        }
        self.model.borrow_mut().punch(object.id, pages);
        self.settle(object)
    }

    /// What a private mapping of hugetlb shows once a page was taken away depends on who reads first: a shared mapping does.
    #[track_caller]
    fn settle(&self, object: &Object) -> TestResult {
        if object.kind != Kind::Hugetlb {
            return Ok(());
        }
        let shared = self.model.borrow_mut().settle(object.id);
        let mut by_actor: BTreeMap<ActorId, Vec<usize>> = BTreeMap::new();
        for (actor, vpn) in shared.into_values() {
            by_actor.entry(actor).or_default().push(vpn * self.page);
        }
        for (actor, addrs) in by_actor {
            for part in addrs.chunks(super::handle::CHUNK) {
                let addrs = part.to_vec();
                self.tell(actor, &Cmd::Read { addrs })?;
            }
        }
        Ok(())
    }

    /// pread(2) of a page of an object, or of what is past its end: it is in memory then, if it is anywhere.
    pub fn read_file(&self, object: &Object, page: usize) -> TestResult {
        self.note(format!("read page {page} of {}", object.name()));
        let at = ((object.base + page) * self.page) as u64;
        object.file.read_at(&mut [0; 8], at).doing("pread")?;
        Ok(())
    }

    /// ftruncate(2): every mapping past the new end goes, private copies too.
    #[track_caller]
    pub fn truncate(&self, object: &Object, pages: usize) -> TestResult {
        self.note(format!("truncate {} to {pages} pages", object.name()));
        let len = (object.base + pages) * self.page;
        ftruncate(&object.file, len as i64).doing("ftruncate")?;
        self.model.borrow_mut().truncate(object.id, pages);
        self.settle(object)
    }

    /// Address space outside the carve-out, aligned to its own size (a power of two, bytes), kept free for every actor made
    /// from here on. The VMAs in it are not compared with the model.
    pub fn far(&self, bytes: usize) -> TestResult<Area> {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        // Never unmapped: the test's process ends with the test.
        let at = mem::mmap(0, 2 * bytes, PROT_NONE, flags, -1, 0)?.next_multiple_of(bytes);
        Ok(Area {
            vpn: at / self.page,
            pages: bytes / self.page,
        })
    }

    /// F_SEAL_FUTURE_WRITE: no more writable shared mappings, those that are there stay.
    ///
    /// # Errors
    /// `Skip` on kernels before v5.1.
    #[track_caller]
    pub fn seal_future_write(&self, object: &Object) -> TestResult {
        self.note(format!("seal {} against future writes", object.name()));
        // Not in nix.
        let seal = SealFlag::from_bits_retain(0x0010);
        match fcntl(&object.file, FcntlArg::F_ADD_SEALS(seal)) {
            Ok(_) => Ok(()),
            Err(Errno::EINVAL) => Err(Stop::Skip("needs F_SEAL_FUTURE_WRITE")),
            Err(e) => Err(Stop::error(format_args!("F_ADD_SEALS: {e}"))),
        }
    }

    /// F_SEAL_WRITE of a memfd that nobody may write, and that nobody holds a page of (memfd_wait_for_pins()).
    ///
    /// # Errors
    /// `Fail` when it is refused, time and again.
    #[track_caller]
    pub fn seal_write(&self, object: &Object) -> TestResult {
        self.note(format!("seal {} against writes", object.name()));
        let seal = || fcntl(&object.file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE));
        // Who has a page for a moment is waited for by the kernel; somebody may have one each time.
        let mut last = Errno::EBUSY;
        for _ in 0..3 {
            lru::drain().doing("drain the LRU batches")?;
            match seal() {
                Ok(_) => return Ok(()),
                Err(e) => last = e,
            }
        }
        Err(Stop::fail(format_args!(
            "a file that nobody has mapped for writing, and no page of which is held, is sealed against it: seen {last}\n{}",
            self.script_text()
        )))
    }

    /// F_SEAL_WRITE of a memfd that somebody may write through a shared mapping: EBUSY (mapping_deny_writable()).
    #[track_caller]
    pub fn seal_write_refused(&self, object: &Object) -> TestResult {
        self.note(format!("seal {} against writes, in vain", object.name()));
        match fcntl(&object.file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)) {
            Err(Errno::EBUSY) => Ok(()),
            other => Err(Stop::fail(format_args!(
                "a file that somebody has mapped for writing, now or later, is not sealed against it: expected EBUSY, seen {other:?}\n{}",
                self.script_text()
            ))),
        }
    }

    /// Opens the file of an object anew for reading only, and closes it for writing. Nobody has it open for writing then, if no actor that was
    /// made before has mapped it, or was made while it was open: file_thp_enabled() wants that of a file with huge pages.
    #[track_caller]
    pub fn only_read(&self, object: &mut Object) -> TestResult {
        self.note(format!("{}: opened for reading only", object.name()));
        let file = reopen(object, true)?;
        let replaced = self.ctx.left.replace(&object.name(), file.as_fd());
        replaced.doing("duplicate a file descriptor")?;
        object.file = file;
        Ok(())
    }

    /// Opens the file of an object for writing, once, and closes it again: huge pages of a file that was only read are thrown away
    /// (do_dentry_open()).
    #[track_caller]
    pub fn open_for_writing(&self, object: &Object) -> TestResult {
        self.note(format!("{}: opened for writing and closed", object.name()));
        reopen(object, false).map(drop)
    }

    /// fsync(2): a dirty file page is written back and write-protected in every mapping (folio_mkclean()).
    #[track_caller]
    pub fn sync(&self, object: &Object) -> TestResult {
        self.note(format!("fsync {}", object.name()));
        object.file.sync_all().doing("fsync")
    }
}

impl Actor<'_, '_> {
    /// MADV_REMOVE: a hole punched through a shared, writable mapping.
    #[track_caller]
    pub fn remove(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: madvise {} REMOVE", self.name(), w.show(area)));
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            advice: advice::REMOVE,
        };
        w.tell(self.id, &cmd)?;
        let mut model = w.model.borrow_mut();
        for vpn in area.vpns() {
            if let Some((object, page)) = model.space(self.id)[&vpn].object {
                model.punch(object, page..page + 1);
            }
        }
        Ok(())
    }

    /// Maps a memfd, read, write and shared, so that its pages come as huge ones where the kernel has some: that is asked for before the first
    /// access.
    #[track_caller]
    pub fn map_huge_object(&self, area: Area, object: &Object) -> TestResult {
        self.map_object(area, object, 0, PROT_NONE, Share::Shared)?;
        self.advise(area, advice::HUGEPAGE)?;
        self.protect(area, PROT_READ | PROT_WRITE)
    }

    /// The same, and writes all of it.
    ///
    /// # Errors
    /// `Skip` when huge pages did not come.
    #[track_caller]
    pub fn fill_huge_object(&self, area: Area, object: &Object) -> TestResult {
        self.map_huge_object(area, object)?;
        self.write(area)?;
        match self.world.is_huge(self.id, area)? {
            true => Ok(()),
            false => Err(Stop::Skip("needs a free huge page for shared memory")),
        }
    }

    /// MADV_COLLAPSE of an object's pages. False when the kernel could not do it now, asked again and again: a page in an LRU batch is
    /// refused, and each attempt empties those.
    #[track_caller]
    pub fn collapse_cached(&self, area: Area) -> TestResult<bool> {
        const ATTEMPTS: usize = 6;
        for _ in 0..ATTEMPTS {
            match self.ask_collapse_cached(area)? {
                Ok(()) => return Ok(true),
                Err(Errno::EINVAL) => {
                    return Err(Stop::Skip("needs MADV_COLLAPSE of shared memory"));
                }
                Err(errno) => self.world.diag(format_args!("MADV_COLLAPSE: {errno}")),
            }
        }
        Ok(false)
    }

    /// The same where the kernel may refuse, and what it says (madvise_collapse_errno()).
    #[track_caller]
    pub fn ask_collapse_cached(&self, area: Area) -> TestResult<Result<(), Errno>> {
        let w = self.world;
        w.note(format!(
            "{}: madvise {} COLLAPSE",
            self.name(),
            w.show(area)
        ));
        let cmd = Cmd::Advise {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            advice: advice::COLLAPSE,
        };
        match w.ask(self.id, &cmd)? {
            Reply::Done => Ok(Ok(())),
            Reply::Errno(e) => Ok(Err(Errno::from_raw(e))),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// mmap of an object from its page `first` on, far more than is used: the model knows the given parts, nothing else
    /// may be touched. For [`World::far`] places; mappers of hugetlb objects may share page tables then.
    #[track_caller]
    pub fn map_parts(
        &self,
        area: Area,
        object: &Object,
        first: usize,
        parts: &[Area],
        share: Share,
    ) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: mmap {} pages rw- {share:?} of {} from page {first}, {} parts of it used",
            self.name(),
            area.pages,
            object.name(),
            parts.len()
        ));
        let cmd = Cmd::Map {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            prot: PROT_READ | PROT_WRITE,
            flags: share.flag() | MAP_FIXED | MAP_NORESERVE,
            fd: true,
            off: ((object.base + first) * w.page) as u64,
        };
        w.tell_with(self.id, &cmd, object)?;
        let shared = share == Share::Shared;
        let mut model = w.model.borrow_mut();
        if shared && object.kind == Kind::Hugetlb {
            model.share_tables(object.id);
        }
        for part in parts {
            let at = (object.id, first + part.vpn - area.vpn);
            model.map_object(self.id, part.vpns(), PROT_READ | PROT_WRITE, shared, at);
        }
        model.mapped_in_part(self.id);
        Ok(())
    }

    /// mremap with an old size of 0: a second mapping of what a shared mapping maps, on top of what is there.
    #[track_caller]
    pub fn duplicate(&self, from: Area, to: Area) -> TestResult {
        assert_eq!(from.pages, to.pages, "a duplicate has the same size");
        let w = self.world;
        let (source, target) = (w.show(from), w.show(to));
        w.note(format!(
            "{}: mremap {source} -> {target} from size 0",
            self.name()
        ));
        let cmd = Cmd::Remap {
            addr: from.vpn * w.page,
            old_len: 0,
            new_len: to.pages * w.page,
            flags: MREMAP_MAYMOVE | MREMAP_FIXED,
            new_addr: to.vpn * w.page,
        };
        w.tell(self.id, &cmd)?;
        let mut model = w.model.borrow_mut();
        let first = model.space(self.id)[&from.vpn];
        let object = first.object.expect("the script duplicates an object's");
        model.map_object(self.id, to.vpns(), first.prot, true, object);
        Ok(())
    }
}

/// Another open file description of an object's file.
fn reopen(object: &Object, read: bool) -> TestResult<File> {
    let path = format!("/proc/self/fd/{}", object.file.as_raw_fd());
    let mut how = File::options();
    how.read(read)
        .write(!read)
        .open(path)
        .doing("open a file anew")
}

/// An empty file of this kind. `disk`: where [`disk::temporary`] may look besides.
pub(super) fn make(kind: Kind, disk: Option<&Path>) -> TestResult<File> {
    Ok(match kind {
        Kind::Memfd => MemfdOptions::default()
            .allow_sealing(true)
            .close_on_exec(true)
            .create("rmap_selftests")
            .map_err(|_| Stop::Skip("needs memfd_create"))?
            .into_file(),
        Kind::Hugetlb => hugetlb().map_err(|_| Stop::Skip("needs hugetlb pages"))?,
        Kind::Disk => {
            disk::temporary(disk).ok_or(Stop::Skip("needs a directory on a disk (TMPDIR)"))?
        }
    })
}

/// Of the default size, which the memfd crate cannot ask for.
fn hugetlb() -> nix::Result<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_HUGETLB;
    Ok(memfd_create(c"rmap_selftests", flags)?.into())
}
