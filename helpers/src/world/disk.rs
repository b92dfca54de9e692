// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether what was written to the mappings of a file has come to the disk.

use super::World;
use super::check::Finding;
use super::model::{ActorId, Slot};
use super::object::Object;
use super::sight::Lie;
use crate::kernel::kpage::Flags;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem;
use crate::{Stop, TestResult};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

const NO_DIRECT: &str = "needs direct I/O";

impl World<'_> {
    /// After [`World::sync`], nobody having written since: no mapping has a dirty entry left, and what was written through
    /// any of them has come to the disk. An entry that stayed writable takes the next write without telling anybody.
    ///
    /// # Errors
    /// `Skip` where the file system has no direct I/O.
    #[track_caller]
    pub fn check_synced(&self, object: &Object) -> TestResult {
        self.check_clean(object)?;
        let how = nix::fcntl::OFlag::O_RDONLY
            | nix::fcntl::OFlag::O_DIRECT
            | nix::fcntl::OFlag::O_CLOEXEC;
        let path = format!("/proc/self/fd/{}", object.file().as_raw_fd());
        let Ok(disk) = nix::fcntl::open(path.as_str(), how, nix::sys::stat::Mode::empty()) else {
            return Err(Stop::Skip(NO_DIRECT));
        };
        let disk = File::from(disk);
        let stamps: Vec<u64> = {
            let model = self.model.borrow();
            let frames = model.objects[object.id].frames.iter();
            frames.map(|&f| model.frames[f].stamp).collect()
        };
        // Aligned as strictly as any device asks for.
        let mut room = vec![0u8; 2 * self.page];
        let start = room.as_ptr().align_offset(self.page);
        let buf = &mut room[start..start + self.page];
        for (i, stamp) in stamps.into_iter().enumerate() {
            disk.read_exact_at(buf, ((object.base + i) * self.page) as u64)
                .doing("read past the page cache")?;
            let lie = u64::from(self.eye.lie == Some(Lie::Content)) << 1;
            let (words, _) = buf.as_chunks::<8>();
            let wrong = words.iter().enumerate().find(|&(n, word)| {
                let expected = if stamp == 0 {
                    0
                } else {
                    mem::pattern_word(stamp, n)
                };
                u64::from_ne_bytes(*word) != expected ^ lie
            });
            if let Some((n, word)) = wrong {
                return Err(self.report(&Finding {
                    property: "what any mapper writes comes to the disk with the next fsync",
                    detail: format!(
                        "page {i} of {}: word {n} on the disk is {:#x}",
                        object.name(),
                        u64::from_ne_bytes(*word)
                    ),
                    at: self
                        .sharers(object)
                        .into_iter()
                        .find(|(_, s)| s.object == Some((object.id, i)))
                        .map(|(at, _)| at),
                }));
            }
        }
        Ok(())
    }

    /// New content for pages of an object, past the page cache. What is mapped of these pages goes (invalidate_inode_pages2_range()), to be read
    /// anew; who has a copy of his own keeps it.
    ///
    /// # Errors
    /// `Skip` where the file system has no direct I/O.
    #[track_caller]
    pub fn write_direct(&self, object: &Object, pages: std::ops::Range<usize>) -> TestResult {
        self.note(format!("{}: direct write of {pages:?}", object.name()));
        let how = nix::fcntl::OFlag::O_WRONLY
            | nix::fcntl::OFlag::O_DIRECT
            | nix::fcntl::OFlag::O_CLOEXEC;
        let path = format!("/proc/self/fd/{}", object.file().as_raw_fd());
        let Ok(disk) = nix::fcntl::open(path.as_str(), how, nix::sys::stat::Mode::empty()) else {
            return Err(Stop::Skip(NO_DIRECT));
        };
        let disk = File::from(disk);
        let len = pages.len() * self.page;
        let mut room = vec![0u8; len + self.page];
        let start = room.as_ptr().align_offset(self.page);
        let buf = &mut room[start..start + len];
        let (words, _) = buf.as_chunks_mut::<8>();
        let stamps: Vec<u64> = pages.clone().map(|_| self.stamp()).collect();
        for (i, word) in words.iter_mut().enumerate() {
            let per_page = self.page / 8;
            *word = mem::pattern_word(stamps[i / per_page], i % per_page).to_ne_bytes();
        }
        match disk.write_all_at(buf, ((object.base + pages.start) * self.page) as u64) {
            // Blocks larger than a page, or a file system that takes the flag and no more.
            Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => {
                return Err(Stop::Skip(NO_DIRECT));
            }
            written => written.doing("write past the page cache")?,
        }
        let mut model = self.model.borrow_mut();
        for (i, stamp) in pages.zip(stamps) {
            let frame = model.objects[object.id].frames[i];
            model.frames[frame].stamp = stamp;
        }
        Ok(())
    }

    /// The slots that map an object shared.
    fn sharers(&self, object: &Object) -> Vec<((ActorId, usize), Slot)> {
        let model = self.model.borrow();
        let spaces = model.spaces.iter().enumerate();
        let slots = spaces.flat_map(|(id, s)| s.iter().flatten().map(move |(&v, &s)| ((id, v), s)));
        slots
            .filter(|(_, s)| s.shared && s.object.is_some_and(|(o, _)| o == object.id))
            .collect()
    }

    /// smaps counts what the entry or the page says is dirty; the pages are clean.
    #[track_caller]
    fn check_clean(&self, object: &Object) -> TestResult {
        for (at, _) in self.sharers(object) {
            let seen = self.eye.entries(self.pid(at.0)?, &[at.1])?[0];
            let Some(pfn) = seen.pfn() else { continue };
            // Redirtied by the file system itself, as data journalling does.
            if self.page_flags(pfn)?.is_none_or(|f| f.has(Flags::DIRTY)) {
                continue;
            }
            for field in ["Shared_Dirty", "Private_Dirty"] {
                let kb =
                    vma::smaps_kb(self.pid(at.0)?, at.1 * self.page, field).doing("read smaps")?;
                if kb.is_some_and(|kb| kb > 0) || self.eye.lie == Some(Lie::Flags) {
                    return Err(self.report(&Finding {
                        property: "no mapping has a dirty entry after fsync",
                        detail: format!("smaps: {field} {} kB", kb.unwrap_or(0)),
                        at: Some(at),
                    }));
                }
            }
        }
        Ok(())
    }
}
