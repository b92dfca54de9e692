// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process can do to its VMAs, as a table: each operation once, on any kind of memory, by any process of a tree.
//!
//! A VMA is known to the rmap by its first page, its last page and its page offset (vm_pgoff), in the interval tree of each
//! anon_vma that it is linked to and of its file. Whatever cuts, joins, shifts, grows or moves VMAs has to keep all of these, and the
//! links; what is forgotten shows only when a walk next looks for a page that was there before, or that comes later.

pub mod cut;
pub mod flags;
pub mod grid;
pub mod grow;
pub mod remap;

use crate::TestResult;
use crate::sys::mem::advice;
use crate::topology::RW;
use crate::world::{Actor, Area, Object, Share, World};

/// Pages of the mapping.
pub const N: usize = 12;
/// Pages of no access on both sides, for neighbours.
pub const MARGIN: usize = 4;
/// Pages of the object where there is one.
pub const FILE: usize = 18;
/// Pages of the object in front of the mapping.
pub const FIRST: usize = 3;

/// The page that is lost, where one is.
pub const LOST: usize = 8;

/// What kind of memory is reshaped, and what is in it before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Private anonymous memory, the first half of it written.
    Half,
    /// The same, nothing written: VMAs without an anon_vma.
    Bare,
    /// A private mapping of an object, some pages copied: an anon_vma and a file in one VMA.
    Copied,
    /// A shared mapping of an object.
    Shared,
    /// The middle of a large folio.
    Folio,
    /// As [`State::Half`], with page [`LOST`] marked by UFFDIO_POISON: an entry that no page is behind. No operation writes there.
    Marked,
    /// As [`State::Half`], with a guard on page [`LOST`] (MADV_GUARD_INSTALL).
    Guarded,
    /// Memory that brk(2) grows, every page written.
    Heap,
    /// Memory that grows down, every page written.
    Stack,
    /// As `Half`, and mergeable (MADV_MERGEABLE), which what is mapped over it and beside it becomes as well.
    Mergeable,
}

impl State {
    /// Its name in the script.
    pub fn name(self) -> &'static str {
        match self {
            State::Half => "half",
            State::Bare => "bare",
            State::Copied => "copied",
            State::Shared => "shared",
            State::Folio => "folio",
            State::Marked => "marked",
            State::Guarded => "guarded",
            State::Heap => "heap",
            State::Stack => "stack",
            State::Mergeable => "mergeable",
        }
    }
}

/// Who reshapes what.
///
///   `around`   . . . . |0 1 2 3 4 5 6 7 8 9 10 11| . . . .
///   `a`                |0 1 2 3 4 5 6 7 8 9 10 11|
pub struct Ground<'a, 'c> {
    /// The world.
    pub w: &'a World<'c>,
    /// Who does it.
    pub c: Actor<'a, 'c>,
    /// [`N`] pages, with [`MARGIN`] pages of no access on both sides.
    pub a: Area,
    /// What [`FILE`] pages it is a mapping of, from page [`FIRST`] on.
    pub object: Option<(&'a Object, Share)>,
    /// It is mergeable.
    pub mergeable: bool,
}

impl Ground<'_, '_> {
    /// A place of no access.
    pub fn place(&self, name: &'static str, pages: usize) -> Area {
        let area = self.w.place(pages);
        self.w.name(area, name);
        area
    }

    /// Maps more of the same kind: of an object the pages from page `from` of the mapping on, which may be in front of it.
    #[track_caller]
    pub fn map(&self, at: Area, from: isize) -> TestResult {
        match self.object {
            None if self.mergeable => {
                self.c.map(at)?;
                self.c.advise(at, advice::MERGEABLE)
            }
            None => self.c.map(at),
            Some((object, share)) => {
                let first = FIRST.wrapping_add_signed(from);
                self.c.map_object(at, object, first, RW, share)
            }
        }
    }
}

/// One operation.
pub struct Op {
    /// Its name in the script.
    pub name: &'static str,
    /// The VMAs as they are at the end: `.` no access, `r` read-only, `'` new.
    pub picture: &'static str,
    /// The kinds of memory that it makes sense on.
    pub on: &'static [State],
    /// Does it.
    pub run: fn(&Ground) -> TestResult,
}

/// Private anonymous memory.
pub const ANON: &[State] = &[State::Half, State::Mergeable, State::Bare, State::Folio];
/// All that has a place in the carve-out.
pub const ALL: &[State] = &[
    State::Half,
    State::Mergeable,
    State::Bare,
    State::Copied,
    State::Shared,
    State::Folio,
    State::Marked,
    State::Guarded,
];
/// The same, as far as mlock(2) of it succeeds: it reads every page.
pub const LOCKABLE: &[State] = &[
    State::Half,
    State::Mergeable,
    State::Bare,
    State::Copied,
    State::Shared,
    State::Folio,
];
/// What a process may have for itself.
pub const PRIVATE: &[State] = &[
    State::Half,
    State::Mergeable,
    State::Bare,
    State::Copied,
    State::Folio,
    State::Marked,
    State::Guarded,
];
