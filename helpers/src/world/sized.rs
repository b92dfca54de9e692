// SPDX-License-Identifier: GPL-2.0-or-later
//! A hugetlbfs with a size of its own (struct hugepage_subpool): what its files and their private mappings have is counted there.

use super::{Kind, Object, World};
use crate::kernel::hugetlb;
use crate::pace::Wait;
use crate::stop::Doing;
use crate::{Stop, TestResult};
use nix::fcntl::OFlag;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::Mode;
use nix::sys::statfs::fstatfs;
use std::fs::File;
use std::time::Duration;

/// How long pages may take to come back: some are freed by a worker.
const LIMIT: Duration = Duration::from_secs(2);

/// One that only whoever holds this can see.
pub struct Sized {
    root: File,
}

impl World<'_> {
    /// A hugetlbfs of `pages` huge pages of the default size.
    ///
    /// # Errors
    /// `Skip` where none can be mounted.
    pub fn sized_hugetlbfs(&self, pages: usize) -> TestResult<Sized> {
        const NEEDS: Stop = Stop::Skip("needs a hugetlbfs that it may mount");
        let size = hugetlb::default_size().ok_or(NEEDS)?;
        let dir = self
            .arena()
            .scratch
            .as_ref()
            .ok_or(NEEDS)?
            .join("hugetlbfs");
        match std::fs::create_dir(&dir) {
            // Of a test that was killed.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other.doing("make a directory to mount on")?,
        }
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        let options = format!("size={},pagesize={size},mode=0700", pages * size);
        mount(
            Some("rmap_selftests"),
            &dir,
            Some("hugetlbfs"),
            flags,
            Some(options.as_str()),
        )
        .map_err(|_| NEEDS)?;
        let root = File::open(&dir);
        // It lives as long as somebody has it open.
        umount2(&dir, MntFlags::MNT_DETACH).doing("unmount hugetlbfs")?;
        self.note(format!("hugetlbfs of {pages} huge pages"));
        Ok(Sized {
            root: root.doing("open the root of hugetlbfs")?,
        })
    }

    /// An object of `pages` base pages that is a file of this hugetlbfs.
    ///
    /// # Errors
    /// `Skip` where it has no files without names.
    #[track_caller]
    pub fn object_of(&self, fs: &Sized, pages: usize) -> TestResult<Object> {
        let how = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o600);
        let file = nix::fcntl::openat(&fs.root, ".", how, mode)
            .map_err(|_| Stop::Skip("needs a hugetlbfs with O_TMPFILE"))?;
        self.object_from(Kind::Hugetlb, file.into(), pages, 0)
    }

    /// So many huge pages may still be used in it.
    ///
    /// # Errors
    /// `Fail` when it is another number for long.
    #[track_caller]
    pub fn expect_left(&self, fs: &Sized, due: u64) -> TestResult {
        let mut until = Wait::new(LIMIT);
        loop {
            let left = fstatfs(&fs.root)
                .doing("statfs of hugetlbfs")?
                .blocks_free();
            if left as u64 == due {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::fail(format_args!(
                    "a hugetlbfs has as many pages left as nobody uses: statfs says {left}, and it should be {due}\n{}",
                    self.script_text()
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
