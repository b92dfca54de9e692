// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas of private memory that are far longer than what is used of them.

use super::handle::RW;
use super::{Actor, Area, World};
use crate::actor::Reply;
use crate::kernel::sysfs;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::MAP_PRIVATE;

const NEVER: &str = "needs more address space than memory (vm.overcommit_memory)";

impl World<'_> {
    /// As [`World::far`]. `None` where an address space has no room for it.
    pub fn vast(&self, bytes: usize) -> Option<Area> {
        self.far(bytes).ok()
    }

    /// For areas that are so long that the kernel must not want to have memory for all of them in each process: MAP_NORESERVE says so,
    /// and is not listened to where nothing is overcommitted (OVERCOMMIT_NEVER).
    ///
    /// # Errors
    /// `Skip` there.
    pub fn may_overcommit(&self) -> TestResult {
        let mode = sysfs::read("/proc/sys/vm/overcommit_memory");
        match mode.is_ok_and(|mode| mode.trim() == "2") {
            true => Err(Stop::Skip(NEVER)),
            false => Ok(()),
        }
    }
}

impl Actor<'_, '_> {
    /// mmap of private memory, read and write, in a [`World::vast`] place: the model knows the given parts, nothing else may be touched.
    ///
    /// # Errors
    /// `Skip` where the kernel wants to have memory for all of it (vm.overcommit_memory).
    #[track_caller]
    pub fn map_vast(&self, area: Area, parts: &[Area]) -> TestResult {
        let w = self.world;
        self.note(format!(
            "mmap {} rw- private, {} parts of it used",
            w.show(area),
            parts.len()
        ));
        match w.ask(self.id, &self.anonymous(area, RW, MAP_PRIVATE))? {
            Reply::Errno(e) if Errno::from_raw(e) == Errno::ENOMEM => {
                return Err(Stop::Skip(NEVER));
            }
            reply => w.value(self.id, reply)?,
        };
        let mut model = w.model.borrow_mut();
        for part in parts {
            model.map(self.id, part.vpns(), RW);
        }
        model.mapped_in_part(self.id);
        Ok(())
    }
}
