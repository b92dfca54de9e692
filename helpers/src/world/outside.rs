// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done to an actor from outside: advice about its memory, another cgroup.

use super::handle::show_advice;
use super::{Actor, Area, World};
use crate::kernel::memcg::Memcg;
use crate::stop::Doing;
use crate::sys::mem;
use crate::{Stop, TestResult};
use nix::errno::Errno;

impl Actor<'_, '_> {
    /// process_madvise(2) by the test's own process, which does not map the area.
    ///
    /// # Errors
    /// `Skip` where the kernel does not take this advice from others.
    #[track_caller]
    pub fn advise_from_outside(&self, area: Area, what: i32) -> TestResult {
        let w = self.world;
        w.note(format!(
            "process_madvise of {}: {} {}",
            self.name(),
            w.show(area),
            show_advice(what)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match mem::process_madvise(self.pid()?, addr, len, what) {
            Ok(n) if n == len => Ok(()),
            Err(Errno::ENOSYS | Errno::EINVAL | Errno::EPERM) => {
                Err(Stop::Skip("needs process_madvise (Linux 5.10)"))
            }
            other => Err(Stop::error(format_args!("process_madvise: {other:?}"))),
        }
    }

    /// Moves the process to the second cgroup: what it touches first from now on is charged there, what it has stays where it is.
    #[track_caller]
    pub fn enter_other_memcg(&self) -> TestResult {
        let w = self.world;
        let other = w.arena().other_memcg.as_ref().map_err(|e| Stop::Skip(e))?;
        w.note(format!("{}: into the second cgroup", self.name()));
        let moved = other.add(self.pid()?);
        moved.doing("move an actor to another cgroup")?;
        w.uses_other_memcg.set(true);
        Ok(())
    }
}

impl World<'_> {
    /// The cgroups that pages of this world are charged to, the one that the test itself is in first.
    ///
    /// # Errors
    /// `Skip` when there is none.
    pub(crate) fn memcgs(&self) -> TestResult<Vec<&Memcg>> {
        let mut all = vec![self.reclaimed()?];
        if self.uses_other_memcg.get() {
            all.push(
                self.arena()
                    .other_memcg
                    .as_ref()
                    .map_err(|e| Stop::Skip(e))?,
            );
        }
        Ok(all)
    }

    /// Moves the test into a cgroup that is in another one. All actors that are made from now on are in it, and whatever is reclaimed is
    /// asked for by the one above.
    ///
    /// # Errors
    /// `Skip` when there is none.
    #[track_caller]
    pub fn enter_nested_memcg(&self) -> TestResult {
        let nested = self.arena().nested_memcg.as_ref();
        let below = &nested.map_err(|e| Stop::Skip(e))?.below;
        self.note(String::from(
            "all are in a cgroup below the one that reclaims",
        ));
        let this = std::process::id();
        below
            .add(this.cast_signed())
            .doing("move to another cgroup")?;
        self.uses_nested_memcg.set(true);
        Ok(())
    }

    /// The cgroup that reclaim is asked of.
    ///
    /// # Errors
    /// `Skip` when there is none.
    pub(crate) fn reclaimed(&self) -> TestResult<&Memcg> {
        let arena = self.arena();
        if self.uses_nested_memcg.get() {
            let nested = arena.nested_memcg.as_ref();
            return Ok(&nested.map_err(|e| Stop::Skip(e))?.above);
        }
        arena.memcg.as_ref().map_err(|e| Stop::Skip(e))
    }
}
