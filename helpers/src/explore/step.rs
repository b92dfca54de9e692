// SPDX-License-Identifier: GPL-2.0-or-later
//! Steps of a script, as data: whether one is legal, what it does to a model, and to a world.
//!
//! A step names its actor by a label and its pages by their place in one region, so it stays meaningful when other steps
//! are dropped. What is not legal then is left out; that depends on the model alone, so every run leaves out the same.

use super::midway::Midway;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::world::model::{ActorId, Held, Lock, Model, ObjectId, Slot};
use crate::world::{Actor, Area, Object, Share, World};
use crate::{Stop, TestResult};
use nix::libc::{PROT_NONE, PROT_READ, PROT_WRITE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// Label of an actor: 0 is the first one, the others are named by the fork that makes them.
pub type Who = usize;

/// Most actors alive at a time.
pub const MOST_ALIVE: usize = 7;

/// Pages of the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// First page, counted from the start of the region.
    pub first: usize,
    /// Pages.
    pub pages: usize,
}

/// `pages` pages from `first`.
pub const fn span(first: usize, pages: usize) -> Span {
    Span { first, pages }
}

impl Span {
    /// One past the last page.
    pub fn end(self) -> usize {
        self.first + self.pages
    }

    fn meets(self, other: Span) -> bool {
        self.first < other.end() && other.first < self.end()
    }

    /// The same pages of a region.
    pub fn of(self, region: Area) -> Area {
        region.sub(self.first..self.end())
    }
}

/// What one actor does.
#[allow(missing_docs)] // the fields are what the methods of Actor take
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Op {
    /// mmap of private memory, on top of whatever is there.
    Map { at: Span, prot: i32 },
    /// mmap of pages of the script's file, on top of whatever is there.
    MapFile {
        at: Span,
        from: usize,
        prot: i32,
        shared: bool,
    },
    /// mmap of private memory that is one folio as it is written, on top of whatever is there.
    MapFolio { at: Span },
    /// Pages of the file are punched out.
    Punch { from: usize, pages: usize },
    /// The file is truncated.
    Truncate { pages: usize },
    /// munmap; with `over`, by mapping the carve-out's filling over it.
    Unmap { at: Span, over: bool },
    /// New content for every page.
    Write { at: Span },
    /// Read every page.
    Read { at: Span },
    /// mprotect.
    Protect { at: Span, prot: i32 },
    /// mremap to a fixed place, on top of whatever is there; `keep` is MREMAP_DONTUNMAP.
    Move { at: Span, to: usize, keep: bool },
    /// mremap in place of the VMA that ends behind page `last`.
    Grow { last: usize, by: usize },
    /// mremap in place to the first `keep` pages.
    Shrink { at: Span, keep: usize },
    /// madvise.
    Advise { at: Span, what: i32 },
    /// mlock, or mlock2 with MLOCK_ONFAULT.
    Lock { at: Span, on_fault: bool },
    /// munlock.
    Unlock { at: Span },
    /// A walk over all pages of all; who takes the step is of no matter.
    Walk(Midway),
    /// All soft-dirty bits of all are cleared.
    Clean,
    /// MADV_COLLAPSE: private memory becomes a huge page.
    Collapse { at: Span },
    /// MADV_COLLAPSE of the file: it is one huge page from now on.
    CollapseFile { at: Span },
    /// fork.
    Fork { child: Who },
    /// The process exits.
    Exit,
    /// The process executes a program: its address space goes, it stays.
    Exec,
}

/// One line of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Who does it.
    pub who: Who,
    /// What.
    pub op: Op,
}

/// Who plays which part: the actors behind the labels.
#[derive(Clone, Default)]
pub struct Parts {
    actors: BTreeMap<Who, ActorId>,
    /// The file that a script may map, the first object of its world; none where it is only imagined.
    pub file: Option<Rc<Object>>,
}

/// The script's file in the model.
const FILE: ObjectId = 0;

impl Parts {
    /// The first actor.
    pub fn root(id: ActorId) -> Parts {
        Parts {
            actors: BTreeMap::from([(0, id)]),
            file: None,
        }
    }

    /// The actor behind a label, alive or not.
    pub fn id(&self, who: Who) -> Option<ActorId> {
        self.actors.get(&who).copied()
    }

    /// Actors alive.
    fn alive(&self, model: &Model) -> usize {
        self.actors
            .values()
            .filter(|id| model.spaces[**id].is_some())
            .count()
    }

    /// Labels of the living that have the region, oldest first.
    pub fn living(&self, model: &Model) -> Vec<Who> {
        let acts = |id: ActorId| model.spaces[id].is_some() && !model.foreign.contains(&id);
        self.actors
            .iter()
            .filter(|(_, id)| acts(**id))
            .map(|(who, _)| *who)
            .collect()
    }
}

/// The slot at a page of the region.
pub fn slot(model: &Model, id: ActorId, region: Area, page: usize) -> Option<&Slot> {
    model.spaces[id].as_ref()?.get(&(region.vpn + page))
}

impl Step {
    /// Whether the step can be taken. The model decides, the kernel is not asked.
    pub fn legal(&self, model: &Model, parts: &Parts, region: Area) -> bool {
        let Some(id) = parts.id(self.who) else {
            return false;
        };
        if model.spaces[id].is_none() || model.foreign.contains(&id) {
            return false;
        }
        let inside = |at: Span| at.pages > 0 && at.end() <= region.pages;
        let at = |page: usize| slot(model, id, region, page);
        let all = |s: Span, ok: &dyn Fn(&Slot) -> bool| {
            inside(s) && (s.first..s.end()).all(|p| at(p).is_some_and(ok))
        };
        let unlocked = |s: &Slot| s.lock == Lock::None;
        match self.op {
            Op::Map { at, .. } | Op::MapFolio { at } => inside(at),
            Op::Unmap { at: s, .. } => {
                inside(s) && (s.first..s.end()).any(|page| at(page).is_some())
            }
            Op::MapFile { at, .. } => inside(at) && !model.objects.is_empty(),
            Op::Punch { from, pages } => {
                pages > 0
                    && model
                        .objects
                        .get(FILE)
                        .is_some_and(|o| from + pages <= o.frames.len())
            }
            Op::Truncate { pages } => pages > 0 && !model.objects.is_empty(),
            Op::Write { at } => all(at, &|s| s.prot & PROT_WRITE != 0 && there(s)),
            Op::Read { at } => all(at, &|s| s.prot & PROT_READ != 0 && there(s)),
            Op::Protect { at, .. } => all(at, &|_| true),
            Op::Move { at, to, keep } => {
                let to = span(to, at.pages);
                // MREMAP_DONTUNMAP takes the lock from the whole source VMA, moved or not (dontunmap_complete(),
                // before that move_vma()): what the model would have to say then differs between kernels.
                all(at, &|s| !keep || unlocked(s)) && inside(to) && !at.meets(to)
            }
            Op::Grow { last, by } => {
                let new = span(last + 1, by);
                all(span(last, 1), &unlocked)
                    && inside(new)
                    && (new.first..new.end()).all(|page| at(page).is_none())
            }
            Op::Shrink { at, keep } => keep > 0 && keep < at.pages && all(at, &|_| true),
            Op::Advise { at, what } => all(at, &|s| may_be_told(s, what)),
            // What cannot be read cannot be populated: ENOMEM.
            Op::Lock { at, .. } => all(at, &|s| s.prot != PROT_NONE && there(s)),
            Op::Unlock { at: s } => {
                all(s, &|_| true) && (s.first..s.end()).any(|p| !unlocked(at(p).expect("mapped")))
            }
            Op::Walk(_) | Op::Clean => true,
            // In one VMA, as far as the model knows: the kernel may find another reason to refuse.
            Op::Collapse { at: s } => {
                let first = at(s.first).copied();
                let same = |s: &Slot| first.is_some_and(|f| alike(&f) == alike(s));
                let private = |s: &Slot| s.object.is_none() && unlocked(s) && there(s);
                all(s, &|s| s.prot & PROT_WRITE != 0 && private(s) && same(s))
            }
            Op::CollapseFile { at } => all(at, &|s| s.shared && there(s)),
            Op::Fork { child } => parts.id(child).is_none() && parts.alive(model) < MOST_ALIVE,
            Op::Exit | Op::Exec => parts.living(model).len() > 1,
        }
    }

    /// What a legal step does to a model.
    pub fn imagine(&self, model: &mut Model, parts: &mut Parts, region: Area) {
        let id = parts.id(self.who).expect("a legal step");
        let vpns = |at: Span| at.of(region).vpns();
        match self.op {
            Op::Map { at, prot } => model.map(id, vpns(at), prot),
            Op::MapFolio { at } => {
                model.map(id, vpns(at), PROT_READ | PROT_WRITE);
                write(model, id, vpns(at));
            }
            Op::MapFile {
                at,
                from,
                prot,
                shared,
            } => model.map_object(id, vpns(at), prot, shared, (FILE, from)),
            Op::Punch { from, pages } => model.punch(FILE, from..from + pages),
            Op::Truncate { pages } => model.truncate(FILE, pages),
            Op::Unmap { at, .. } => model.unmap(id, vpns(at)),
            Op::Write { at } => write(model, id, vpns(at)),
            Op::Read { at } => model.read(id, vpns(at)),
            Op::Protect { at, prot } => model.protect(id, vpns(at), prot),
            Op::Move { at, to, keep } => {
                model.move_slots(id, vpns(at).start, region.vpn + to, at.pages, keep);
            }
            Op::Grow { last, by } => model.resize(id, region.vpn + last, 1, 1 + by),
            Op::Shrink { at, keep } => model.resize(id, vpns(at).start, at.pages, keep),
            Op::Advise { at, what } => model.advise(id, vpns(at), what),
            Op::Lock { at, on_fault } => model.lock(id, vpns(at), lock(on_fault)),
            Op::Unlock { at } => model.lock(id, vpns(at), Lock::None),
            // The pages stay what they are to those who map them.
            Op::Walk(_) | Op::Clean | Op::CollapseFile { .. } => {}
            Op::Collapse { at } => model.collapse(id, vpns(at)),
            Op::Fork { child } => {
                let id = model.fork(id);
                parts.actors.insert(child, id);
            }
            Op::Exit => model.spaces[id] = None,
            Op::Exec => model.exec(id),
        }
    }

    /// Takes the step in a world. False when it is not legal now, or this kernel does not have the call.
    ///
    /// # Errors
    /// `Skip` when what the whole script plays on is not to be had.
    pub fn perform(&self, w: &World, parts: &mut Parts, region: Area) -> TestResult<bool> {
        if !self.legal(&w.model(), parts, region) {
            return Ok(false);
        }
        let actor = w.actor_by_id(parts.id(self.who).expect("a legal step"));
        match self.act(w, actor, parts, region) {
            Ok(()) => Ok(true),
            // A kernel without this advice, MREMAP_DONTUNMAP or this walk, or a limit on locked memory: nothing was changed.
            Err(Stop::Skip(_)) if !matches!(self.op, Op::CollapseFile { .. }) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    fn act(&self, w: &World, actor: Actor, parts: &mut Parts, region: Area) -> TestResult {
        match self.op {
            Op::Map { at, prot } => actor.map_prot(at.of(region), prot),
            Op::MapFolio { at } => match actor.map_folio(at.of(region)) {
                // Small pages then, and no other folio comes later.
                Err(Stop::Skip(why)) => {
                    w.diag(why);
                    actor.advise(at.of(region), advice::NOHUGEPAGE)
                }
                other => other,
            },
            Op::MapFile {
                at,
                from,
                prot,
                shared,
            } => {
                let share = if shared {
                    Share::Shared
                } else {
                    Share::Private
                };
                actor.map_object(at.of(region), file(parts)?, from, prot, share)
            }
            Op::Punch { from, pages } => w.punch(file(parts)?, from..from + pages),
            Op::Truncate { pages } => truncate(w, file(parts)?, pages),
            Op::Unmap { at, over: false } => actor.unmap(at.of(region)),
            Op::Unmap { at, over: true } => actor.fill_room(at.of(region)),
            Op::Write { at } => actor.write(at.of(region)),
            Op::Read { at } => actor.read(at.of(region)),
            Op::Protect { at, prot } => actor.protect(at.of(region), prot),
            Op::Move { at, to, keep } => {
                unmerges(w, actor, at.of(region))?;
                for piece in pieces(w, actor, at.of(region))? {
                    let to = Area {
                        vpn: piece.vpn - at.first + to,
                        ..piece
                    };
                    if keep {
                        actor.move_dontunmap(piece, to)?;
                    } else {
                        actor.move_to(piece, to)?;
                    }
                }
                Ok(())
            }
            Op::Grow { last, by } => {
                actor.make_room(span(last + 1, by).of(region))?;
                actor.resize(span(last, 1).of(region), 1 + by).map(drop)
            }
            Op::Shrink { at, keep } => {
                // mremap looks at one VMA only (since 6.17 also when it shrinks), which the tail may not be part of.
                if pieces(w, actor, at.of(region))?.len() > 1 {
                    return actor.unmap(span(at.first + keep, at.pages - keep).of(region));
                }
                actor.resize(at.of(region), keep).map(drop)
            }
            Op::Advise { at, what } => actor.advise(at.of(region), what),
            Op::Lock { at, on_fault } => actor.lock(at.of(region), lock(on_fault)),
            Op::Unlock { at } => actor.unlock(at.of(region)),
            Op::Walk(walk) => walk.take(w),
            Op::Clean => w.clear_soft_dirty(),
            Op::Collapse { at } if actor.may_be_huge(at.of(region))? => {
                Err(Stop::Skip("needs pages that are no huge page"))
            }
            Op::Collapse { at } => match actor.collapse(at.of(region)) {
                // The area of a refused one would get a huge page by itself.
                Err(Stop::Skip(why)) => {
                    actor.advise(at.of(region), advice::NOHUGEPAGE)?;
                    Err(Stop::Skip(why))
                }
                other => other,
            },
            Op::CollapseFile { at } => match actor.collapse_cached(at.of(region))? {
                true => Ok(()),
                false => Err(Stop::Skip("needs a free huge page for shared memory")),
            },
            Op::Fork { child } => {
                let name = format!("{}.{child}", actor.name());
                parts.actors.insert(child, actor.fork(&name)?.id());
                Ok(())
            }
            Op::Exit => actor.exit(),
            Op::Exec => actor.exec(),
        }
    }
}

/// Whether an access finds a page, or makes one.
pub(super) fn there(s: &Slot) -> bool {
    !matches!(s.held, Held::Gone | Held::Guard)
}

/// What neighbours that are one VMA have in common.
pub(super) fn alike(s: &Slot) -> (i32, bool, bool, Lock) {
    (s.prot, s.dontfork, s.wipeonfork, s.lock)
}

/// Whether a page may get some advice.
fn may_be_told(s: &Slot, what: i32) -> bool {
    let unlocked = s.lock == Lock::None;
    let private = s.object.is_none();
    match what {
        // can_madv_dontneed_vma(), can_madv_lru_vma(): EINVAL for VM_LOCKED.
        advice::DONTNEED | advice::PAGEOUT => unlocked,
        // is_valid_guard_vma().
        advice::GUARD_INSTALL => unlocked && private,
        advice::GUARD_REMOVE => private,
        advice::POPULATE_WRITE => private && there(s) && s.prot & PROT_WRITE != 0,
        _ => true,
    }
}

/// ftruncate. A truncation at a page of a large folio that is in swap never ends on some kernels: shmem_undo_range() (seen on 6.18) wants what
/// crosses the new end to be read back and cut, which shmem_get_folio() refuses to do for a page past the end. So the last page that
/// stays is read first.
fn truncate(w: &World, object: &Object, pages: usize) -> TestResult {
    w.read_file(object, pages - 1)?;
    w.truncate(object, pages)
}

fn file(parts: &Parts) -> TestResult<&Object> {
    let missing = || Stop::error("this script has no file");
    parts.file.as_deref().ok_or_else(missing)
}

/// New content for pages of a model, of which nobody asks what it is.
fn write(model: &mut Model, id: ActorId, vpns: Range<usize>) {
    let stamp = model.frames.len() as u64 + 1;
    let pages: Vec<_> = vpns.map(|v| (v, stamp)).collect();
    model.write(id, &pages);
}

fn lock(on_fault: bool) -> Lock {
    if on_fault { Lock::OnFault } else { Lock::Full }
}

/// mremap unmerges what it moves. Until Linux 6.2 break_ksm() passed over pages that their VMA does not let anybody read: they were
/// moved as KSM pages, and are where no walk looks for them.
///
/// # Errors
/// `Skip` for such pages of such a kernel.
fn unmerges(w: &World, actor: Actor, area: Area) -> TestResult {
    if w.features().version() >= (6, 2) {
        return Ok(());
    }
    let model = w.model();
    let merged = |vpn: usize| match model.spaces[actor.id()].as_ref()?.get(&vpn)? {
        s if s.prot & PROT_READ != 0 => None,
        s => match s.held {
            Held::Frame(f) => Some(model.frames[f].ksm),
            _ => None,
        },
    };
    match area.vpns().any(|vpn| merged(vpn) == Some(true)) {
        true => Err(Stop::Skip("needs KSM that unmerges without a write")),
        false => Ok(()),
    }
}

/// An area cut where the kernel's VMAs end. mremap moves pages of one VMA only (before 6.17 the call fails with EFAULT,
/// after it has unmapped the destination); which neighbours have merged differs between kernels, the model does not know it.
fn pieces(w: &World, actor: Actor, area: Area) -> TestResult<Vec<Area>> {
    if area.pages == 1 {
        return Ok(vec![area]);
    }
    let size = w.page_size();
    let pid = actor.pid()?;
    let mut cut = Vec::new();
    let mut vpn = area.vpn;
    let end = area.vpn + area.pages;
    while vpn < end {
        let found = vma::at(pid, vpn * size).doing(format_args!("read /proc/{pid}/maps"))?;
        // No VMA where the model has a page: the move itself will tell.
        let pages = found.map_or(end, |v| v.end / size).min(end) - vpn;
        cut.push(Area { vpn, pages });
        vpn += pages;
    }
    Ok(cut)
}
