// SPDX-License-Identifier: GPL-2.0-or-later
//! Process trees as straight-line scripts, and the model they leave behind.
//!
//! ```text
//! let w = World::new(ctx)?;
//! let p = w.actor("P")?;
//! let a = w.place(8);
//! p.map(a)?;
//! p.write(a)?;                  // P: [f0 f1 f2 f3 f4 f5 f6 f7]
//! let c = p.fork("C")?;
//! c.write(a.page(3))?;          // C: [f0 f1 f2 f8 f4 f5 f6 f7]
//! walk::every(&w)?;             // each walk, and each time: every mapper of every page
//! w.finish()
//! ```

mod accessed;
pub mod area;
mod areas;
mod border;
pub mod check;
mod closed;
mod disk;
mod evict;
mod folio;
mod fresh;
mod gathered;
mod guard;
mod handle;
mod in_place;
mod judge;
mod keeper;
mod kept;
pub mod khugepaged;
mod left;
mod locked;
mod merged;
pub mod model;
mod moved;
mod needs;
pub mod object;
mod occupied;
mod outside;
mod partly;
mod pin;
mod poison;
mod poison_huge;
mod pool;
mod promised;
mod query;
mod queue;
mod refused;
mod resident;
pub mod rss;
mod short;
pub mod sight;
mod sized;
mod sizes;
mod stack;
mod steps;
mod swapped;
mod thread;
mod uffd;
mod unlocked;
mod unsplit;
mod vast;
mod vma;

pub use area::Area;
pub use border::Border;
pub use handle::Actor;
pub use keeper::{Answer, Keeper};
pub(crate) use left::Left;
pub use object::{Kind, Object, Share};
pub(crate) use pin::Hold;
pub use poison::{Cause, Signals};
pub use pool::{NOBODY_ELSE, enlarge_pool, expect_promised, fill_pool, pooled, promised_twice};
pub use promised::Promise;
pub use thread::Thread;

use crate::actor::{Channel, Cmd, Reply};
use crate::kernel::features::Features;
use crate::pace::Wait;
use crate::supervise::{Arena, Ctx};
use crate::sys::{mem, proc};
use crate::walk::tally::Tally;
use crate::{Stop, TestResult};
use model::{ActorId, Model};
use nix::errno::Errno;
use nix::libc::{MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// How long one command may take. A machine under load or an emulated one needs time for a fork of
/// a large tree; a kernel that lost a migration entry needs forever.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// Pages of the carve-out, besides the room for huge pages.
const CARVE_PAGES: usize = 16 << 10;

/// Address space left free on both sides of the carve-out, pages. An actor's own memory (its allocator's, [`Cmd::FlushTlb`]'s)
/// goes to the first gap that is large enough, from above or from below as the machine has it: never to one that a munmap inside the
/// carve-out has left, where the next MAP_FIXED would destroy it.
const MARGIN_PAGES: usize = 4096;

/// Process tree, model and script of one test.
pub struct World<'c> {
    ctx: &'c Ctx<'c>,
    arena: &'c Arena,
    page: usize,
    carve: Area,
    next: Cell<usize>,
    cast: RefCell<Vec<Member>>,
    model: RefCell<Model>,
    script: RefCell<Vec<String>>,
    stamps: Cell<u64>,
    /// Checks so far.
    turns: Cell<usize>,
    control: Cell<Option<(ActorId, Area)>>,
    eye: sight::Eye,
    /// Pages that are held by more than their mappers.
    pins: RefCell<Vec<pin::Holding>>,
    /// Mappers whose pages userfaultfd write-protects.
    guarded: RefCell<BTreeSet<(ActorId, usize)>>,
    /// Whose writes to such pages take the protection off, see [`Actor::scan_written`].
    scanned: RefCell<BTreeSet<ActorId>>,
    /// Userfaultfds whose events the test answers, and what is registered with them.
    kept: RefCell<keeper::Kept>,
    /// Who listens for memory failures, and what has failed.
    poison: RefCell<poison::Poison>,
    queue: RefCell<queue::Queue>,
    unlocked: unlocked::Unlocked,
    /// Names given to areas, for the script.
    names: RefCell<BTreeMap<usize, (usize, Cow<'static, str>)>>,
    /// Some place may hold a huge page.
    has_huge: Cell<bool>,
    /// Some actor is in the second cgroup.
    uses_other_memcg: Cell<bool>,
    uses_nested_memcg: Cell<bool>,
}

/// One actor.
struct Member {
    name: String,
    channel: Option<Channel>,
}

impl<'c> World<'c> {
    /// An empty world. Reserves the carve-out: address space with no access in which every mapping of
    /// the test gets its place, so that neighbours are known and no VMA merges by accident.
    pub fn new(ctx: &'c Ctx<'c>) -> TestResult<World<'c>> {
        let arena = ctx.arena;
        let page = arena.features.page_size;
        let align = arena.features.pmd_size.unwrap_or(page) / page;
        let pages = CARVE_PAGES + 8 * align;
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        let (len, margin) = (pages * page, MARGIN_PAGES * page);
        let at = mem::mmap(0, len + 2 * margin, PROT_NONE, flags, -1, 0)? + margin;
        mem::munmap(at - margin, margin)?;
        mem::munmap(at + len, margin)?;
        let seed = ctx.seed;
        Ok(World {
            arena,
            page,
            carve: Area {
                vpn: at / page,
                pages,
            },
            next: Cell::new(1),
            cast: RefCell::default(),
            model: RefCell::default(),
            script: RefCell::default(),
            stamps: Cell::new(seed | 1),
            turns: Cell::new(0),
            control: Cell::new(None),
            eye: sight::Eye::open(&arena.features),
            pins: RefCell::default(),
            guarded: RefCell::default(),
            scanned: RefCell::default(),
            kept: RefCell::default(),
            poison: RefCell::default(),
            queue: RefCell::default(),
            unlocked: unlocked::Unlocked::default(),
            names: RefCell::default(),
            has_huge: Cell::new(false),
            uses_other_memcg: Cell::new(false),
            uses_nested_memcg: Cell::new(false),
            ctx,
        })
    }

    /// What this kernel offers.
    pub fn features(&self) -> &'c Features {
        &self.arena.features
    }

    /// What walks may use.
    pub fn arena(&self) -> &'c Arena {
        self.arena
    }

    /// Page size, bytes.
    pub fn page_size(&self) -> usize {
        self.page
    }

    /// A diagnostic line in front of the result line.
    pub fn diag(&self, text: impl std::fmt::Display) {
        self.ctx.diag(text);
    }

    /// A time limit for one wait.
    pub fn limit(&self, base: Duration) -> Wait {
        Wait::new(base)
    }

    /// Which walks the test has taken over what.
    pub(crate) fn tally(&self) -> &'c Tally {
        &self.ctx.tally
    }

    /// Whether a huge page may be anywhere in it.
    pub(crate) fn has_huge(&self) -> bool {
        self.has_huge.get()
    }

    /// The seed of this run.
    pub fn seed(&self) -> u64 {
        self.ctx.seed
    }

    /// The next free `pages` pages of the carve-out, with at least one page of no access on both sides.
    pub fn place(&self, pages: usize) -> Area {
        self.place_aligned(pages, 1)
    }

    /// The same, starting at a multiple of the PMD size and `n` times as long.
    pub fn place_huge(&self, n: usize) -> TestResult<Area> {
        let Some(pmd) = self.features().pmd_size else {
            return Err(Stop::Skip("needs transparent huge pages"));
        };
        Ok(self.place_aligned(n * pmd / self.page, pmd / self.page))
    }

    /// The same, starting at a multiple of `align` pages.
    pub fn place_aligned(&self, pages: usize, align: usize) -> Area {
        self.has_huge.set(self.has_huge.get() || align > 1);
        let vpn = (self.carve.vpn + self.next.get()).next_multiple_of(align);
        self.next.set(vpn + pages + 1 - self.carve.vpn);
        assert!(
            self.next.get() < self.carve.pages,
            "the carve-out is used up"
        );
        Area { vpn, pages }
    }

    /// Gives an area a name in the script and in failure reports.
    pub fn name(&self, area: Area, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        self.names.borrow_mut().insert(area.vpn, (area.pages, name));
    }

    /// An area as the script shows it: "a+3..5", or pages of the carve-out when it has no name.
    pub(crate) fn show(&self, area: Area) -> String {
        let names = self.names.borrow();
        let known = names.range(..=area.vpn).next_back();
        let (base, name) = match known {
            Some((&vpn, (pages, name))) if area.vpn < vpn + pages => (vpn, name.as_ref()),
            _ => (self.carve.vpn, "carve"),
        };
        let first = area.vpn.wrapping_sub(base);
        format!("{name}[{first}..{}]", first + area.pages)
    }

    /// A process with an address space of its own: the root of a tree.
    pub fn actor(&self, name: &str) -> TestResult<Actor<'_, 'c>> {
        let kept = self.kept_files();
        let without: Vec<BorrowedFd> = kept.iter().map(|(_, file)| file.as_fd()).collect();
        let channel = Channel::spawn(&without)?;
        self.note(format!("{name}: a new process"));
        let id = self.model.borrow_mut().add_actor();
        // Whoever started this program may have made it so.
        if proc::get_memory_merge() == Ok(true) {
            self.model.borrow_mut().merge_memory(id, true);
        }
        self.cast.borrow_mut().push(Member {
            name: name.to_owned(),
            channel: Some(channel),
        });
        Ok(Actor { world: self, id })
    }

    /// The handle of an actor by number.
    pub fn actor_by_id(&self, id: ActorId) -> Actor<'_, 'c> {
        Actor { world: self, id }
    }

    /// The actor of plain topology, and its pages, that takes every walk beside the tested ones: written once, never
    /// forked, never moved. What the kernel refuses to it was not possible now; what it refuses only to others is a bug.
    pub fn control(&self) -> TestResult<(ActorId, Area)> {
        if let Some(c) = self.control.get() {
            return Ok(c);
        }
        let area = self.place(4);
        self.name(area, "control");
        let actor = self.actor("control")?;
        actor.map(area)?;
        actor.write(area)?;
        self.control.set(Some((actor.id, area)));
        Ok((actor.id, area))
    }

    /// Fresh content, never given before in this world.
    pub(crate) fn stamp(&self) -> u64 {
        let s = self.stamps.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.stamps.set(s);
        mem::pattern_word(s | 1, 0) | 1
    }

    /// A line of the script that says what the next ones are for.
    pub fn step(&self, text: impl std::fmt::Display) {
        self.note(format!("-- {text}"));
    }

    /// Adds a line to the script.
    pub(crate) fn note(&self, line: String) {
        crate::supervise::ctx::step(&line);
        self.script.borrow_mut().push(line);
        self.model.borrow_mut().note_locked();
    }

    /// Sends a command to an actor.
    #[track_caller]
    pub(crate) fn ask(&self, id: ActorId, cmd: &Cmd) -> TestResult<Reply> {
        self.ask_with(id, cmd, None)
    }

    /// Sends a command, and a file descriptor that it needs.
    #[track_caller]
    pub(crate) fn ask_with(
        &self,
        id: ActorId,
        cmd: &Cmd,
        fd: Option<BorrowedFd>,
    ) -> TestResult<Reply> {
        self.model.borrow_mut().may_join(id, cmd, self.page);
        if fd.is_none()
            && let Some(reply) = self.keep_back(id, cmd)?
        {
            return Ok(reply);
        }
        self.flush()?;
        self.ask_now(id, cmd, fd)
    }

    #[track_caller]
    fn ask_now(&self, id: ActorId, cmd: &Cmd, fd: Option<BorrowedFd>) -> TestResult<Reply> {
        self.channel(id, |channel| channel.ask(cmd, fd, REPLY_LIMIT))
    }

    /// Talks to a living actor.
    #[track_caller]
    fn channel<T>(
        &self,
        id: ActorId,
        talk: impl FnOnce(&mut Channel) -> TestResult<T>,
    ) -> TestResult<T> {
        let result = {
            let mut cast = self.cast.borrow_mut();
            let member = &mut cast[id];
            match member.channel.as_mut() {
                Some(channel) => talk(channel),
                None => {
                    let name = &member.name;
                    return Err(Stop::error(format_args!("{name} has exited already")));
                }
            }
        };
        result.map_err(|stop| self.blame(id, stop))
    }

    /// A command whose only good reply is Done or a value; a failed system call is an error of the script.
    #[track_caller]
    pub(crate) fn tell(&self, id: ActorId, cmd: &Cmd) -> TestResult<usize> {
        let reply = self.ask(id, cmd)?;
        self.value(id, reply)
    }

    /// The same with the file behind an object.
    #[track_caller]
    pub(crate) fn tell_with(&self, id: ActorId, cmd: &Cmd, object: &Object) -> TestResult<usize> {
        let reply = self.ask_with(id, cmd, Some(object.fd()))?;
        self.value(id, reply)
    }

    #[track_caller]
    fn value(&self, id: ActorId, reply: Reply) -> TestResult<usize> {
        match reply {
            Reply::Done => Ok(0),
            Reply::Value(v) => Ok(v),
            Reply::Errno(e) => {
                let what = self.script.borrow().last().cloned().unwrap_or_default();
                Err(self.blame(
                    id,
                    Stop::error(format_args!("{what}: {}", Errno::from_raw(e))),
                ))
            }
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// Names the actor in a stop and adds the script that led there.
    pub(crate) fn blame(&self, id: ActorId, stop: Stop) -> Stop {
        let name = self.actor_name(id);
        match stop {
            Stop::Fail(t) => Stop::Fail(format!("actor {name}: {t}\n{}", self.script_text())),
            Stop::Error(t) => Stop::Error(format!("actor {name}: {t}\n{}", self.script_text())),
            skip => skip,
        }
    }

    pub(crate) fn actor_name(&self, id: ActorId) -> String {
        self.cast.borrow()[id].name.clone()
    }

    /// For looks from outside: whatever the script says has been done by then.
    pub(crate) fn pid(&self, id: ActorId) -> TestResult<i32> {
        self.flush()?;
        match &self.cast.borrow()[id].channel {
            Some(c) => Ok(c.pid()),
            None => Err(Stop::error("an exited actor has no PID")),
        }
    }

    /// The numbered script, the last lines of it when it is long.
    pub(crate) fn script_text(&self) -> String {
        const SHOWN: usize = 100;
        let script = self.script.borrow();
        let skip = script.len().saturating_sub(SHOWN);
        let mut text = String::from("script:");
        if skip > 0 {
            text += &format!("\n  ... {skip} lines before");
        }
        for (i, line) in script.iter().enumerate().skip(skip) {
            text += &format!("\n  {:3} {line}", i + 1);
        }
        text
    }

    /// All actors exit; each end is awaited and decoded.
    #[track_caller]
    pub fn finish(self) -> TestResult {
        self.check_rss()?;
        self.check_areas()?;
        self.check_kept()?;
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            let channel = self.cast.borrow_mut()[id].channel.take();
            if let Some(mut channel) = channel {
                channel.exit(REPLY_LIMIT).map_err(|s| self.blame(id, s))?;
            }
        }
        Ok(())
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        // Channels kill and reap their actors; the carve-out of this process goes last.
        self.cast.borrow_mut().clear();
        self.unpoison_quietly();
        let _ = mem::munmap(self.carve.vpn * self.page, self.carve.pages * self.page);
    }
}
