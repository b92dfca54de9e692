// SPDX-License-Identifier: GPL-2.0-or-later
//! memory.high in the place of memory.reclaim (before Linux 5.19).

use crate::kernel::sysfs;
use crate::sys::proc::{Forked, exit_now, fork_child};
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, write};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where the one who lowers it is for that moment. [`super::Memcg::remove`] removes it too, for who was killed meanwhile.
pub(super) fn beside(dir: &Path) -> PathBuf {
    let mut name = OsString::from(dir);
    name.push(".outside");
    name.into()
}

/// Lowers memory.high of the cgroup at `dir` to 0, which reclaims what can be reclaimed, and puts it back.
///
/// A process outside does it: whoever is charged in there meanwhile, and be it for a node of the swap cache, is made to sleep for 2 s
/// (mem_cgroup_handle_over_high()).
///
/// # Errors
/// Those of making a cgroup beside this one, of fork(2) and of the files.
pub(super) fn lower_for_a_moment(dir: &Path) -> io::Result<()> {
    let high = dir.join("memory.high");
    let before = sysfs::read(&high)?;
    let beside = beside(dir);
    // Of a test before that was killed in here.
    super::remove(&beside)?;
    fs::create_dir(&beside)?;
    let done = in_child(&beside, &high, &before);
    done.and(super::remove(&beside))
}

/// The child makes no allocation: it writes, and ends.
fn in_child(beside: &Path, high: &Path, before: &str) -> io::Result<()> {
    let open = |path: &Path| File::options().write(true).open(path);
    let (procs, high) = (open(&beside.join("cgroup.procs"))?, open(high)?);
    match fork_child()? {
        Forked::Child => {
            let moved = write(&procs, b"0").is_ok();
            let lowered = moved && write(&high, b"0").is_ok();
            // Whatever came of it.
            let back = write(&high, before.as_bytes()).is_ok();
            exit_now(i32::from(!(lowered && back)))
        }
        Forked::Parent(pid) => loop {
            match waitpid(Pid::from_raw(pid), None) {
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(status) => {
                    return Err(io::Error::other(format!(
                        "lowering memory.high: {status:?}"
                    )));
                }
                Err(Errno::EINTR) => {}
                Err(e) => return Err(e.into()),
            }
        },
    }
}
