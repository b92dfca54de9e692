// SPDX-License-Identifier: GPL-2.0-or-later
//! Files on a disk: where they can be made, and whether what was written to their mappings has come to the disk.

use super::World;
use super::check::Finding;
use super::model::{ActorId, Slot};
use super::object::Object;
use crate::kernel::kpage::Flags;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem;
use crate::{Stop, TestResult};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

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
            return Err(Stop::Skip("needs direct I/O"));
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
            disk.read_exact_at(buf, (i * self.page) as u64)
                .doing("read past the page cache")?;
            let (words, _) = buf.as_chunks::<8>();
            let wrong = words.iter().enumerate().find(|&(n, word)| {
                let expected = if stamp == 0 {
                    0
                } else {
                    mem::pattern_word(stamp, n)
                };
                u64::from_ne_bytes(*word) != expected
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
            if !self
                .page_flags(pfn)?
                .is_some_and(|f| f.0 & Flags::DIRTY == 0)
            {
                continue;
            }
            for field in ["Shared_Dirty", "Private_Dirty"] {
                let kb =
                    vma::smaps_kb(self.pid(at.0)?, at.1 * self.page, field).doing("read smaps")?;
                if kb.is_some_and(|kb| kb > 0) {
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

/// An unlinked file where TMPDIR, /var/tmp, /tmp or the working directory is a file system on a disk.
pub(super) fn file() -> TestResult<File> {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from);
    let usual = ["/var/tmp", "/tmp", "."].map(PathBuf::from);
    for dir in named.into_iter().chain(usual) {
        if !on_disk(&dir) {
            continue;
        }
        let how =
            nix::fcntl::OFlag::O_TMPFILE | nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC;
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
        if let Ok(fd) = nix::fcntl::open(&dir, how, mode) {
            return Ok(fd.into());
        }
    }
    Err(Stop::Skip("needs a directory on a disk (TMPDIR)"))
}

/// File systems whose page cache is an ordinary one over a device.
fn on_disk(dir: &std::path::Path) -> bool {
    use nix::sys::statfs;
    const XFS: u32 = 0x5846_5342;
    const F2FS: u32 = 0xf2f5_2010;
    statfs::statfs(dir).is_ok_and(|s| {
        let kind = s.filesystem_type();
        // The type of the number differs between C libraries.
        kind == statfs::EXT4_SUPER_MAGIC || [XFS, F2FS].contains(&(kind.0 as u32))
    })
}
