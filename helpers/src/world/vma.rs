// SPDX-License-Identifier: GPL-2.0-or-later
//! What else an actor does to its VMAs: names, seals and keys, which cut and join them, and the two kinds that grow by themselves.

use super::handle::RW;
use super::model::{ActorId, Held, Lock, Model, Slot};
use super::{Actor, Area, World};
use crate::actor::vma::Cmd as Vma;
use crate::actor::{Cmd, Reply};
use crate::sys::numa::MPOL_MF_STRICT;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_GROWSDOWN, MAP_NORESERVE, MAP_PRIVATE, MREMAP_FIXED,
    MREMAP_MAYMOVE, PROT_GROWSDOWN, PROT_READ, PROT_WRITE,
};
use std::ops::Range;

impl Model {
    /// A stack grows: `pages` empty pages in front of the slot `vpn`, which they take after.
    pub fn grow_down(&mut self, actor: ActorId, vpn: usize, pages: usize) {
        let space = self.space(actor);
        let first = space[&vpn];
        let held = Held::Nothing;
        let below = (1..=pages).map(|i| {
            let index = first.index.wrapping_sub(i);
            let (soft_dirty, merged) = (false, false);
            let slot = Slot {
                held,
                index,
                soft_dirty,
                merged,
                ..first
            };
            (vpn - i, slot)
        });
        space.extend(below);
    }
}

impl World<'_> {
    /// The runs of private writable pages of an actor that have never been touched or were given back.
    pub fn untouched(&self, actor: ActorId) -> Vec<Area> {
        let model = self.model.borrow();
        let mut runs: Vec<Area> = Vec::new();
        for (&vpn, s) in model.spaces[actor].iter().flatten() {
            if s.shared || s.prot & PROT_WRITE == 0 || s.held != Held::Nothing {
                continue;
            }
            match runs.last_mut() {
                Some(last) if last.vpn + last.pages == vpn => last.pages += 1,
                _ => runs.push(Area { vpn, pages: 1 }),
            }
        }
        runs
    }
}

impl World<'_> {
    /// Gives every process access again to what none has been allowed in the model: what is there must be what was there before.
    ///
    /// # Errors
    /// Those of mprotect(2).
    #[track_caller]
    pub fn reopen(&self) -> TestResult {
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            let closed: Vec<usize> = {
                let model = self.model.borrow();
                let slots = model.spaces[id].iter().flatten();
                let none = slots.filter(|(_, s)| s.prot & (PROT_READ | PROT_WRITE) == 0);
                none.map(|(&vpn, _)| vpn).collect()
            };
            for run in closed.chunk_by(|a, b| a + 1 == *b) {
                let (vpn, pages) = (run[0], run.len());
                self.actor_by_id(id).protect(Area { vpn, pages }, RW)?;
            }
        }
        self.check()
    }
}

impl Actor<'_, '_> {
    #[track_caller]
    fn vma(&self, cmd: Vma, lacking: &'static str, by: &[Errno]) -> TestResult {
        let w = self.world;
        match w.ask(self.id, &Cmd::Vma(cmd))? {
            Reply::Done => Ok(()),
            Reply::Errno(e) if by.contains(&Errno::from_raw(e)) => Err(Stop::Skip(lacking)),
            other => Err(w.blame(self.id, Stop::error(format_args!("{other:?}")))),
        }
    }

    /// Private anonymous memory with MAP_* flags, read and write; `what` is its name in the script.
    #[track_caller]
    pub fn map_as(&self, area: Area, what: &str, flags: i32) -> TestResult {
        let w = self.world;
        w.note(format!("{}: mmap {} rw- {what}", self.name(), w.show(area)));
        let cmd = Cmd::Map {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            prot: RW,
            flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags,
            fd: false,
            off: 0,
        };
        w.tell(self.id, &cmd)?;
        let mut model = w.model.borrow_mut();
        model.map(self.id, area.vpns(), RW);
        model.mapped_anew(self.id, area.vpns());
        model.lock_new(self.id, area.vpns());
        Ok(())
    }

    /// Private memory that grows down (MAP_GROWSDOWN) into free address space, see [`Actor::grow_stack`].
    #[track_caller]
    pub fn map_stack(&self, area: Area) -> TestResult {
        self.map_as(area, "stack", MAP_GROWSDOWN | MAP_NORESERVE)
    }

    /// Private memory as brk(2) maps it: accounted, so that the heap can grow out of it.
    #[track_caller]
    pub fn map_heap(&self, area: Area) -> TestResult {
        self.map_as(area, "heap", 0)
    }

    /// Writes `pages` in front of a stack: it grows to there (expand_downwards()), and the pages between are not touched. The room must be
    /// free, see [`Actor::make_room`].
    #[track_caller]
    pub fn grow_stack(&self, stack: Area, pages: usize) -> TestResult<Area> {
        let w = self.world;
        w.model.borrow_mut().grow_down(self.id, stack.vpn, pages);
        let grown = Area {
            vpn: stack.vpn - pages,
            pages: stack.pages + pages,
        };
        self.write(grown.page(0))?;
        Ok(grown)
    }

    /// mprotect with PROT_GROWSDOWN of a part of a stack: the area that the part is in is protected from its start on (do_mprotect_pkey()). What is
    /// below that in the stack must have this protection already.
    #[track_caller]
    pub fn protect_down(&self, stack: Area, part: Range<usize>, prot: i32) -> TestResult {
        let w = self.world;
        let asked = stack.sub(part.clone());
        self.note(format!(
            "mprotect {} {} GROWSDOWN",
            w.show(asked),
            super::handle::show_prot(prot)
        ));
        let cmd = Cmd::Protect {
            addr: asked.vpn * w.page,
            len: asked.pages * w.page,
            prot: prot | PROT_GROWSDOWN,
        };
        w.tell(self.id, &cmd)?;
        let changed = stack.sub(0..part.end);
        w.model.borrow_mut().protect(self.id, changed.vpns(), prot);
        Ok(())
    }

    /// The heap of this process is `area` from now on, which is mapped by [`Actor::map_heap`].
    ///
    /// # Errors
    /// `Skip` where the kernel does not allow it, and in programs of glibc.
    #[track_caller]
    pub fn heap(&self, area: Area) -> TestResult {
        let w = self.world;
        // Its malloc() takes a break above the one it asked for as given, and uses memory that is not there.
        if cfg!(target_env = "gnu") {
            return Err(Stop::Skip(
                "needs a C library that tells a refused brk (musl)",
            ));
        }
        w.note(format!("{}: the heap is {}", self.name(), w.show(area)));
        let (start, end) = (area.vpn * w.page, (area.vpn + area.pages) * w.page);
        self.vma(
            Vma::Heap { start, end },
            "needs PR_SET_MM_BRK",
            &[Errno::EPERM, Errno::EINVAL],
        )
    }

    /// brk(2) to `pages` pages; growing needs room, and one free page behind it.
    #[track_caller]
    pub fn brk(&self, heap: Area, pages: usize) -> TestResult<Area> {
        let w = self.world;
        w.note(format!("{}: brk to {pages} pages", self.name()));
        let new = Area {
            vpn: heap.vpn,
            pages,
        };
        let end = (new.vpn + pages) * w.page;
        w.tell(self.id, &Cmd::Vma(Vma::Brk { end }))?;
        let mut model = w.model.borrow_mut();
        if pages > heap.pages {
            let grown = heap.vpn + heap.pages..new.vpn + pages;
            model.map(self.id, grown.clone(), RW);
            model.mapped_anew(self.id, grown.clone());
            model.lock_new(self.id, grown);
        } else {
            model.unmap(self.id, new.vpn + pages..heap.vpn + heap.pages);
        }
        Ok(new)
    }

    /// Gives memory a name, or takes it away: only VMAs of the same name merge.
    ///
    /// # Errors
    /// `Skip` where the kernel has no names, or none for this kind of memory.
    #[track_caller]
    pub fn name_vma(&self, area: Area, name: Option<&'static str>) -> TestResult {
        let w = self.world;
        w.note(format!("{}: name {} {name:?}", self.name(), w.show(area)));
        let cmd = Vma::Name {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            name: name.map(str::to_owned),
        };
        self.vma(
            cmd,
            "needs PR_SET_VMA_ANON_NAME",
            &[Errno::EINVAL, Errno::EBADF],
        )?;
        let mut model = w.model.borrow_mut();
        model.change(self.id, area.vpns(), |s| s.name = name);
        Ok(())
    }

    /// pkey_mprotect(2) to read and write, with a key of the process' own or without one.
    ///
    /// # Errors
    /// `Skip` without protection keys.
    #[track_caller]
    pub fn protect_key(&self, area: Area, own: bool) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: pkey_mprotect {} key {}",
            self.name(),
            w.show(area),
            if own { "own" } else { "0" }
        ));
        let cmd = Vma::Key {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            prot: RW,
            own,
        };
        self.vma(
            cmd,
            "needs protection keys",
            &[Errno::ENOSPC, Errno::ENOSYS, Errno::EINVAL],
        )?;
        w.model.borrow_mut().protect(self.id, area.vpns(), RW);
        Ok(())
    }

    /// mbind(2) to one node, or to none.
    ///
    /// # Errors
    /// `Skip` without NUMA.
    #[track_caller]
    pub fn bind(&self, area: Area, node: Option<i32>) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: mbind {} to {node:?}",
            self.name(),
            w.show(area)
        ));
        match self.mbind(area, node, 0)? {
            Ok(()) => {
                let mut model = w.model.borrow_mut();
                model.change(self.id, area.vpns(), |s| s.node = node);
                Ok(())
            }
            Err(e) => Err(w.blame(self.id, Stop::error(format_args!("mbind: {e}")))),
        }
    }

    #[track_caller]
    fn mbind(&self, area: Area, node: Option<i32>, flags: i32) -> TestResult<Result<(), Errno>> {
        let w = self.world;
        let cmd = Cmd::Mbind {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            node,
            flags,
        };
        match w.ask(self.id, &cmd)? {
            Reply::Done => Ok(Ok(())),
            Reply::Errno(e) => match Errno::from_raw(e) {
                Errno::ENOSYS | Errno::EPERM => Err(Stop::Skip("needs mbind (CONFIG_NUMA)")),
                e => Ok(Err(e)),
            },
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// mseal(2). From here on nothing changes the area but its end with the process.
    ///
    /// # Errors
    /// `Skip` where the kernel has no seals.
    #[track_caller]
    pub fn seal(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: mseal {}", self.name(), w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        self.vma(
            Vma::Seal { addr, len },
            "needs mseal",
            &[Errno::ENOSYS, Errno::EPERM],
        )
    }

    /// What a seal forbids: munmap, mprotect, a move away, and a mapping on top. Each must be refused (EPERM), and change nothing.
    #[track_caller]
    pub fn check_sealed(&self, area: Area, elsewhere: Area) -> TestResult {
        let w = self.world;
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        let cmds = [
            Cmd::Unmap { addr, len },
            Cmd::Protect {
                addr,
                len,
                prot: PROT_READ,
            },
            Cmd::move_to(addr, len, elsewhere.vpn * w.page, false),
            Cmd::map(addr, len, PROT_READ),
        ];
        for cmd in cmds {
            w.note(format!("{}: {cmd:?}, to be refused", self.name()));
            match w.ask(self.id, &cmd)? {
                Reply::Errno(e) if Errno::from_raw(e) == Errno::EPERM => {}
                other => {
                    let stop = Stop::fail(format_args!(
                        "a sealed mapping stays what it is: {cmd:?} was answered {other:?}"
                    ));
                    return Err(w.blame(self.id, stop));
                }
            }
        }
        Ok(())
    }

    /// mbind(2) with MPOL_MF_STRICT, and other flags: whether all pages of the area are on the node, or have come to it. It has no policy afterwards.
    ///
    /// # Errors
    /// `Skip` without NUMA.
    #[track_caller]
    pub fn bind_strictly(&self, area: Area, node: i32, flags: i32) -> TestResult<bool> {
        let w = self.world;
        w.note(format!(
            "{}: mbind {} to {node}, MPOL_MF_STRICT | {flags:#x}",
            self.name(),
            w.show(area)
        ));
        let there = match self.mbind(area, Some(node), flags | MPOL_MF_STRICT)? {
            Ok(()) => true,
            Err(Errno::EIO) => false,
            Err(e) => return Err(w.blame(self.id, Stop::error(format_args!("mbind: {e}")))),
        };
        self.bind(area, None)?;
        Ok(there)
    }

    /// remap_file_pages(2): a part of a shared mapping of an object shows its pages from `first` on. What was locked stays so, and is locked
    /// as a whole then (MAP_LOCKED).
    ///
    /// # Errors
    /// `Skip` where the kernel has no such call, or allows no more to be locked for the moment that both are there.
    #[track_caller]
    pub fn remap_pages(&self, area: Area, first: usize) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: remap_file_pages {} to page {first}",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match w.ask(self.id, &Cmd::Vma(Vma::RemapPages { addr, len, first }))? {
            Reply::Done => {}
            Reply::Errno(e) if matches!(Errno::from_raw(e), Errno::ENOSYS | Errno::EPERM) => {
                return Err(Stop::Skip("needs remap_file_pages"));
            }
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EAGAIN => {
                return Err(Stop::Skip("needs a larger RLIMIT_MEMLOCK"));
            }
            other => {
                let stop = Stop::error(format_args!("remap_file_pages: {other:?}"));
                return Err(w.blame(self.id, stop));
            }
        }
        let mut model = w.model.borrow_mut();
        let old = model.space(self.id)[&area.vpn];
        let (object, _) = old.object.expect("the script remaps an object's");
        model.map_object(self.id, area.vpns(), old.prot, true, (object, first));
        // It is an mmap inside (do_mmap()).
        model.mapped_anew(self.id, area.vpns());
        if old.lock != Lock::None {
            model.lock(self.id, area.vpns(), Lock::Full);
        }
        Ok(())
    }

    /// mremap to a fixed place and another size at once.
    #[track_caller]
    pub fn move_resized(&self, from: Area, to: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: mremap {} -> {}",
            self.name(),
            w.show(from),
            w.show(to)
        ));
        let cmd = Cmd::Remap {
            addr: from.vpn * w.page,
            old_len: from.pages * w.page,
            new_len: to.pages * w.page,
            flags: MREMAP_MAYMOVE | MREMAP_FIXED,
            new_addr: to.vpn * w.page,
        };
        w.tell(self.id, &cmd)?;
        let mut model = w.model.borrow_mut();
        let kept = from.pages.min(to.pages);
        model.unmap(self.id, from.sub(kept..from.pages).vpns());
        model.move_slots(self.id, from.vpn, to.vpn, kept, false);
        if to.pages > kept {
            model.unmap(self.id, to.sub(kept..to.pages).vpns());
            model.resize(self.id, to.vpn, kept, to.pages);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_grows_by_pages_that_nobody_touched() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 10..12, RW);
        m.write(p, &[(10, 7)]);
        m.grow_down(p, 10, 3);
        assert_eq!(
            m.space(p).keys().copied().collect::<Vec<_>>(),
            [7, 8, 9, 10, 11]
        );
        assert_eq!(m.space(p)[&7].held, Held::Nothing);
        assert_eq!(m.space(p)[&7].index, 7);
        assert!(m.frame_at(p, 10).is_some());
    }
}
