// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls that the kernel must refuse, after it has begun: VMAs that it had cut or taken out of the tree for it have to be back
//! (vms_abort_munmap_vmas()), and every page in them.

use super::{Actor, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::proc;
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// What an actor may map beside what it has, in pages: for its own heap.
const SLACK: usize = 64;

impl Actor<'_, '_> {
    /// A call that must be refused with this error, and that the model so knows nothing of.
    #[track_caller]
    pub fn refused(&self, cmd: &Cmd, with: Errno) -> TestResult {
        let w = self.world;
        w.note(format!("{}: {cmd:?}, to be refused", self.name()));
        match w.ask(self.id, cmd)? {
            Reply::Errno(e) if Errno::from_raw(e) == with => Ok(()),
            other => {
                let stop = Stop::fail(format_args!(
                    "{cmd:?} is refused with {with}: it was answered {other:?}"
                ));
                Err(w.blame(self.id, stop))
            }
        }
    }

    /// A call that changes nothing, whether the kernel takes it or knows of no such thing (EINVAL).
    #[track_caller]
    pub fn changes_nothing(&self, cmd: &Cmd) -> TestResult {
        let w = self.world;
        w.note(format!("{}: {cmd:?}, to change nothing", self.name()));
        match w.ask(self.id, cmd)? {
            Reply::Errno(e) if Errno::from_raw(e) != Errno::EINVAL => {
                let errno = Errno::from_raw(e);
                let stop = Stop::fail(format_args!("{cmd:?} is answered {errno}"));
                Err(w.blame(self.id, stop))
            }
            _ => Ok(()),
        }
    }

    /// Calls that need more address space than the actor may have (RLIMIT_AS): it may have [`World::most_new_pages`] pages more than now.
    #[track_caller]
    pub fn refused_at_limit(&self, cmds: &[Cmd]) -> TestResult {
        let w = self.world;
        let pid = self.pid()?;
        let kb = vma::status_kb(pid, "VmSize").doing("read status")?;
        let kb = kb.ok_or(Stop::Skip("needs VmSize in status"))? as usize;
        let most = (kb * 1024 + SLACK * w.page) as nix::libc::rlim_t;
        let before = proc::limit_address_space(pid, most).doing("prlimit(2)")?;
        let refused = cmds
            .iter()
            .try_for_each(|cmd| self.refused(cmd, Errno::ENOMEM));
        let restored = proc::limit_address_space(pid, before).doing("prlimit(2)");
        // An actor that is gone has no limit: why it is gone comes first.
        refused.and(restored.map(drop))
    }
}

impl World<'_> {
    /// How many pages more an actor may map while [`Actor::refused_at_limit`] asks it to.
    pub fn most_new_pages(&self) -> usize {
        SLACK
    }
}
