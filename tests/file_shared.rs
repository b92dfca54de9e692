// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of files and memfds: found through i_mmap by every walk, in all processes, at all offsets.

use helpers::explore::objects::Play;
use helpers::explore::rng::Rng;
use helpers::supervise::{Ctx, Test, main as run};
use helpers::topology::{self, R, RW};
use helpers::walk::{self, reclaim};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};
use reshape::by_each;

#[path = "file_shared/behind.rs"]
mod behind;
#[path = "file_shared/bits.rs"]
mod bits;
#[path = "file_shared/copies.rs"]
mod copies;
#[path = "file_shared/counted.rs"]
mod counted;
#[path = "file_shared/disk.rs"]
mod disk;
#[path = "file_shared/far.rs"]
mod far;
#[path = "file_shared/holes.rs"]
mod holes;
#[path = "file_shared/huge.rs"]
mod huge;
#[path = "file_shared/huge_borders.rs"]
mod huge_borders;
#[path = "file_shared/large.rs"]
mod large;
#[path = "file_shared/pmd.rs"]
mod pmd;
#[path = "file_shared/program_text.rs"]
mod program_text;
#[path = "file_shared/reshape.rs"]
mod reshape;
#[path = "file_shared/retracted.rs"]
mod retracted;
#[path = "file_shared/split_to.rs"]
mod split_to;
#[path = "file_shared/tail.rs"]
mod tail;
#[path = "file_shared/totals.rs"]
mod totals;
#[path = "file_shared/tree.rs"]
mod tree;

fn place(w: &World, name: &'static str, pages: usize) -> Area {
    let area = w.place(pages);
    w.name(area, name);
    area
}

/// A shared and a private mapping of the same pages, in two processes, at different offsets.
///
///   memfd      0 1 2 3 4 5 6 7
///   P shared   0 1 2 3 4 5 6 7
///   Q private      2 3 4 5         3 its own copy
fn two(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 8)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (place(&w, "shared", 8), place(&w, "private", 4));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 2, RW, Share::Private)?;
    q.write(b.page(1))?;
    walk::every(&w)?;
    w.punch(&file, 4..6)?;
    w.check()?;
    w.truncate(&file, 3)?;
    w.check()?;
    let there = q.probe(b)?;
    if there != [true, false, false, false] {
        return Err(Stop::fail(format_args!(
            "after a truncation to 3 pages the private mapping from page 2 on has {there:?}"
        )));
    }
    topology::write_by_each(&w)?;
    w.finish()
}

/// The same pages several times in one address space, and in that of a child.
///
///   memfd        0 1 2 3 4 5 6 7 8 9 10 11
///   P shared     0 1 2 3 4 5 6 7 8 9 10 11
///   P shared     0 1 2 3 4 5                   same offset, other length
///   P shared           3 4 5 6 7 8
///   P private          3 4 5 6 7 8             5 its own copy
///   P read-only                        10 11
///   C            all of them
fn aliases(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 12)?;
    let p = w.actor("P")?;
    let all = place(&w, "all", 12);
    let [same, later, private] = ["same", "later", "private"].map(|n| place(&w, n, 6));
    let end = place(&w, "end", 2);
    p.map_object(all, &file, 0, RW, Share::Shared)?;
    p.write(all)?;
    p.map_object(same, &file, 0, RW, Share::Shared)?;
    p.map_object(later, &file, 3, RW, Share::Shared)?;
    p.map_object(private, &file, 3, RW, Share::Private)?;
    p.map_object(end, &file, 10, R, Share::Shared)?;
    p.write(private.page(2))?;
    walk::plain(&w)?;
    let c = p.fork("C")?;
    c.write(same.page(4))?;
    c.unmap(all.sub(2..8))?;
    walk::every(&w)?;
    p.unmap(same)?;
    p.unmap(later)?;
    walk::plain(&w)?;
    topology::take_away(&w, &file)?;
    w.finish()
}

/// A VMA for every first and every last page: 1-1, 1-2, ... 4-5, 5-5, in an order by chance, so that the interval tree takes many
/// shapes. P has them shared, Q private; C and D get them by fork, which puts each behind the one it is copied from.
/// Then every run of pages is taken away, and the VMAs go one by one.
fn intervals(ctx: &mut Ctx) -> TestResult {
    const N: usize = 5;
    let w = World::new(ctx)?;
    let mut rng = Rng::new(w.seed());
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let all = place(&w, "all", N);
    p.map_object(all, &file, 0, RW, Share::Shared)?;
    p.write(all)?;
    let runs = || (0..N).flat_map(|from| (from + 1..=N).map(move |to| (from, to)));
    let mut order: Vec<(usize, usize)> = runs().collect();
    for i in (1..order.len()).rev() {
        order.swap(i, rng.below(i + 1));
    }
    let mut maps: Vec<(Actor, Area)> = Vec::new();
    for (i, &(from, to)) in order.iter().enumerate() {
        let area = place(&w, "run", to - from);
        p.map_object(area, &file, from, RW, Share::Shared)?;
        q.map_object(area, &file, from, RW, Share::Private)?;
        if i % 4 == 0 {
            q.write(area.page(0))?;
        }
        maps.extend([(p, area), (q, area)]);
        if i == order.len() / 2 {
            let early = p.fork("C")?;
            let halves: Vec<_> = maps
                .iter()
                .filter(|m| m.0.id() == p.id())
                .copied()
                .collect();
            maps.extend(halves.into_iter().map(|(_, area)| (early, area)));
        }
    }
    let d = q.fork("D")?;
    let all_of_q: Vec<_> = maps
        .iter()
        .filter(|m| m.0.id() == q.id())
        .copied()
        .collect();
    maps.extend(all_of_q.into_iter().map(|(_, area)| (d, area)));
    walk::plain(&w)?;
    for (from, to) in runs() {
        p.write(all)?;
        w.punch(&file, from..to)?;
        w.check()?;
    }
    p.write(all)?;
    walk::plain(&w)?;
    while maps.len() > 8 {
        for _ in 0..maps.len() / 3 {
            let (actor, area) = maps.swap_remove(rng.below(maps.len()));
            actor.unmap(area)?;
        }
        p.write(all)?;
        walk::only(&w, &reclaim::RECLAIM).or_else(unavailable)?;
        let at = rng.below(N);
        w.punch(&file, at..at + 1)?;
        w.check()?;
    }
    for end in (0..N).rev() {
        w.truncate(&file, end)?;
        w.check()?;
    }
    w.finish()
}

/// A walk that is not on offer is no reason to leave the rest out.
fn unavailable(stop: Stop) -> TestResult {
    match stop {
        Stop::Skip(_) => Ok(()),
        other => Err(other),
    }
}

/// Ten processes, made by each other; all pages go after each exit, in an order by chance.
///
///   P -> C0 -> C1 ... C9     each shares pages 0 to 11 from page i on, and has one copied
fn exits(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let mut rng = Rng::new(w.seed());
    let file = w.object(Kind::Memfd, 12)?;
    let p = w.actor("P")?;
    let (a, b) = (place(&w, "shared", 12), place(&w, "private", 12));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.map_object(b, &file, 0, RW, Share::Private)?;
    let mut family = Vec::new();
    let mut parent = p;
    for i in 0..10 {
        let c = parent.fork(&format!("C{i}"))?;
        c.unmap(a.page(i))?;
        c.write(b.page(11 - i))?;
        family.push(c);
        parent = c;
    }
    walk::plain(&w)?;
    while family.len() > 1 {
        family.swap_remove(rng.below(family.len())).exit()?;
        family.swap_remove(rng.below(family.len())).exit()?;
        p.write(a)?;
        let page = rng.below(12);
        w.punch(&file, page..page + 1)?;
        walk::only(&w, &reclaim::RECLAIM).or_else(unavailable)?;
        w.check()?;
    }
    topology::take_away(&w, &file)?;
    w.finish()
}

/// Pages that are in swap while their mappings are reshaped, and come back for all.
fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 12)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (place(&w, "shared", 12), place(&w, "private", 8));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 2, RW, Share::Private)?;
    q.write(b.sub(4..7))?;
    let out = || -> TestResult {
        w.control()?;
        w.check()?;
        (reclaim::RECLAIM.take)(&w).map(drop)
    };
    out()?;
    let c = p.fork("C")?;
    let d = q.fork("D")?;
    c.write(a.page(1))?;
    d.write(b.page(4))?;
    w.check()?;
    out()?;
    c.unmap(a.sub(3..6))?;
    d.move_to(b.sub(2..6), place(&w, "moved", 4))?;
    w.check()?;
    out()?;
    w.punch(&file, 5..7)?;
    w.truncate(&file, 10)?;
    w.check()?;
    out()?;
    p.exit()?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// MADV_REMOVE through one mapping takes the pages from all.
fn remove(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 12)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b, c) = (
        place(&w, "shared", 8),
        place(&w, "private", 8),
        place(&w, "read", 12),
    );
    p.map_object(a, &file, 4, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 2, RW, Share::Private)?;
    q.write(b.page(4))?;
    p.map_object(c, &file, 0, R, Share::Shared)?;
    let child = p.fork("C")?;
    walk::plain(&w)?;
    p.remove(a.sub(1..4))?;
    w.check()?;
    child.write(a.page(2))?;
    child.remove(a.sub(2..3))?;
    child.remove(a.sub(7..8))?;
    w.check()?;
    walk::plain(&w)?;
    topology::take_away(&w, &file)?;
    w.finish()
}

/// Sealed against future writes: what is mapped writable stays so, what comes later only reads, and both are found.
fn sealed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 12)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b, c) = (
        place(&w, "writer", 12),
        place(&w, "reader", 8),
        place(&w, "private", 8),
    );
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    w.seal_future_write(&file)?;
    q.map_object(b, &file, 4, R, Share::Shared)?;
    q.map_object(c, &file, 2, RW, Share::Private)?;
    q.write(c.sub(3..5))?;
    let child = p.fork("C")?;
    child.write(a.page(5))?;
    child.unmap(a.sub(7..9))?;
    q.move_to(b.sub(2..6), place(&w, "moved", 4))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.truncate(&file, 5)?;
    w.check()?;
    w.finish()
}

/// Mappings of two files by chance: mapped over each other, cut, moved, grown, forked, copied, taken away.
fn chance(ctx: &mut Ctx) -> TestResult {
    // A script may leave no page: what other walks have judged counts all the same.
    let (mut judged, mut lacking) = (false, "");
    let mut walk = |w: &World| match walk::plain(w) {
        Err(Stop::Skip(why)) => {
            lacking = why;
            Ok(())
        }
        result => {
            judged = true;
            result
        }
    };
    for round in 0..4 {
        let w = World::new(ctx)?;
        let at = place(&w, "at", 24);
        let objects = [w.object(Kind::Memfd, 16)?, w.object(Kind::Memfd, 20)?];
        let seed = w.seed() ^ (round + 1);
        let mut play = Play::new(&w, seed, at, 1, &objects)?;
        play.steps(32)?;
        walk(&w)?;
        play.steps(16)?;
        walk(&w)?;
        drop(play);
        w.finish()?;
    }
    if !judged {
        return Err(Stop::Skip(lacking));
    }
    Ok(())
}

const FILE: Test = Test {
    about: "Every mapping of a file's page is found through i_mmap, wherever its VMA begins and ends.",
    guards: copies::GUARDS,
    ..Test::DEFAULT
};
const RESHAPE: Test = Test {
    about: "After a process has reshaped its VMAs of a file every page of the file is found in all VMAs that map it.",
    guards: copies::GUARDS,
    ..Test::DEFAULT
};

macro_rules! reshape {
    ($name:literal, $op:ident) => {
        Test {
            name: $name,
            run: |c| by_each(c, reshape::$op),
            ..RESHAPE
        }
    };
}

const TESTS: &[Test] = &[
    Test {
        name: "two",
        about: "Shared and private mappings at different offsets have and lose their pages together.",
        run: two,
        ..FILE
    },
    Test {
        name: "aliases",
        run: aliases,
        ..FILE
    },
    Test {
        name: "intervals",
        run: intervals,
        ..FILE
    },
    tree::AMONG_SHORT,
    Test {
        name: "exits",
        run: exits,
        ..FILE
    },
    Test {
        name: "swapped",
        about: "A file's page in swap comes back for every process that maps it, whatever became of its VMAs meanwhile.",
        needs: &[helpers::supervise::Need::Reclaim],
        run: swapped,
        ..FILE
    },
    Test {
        name: "remove",
        about: "MADV_REMOVE takes a page away from every mapping, and leaves private copies.",
        run: remove,
        ..FILE
    },
    Test {
        name: "sealed",
        about: "Mappings from before and after F_SEAL_FUTURE_WRITE are found.",
        run: sealed,
        ..FILE
    },
    far::MEMFD,
    far::FARTHER,
    far::DISK,
    behind::SWAPPED,
    copies::THERE,
    copies::SWAPPED,
    copies::MERGED,
    bits::SEAL_REFUSED,
    bits::SEALED,
    bits::COUNTED_MOVED,
    bits::WRITTEN_AND_GONE,
    bits::WRITTEN_AFTER_READ,
    Test {
        name: "chance",
        run: chance,
        timeout: std::time::Duration::from_secs(120),
        ..FILE
    },
    reshape!("split", split),
    reshape!("split.remerge", split_remerge),
    reshape!("split.shreds", shreds),
    reshape!("no_access", no_access),
    reshape!("unmap.head", unmap_head),
    reshape!("unmap.middle", unmap_middle),
    reshape!("unmap.tail", unmap_tail),
    reshape!("unmap.refill", refill),
    reshape!("over_part", over_part),
    reshape!("extend", extend),
    reshape!("boundary.right", boundary_right),
    reshape!("boundary.left", boundary_left),
    reshape!("resize.grow", grow),
    reshape!("resize.shrink", shrink),
    reshape!("resize.shrink_grow", shrink_grow),
    reshape!("move", moved),
    reshape!("move.middle", moved_middle),
    reshape!("move.grown", moved_grown),
    reshape!("move.back", moved_back),
    reshape!("move.swapped_ends", swapped_ends),
    reshape!("move.over_itself", over_itself),
    reshape!("dontunmap", dontunmap),
    reshape!("doubled", doubled),
    reshape!("dontfork", dontfork),
    disk::WRITTEN_BACK,
    disk::WRITTEN_BACK_LOCKED,
    disk::THREADS,
    disk::READ_ONLY,
    disk::RESHAPED,
    disk::DIRECT,
    disk::SOFT_DIRTY,
    disk::WALKED,
    tail::SMALL,
    tail::LARGE,
    huge_borders::ASKEW,
    huge_borders::PAST_END,
    program_text::WALKED,
    program_text::RESHAPED,
    program_text::OPENED,
    split_to::SPLIT_TO,
    large::PARTS,
    large::TAILS,
    large::RECLAIMED,
    large::UNLIKE,
    large::LOCKED_HALF,
    large::WRITTEN_AND_GONE,
    huge::WRITTEN_AND_GONE,
    large::RESHAPED,
    large::TAKEN_AWAY,
    large::COUNTED,
    huge::PARTS,
    huge::LOCKED,
    huge::SEALED,
    huge::MARKED,
    huge::MARKED_WHOLE,
    huge::WRITTEN_AND_SPLIT,
    huge::WRITTEN_AND_MOVED,
    counted::MEMFD,
    counted::DISK,
    totals::FILLED,
    totals::JOINED,
    totals::CUT,
    huge::COUNTED,
    pmd::COUNTED,
    huge::RECLAIMED,
    huge::TAIL_ONLY,
    huge::RESHAPED,
    huge::TAKEN_AWAY,
    huge::COLLAPSED,
    huge::COLLAPSED_LOCKED,
    huge::COLLAPSED_MARKED,
    huge::COLLAPSED_OWN_MARKS,
    retracted::BY_ALL,
    holes::FILLED,
    holes::COLLAPSED,
    holes::REGISTERED,
];

pub fn main() {
    run(
        "file_shared",
        "pages of files and memfds: every mapping is found through i_mmap",
        TESTS,
    )
}
