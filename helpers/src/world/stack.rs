// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of the stack that execve(2) made: outside the carve-out, but known to the model as any others.

use super::handle::RW;
use super::{Actor, Area};
use crate::actor::{Cmd, Reply};
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// Most of an environment, bytes: the kernel wants it below a quarter of the stack's limit.
const MOST: usize = 1 << 20;
/// Room that the actor's own calls may take of the stack, bytes.
const OWN: usize = 1 << 20;

impl Actor<'_, '_> {
    /// execve of this program with an environment of about `pages` pages. What is whole pages of it has the content that it was passed with,
    /// which is checked, and then a content of the model's.
    #[track_caller]
    pub fn exec_with(&self, pages: usize) -> TestResult<Area> {
        let w = self.world;
        let bytes = ((pages + 2) * w.page).min(MOST);
        w.note(format!("{}: exec with {bytes} bytes", self.name()));
        w.tell(self.id, &Cmd::Exec { environment: bytes })?;
        w.model.borrow_mut().exec(self.id);
        let (start, end) = match w.ask(self.id, &Cmd::Environment { bytes })? {
            Reply::Values(v) => (v[0] as usize, v[1] as usize),
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EBADMSG => {
                let stop = Stop::fail("a program finds its environment as it was passed");
                return Err(w.blame(self.id, stop));
            }
            other => return Err(w.blame(self.id, Stop::error(format_args!("{other:?}")))),
        };
        let vpn = start.div_ceil(w.page);
        let area = Area {
            vpn,
            pages: (end / w.page).saturating_sub(vpn),
        };
        w.name(area, format!("{}'s environment", self.name()));
        w.model.borrow_mut().map(self.id, area.vpns(), RW);
        self.write(area)?;
        Ok(area)
    }

    /// `pages` pages of the stack far below what is in use, `from` pages deeper than need be: the stack grows to there.
    #[track_caller]
    pub fn deep_stack(&self, environment: Area, from: usize, pages: usize) -> TestResult<Area> {
        let w = self.world;
        let area = Area {
            vpn: environment.vpn - OWN.div_ceil(w.page) - from - pages,
            pages,
        };
        w.name(area, format!("{}'s stack", self.name()));
        w.model.borrow_mut().map(self.id, area.vpns(), RW);
        self.write(area)?;
        Ok(area)
    }
}
