// SPDX-License-Identifier: GPL-2.0-or-later
//! Failures in pages of memfds and of files on a disk: who maps the object is told, whoever has only a copy is not, and who maps it later does
//! not get the page.

use super::{N, bystander, end, from};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_MINOR_SHMEM, MINOR};
use helpers::topology::{self, Grain::Base, NONE, RW};
use helpers::world::{Actor, Answer, Area, Cause, Kind, Object, Share, Signals, World};
use helpers::{Stop, TestResult, walk};

/// The page of a memfd: shared and private mappings, one process with two of them, one with a copy of its own.
///
///   memfd     0 1 2 3 4 5 6 7
///   P shared  0 1 2 3 4 5 6 7  and again 2 3 4 5
///   Q private     2 3 4 5              R private, 3 its own copy
///   U shared  - - - -                  none of them touched
pub fn memfd(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    let (a, again, part) = (w.place(N), w.place(4), w.place(4));
    w.name(a, "shared");
    w.name(again, "again");
    w.name(part, "private");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.map_object(again, &file, 2, RW, Share::Shared)?;
    q.map_object(part, &file, 2, RW, Share::Private)?;
    r.map_object(part, &file, 2, RW, Share::Private)?;
    r.write(part.page(1))?;
    for actor in [p, q, r] {
        actor.catch(true)?;
    }
    let c = q.fork("Q.C")?;
    c.catch(true)?;
    // Has a VMA over the pages, and none of them.
    let (u, untouched) = (w.actor("U")?, w.place(4));
    w.name(untouched, "untouched");
    u.map_object(untouched, &file, 0, RW, Share::Shared)?;
    u.advise(untouched, advice::DONTNEED)?;
    u.catch(true)?;
    w.fail_page(p, a.page(0), from(outside, p), Signals::MappersAtLeast)?;
    w.fail_page(q, part.page(0), from(outside, q), Signals::MappersAtLeast)?;
    w.fail_page(p, again.page(1), from(outside, p), Signals::MappersAtLeast)?;
    // The copy is not the memfd's.
    w.fail_page(r, part.page(1), from(outside, r), Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    w.truncate(&file, 0)?;
    end(&w, &[p, q, r, c, u, b])?;
    w.finish()
}

/// A page of a memfd stays there when it has failed, for its content is nowhere else. Who maps the memfd later does not get it, neither by
/// itself nor with a neighbour (filemap_map_pages()).
///
///   memfd     0 1 2 3 4 5 6 7       2 and 5 failed
///   P shared  0 1 2 3 4 5 6 7
///   F shared  afterwards, neighbours first       G private  afterwards, neighbours last
pub fn later(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, _) = failed(&w, [2, 5], outside)?;
    let (f, at) = (w.actor("F")?, w.place(N));
    w.name(at, "later");
    f.catch(true)?;
    // Nothing of it is read yet.
    f.map_object(at, &file, 0, NONE, Share::Shared)?;
    f.protect(at, RW)?;
    f.read(at.page(1))?;
    f.write(at.page(6))?;
    w.check()?;
    f.access_poison(at.page(2))?;
    f.access_poison(at.page(5))?;
    let g = w.actor("G")?;
    g.catch(true)?;
    g.map_object(at, &file, 0, NONE, Share::Private)?;
    g.protect(at, RW)?;
    g.access_poison(at.page(5))?;
    g.read(at.page(4))?;
    g.write(at.page(3))?;
    w.check()?;
    g.access_poison(at.page(2))?;
    walk::every_on_offer(&w)?;
    w.truncate(&file, 0)?;
    end(&w, &[p, f, g])?;
    w.finish()
}

/// Who maps the memfd after pages of it have failed does not get them, in whatever way it asks.
///
///   memfd        0 1 2 3 4 5 6 7       1 to 6 failed
///   F shared       r w R W             read, written, populated for a read and for a write
///   G private      r w R W             the same; H after them: its own page has failed
pub fn asked_for(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = failed(&w, 1..7, false)?;
    for (name, share) in [("F", Share::Shared), ("G", Share::Private)] {
        let (f, at) = (w.actor(name)?, w.place(N));
        w.name(at, "later");
        f.catch(true)?;
        f.map_object(at, &file, 0, NONE, share)?;
        f.protect(at, RW)?;
        f.write_poison(at.page(2))?;
        f.populate_poison(at.page(3), advice::POPULATE_READ)?;
        f.populate_poison(at.page(4), advice::POPULATE_WRITE)?;
        f.access_poison(at.page(1))?;
        // What was looked for in vain is so still.
        f.write_poison(at.page(4))?;
        f.access_poison(at.page(3))?;
        f.write(at.page(0))?;
        w.check()?;
        f.exit()?;
    }
    let h = w.actor("H")?;
    let own = Base.map(&w, h, N)?;
    h.write(own)?;
    h.catch(true)?;
    for i in 1..4 {
        w.fail_page(h, own.page(i), Cause::Access(h), Signals::Mappers)?;
    }
    h.populate_poison(own.page(1), advice::POPULATE_READ)?;
    h.populate_poison(own.page(2), advice::POPULATE_WRITE)?;
    for i in [1, 2] {
        h.access_poison(own.page(i))?;
    }
    h.write_poison(own.page(3))?;
    p.write(a.page(0))?;
    walk::every_on_offer(&w)?;
    w.truncate(&file, 0)?;
    end(&w, &[p, h])?;
    w.finish()
}

/// The same, asked for by a userfaultfd.
///
///   memfd        0 1 2 3 4 5 6 7       2 and 5 failed
///   F shared     registered, untouched
pub fn continued(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, _) = failed(&w, [2, 5], false)?;
    let (f, at) = (w.actor("F")?, w.place(N));
    w.name(at, "later");
    f.catch(true)?;
    // Nothing of it is read yet.
    f.map_object(at, &file, 0, NONE, Share::Shared)?;
    f.protect(at, RW)?;
    let k = f.keeper(FEATURE_MINOR_SHMEM)?;
    k.register(at, MINOR)?;
    for lost in [2, 5] {
        k.continue_poisoned(at.page(lost))?;
    }
    k.fill(at.page(3), Answer::Continue)?;
    k.close()?;
    w.check()?;
    f.access_poison(at.page(2))?;
    f.write_poison(at.page(5))?;
    walk::every_on_offer(&w)?;
    w.truncate(&file, 0)?;
    end(&w, &[p, f])?;
    w.finish()
}

/// A memfd, mapped by P, some pages of which have failed.
fn failed<'w, 'c>(
    w: &'w World<'c>,
    lost: impl IntoIterator<Item = usize>,
    outside: bool,
) -> TestResult<(Object, Actor<'w, 'c>, Area)> {
    if w.features().version() < (5, 16) {
        return Err(Stop::Skip(
            "needs a memfd that keeps poisoned pages (Linux 5.16)",
        ));
    }
    let file = w.object(Kind::Memfd, N)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.catch(true)?;
    for page in lost {
        w.fail_page(p, a.page(page), from(outside, p), Signals::MappersAtLeast)?;
    }
    Ok((file, p, a))
}

/// The page of a file that is the same on the disk: it is read again by who wants it.
///
///   file      0 1 2 3 4 5 6 7
///   P shared  0 1 2 3 4 5 6 7        C  P's child
///   Q private     2 3 4 5            3 its own copy
pub fn clean(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Disk, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, part) = (w.place(N), w.place(4));
    w.name(a, "shared");
    w.name(part, "private");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(part, &file, 2, RW, Share::Private)?;
    q.write(part.page(1))?;
    let c = p.fork("C")?;
    w.sync(&file)?;
    w.fail_clean_page(p, a.page(2))?;
    w.fail_clean_page(c, a.page(3))?;
    w.fail_clean_page(q, part.page(2))?;
    // The copy is on no disk.
    q.catch(true)?;
    w.fail_page(q, part.page(1), Cause::Outside, Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    end(&w, &[p, q, c])?;
    w.finish()
}

/// The page of a file that is not on the disk yet: what was written to it is lost, as its mappers are told, and who writes the file back.
///
///   file      0 1 2 3 4 5 6 7        written back, then 0 to 3 written again
///   P shared  0 1 2 3 4 5 6 7        C  P's child
pub fn dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let file = w.object(Kind::Disk, N)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "shared");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    let c = p.fork("C")?;
    for actor in [p, c] {
        actor.catch(true)?;
    }
    w.sync(&file)?;
    w.judge_loss(&file, false)?;
    p.write(a.sub(0..4))?;
    w.fail_page(c, a.page(2), Cause::Access(c), Signals::MappersAtLeast)?;
    w.judge_loss(&file, true)?;
    p.write(a.page(1))?;
    w.judge_loss(&file, false)?;
    walk::every_on_offer(&w)?;
    end(&w, &[p, c, b])?;
    w.finish()
}
