// SPDX-License-Identifier: GPL-2.0-or-later
//! A second thread of an actor: the same memory, seen from another CPU, which remembers where each page was.

use super::handle::CHUNK;
use super::model::Held;
use super::{Actor, Area};
use crate::actor::{Cmd, Reply, thread};
use crate::kernel::lru;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// See [`Actor::thread`].
#[derive(Clone, Copy)]
pub struct Thread<'w, 'c> {
    actor: Actor<'w, 'c>,
}

/// Where pages were that another CPU knows, see [`Thread::know`].
pub struct Known {
    area: Area,
    places: Vec<Option<Pfn>>,
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

    /// Reads every page of the area, so that the thread's CPU knows where they are until it is told to forget it. Those that the kernel is to take
    /// next are in no CPU's batch.
    #[track_caller]
    pub fn know(&self, area: Area) -> TestResult<Known> {
        lru::drain().doing("drain the LRU batches")?;
        self.read(area)?;
        let places = self.places(area)?;
        Ok(Known { area, places })
    }

    /// Those of the pages that are somewhere else now, in runs: of them alone it can be told what the thread's CPU knows.
    pub fn elsewhere(&self, known: &Known) -> TestResult<Vec<Area>> {
        let now = self.places(known.area)?;
        let mut runs: Vec<Area> = Vec::new();
        for (i, (was, now)) in known.places.iter().zip(now).enumerate() {
            if was.is_none() || now.is_none() || now == *was {
                continue;
            }
            let page = known.area.page(i);
            match runs.last_mut() {
                Some(run) if run.vpn + run.pages == page.vpn => run.pages += 1,
                _ => runs.push(page),
            }
        }
        Ok(runs)
    }

    /// Whether no page of the area is mapped.
    pub fn gone(&self, area: Area) -> TestResult<bool> {
        Ok(self.places(area)?.iter().all(Option::is_none))
    }

    fn places(&self, area: Area) -> TestResult<Vec<Option<Pfn>>> {
        let (w, pid) = (self.actor.world, self.actor.pid()?);
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = w.eye.entries(pid, &vpns)?;
        Ok(seen.iter().map(|s| s.pfn()).collect())
    }

    /// Takes away one page that nobody needs. Who takes entries of a process away first makes up for a flush that a reclaim of somebody else's still owes
    /// it (flush_tlb_batched_pending()); of pages that reclaim has not put down for it nobody knows.
    #[track_caller]
    pub fn flush_pending(&self, page: Area) -> TestResult {
        self.actor.write(page)?;
        self.actor.advise(page, advice::DONTNEED)
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
        self.note("compare", area);
        for reply in self.compare(area)? {
            self.actor.world.judge_content(self.actor.id, reply)?;
        }
        Ok(())
    }

    /// How many pages the thread reads something else of than what the process has there. For who asks again.
    #[track_caller]
    pub fn stale(&self, area: Area) -> TestResult<usize> {
        self.note("compare", area);
        let pages = |reply| match reply {
            Reply::Differs(diffs) => Ok(diffs.len()),
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        };
        self.compare(area)?.into_iter().map(pages).sum()
    }

    #[track_caller]
    fn compare(&self, area: Area) -> TestResult<Vec<Reply>> {
        let w = self.actor.world;
        let pages: Vec<(usize, u64)> = {
            let mut model = w.model.borrow_mut();
            let space = model.space(self.actor.id).clone();
            let slots = space.range(area.vpns());
            slots
                .filter_map(|(vpn, slot)| match slot.held {
                    Held::Nothing | Held::Gone | Held::Guard => None,
                    Held::Zero => Some((vpn * w.page, 0)),
                    Held::Frame(f) => Some((vpn * w.page, model.frames[f].stamp)),
                })
                .collect()
        };
        let chunks = pages.chunks(CHUNK).map(|chunk| Cmd::Compare {
            page: w.page,
            pages: chunk.to_vec(),
        });
        chunks.map(|cmd| self.ask(cmd)).collect()
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
