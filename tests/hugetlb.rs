// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages: found through i_mmap or an anon_vma as other pages are, but copied, unmapped and counted by code of their own
//! (mm/hugetlb.c), and in tables that processes may share.

#[path = "hugetlb/marked.rs"]
mod marked;
#[path = "hugetlb/minor.rs"]
mod minor;
#[path = "hugetlb/peeked.rs"]
mod peeked;
#[path = "hugetlb/read_pins.rs"]
mod read_pins;
#[path = "hugetlb/reserved.rs"]
mod reserved;
#[path = "hugetlb/short.rs"]
mod short;
#[path = "hugetlb/surplus.rs"]
mod surplus;
#[path = "hugetlb/tables.rs"]
mod tables;

use helpers::actor::Cmd;
use helpers::explore::objects::Play;
use helpers::kernel::hugetlb;
use helpers::supervise::{Ctx, Fix, Knob, Need, Test, joined, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::{self, migrate};
use helpers::world::model::Lock;
use helpers::world::{Actor, Answer, Area, Kind, Object, Share, World, fill_pool, pooled};
use helpers::{Stop, TestResult};
use marked::{filled_in, untouched, write_protected};
use tables::{
    sparse, sparse_askew, tables, tables_migrate, tables_move, tables_move_whole, tables_own,
    tables_protect, tables_protect_whole, tables_unmap,
};

/// Free pages of the pool on each node: what a test maps, and as many to migrate to.
const POOL: usize = 8;

/// A world with free huge pages on every node.
fn world<'c>(ctx: &'c Ctx<'c>) -> TestResult<World<'c>> {
    let w = World::new(ctx)?;
    fill_pool(&w, POOL)?;
    Ok(w)
}

/// The other walks pass hugetlb pages by.
fn move_all(w: &World) -> TestResult {
    if (migrate::MIGRATE.offered)(w).is_err() {
        return w.check();
    }
    match walk::only(w, &migrate::MIGRATE) {
        Err(Stop::Skip(_)) => Ok(()),
        other => other,
    }
}

/// `n` huge pages of address space, and the pages of each.
fn place(w: &World, name: &'static str, n: usize) -> TestResult<Vec<Area>> {
    let all = w.place_huge(n)?;
    w.name(all, name);
    let each = all.pages / n;
    Ok((0..n).map(|i| all.sub(i * each..(i + 1) * each)).collect())
}

/// Two private pages of P's own.
fn private<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Vec<Area>)> {
    let a = place(w, "a", 2)?;
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    p.map_object(whole(&a), &file, 0, RW, Share::Private)?;
    p.write(whole(&a))?;
    Ok((p, a))
}

/// From the first to the last of some neighbours.
fn whole(parts: &[Area]) -> Area {
    Area {
        vpn: parts[0].vpn,
        pages: parts.iter().map(|p| p.pages).sum(),
    }
}

/// A private page that three generations share, each written by them in the given order: each write is the writer's own
/// and the last one needs no copy.
///
///   P -> C -> G     one page
fn cow(ctx: &mut Ctx, order: [usize; 3]) -> TestResult {
    let w = world(ctx)?;
    let a = place(&w, "a", 1)?[0];
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let p = w.actor("P")?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a)?;
    move_all(&w)?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    move_all(&w)?;
    for writer in order {
        [p, c, g][writer].write(a)?;
        w.check()?;
    }
    move_all(&w)?;
    w.finish()
}

/// The one who is left owns the page, whoever made it: its write copies nothing, and the next child shares it again.
fn exits(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    let c = p.fork("C")?;
    let d = p.fork("D")?;
    c.write(a[0])?;
    p.exit()?;
    d.unmap(a[0])?;
    w.check()?;
    d.exit()?;
    c.write(whole(&a))?;
    w.check()?;
    c.fork("E")?;
    move_all(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Different parts of a file in several processes and several times in one.
///
///   file          0 1 2
///   P shared      0 1 2
///   P shared        1       once more
///   Q shared        1 2
///   R private     0 1       0 its own copy
///   C             all of P's
fn shared(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (a, b) = (place(&w, "a", 3)?, place(&w, "later", 2)?);
    let (alias, private) = (place(&w, "alias", 1)?, place(&w, "private", 2)?);
    let huge = a[0].pages;
    let file = w.object(Kind::Hugetlb, 3 * huge)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    p.map_object(whole(&a), &file, 0, RW, Share::Shared)?;
    p.write(whole(&a))?;
    p.map_object(alias[0], &file, huge, R, Share::Shared)?;
    q.map_object(whole(&b), &file, huge, RW, Share::Shared)?;
    r.map_object(whole(&private), &file, 0, RW, Share::Private)?;
    r.write(private[0])?;
    p.fork("C")?;
    move_all(&w)?;
    q.write(b[0].page(3))?;
    p.unmap(a[1])?;
    move_all(&w)?;
    w.punch(&file, huge..2 * huge)?;
    w.check()?;
    w.truncate(&file, huge)?;
    w.check()?;
    let there = q.probe(b[1].page(0))?;
    if there != [false] {
        return Err(Stop::fail(
            "a page past the end of a truncated hugetlb file can be read",
        ));
    }
    w.truncate(&file, 2 * huge)?;
    w.check()?;
    w.finish()
}

/// Mappings that begin behind the start of the file, and holes in front of, in and behind what they have (hugetlb_vmdelete_list()).
///
///   file          0 1 2 3      holes: 1, then 3, then 0
///   P shared      0 1 2 3
///   Q shared        1 2 3
///   R private       1 2 3      all its own copies
///   S shared          2 3
fn holes(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let huge = w.place_huge(1)?.pages;
    let file = w.object(Kind::Hugetlb, 4 * huge)?;
    for (name, first, share) in [
        ("P", 0, Share::Shared),
        ("Q", 1, Share::Shared),
        ("R", 1, Share::Private),
        ("S", 2, Share::Shared),
    ] {
        let (actor, a) = (w.actor(name)?, place(&w, "part", 4 - first)?);
        actor.map_object(whole(&a), &file, first * huge, RW, share)?;
        actor.write(whole(&a))?;
    }
    for hole in [1, 3, 0] {
        w.punch(&file, hole * huge..(hole + 1) * huge)?;
        w.check()?;
    }
    move_all(&w)?;
    w.finish()
}

type Op = fn(&World, Actor, &[Area], &Object, Share) -> TestResult;

///   file         0 1 2
///   W shared     0 1 2
///   P            0 1 2     shared; private with its own page 0
///   C            reshapes that
fn by_child(ctx: &mut Ctx, op: Op) -> TestResult {
    for share in [Share::Shared, Share::Private] {
        let w = world(ctx)?;
        let (all, a) = (place(&w, "whole", 3)?, place(&w, "a", 3)?);
        let huge = a[0].pages;
        let file = w.object(Kind::Hugetlb, 3 * huge)?;
        let watcher = w.actor("W")?;
        watcher.map_object(whole(&all), &file, 0, RW, Share::Shared)?;
        watcher.write(whole(&all))?;
        let p = w.actor("P")?;
        p.map_object(whole(&a), &file, 0, RW, share)?;
        p.write(a[0])?;
        let c = p.fork("C")?;
        op(&w, c, &a, &file, share)?;
        move_all(&w)?;
        p.exit()?;
        // Private copies go with a hole too here.
        w.punch(&file, 0..huge)?;
        w.truncate(&file, 2 * huge)?;
        w.check()?;
        w.finish()?;
    }
    Ok(())
}

fn protect(_: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    c.protect(a[1], R)?;
    c.protect(a[2], 0)
}

fn protect_remerge(_: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    c.protect(a[1], R)?;
    c.protect(a[0], R)?;
    c.protect(a[0], RW)?;
    c.protect(a[1], RW)?;
    c.write(a[0])
}

fn unmap_head(_: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    c.unmap(a[0])
}

fn unmap_middle(_: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    c.unmap(a[1])
}

fn unmap_tail(_: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    c.unmap(a[2])
}

/// Page 2 where page 1 was.
fn over(_: &World, c: Actor, a: &[Area], file: &Object, share: Share) -> TestResult {
    c.map_object(a[1], file, 2 * a[0].pages, RW, share)
}

fn moved(w: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    let to = place(w, "to", 2)?;
    c.move_to(whole(&a[0..2]), whole(&to))
}

fn given_back(_: &World, c: Actor, a: &[Area], _: &Object, share: Share) -> TestResult {
    match share {
        Share::Shared => c.advise(a[1], advice::DONTNEED),
        Share::Private => c.write(a[0]),
    }
}

/// What does not reach the end of a page leaves it (madvise_dontneed_free_valid_vma()).
fn given_back_part(w: &World, c: Actor, a: &[Area], _: &Object, _: Share) -> TestResult {
    let page = w.page_size();
    for (area, pages) in [(a[0], 1), (a[1], a[1].pages - 1), (a[2], a[2].pages / 2)] {
        c.changes_nothing(&Cmd::Advise {
            addr: area.vpn * page,
            len: pages * page,
            advice: advice::DONTNEED,
        })?;
    }
    w.check()
}

/// hugetlb memory never goes: mlock touches it, and no area of it is locked afterwards (mlock_fixup()).
///
///   file          0 1 2
///   P             0 1 2     locked, 0 and 1 touched before      C  P's child
fn locked(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let a = place(&w, "a", 3)?;
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    p.map_object(whole(&a), &file, 0, RW, share)?;
    p.write(whole(&a))?;
    for how in [Lock::Full, Lock::OnFault] {
        p.lock(a[1], how)?;
        w.check_areas()?;
    }
    p.lock(whole(&a), Lock::Full)?;
    w.check_areas()?;
    let c = p.fork("C")?;
    c.write(a[2])?;
    w.check()?;
    move_all(&w)?;
    w.finish()
}

/// Nobody but the private mapping has the file's pages while it is written to: hugetlb_wp() must not take a page that one maps for its
/// own.
///
///   file          0 1
///   P shared      0 1       written, unmapped; mapped again at the end
///   Q private     0 1       read; 1 its own copy
fn private_alone(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (a, b, c) = (
        place(&w, "a", 2)?,
        place(&w, "private", 2)?,
        place(&w, "c", 2)?,
    );
    let file = w.object(Kind::Hugetlb, 2 * a[0].pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_object(whole(&a), &file, 0, RW, Share::Shared)?;
    p.write(whole(&a))?;
    p.unmap(whole(&a))?;
    q.map_object(whole(&b), &file, 0, RW, Share::Private)?;
    q.read(whole(&b))?;
    q.write(b[1])?;
    p.map_object(whole(&c), &file, 0, RW, Share::Shared)?;
    p.read(whole(&c))?;
    w.check()?;
    move_all(&w)?;
    p.write(c[1].page(2))?;
    w.check()?;
    w.finish()
}

/// A pinned page is its owner's through a fork and writes on both sides: the child gets a copy at the fork.
///
///   P   0 1     private; 0 pinned
///   C   0'1     0 copied at the fork
fn pinned(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    p.pin(a[0])?;
    let c = p.fork("C")?;
    w.check()?;
    p.write(a[0])?;
    c.write(a[1])?;
    w.check()?;
    let g = c.fork("G")?;
    c.write(a[0])?;
    move_all(&w)?;
    p.unpin()?;
    p.exit()?;
    g.write(a[0])?;
    w.check()?;
    move_all(&w)?;
    w.finish()
}

/// The child's copy of a pinned page may be written no more than its area.
///
///   P   0 1     private; 0 pinned, then read-only
///   C   0'1     0 copied at the fork
fn pinned_read_only(ctx: &mut Ctx) -> TestResult {
    // "mm/hugetlb: don't map folios writable without VM_WRITE when copying during fork()": nothing but the version tells.
    if ctx.arena.features.version() < (6, 14) {
        return Err(Stop::Skip(
            "needs copies of pinned hugetlb pages that their area protects (Linux 6.14)",
        ));
    }
    let w = world(ctx)?;
    let (p, a) = private(&w)?;
    p.pin(a[0])?;
    p.protect(a[0], R)?;
    let c = p.fork("C")?;
    w.check()?;
    p.protect(a[0], RW)?;
    p.write(a[0])?;
    w.check()?;
    p.unpin()?;
    c.protect(a[0], RW)?;
    c.write(whole(&a))?;
    move_all(&w)?;
    w.finish()
}

/// Shared mappings by chance: over each other, cut, moved, forked, taken away.
fn chance(ctx: &mut Ctx) -> TestResult {
    for round in 0..2 {
        let w = world(ctx)?;
        let huge = place(&w, "huge", 1)?[0].pages;
        let at = whole(&place(&w, "at", 5)?);
        let objects = [w.object(Kind::Hugetlb, 3 * huge)?];
        let mut play = Play::new(&w, w.seed() ^ (round + 1), at, huge, &objects)?;
        move_all(&w)?;
        for _ in 0..3 {
            play.steps(8)?;
            move_all(&w)?;
        }
        drop(play);
        w.finish()?;
    }
    Ok(())
}

const HUGE: Test = Test {
    about: "Every mapping of a hugetlb page is found, whatever part of the file its VMA maps.",
    needs: &[
        Need::Root,
        Need::Thp,
        Need::File(hugetlb::POOL, "needs CONFIG_HUGETLBFS"),
        Need::MemMib(128),
    ],
    knobs: &[Knob::keep(hugetlb::POOL)],
    timeout: std::time::Duration::from_secs(120),
    ..Test::DEFAULT
};
const COW: Test = Test {
    about: "A hugetlb page that processes share since a fork is exclusive to none, and each write is the writer's own.",
    ..HUGE
};
const PINNED: Test = Test {
    about: "A pinned hugetlb page stays its owner's page through fork and COW.",
    ..HUGE
};
const MARKED: Test = Test {
    about: "A hugetlb page stays write-protected by userfaultfd for the mapper that asked for it, and for nobody else.",
    ..HUGE
};
const LOST: Test = Test {
    about: "A hugetlb page that UFFDIO_POISON has marked is lost in the place that it moves to, until it is given back.",
    ..HUGE
};
const RESERVED: Test = Test {
    about: "The pool of huge pages has back what it gave and what it promised.",
    ..HUGE
};
const PMD_SHARED: Fix = Fix {
    commit: "ca1a47cd3f5f",
    subject: "mm/hugetlb: fix hugetlb_pmd_shared()",
};
const TABLES: Test = Test {
    about: "Who stops to share a page table of hugetlb entries leaves the others what they have.",
    guards: &[PMD_SHARED],
    ..HUGE
};

const TESTS: &[Test] = &[
    Test {
        name: "cow.from_parent",
        run: |c| pooled(c, |c| cow(c, [0, 1, 2])),
        ..COW
    },
    Test {
        name: "cow.from_child",
        run: |c| pooled(c, |c| cow(c, [2, 1, 0])),
        ..COW
    },
    Test {
        name: "cow.middle_first",
        run: |c| pooled(c, |c| cow(c, [1, 0, 2])),
        ..COW
    },
    Test {
        name: "cow.exits",
        run: |c| pooled(c, exits),
        ..COW
    },
    Test {
        name: "shared",
        run: |c| pooled(c, shared),
        ..HUGE
    },
    Test {
        name: "holes",
        about: "A hole in a hugetlb file takes away its pages, and no other's, wherever a mapping begins.",
        run: |c| pooled(c, holes),
        ..HUGE
    },
    Test {
        name: "private_alone",
        about: "What the only mapper of a hugetlb file's page writes to its private mapping is its own.",
        run: |c| pooled(c, private_alone),
        ..HUGE
    },
    Test {
        name: "protect",
        run: |c| pooled(c, |c| by_child(c, protect)),
        ..HUGE
    },
    Test {
        name: "protect.remerge",
        run: |c| pooled(c, |c| by_child(c, protect_remerge)),
        ..HUGE
    },
    Test {
        name: "unmap.head",
        run: |c| pooled(c, |c| by_child(c, unmap_head)),
        ..HUGE
    },
    Test {
        name: "unmap.middle",
        run: |c| pooled(c, |c| by_child(c, unmap_middle)),
        ..HUGE
    },
    Test {
        name: "unmap.tail",
        run: |c| pooled(c, |c| by_child(c, unmap_tail)),
        ..HUGE
    },
    Test {
        name: "over",
        run: |c| pooled(c, |c| by_child(c, over)),
        ..HUGE
    },
    Test {
        name: "move",
        run: |c| pooled(c, |c| by_child(c, moved)),
        ..HUGE
    },
    Test {
        name: "given_back",
        run: |c| pooled(c, |c| by_child(c, given_back)),
        ..HUGE
    },
    Test {
        name: "given_back.part",
        run: |c| pooled(c, |c| by_child(c, given_back_part)),
        ..HUGE
    },
    Test {
        name: "write_protected.shared",
        run: |c| pooled(c, |c| write_protected(c, Share::Shared)),
        ..MARKED
    },
    Test {
        name: "write_protected.private",
        run: |c| pooled(c, |c| write_protected(c, Share::Private)),
        ..MARKED
    },
    Test {
        name: "write_protected.untouched.private",
        run: |c| pooled(c, |c| untouched(c, Share::Private)),
        ..MARKED
    },
    Test {
        name: "write_protected.untouched.shared",
        run: |c| pooled(c, |c| untouched(c, Share::Shared)),
        ..MARKED
    },
    Test {
        name: "filled_in.shared",
        run: |c| pooled(c, |c| filled_in(c, Share::Shared, Answer::Copy)),
        ..MARKED
    },
    Test {
        name: "filled_in.private",
        run: |c| pooled(c, |c| filled_in(c, Share::Private, Answer::Copy)),
        ..MARKED
    },
    Test {
        name: "filled_in.continued",
        run: |c| pooled(c, |c| filled_in(c, Share::Shared, Answer::Continue)),
        ..MARKED
    },
    Test {
        name: "write_protected.given_back.shared",
        run: |c| pooled(c, |c| marked::given_back(c, Share::Shared)),
        ..MARKED
    },
    Test {
        name: "write_protected.given_back.private",
        run: |c| pooled(c, |c| marked::given_back(c, Share::Private)),
        ..MARKED
    },
    Test {
        name: "lost.shared",
        run: |c| pooled(c, |c| marked::lost(c, Share::Shared)),
        ..LOST
    },
    Test {
        name: "lost.private",
        run: |c| pooled(c, |c| marked::lost(c, Share::Private)),
        ..LOST
    },
    Test {
        name: "short",
        about: "Who loses a hugetlb page to its owner finds nothing in its place, then or later.",
        needs: &[
            Need::Root,
            Need::Pfn,
            Need::Thp,
            Need::File(hugetlb::POOL, "needs CONFIG_HUGETLBFS"),
            Need::MemMib(128),
        ],
        knobs: &[
            Knob::keep(hugetlb::POOL),
            Knob::set(hugetlb::OVERCOMMIT, "0"),
        ],
        run: |c| pooled(c, short::short),
        ..HUGE
    },
    Test {
        name: "reserved.shared",
        run: |c| pooled(c, |c| reserved::reserved(c, Share::Shared)),
        ..RESERVED
    },
    Test {
        name: "reserved.private",
        run: |c| pooled(c, |c| reserved::reserved(c, Share::Private)),
        ..RESERVED
    },
    Test {
        name: "reserved.inherited",
        run: |c| pooled(c, reserved::inherited),
        ..RESERVED
    },
    Test {
        name: "reserved.cut",
        run: |c| pooled(c, reserved::cut),
        ..RESERVED
    },
    Test {
        name: "reserved.sized",
        run: |c| pooled(c, reserved::sized),
        ..RESERVED
    },
    Test {
        name: "reserved.beside",
        run: |c| pooled(c, reserved::beside),
        ..RESERVED
    },
    Test {
        name: "pinned",
        run: |c| pooled(c, pinned),
        ..PINNED
    },
    Test {
        name: "pinned.read_only",
        run: |c| pooled(c, pinned_read_only),
        ..PINNED
    },
    peeked::PEEKED,
    peeked::WRITE_PROTECTED,
    Test {
        name: "chance",
        run: |c| pooled(c, chance),
        ..HUGE
    },
    Test {
        name: "tables.protect",
        run: |c| pooled(c, |c| tables(c, tables_protect)),
        ..TABLES
    },
    Test {
        name: "tables.protect.whole",
        run: |c| pooled(c, |c| tables(c, tables_protect_whole)),
        ..TABLES
    },
    Test {
        name: "tables.move.whole",
        run: |c| pooled(c, |c| tables(c, tables_move_whole)),
        ..TABLES
    },
    Test {
        name: "sparse",
        about: "Pages keep their distance when a mapping of more than a page table of them moves.",
        run: |c| pooled(c, sparse),
        ..HUGE
    },
    Test {
        name: "sparse.askew",
        about: "Pages keep their distance when a mapping of more than a page table of them moves.",
        run: |c| pooled(c, sparse_askew),
        ..HUGE
    },
    Test {
        name: "tables.unmap",
        run: |c| pooled(c, |c| tables(c, tables_unmap)),
        ..TABLES
    },
    Test {
        name: "tables.move",
        run: |c| pooled(c, |c| tables(c, tables_move)),
        ..TABLES
    },
    Test {
        name: "tables.migrate",
        run: |c| pooled(c, |c| tables(c, tables_migrate)),
        ..TABLES
    },
    Test {
        name: "tables.own",
        about: "A process moves the hugetlb pages it has to itself, and no others.",
        run: |c| pooled(c, tables_own),
        guards: &[
            Fix {
                commit: "73bdf65ea748",
                subject: "migrate: hugetlb: check for hugetlb shared PMD in node migration",
            },
            PMD_SHARED,
        ],
        ..TABLES
    },
    surplus::MOVED,
    tables::MINOR_FAULTS,
    Test {
        name: "locked",
        about: "hugetlb memory is not called locked, as it never goes.",
        run: |c| pooled(c, |c| locked(c, Share::Shared)),
        ..HUGE
    },
    Test {
        name: "locked.private",
        about: "hugetlb memory is not called locked, as it never goes.",
        run: |c| pooled(c, |c| locked(c, Share::Private)),
        ..HUGE
    },
    minor::SHARED,
    minor::PRIVATE,
    tables::WRITE_PROTECTED,
];

const ALL: [Test; TESTS.len() + read_pins::TESTS.len()] = joined(TESTS, read_pins::TESTS);

pub fn main() {
    run(
        "hugetlb",
        "hugetlb pages: copied, shared, cut and moved",
        &ALL,
    )
}
