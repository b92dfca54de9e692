// SPDX-License-Identifier: GPL-2.0-or-later
//! What processes do to VMAs of a file, and which pages of it each VMA then maps.
//!
//! The interval tree of a file (i_mmap) knows each VMA by its first and last page. Whatever moves a bound of a VMA
//! has to take it out of the tree and put it back; what forgets to is seen only when a walk looks for a page that the tree
//! does not know, or knows at a wrong address.

use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::{self, reclaim};
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Pages of the file, of the mapping, in front of the mapping in the file, and free on both sides of it in memory.
const FILE: usize = 18;
const N: usize = 12;
const FIRST: usize = 3;
const MARGIN: usize = 4;

/// Who reshapes what.
pub struct At<'a, 'c> {
    w: &'a World<'c>,
    c: Actor<'a, 'c>,
    a: Area,
    file: &'a Object,
    share: Share,
}

type Op = fn(&At) -> TestResult;

///   file            0 1 2 3 4 5 ..... 13 14 15 16 17
///   W shared        0 1 2 3 4 5 ..... 13 14 15 16 17      all of it, never touched
///   P C Q D               |3 4 5 ..... 13 14|             C and Q reshape, others keep it as it was
///
/// Twice: shared, and private with copies of pages 5 to 7 from before the fork and 9, 10 from after it.
pub fn by_each(ctx: &mut Ctx, op: Op) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, FILE)?;
    let all = w.place(FILE);
    w.name(all, "whole");
    let watcher = w.actor("W")?;
    watcher.map_object(all, &file, 0, RW, Share::Shared)?;
    watcher.write(all)?;
    let mut late = Vec::new();
    for share in [Share::Shared, Share::Private] {
        let start = |name: &str| -> TestResult<(Actor, Actor, Area)> {
            let p = w.actor(&format!("{name}.{share:?}"))?;
            let around = w.place(N + 2 * MARGIN);
            w.name(around, "around");
            let a = around.sub(MARGIN..MARGIN + N);
            p.map_object(a, &file, FIRST, RW, share)?;
            p.write(a.sub(2..5))?;
            let c = p.fork(&format!("{name}.{share:?}.C"))?;
            Ok((p, c, a))
        };
        // In a child, with a grandchild before and after.
        let (p, c, a) = start("P")?;
        w.clear_soft_dirty()?;
        c.write(a.sub(6..8))?;
        c.fork("before")?;
        let at = |c, a| At {
            w: &w,
            c,
            a,
            file: &file,
            share,
        };
        op(&at(c, a))?;
        late.push(c.fork("after")?);
        // In the parent of a child.
        let (q, _, b) = start("Q")?;
        q.write(b.sub(6..8))?;
        op(&at(q, b))?;
        w.check()?;
        late.extend([p, c]);
    }
    walk::plain(&w)?;
    // What is left must stand without those it came from.
    for actor in late.drain(..).skip(1) {
        actor.exit()?;
    }
    match walk::only(&w, &reclaim::RECLAIM) {
        Err(Stop::Skip(_)) => {}
        other => other?,
    }
    topology::take_away(&w, &file)?;
    w.finish()
}

impl At<'_, '_> {
    fn named(&self, name: &'static str, pages: usize) -> Area {
        let area = self.w.place(pages);
        self.w.name(area, name);
        area
    }

    /// Maps pages of the file from page `first` of the mapping on, which may be in front of it.
    fn map(&self, at: Area, first: usize) -> TestResult {
        self.c.map_object(at, self.file, first, RW, self.share)
    }
}

/// |0....3|4....7|8...11|
pub fn split(o: &At) -> TestResult {
    o.c.protect(o.a.sub(4..8), R)
}

/// Cut in three, then one again.
pub fn split_remerge(o: &At) -> TestResult {
    o.c.protect(o.a.sub(4..8), R)?;
    o.c.protect(o.a.sub(4..8), RW)
}

/// Cut at every page, joined in an order that extends to both sides.
pub fn shreds(o: &At) -> TestResult {
    for i in (1..N).step_by(2) {
        o.c.protect(o.a.page(i), R)?;
    }
    for i in [5, 3, 7, 9, 1, 11] {
        o.c.protect(o.a.page(i), RW)?;
    }
    o.c.write(o.a.page(11))
}

/// Read-only, and parts of no access at all: pages that nobody can read stay in the tree.
pub fn no_access(o: &At) -> TestResult {
    o.c.protect(o.a, R)?;
    o.c.protect(o.a.sub(0..2), 0)?;
    o.c.protect(o.a.sub(5..7), 0)?;
    o.c.protect(o.a.page(N - 1), 0)
}

pub fn unmap_head(o: &At) -> TestResult {
    o.c.unmap(o.a.sub(0..5))
}

pub fn unmap_middle(o: &At) -> TestResult {
    o.c.unmap(o.a.sub(3..6))
}

pub fn unmap_tail(o: &At) -> TestResult {
    o.c.unmap(o.a.sub(6..N))
}

/// Unmapped in the middle and mapped anew at the same offset: the new VMA joins those on both sides.
pub fn refill(o: &At) -> TestResult {
    o.c.unmap(o.a.sub(4..8))?;
    o.map(o.a.sub(4..8), FIRST + 4)?;
    o.c.write(o.a.page(5))
}

/// On top of a part: other pages of the file, then memory that is no file's.
pub fn over_part(o: &At) -> TestResult {
    o.map(o.a.sub(4..8), FIRST + 8)?;
    o.c.write(o.a.page(5))?;
    o.c.map(o.a.sub(9..11))?;
    o.c.write(o.a.page(9))
}

/// More of the file in front and behind: the VMA grows to both sides.
pub fn extend(o: &At) -> TestResult {
    o.map(o.a.after(2), FIRST + N)?;
    o.map(o.a.before(2), FIRST - 2)?;
    o.c.write(o.a.before(1))?;
    o.c.write(o.a.after(1))
}

/// |0....3|4...11| -> |0......6|7..11|: the left VMA grows over the right one.
pub fn boundary_right(o: &At) -> TestResult {
    o.c.protect(o.a.sub(4..N), R)?;
    o.c.protect(o.a.sub(4..7), RW)
}

/// |0......6|7..11| -> |0....3|4...11|
pub fn boundary_left(o: &At) -> TestResult {
    o.c.protect(o.a.sub(7..N), R)?;
    o.c.protect(o.a.sub(4..7), R)
}

/// Past the end of the file: the last of the new pages is not to be had.
pub fn grow(o: &At) -> TestResult {
    o.c.make_room(o.a.after(MARGIN))?;
    let grown = o.c.resize(o.a, N + MARGIN)?;
    o.c.write(grown.page(N + 1))
}

pub fn shrink(o: &At) -> TestResult {
    o.c.resize(o.a, N - 5).map(drop)
}

pub fn shrink_grow(o: &At) -> TestResult {
    let small = o.c.resize(o.a, N - 4)?;
    let again = o.c.resize(small, N - 1)?;
    o.c.write(again.page(N - 2))
}

/// All of it to another place.
pub fn moved(o: &At) -> TestResult {
    o.c.move_to(o.a, o.named("to", N))
}

/// A part from the middle: the source is split in three.
pub fn moved_middle(o: &At) -> TestResult {
    o.c.move_to(o.a.sub(4..8), o.named("to", 4))
}

/// A part moved, and grown where it went.
pub fn moved_grown(o: &At) -> TestResult {
    let to = o.named("to", N + 3);
    o.c.move_to(o.a.sub(6..N), to.sub(0..6))?;
    o.c.make_room(to.sub(6..9))?;
    let grown = o.c.resize(to.sub(0..6), 9)?;
    o.c.write(grown.page(7))
}

/// Away and back into the hole, part by part: merges with what is left on both sides.
pub fn moved_back(o: &At) -> TestResult {
    let b = o.named("b", 4);
    o.c.move_to(o.a.sub(4..8), b)?;
    o.c.write(b.page(2))?;
    o.c.move_to(b.sub(2..4), o.a.sub(6..8))?;
    o.c.move_to(b.sub(0..2), o.a.sub(4..6))
}

/// Out of place: the file's pages are no more in the order of the addresses.
pub fn swapped_ends(o: &At) -> TestResult {
    let b = o.named("b", 3);
    o.c.move_to(o.a.sub(0..3), b)?;
    o.c.move_to(o.a.sub(9..12), o.a.sub(0..3))?;
    o.c.move_to(b, o.a.sub(9..12))
}

/// On top of another part of itself.
pub fn over_itself(o: &At) -> TestResult {
    o.c.move_to(o.a.sub(0..3), o.a.sub(8..11))
}

/// The source stays mapped; what was copied is no longer there, the file's page is.
pub fn dontunmap(o: &At) -> TestResult {
    o.c.move_dontunmap(o.a, o.named("to", N))
}

/// Mapped twice by the process itself. A private mapping cannot be doubled so; it is moved in two parts.
pub fn doubled(o: &At) -> TestResult {
    let to = o.named("to", N);
    match o.share {
        Share::Shared => {
            o.c.duplicate(o.a, to)?;
            // From its middle too.
            o.c.duplicate(o.a.sub(5..8), o.named("part", 3))?;
            o.c.unmap(o.a.sub(0..4))
        }
        Share::Private => {
            o.c.move_to(o.a.sub(0..5), to.sub(7..N))?;
            o.c.move_to(o.a.sub(5..N), to.sub(0..7))
        }
    }
}

/// A part that the next child does not get, and copies given back.
pub fn dontfork(o: &At) -> TestResult {
    o.c.advise(o.a.sub(3..6), advice::DONTFORK)?;
    o.c.advise(o.a.sub(6..7), advice::DONTNEED)
}
