// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process is said to have in memory of shared memory (RssShmem) and of files (RssFile): each page of an object counts as the one or
//! the other by what the object is.

use helpers::TestResult;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::RW;
use helpers::walk::migrate::MIGRATE;
use helpers::world::rss::above_slack;
use helpers::world::{Actor, Kind, Share, World};

/// An actor tells its mm what it has mapped: before Linux 6.2 a task keeps the pages of some tens of faults to itself, however many each has mapped,
/// until it unmaps something (sync_mm_rss()).
fn tell(w: &World, actor: Actor) -> TestResult {
    let page = w.place(1);
    actor.map(page)?;
    actor.write(page)?;
    actor.unmap(page)
}

/// Pages count as what they are for whoever maps them, however he has come by them.
///
///   object       0 1 2 .. n-1        a memfd or a disk's file
///   P  shared    0 1 2 .. n-1        written
///   Q  private   0'1 2 .. n-1        read, one page copied, so that fork copies the entries of the others
///   C            0'1 2 .. n-1        Q's child, from when it is born
fn kinds(ctx: &mut Ctx, kind: Kind) -> TestResult {
    let w = World::new(ctx)?;
    // The program's own pages count as well, and some come meanwhile.
    let n = above_slack(&w, 6)?;
    let file = w.object(kind, n)?;
    let (a, b) = (w.place(n), w.place(n));
    w.name(a, "shared");
    w.name(b, "private");
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    // Before it has more, for what there is of its program.
    for actor in [p, q] {
        tell(&w, actor)?;
    }
    let (of_p, of_q) = (p.object_rss()?, q.object_rss()?);
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.has_all(a)?;
    tell(&w, p)?;
    p.check_object_rss("written", kind, of_p, n)?;
    q.map_object(b, &file, 0, RW, Share::Private)?;
    q.write(b.page(0))?;
    q.has_all(b)?;
    tell(&w, q)?;
    q.check_object_rss("read", kind, of_q, n - 1)?;
    let c = q.fork("C")?;
    c.has_all(b)?;
    c.check_object_rss("born", kind, of_q, n - 1)?;
    match (MIGRATE.offered)(&w) {
        Err(why) => w.diag(why),
        // Or left where they are, which is judged elsewhere.
        Ok(()) => drop((MIGRATE.take)(&w)?),
    }
    for (actor, area, base, pages) in [(p, a, of_p, n), (q, b, of_q, n - 1), (c, b, of_q, n - 1)] {
        actor.read(area)?;
        actor.has_all(area)?;
        tell(&w, actor)?;
        actor.check_object_rss("moved", kind, base, pages)?;
    }
    w.check()?;
    // Half of it, then all.
    q.unmap(b.sub(0..n / 2))?;
    q.check_object_rss("half is unmapped", kind, of_q, n - n / 2)?;
    for (actor, area, base) in [(p, a, of_p), (c, b, of_q), (q, b.sub(n / 2..n), of_q)] {
        actor.unmap(area)?;
        actor.check_object_rss("all is unmapped", kind, base, 0)?;
    }
    w.finish()
}

const BASE: Test = Test {
    about: "Pages of shared memory and pages of files count as what they are for each process that maps them.",
    needs: &[Need::Pagemap],
    ..Test::DEFAULT
};

pub const MEMFD: Test = Test {
    name: "kinds.memfd",
    run: |c| kinds(c, Kind::Memfd),
    ..BASE
};

pub const DISK: Test = Test {
    name: "kinds.disk",
    needs: &[Need::Pagemap, Need::Disk],
    run: |c| kinds(c, Kind::Disk),
    ..BASE
};
