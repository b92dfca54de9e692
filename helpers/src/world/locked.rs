// SPDX-License-Identifier: GPL-2.0-or-later
//! The steps of an actor that lock its memory and unlock it (mlock(2), mlockall(2)).

use super::model::Lock;
use super::{Actor, Area};
use crate::actor::{Cmd, Reply};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT};

impl Actor<'_, '_> {
    /// mlock, or mlock2 with MLOCK_ONFAULT. A limit that is too small is a reason to skip.
    #[track_caller]
    pub fn lock(&self, area: Area, how: Lock) -> TestResult {
        let w = self.world;
        self.note(format!("mlock {} {how:?}", w.show(area)));
        let (addr, len) = self.bytes(area);
        let flags = if how == Lock::OnFault {
            nix::libc::MLOCK_ONFAULT as i32
        } else {
            0
        };
        match w.ask(self.id, &Cmd::Lock { addr, len, flags })? {
            Reply::Done => {}
            Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::ENOMEM | Errno::EPERM) => {
                return Err(Stop::Skip("needs a larger RLIMIT_MEMLOCK"));
            }
            other => return Err(w.blame(self.id, Stop::error(format_args!("mlock: {other:?}")))),
        }
        let mut model = w.model.borrow_mut();
        let object = |vpn: usize| model.spaces[self.id].as_ref()?.get(&vpn)?.object;
        // hugetlb memory never goes, and is never called locked (mlock_fixup()).
        let hugetlb = object(area.vpn).is_some_and(|(o, _)| model.objects[o].hugetlb);
        if !hugetlb {
            model.lock(self.id, area.vpns(), how);
        }
        Ok(())
    }

    /// mlockall with MCL_FUTURE, and MCL_ONFAULT for [`Lock::OnFault`]: what this actor maps from now on is locked; what a child of it or
    /// a program that it executes maps is not. A limit that is too small is a reason to skip.
    #[track_caller]
    pub fn lock_future(&self, how: Lock) -> TestResult {
        let w = self.world;
        self.note(format!("mlockall MCL_FUTURE {how:?}"));
        self.lock_all(match how {
            Lock::OnFault => MCL_FUTURE | MCL_ONFAULT,
            _ => MCL_FUTURE,
        })?;
        w.model.borrow_mut().future.insert(self.id, how);
        Ok(())
    }

    /// mlockall with MCL_CURRENT: all that this actor has is locked, and brought in where it can be. Not all of its address space can. What it maps
    /// later is not locked any more, if it was (apply_mlockall_flags()).
    #[track_caller]
    pub fn lock_current(&self) -> TestResult {
        let w = self.world;
        self.note(String::from("mlockall MCL_CURRENT"));
        self.lock_all(MCL_CURRENT)?;
        let mut model = w.model.borrow_mut();
        model.future.remove(&self.id);
        let all: Vec<usize> = model.spaces[self.id]
            .iter()
            .flat_map(|space| space.keys().copied())
            .collect();
        for vpn in all {
            model.lock(self.id, vpn..vpn + 1, Lock::Full);
        }
        Ok(())
    }

    #[track_caller]
    fn lock_all(&self, flags: i32) -> TestResult {
        let w = self.world;
        match w.ask(self.id, &Cmd::LockAll { flags })? {
            Reply::Done => Ok(()),
            Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::ENOMEM | Errno::EPERM) => {
                Err(Stop::Skip("needs a larger RLIMIT_MEMLOCK"))
            }
            other => Err(w.blame(self.id, Stop::error(format_args!("mlockall: {other:?}")))),
        }
    }

    /// munlock.
    #[track_caller]
    pub fn unlock(&self, area: Area) -> TestResult {
        self.note(format!("munlock {}", self.world.show(area)));
        let (addr, len) = self.bytes(area);
        self.world.tell(self.id, &Cmd::Unlock { addr, len })?;
        self.world
            .model
            .borrow_mut()
            .lock(self.id, area.vpns(), Lock::None);
        Ok(())
    }
}
