// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of a file on a disk that is only read and executed (CONFIG_READ_ONLY_THP_FOR_FS), as the text of programs is: they are on no
//! swap and are written by nobody, but are moved, split and thrown away like others.

use super::place;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, R, RW, RX};
use helpers::walk;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Who maps what of the file.
struct Stage<'w, 'c> {
    file: Object,
    /// Map all of the huge page.
    p: Actor<'w, 'c>,
    q: Actor<'w, 'c>,
    /// Maps parts.
    r: Actor<'w, 'c>,
    /// Of P and of Q, the size of the huge page.
    a: Area,
    /// Of R, private.
    middle: Area,
}

/// A file of `pages` pages that nobody has open for writing any more; its content is on the disk.
fn text(w: &World, pages: usize) -> TestResult<Object> {
    let mut file = w.object(Kind::Disk, pages)?;
    let (writer, all) = (w.actor("writer")?, w.place(pages));
    writer.map_object(all, &file, 0, RW, Share::Shared)?;
    writer.write(all)?;
    w.sync(&file)?;
    writer.exit()?;
    w.only_read(&mut file)?;
    Ok(file)
}

///   file           |0 ..... huge page ..... 511| 512 ..... 519
///   P rx shared    |0 ..................... 511|
///   Q rx private   |0 ..................... 511|
///   R rx           |0 1 2 3 4|
///   R rw private                300 .. 315                       303 its own copy
///   R r                               507 .. 511 512 .. 519      across the end
fn stage<'w, 'c>(w: &'w World<'c>) -> TestResult<Stage<'w, 'c>> {
    // Before the file is open, so that none of them has it open for writing.
    let [p, q, r, control] = ["P", "Q", "R", "alone"].map(|name| w.actor(name));
    let (p, q, r, control) = (p?, q?, r?, control?);
    let (a, alone) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    let n = a.pages;
    let file = text(w, n + 8)?;
    p.map_object(a, &file, 0, RX, Share::Shared)?;
    q.map_object(a, &file, 0, RX, Share::Private)?;
    let (head, middle, end) = (
        place(w, "head", 5),
        place(w, "middle", 16),
        place(w, "end", 13),
    );
    r.map_object(head, &file, 0, RX, Share::Shared)?;
    r.map_object(middle, &file, n / 2 + 44, RW, Share::Private)?;
    r.map_object(end, &file, n - 5, R, Share::Private)?;
    r.write(middle.page(3))?;
    w.check()?;
    let needs = Stop::Skip("needs huge pages of files on a disk (CONFIG_READ_ONLY_THP_FOR_FS)");
    let done = match p.collapse_cached(a) {
        Err(Stop::Skip(_)) => return Err(needs),
        other => other?,
    };
    if !done {
        // What works for a file that nobody else maps has to work for this one.
        let other = text(w, n)?;
        control.map_object(alone, &other, 0, RX, Share::Shared)?;
        return Err(match control.collapse_cached(alone)? {
            true => Stop::fail(
                "pages of a file that others map too do not collapse, those of another file do",
            ),
            false => needs,
        });
    }
    for actor in [p, q] {
        actor.read(a)?;
    }
    w.check()?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a huge page that nobody else takes"));
    }
    Ok(Stage {
        file,
        p,
        q,
        r,
        a,
        middle,
    })
}

fn walked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    s.r.fork("C")?;
    walk::plain(&w)?;
    s.r.write(s.middle.page(5))?;
    w.check()?;
    w.finish()
}

/// The PMD entries are cut, moved to where none fits, and forked.
fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    let n = s.a.pages;
    s.p.protect(s.a.sub(n / 2..n / 2 + 60), R)?;
    s.q.fork("C")?.unmap(s.a.sub(1..n / 2))?;
    let to = place(&w, "to", n - 3);
    s.q.move_to(s.a.sub(3..n), to)?;
    s.r.exit()?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// Who opens the file for writing takes the huge page from all (do_dentry_open()), and leaves the copies; the file is read again. Where the file
/// system has large folios the huge page stays.
fn opened(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    let c = s.r.fork("C")?;
    w.open_for_writing(&s.file)?;
    for actor in [s.p, s.q] {
        actor.read(s.a)?;
    }
    w.check()?;
    c.write(s.middle.page(4))?;
    w.check()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const TEXT: Test = Test {
    about: "Every mapping of a huge page of a file that is only read is found, also of a few pages from its middle.",
    needs: &[
        Need::Disk,
        Need::Pfn,
        Need::KpageFlags,
        Need::Thp,
        Need::MemMib(128),
    ],
    ..Test::DEFAULT
};

pub const WALKED: Test = Test {
    name: "text.walked",
    run: walked,
    ..TEXT
};
pub const RESHAPED: Test = Test {
    name: "text.reshaped",
    run: reshaped,
    ..TEXT
};
pub const OPENED: Test = Test {
    name: "text.opened",
    run: opened,
    ..TEXT
};
