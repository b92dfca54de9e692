// SPDX-License-Identifier: GPL-2.0-or-later
//! userfaultfd: pages that change their place without a change of any VMA (UFFDIO_MOVE).

use super::model::Held;
use super::{Actor, Area};
use crate::actor::uffd::Cmd as Uffd;
use crate::actor::{Cmd, Reply};
use crate::sys::uffd;
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// How often a move is taken up again that was interrupted between two pages.
const TURNS: usize = 1000;

impl Actor<'_, '_> {
    /// A userfaultfd that can move pages. One that is open is closed.
    ///
    /// # Errors
    /// `Skip` where the kernel has none.
    #[track_caller]
    pub fn uffd_open(&self) -> TestResult {
        if self.uffd_start(uffd::FEATURE_MOVE)? & uffd::FEATURE_MOVE == 0 {
            return Err(Stop::Skip("needs UFFDIO_MOVE (Linux 6.8)"));
        }
        Ok(())
    }

    /// A userfaultfd with some features, as far as they are offered; and all that are. One that is open is closed.
    ///
    /// # Errors
    /// `Skip` where the kernel has none.
    #[track_caller]
    pub fn uffd_start(&self, features: u64) -> TestResult<u64> {
        let w = self.world;
        w.note(format!("{}: userfaultfd", self.name()));
        match w.ask(self.id, &Cmd::Uffd(Uffd::Open { features }))? {
            Reply::Value(features) => Ok(features as u64),
            Reply::Errno(e) if uffd::is_lacking(Errno::from_raw(e)) => {
                Err(Stop::Skip("needs userfaultfd"))
            }
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// UFFDIO_UNREGISTER.
    #[track_caller]
    pub fn uffd_unregister(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: UFFDIO_UNREGISTER {}",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        w.tell(self.id, &Cmd::Uffd(Uffd::Unregister { addr, len }))
            .map(drop)
    }

    /// Registers an area for missing pages: pages can be moved there. From then on an access to a page that is not there waits forever.
    #[track_caller]
    pub fn uffd_register(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: UFFDIO_REGISTER {}", self.name(), w.show(area)));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        w.tell(self.id, &Cmd::Uffd(Uffd::Register { addr, len }))
            .map(drop)
    }

    /// Closes the userfaultfd: its areas are plain memory again.
    #[track_caller]
    pub fn uffd_close(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: close the userfaultfd", self.name()));
        w.tell(self.id, &Cmd::Uffd(Uffd::Close)).map(drop)
    }

    /// UFFDIO_MOVE of every page of an area. Holes move as holes.
    #[track_caller]
    pub fn uffd_move(&self, from: Area, to: Area) -> TestResult {
        let (moved, errno) = self.try_move(from, to)?;
        if moved < from.pages {
            let at = self.world.show(from.page(moved));
            return Err(self.world.blame(
                self.id,
                Stop::fail(format_args!(
                    "pages that are this process' alone can be moved: {moved} of {} moved, {at}: {errno}",
                    from.pages
                )),
            ));
        }
        Ok(())
    }

    /// UFFDIO_MOVE that must be refused with EBUSY at the first page, and then must have changed nothing.
    #[track_caller]
    pub fn uffd_move_refused(&self, from: Area, to: Area) -> TestResult {
        let property = "a page that is shared or pinned is not moved";
        self.move_refused(from, to, Errno::EBUSY, property)
    }

    /// UFFDIO_MOVE of a row of which only the first pages can be moved: these have moved, and the next is refused with EBUSY.
    #[track_caller]
    pub fn uffd_move_first(&self, from: Area, to: Area, first: usize) -> TestResult {
        let (moved, errno) = self.try_move(from, to)?;
        if moved != first || errno != Errno::EBUSY {
            return Err(self.world.blame(
                self.id,
                Stop::fail(format_args!(
                    "of a row of pages those go that are this process' alone, up to the first that is not: expected {first} and EBUSY, seen {moved} and {errno}"
                )),
            ));
        }
        Ok(())
    }

    /// UFFDIO_MOVE between VMAs that may not exchange pages: EINVAL (validate_move_areas()), and nothing has changed.
    #[track_caller]
    pub fn uffd_move_invalid(&self, from: Area, to: Area) -> TestResult {
        let property = "pages do not move between areas that are not alike";
        self.move_refused(from, to, Errno::EINVAL, property)
    }

    /// UFFDIO_MOVE to where something is already, in memory or in swap: EEXIST, and nothing has changed.
    #[track_caller]
    pub fn uffd_move_occupied(&self, from: Area, to: Area) -> TestResult {
        let property = "pages move to places where nothing is, and to no others";
        self.move_refused(from, to, Errno::EEXIST, property)
    }

    #[track_caller]
    fn move_refused(&self, from: Area, to: Area, with: Errno, property: &str) -> TestResult {
        let (moved, errno) = self.try_move(from, to)?;
        if moved > 0 || errno != with {
            return Err(self.world.blame(
                self.id,
                Stop::fail(format_args!(
                    "{property}: expected {with}, seen {errno} after {moved} pages"
                )),
            ));
        }
        Ok(())
    }

    /// Moves as many as can be moved: how many, and why not the next.
    #[track_caller]
    fn try_move(&self, from: Area, to: Area) -> TestResult<(usize, Errno)> {
        assert_eq!(from.pages, to.pages, "a move keeps the size");
        let w = self.world;
        w.note(format!(
            "{}: UFFDIO_MOVE {} -> {}",
            self.name(),
            w.show(from),
            w.show(to)
        ));
        let mut done = 0;
        let mut errno = 0;
        for _ in 0..TURNS {
            let cmd = Uffd::Move {
                dst: (to.vpn + done) * w.page,
                src: (from.vpn + done) * w.page,
                len: (from.pages - done) * w.page,
                mode: uffd::MOVE_ALLOW_SRC_HOLES,
            };
            let moved = match w.ask(self.id, &Cmd::Uffd(cmd))? {
                Reply::Values(v) => {
                    errno = v[1] as i32;
                    v[0] as usize / w.page
                }
                other => {
                    let stop = Stop::error(format_args!("UFFDIO_MOVE: {other:?}"));
                    return Err(w.blame(self.id, stop));
                }
            };
            self.follow(from.sub(done..done + moved), to.sub(done..done + moved));
            done += moved;
            // EAGAIN: stopped between two pages, or the address space was just changing.
            if done == from.pages || errno != Errno::EAGAIN as i32 {
                break;
            }
        }
        Ok((done, Errno::from_raw(errno)))
    }

    /// What a move does to the model: the page goes with its content, its old place is empty. Who looks for changes sees that something came
    /// to the new place (pte_mksoft_dirty() in move_present_pte() and move_swap_pte()); zero pages are not marked.
    fn follow(&self, from: Area, to: Area) {
        let mut guard = self.world.model.borrow_mut();
        let model = &mut *guard;
        let space = model.spaces[self.id].as_mut().expect("a living actor");
        for (src, dst) in from.vpns().zip(to.vpns()) {
            let slot = space.get_mut(&src).expect("the script moves a mapped page");
            let held = slot.held;
            if held == Held::Nothing {
                continue;
            }
            (slot.held, slot.soft_dirty) = (Held::Nothing, false);
            let marked = matches!(held, Held::Frame(f) if model.frames[f].stamp != 0);
            let slot = space.get_mut(&dst).expect("the script moves to a mapping");
            (slot.held, slot.soft_dirty) = (held, marked);
        }
    }
}
