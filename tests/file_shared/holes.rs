// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of shared memory that are made where the file has holes: these are filled, whoever maps them (collapse_file()).

use super::bits::taken;
use super::huge::HUGE;
use super::place;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::MISSING;
use helpers::topology::{NONE, RW};
use helpers::world::{Actor, Answer, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult, walk};

/// P maps where a huge page fits, and has written here and there. A look at all of it would fill the holes.
///
///   file  |0 1 2 - - n/4 .. - - n/2-2 .. - - n-5 .. n-1|
fn sparse<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Actor<'w, 'c>, Area)> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    let p = w.actor("P")?;
    p.map_object(a, &file, 0, NONE, Share::Shared)?;
    p.protect(a, RW)?;
    p.write_all(&[
        a.sub(0..3),
        a.sub(n / 4..n / 4 + 4),
        a.sub(n / 2 - 2..n / 2 + 2),
        a.sub(n - 5..n),
    ])?;
    Ok((file, p, a))
}

/// Nobody writes to the huge page: that it was written is known of the small pages only, which are no more. What is clean is thrown away.
///
///   P |0 1 2 - - n/4 .. - - |  ->  |======== PMD ========|  read      late  when reclaim has taken it
fn collapsed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = sparse(&w)?;
    if !p.collapse_cached(a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    w.check()?;
    p.exit()?;
    taken(&w)?;
    let late = w.actor("late")?;
    let b = place(&w, "b", a.pages);
    late.map_object(b, &file, 0, RW, Share::Shared)?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// Q has a part of the file registered for missing pages, and is to be told of each; the huge page that P asks for would fill them unseen.
/// When Q has gone it may.
///
///   P |0 1 2 - - n/4 .. - - n/2-2 .. - - n-5 .. n-1|
///   Q |.............................................|  all of it, or the one half, or the other, or some from the middle
fn registered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (6, 4) {
        return Err(Stop::Skip(
            "needs a collapse of shared memory that heeds userfaultfd (Linux 6.4)",
        ));
    }
    let (file, p, a) = sparse(&w)?;
    let n = a.pages;
    // The first page of each, the next, and one that is missing.
    let parts = [
        (0, n, 5),
        (0, n / 2, 6),
        (n / 2, n, n / 2 + 5),
        (n / 4 - 1, n / 4 + 8, n / 4 + 6),
    ];
    for (name, (from, to, hole)) in ["all", "first", "second", "middle"].into_iter().zip(parts) {
        let q = w.actor(name)?;
        let b = place(&w, name, to - from);
        // Nothing is read before it is registered.
        q.map_object(b, &file, from, NONE, Share::Shared)?;
        let k = q.keeper(0)?;
        k.register(b, MISSING)?;
        q.protect(b, RW)?;
        p.collapse_refused(a, "pages that another process waits for")?;
        q.read_kept(b.page(hole - from), &k, Answer::Copy)?;
        k.close()?;
        q.exit()?;
    }
    p.advise(a, advice::HUGEPAGE)?;
    if !p.collapse_cached(a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// Holes that userfaultfd fills in, for a mapping that goes on behind the end of the file: there is nothing.
///
///   file       |0 1 - - -|
///   P          |0 1 2 3 -|- - -     2 filled in, and 3 of a shared mapping; C is its child
fn filled(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 5)?;
    let (q, p) = (w.actor("Q")?, w.actor("P")?);
    let (b, a) = (place(&w, "b", 2), place(&w, "a", 8));
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    // Nothing is read before it is registered.
    p.map_object(a, &file, 0, NONE, share)?;
    let k = p.keeper(0)?;
    k.register(a, MISSING)?;
    p.protect(a, RW)?;
    for with in [Answer::Copy, Answer::Zero] {
        k.fill_behind_end(a.sub(5..8), with)?;
    }
    k.fill(a.page(2), Answer::Copy)?;
    if share == Share::Shared {
        k.fill(a.page(3), Answer::Zero)?;
    }
    k.close()?;
    w.check()?;
    w.truncate(&file, 3)?;
    w.truncate(&file, 5)?;
    w.check()?;
    p.fork("C")?.write(a.sub(1..4))?;
    walk::plain(&w)?;
    w.finish()
}

pub const FILLED: Test = Test {
    name: "holes.filled",
    about: "Holes of a file can be filled in by userfaultfd, and what is behind its end cannot.",
    needs: &[Need::Pfn],
    run: |c| {
        filled(c, Share::Shared)?;
        filled(c, Share::Private)
    },
    ..Test::DEFAULT
};
pub const COLLAPSED: Test = Test {
    name: "huge.holes.collapsed",
    about: "A file of shared memory with holes keeps its content when it becomes a huge page and is reclaimed.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    run: collapsed,
    ..HUGE
};
pub const REGISTERED: Test = Test {
    name: "huge.holes.registered",
    about: "Pages of a file that a userfaultfd waits for are not filled by a huge page.",
    run: registered,
    ..HUGE
};
