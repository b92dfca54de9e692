// SPDX-License-Identifier: GPL-2.0-or-later
//! A second thread of an actor: the same memory, seen from another CPU, which remembers where each page was.

use super::handle::CHUNK;
use super::model::Held;
use super::{Actor, Area};
use crate::actor::{Cmd, Reply, thread};
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// See [`Actor::thread`].
#[derive(Clone, Copy)]
pub struct Thread<'w, 'c> {
    actor: Actor<'w, 'c>,
}

impl<'w, 'c> Actor<'w, 'c> {
    /// Makes a thread on another CPU, which spins when it is not told to do something, until [`Thread::end`]. A child of the actor has none. One
    /// for each actor, and few at a time: each takes a CPU.
    ///
    /// # Errors
    /// `Skip` where the actor may use one CPU only.
    #[track_caller]
    pub fn thread(&self) -> TestResult<Thread<'w, 'c>> {
        let w = self.world;
        self.note(String::from("a second thread, on another CPU"));
        match w.ask(self.id, &Cmd::Thread(thread::Cmd::Start))? {
            Reply::Done => Ok(Thread { actor: *self }),
            Reply::Errno(e) if Errno::from_raw(e) == Errno::ENODEV => {
                Err(Stop::Skip("needs 2 CPUs"))
            }
            other => Err(Stop::error(format_args!("a second thread: {other:?}"))),
        }
    }
}

impl Thread<'_, '_> {
    #[track_caller]
    fn ask(&self, cmd: Cmd) -> TestResult<Reply> {
        let cmd = Cmd::Thread(thread::Cmd::Do(Box::new(cmd)));
        self.actor.world.ask(self.actor.id, &cmd)
    }

    #[track_caller]
    fn tell(&self, cmd: Cmd) -> TestResult {
        match self.ask(cmd)? {
            Reply::Done => Ok(()),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    fn note(&self, what: &str, area: Area) {
        let w = self.actor.world;
        let text = format!("{what} {}, by the second thread", w.show(area));
        self.actor.note(text);
    }

    /// As [`Actor::read`].
    #[track_caller]
    pub fn read(&self, area: Area) -> TestResult {
        let w = self.actor.world;
        self.note("read", area);
        let vpns: Vec<usize> = area.vpns().collect();
        for chunk in vpns.chunks(CHUNK) {
            let addrs = chunk.iter().map(|v| v * w.page).collect();
            self.tell(Cmd::Read { addrs })?;
        }
        w.model.borrow_mut().read(self.actor.id, area.vpns());
        Ok(())
    }

    /// As [`Actor::write`].
    #[track_caller]
    pub fn write(&self, area: Area) -> TestResult {
        let w = self.actor.world;
        self.note("write", area);
        let stamps: Vec<_> = area.vpns().map(|v| (v, w.stamp())).collect();
        for chunk in stamps.chunks(CHUNK) {
            let pages = chunk.iter().map(|&(v, s)| (v * w.page, s)).collect();
            let page = w.page;
            self.tell(Cmd::Fill { page, pages })?;
        }
        let mut model = w.model.borrow_mut();
        model.write(self.actor.id, &stamps);
        model.change(self.actor.id, area.vpns(), |s| s.soft_dirty = true);
        Ok(())
    }

    /// Compares what the thread reads with what the process has there.
    #[track_caller]
    pub fn check(&self, area: Area) -> TestResult {
        let w = self.actor.world;
        self.note("compare", area);
        let pages: Vec<(usize, u64)> = {
            let mut model = w.model.borrow_mut();
            let space = model.space(self.actor.id).clone();
            let slots = space.range(area.vpns());
            slots
                .filter_map(|(vpn, slot)| match slot.held {
                    Held::Nothing | Held::Gone => None,
                    Held::Zero => Some((vpn * w.page, 0)),
                    Held::Frame(f) => Some((vpn * w.page, model.frames[f].stamp)),
                })
                .collect()
        };
        for chunk in pages.chunks(CHUNK) {
            let pages = chunk.to_vec();
            let page = w.page;
            let reply = self.ask(Cmd::Compare { page, pages })?;
            w.judge_content(self.actor.id, reply)?;
        }
        Ok(())
    }

    /// The thread ends.
    #[track_caller]
    pub fn end(self) -> TestResult {
        let actor = self.actor;
        actor.note(String::from("the second thread ends"));
        let cmd = Cmd::Thread(thread::Cmd::End);
        actor.world.tell(actor.id, &cmd).map(drop)
    }
}
