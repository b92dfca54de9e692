// SPDX-License-Identifier: GPL-2.0-or-later
//! What is left of an object when nobody has it any more: nothing.
//!
//! Each VMA of a file holds a reference to it, and a shared one that may be written is counted among those that keep the file from
//! being sealed (i_mmap_writable). Whatever cuts, joins and drops VMAs has to hand both on or give them back. Once all processes of a test are
//! gone, a memfd can be sealed against writing, and each file goes with the last descriptor: inotify tells of that (IN_DELETE_SELF when
//! the name of a file without links goes, which a reference to the open file prevents), on every file system, also on those that are mounted nowhere.

use super::Kind;
use super::object;
use crate::pace::Wait;
use crate::stop::Doing;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::ftruncate;
use std::cell::RefCell;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// How long what is left may stay: somebody else may look at a process while it ends, and then ends its memory.
const PATIENCE: Duration = Duration::from_secs(2);

/// Objects that are remembered: each costs a descriptor, and scripts made by chance have one each.
const MOST: usize = 64;

/// The objects that a test has made.
#[derive(Default)]
pub(crate) struct Left {
    files: RefCell<Vec<(Kind, String, OwnedFd)>>,
}

impl Left {
    /// Remembers an object until the end, unless there are too many.
    pub(super) fn add(&self, kind: Kind, name: String, file: BorrowedFd) {
        let mut files = self.files.borrow_mut();
        if files.len() < MOST
            && let Ok(copy) = file.try_clone_to_owned()
        {
            files.push((kind, name, copy));
        }
    }

    /// Remembers another file for what was added by that name.
    pub(super) fn replace(&self, name: &str, file: BorrowedFd) -> nix::Result<()> {
        for (_, _, old) in self.files.borrow_mut().iter_mut().filter(|f| f.1 == name) {
            *old = nix::unistd::dup(file)?;
        }
        Ok(())
    }

    /// Gives the pages of all objects back.
    pub(super) fn empty(&self) {
        for (_, _, file) in self.files.borrow().iter() {
            let _ = ftruncate(file, 0);
        }
    }

    /// For a test that has passed or ended early with a skip, when its processes and its objects are gone.
    ///
    /// # Errors
    /// `Fail` when a mapping has left something behind.
    pub(crate) fn check(&self, disk: Option<&Path>) -> TestResult {
        for (kind, name, file) in self.files.take() {
            if kind == Kind::Memfd {
                sealed(&name, &file)?;
            }
            // Where the kernel does not tell of a file's end, or no such file can be had any more, nothing is judged.
            let told = object::make(kind, disk)
                .ok()
                .and_then(|control| goes(control.into(), Wait::new(PATIENCE)));
            if told == Some(true) && goes(file, Wait::new(PATIENCE)) == Some(false) {
                return Err(Stop::fail(format_args!(
                    "a file that nobody has open or maps is gone: all processes of the test and its descriptors are, and {name} is still there"
                )));
            }
        }
        Ok(())
    }
}

/// Seals a memfd against writing. It is made empty before, since pages that somebody holds are a reason to refuse, too.
fn sealed(name: &str, file: &OwnedFd) -> TestResult {
    ftruncate(file, 0).doing("ftruncate")?;
    let mut until = Wait::new(PATIENCE);
    while let Err(Errno::EBUSY) = fcntl(file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)) {
        if until.over() {
            return Err(Stop::fail(format_args!(
                "a memfd that nobody maps can be sealed against writing (F_SEAL_WRITE): all processes of the test are gone, and {name} is still said to be mapped by somebody who may write it: EBUSY"
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Whether a file goes with this descriptor, which is its last. `None` where that cannot be seen.
fn goes(file: OwnedFd, mut until: Wait) -> Option<bool> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    inotify
        .add_watch(path.as_str(), AddWatchFlags::IN_DELETE_SELF)
        .ok()?;
    drop(file);
    loop {
        match inotify.read_events() {
            Ok(events) => {
                let gone = |e: &nix::sys::inotify::InotifyEvent| {
                    e.mask.contains(AddWatchFlags::IN_DELETE_SELF)
                };
                if events.iter().any(gone) {
                    return Some(true);
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => return None,
        }
        if until.over() {
            return Some(false);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    fn memfd() -> File {
        object::make(Kind::Memfd, None).unwrap()
    }

    #[test]
    fn a_file_goes_with_its_last_descriptor() {
        let short = Wait::new(Duration::from_millis(20));
        let file = memfd();
        let other = file.try_clone().unwrap();
        assert_eq!(goes(file.into(), short), Some(false));
        // A process that another test has forked may have it for a while.
        assert_eq!(goes(other.into(), Wait::new(PATIENCE)), Some(true));
    }

    #[test]
    fn what_is_left_open_is_found() {
        let left = Left::default();
        let file = memfd();
        left.add(Kind::Memfd, "memfd 0".to_owned(), file.as_fd());
        assert!(matches!(left.check(None), Err(Stop::Fail(_))));
        let file = memfd();
        left.add(Kind::Memfd, "memfd 1".to_owned(), file.as_fd());
        drop(file);
        assert_eq!(left.check(None), Ok(()));
    }
}
