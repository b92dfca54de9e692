// SPDX-License-Identifier: GPL-2.0-or-later
//! Files on a disk. Before a dirty page is written back every entry that maps it is made clean and read-only
//! (folio_mkclean(), through i_mmap), so that the kernel hears of the next write. A mapping that was missed goes on
//! writing, and nobody brings to the disk what it wrote.

use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, R, RW};
use helpers::walk;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

const N: usize = 12;

/// Everybody who maps the file shared and writable.
type Writers<'w, 'c> = Vec<(Actor<'w, 'c>, Area)>;

///   file         0 1 2 3 4 5 6 7 8 9 10 11
///   P shared     0 1 2 3 4 5 6 7 8 9 10 11
///   P shared           3 4 5 6                 once more
///   Q shared             4 5 6 7 8 9 10 11     split in the middle
///   R private    0 1 2 3 4 5                   2 its own copy
///   R read-only                          11
///   C            all of P's
fn stage<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Writers<'w, 'c>)> {
    let place = |name, pages| {
        let area = w.place(pages);
        w.name(area, name);
        area
    };
    let file = w.object(Kind::Disk, N)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    let (a, alias, b) = (place("a", N), place("alias", 4), place("later", 8));
    let (private, last) = (place("private", 6), place("last", 1));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.map_object(alias, &file, 3, RW, Share::Shared)?;
    q.map_object(b, &file, 4, RW, Share::Shared)?;
    q.protect(b.sub(3..5), R)?;
    r.map_object(private, &file, 0, RW, Share::Private)?;
    r.write(private.page(2))?;
    r.map_object(last, &file, N - 1, R, Share::Shared)?;
    let c = p.fork("C")?;
    let writers = vec![
        (p, a),
        (p, alias),
        (q, b.sub(0..3)),
        (q, b.sub(5..8)),
        (c, a),
        (c, alias),
    ];
    Ok((file, writers))
}

/// All have dirty entries, then each alone writes once more. A lock keeps pages in memory, and is no reason not to hear of writes.
fn written_back(ctx: &mut Ctx, locked: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (file, writers) = stage(&w)?;
    for (actor, area) in writers.iter().filter(|_| locked) {
        actor.lock(*area, Lock::Full)?;
    }
    for _ in 0..2 {
        for (actor, area) in &writers {
            actor.write(*area)?;
        }
        w.sync(&file)?;
        w.check_synced(&file)?;
        for (actor, area) in &writers {
            actor.write(*area)?;
            w.sync(&file)?;
            w.check_synced(&file)?;
        }
    }
    w.check()?;
    w.finish()
}

/// Written back while nobody may write: dirty entries of areas that are read-only for the moment are made clean as well, or their next
/// write, when it is allowed again, is not heard of (invalid_mkclean_vma()).
fn read_only(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, writers) = stage(&w)?;
    for (actor, area) in &writers {
        actor.write(*area)?;
        actor.protect(*area, R)?;
    }
    w.sync(&file)?;
    w.check_synced(&file)?;
    for (actor, area) in &writers {
        actor.protect(*area, RW)?;
        actor.write(*area)?;
        w.sync(&file)?;
        w.check_synced(&file)?;
    }
    w.check()?;
    w.finish()
}

/// Written past the page cache while mapped by all: each mapper finds the new content, and who has a copy of its own the old one.
fn direct(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, writers) = stage(&w)?;
    for pages in [0..3, 3..N, 0..N, 2..3] {
        w.check()?;
        w.write_direct(&file, pages)?;
        w.check()?;
        for (actor, area) in &writers {
            actor.write(*area)?;
        }
    }
    w.sync(&file)?;
    w.check_synced(&file)?;
    walk::plain(&w)?;
    w.finish()
}

/// Written since the soft-dirty bits were cleared, and written back: the entries are made clean and read-only, and stay soft-dirty
/// (page_vma_mkclean_one()), of those who write together and of one who writes alone.
fn soft_dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let (file, writers) = stage(&w)?;
    let alone = writers.iter().map(std::slice::from_ref);
    for some in [&writers[..]].into_iter().chain(alone) {
        w.clear_soft_dirty()?;
        for (actor, area) in some {
            actor.write(*area)?;
        }
        for _ in 0..2 {
            w.sync(&file)?;
            for (actor, area) in some {
                w.expect_soft_dirty(*actor, *area)?;
            }
            // The next writeback finds what one of them has written anew, the others' entries clean.
            let (actor, area) = some[0];
            actor.write(area)?;
        }
    }
    w.sync(&file)?;
    w.check_synced(&file)?;
    walk::plain(&w)?;
    w.finish()
}

/// Moved, cut, forked while dirty.
fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, mut writers) = stage(&w)?;
    for (actor, area) in &writers {
        actor.write(*area)?;
    }
    let (p, a) = writers[0];
    let to = w.place(4);
    w.name(to, "to");
    p.move_to(a.sub(2..6), to)?;
    p.unmap(a.sub(8..10))?;
    let d = p.fork("D")?;
    d.write(to)?;
    writers.splice(
        0..1,
        [a.sub(0..2), a.sub(6..8), a.sub(10..N), to].map(|area| (p, area)),
    );
    writers.push((d, to));
    for _ in 0..2 {
        w.sync(&file)?;
        w.check_synced(&file)?;
        for (actor, area) in &writers {
            actor.write(*area)?;
        }
    }
    for (actor, area) in &writers {
        w.sync(&file)?;
        actor.write(*area)?;
        w.sync(&file)?;
        w.check_synced(&file)?;
    }
    w.check()?;
    w.finish()
}

/// Clean pages are dropped and read again, moved, and taken away.
fn walked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, writers) = stage(&w)?;
    w.sync(&file)?;
    walk::plain(&w)?;
    for (actor, area) in &writers {
        actor.write(*area)?;
    }
    w.sync(&file)?;
    // KSM takes the private copy.
    walk::every(&w)?;
    match topology::take_away(&w, &file) {
        // ext2 punches no holes.
        Err(Stop::Skip(_)) => {}
        other => other?,
    }
    for end in [N - 2, 5, N] {
        w.truncate(&file, end)?;
        w.check()?;
    }
    w.finish()
}

/// Written by a thread on another CPU than the one that has it written back: that CPU has to forget that it could write (ptep_clear_flush() in
/// page_vma_mkclean_one()), or the thread's next write is not heard of. Again and again: it may have had other things to do.
///
///   file         0 1 2 3 4 5 6 7 8 9 10 11
///   P shared     0 1 2 3 4 5 6 7 8 9 10 11     two threads
///   P shared           3 4 5 6                 once more
fn threads(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Disk, N)?;
    let p = w.actor("P")?;
    let t = p.thread()?;
    let (a, alias) = (w.place(N), w.place(4));
    w.name(a, "a");
    w.name(alias, "alias");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.map_object(alias, &file, 3, RW, Share::Shared)?;
    for _ in 0..4 {
        for area in [a, alias] {
            p.write(area)?;
            t.write(area)?;
            w.sync(&file)?;
            t.write(area)?;
            w.sync(&file)?;
            w.check_synced(&file)?;
        }
    }
    t.end()?;
    w.check()?;
    w.finish()
}

const DISK: Test = Test {
    about: "What any process writes to its mapping of a file is written back, and every mapping of the file's pages is found.",
    needs: &[Need::Disk, Need::Pfn, Need::KpageFlags],
    ..Test::DEFAULT
};

pub const WRITTEN_BACK: Test = Test {
    name: "disk.written_back",
    run: |c| written_back(c, false),
    ..DISK
};
pub const WRITTEN_BACK_LOCKED: Test = Test {
    name: "disk.written_back.locked",
    run: |c| written_back(c, true),
    ..DISK
};
pub const THREADS: Test = Test {
    name: "disk.threads",
    run: threads,
    ..DISK
};
pub const READ_ONLY: Test = Test {
    name: "disk.read_only",
    run: read_only,
    ..DISK
};
pub const RESHAPED: Test = Test {
    name: "disk.reshaped",
    run: reshaped,
    ..DISK
};
pub const DIRECT: Test = Test {
    name: "disk.direct",
    run: direct,
    ..DISK
};
pub const SOFT_DIRTY: Test = Test {
    name: "disk.soft_dirty",
    about: "What was written since the soft-dirty bits were cleared is soft-dirty when it has been written back.",
    run: soft_dirty,
    ..DISK
};
pub const WALKED: Test = Test {
    name: "disk.walked",
    run: walked,
    ..DISK
};
