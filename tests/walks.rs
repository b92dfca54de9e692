// SPDX-License-Identifier: GPL-2.0-or-later
//! Each walk by itself, on the plainest topology with two mappers: what this machine offers, and why not what it does not.
//!
//! Here a walk that is not on offer is a SKIP with its reason; the other programs take what there is.

#[path = "walks/nodes.rs"]
mod nodes;

use helpers::kernel::features::Features;
use helpers::kernel::hugetlb;
use helpers::supervise::{Ctx, Knob, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, NONE, RW};
use helpers::walk::{
    self, Walk, compact, idle, ksm, migrate,
    own::{Way, at_once, only_own, stay_put},
    policy, reclaim, soft_offline, split,
};
use helpers::world::{Actor, Area, Kind, Share, World, pooled};
use helpers::{Stop, TestResult, topology};

#[path = "walks/counted.rs"]
mod counted;
#[path = "walks/strict.rs"]
mod strict;
#[path = "walks/threads.rs"]
mod threads;

///   P [0 1 2 3 4 5 6 7]     C the same pages, page 7 its own
fn plain(ctx: &mut Ctx, walk: &'static Walk, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = grain.map(&w, p, 8)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    w.clear_soft_dirty()?;
    p.write(a.sub(2..5))?;
    let c = p.fork("C")?;
    c.write(a.page(7))?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Shared anonymous memory: the file side of the rmap (i_mmap).
fn shared(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(8);
    w.name(a, "a");
    p.map_shared(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.unmap(a.page(2))?;
    walk::only(&w, walk)?;
    c.write(a.page(3))?;
    w.check()?;
    w.finish()
}

/// What the walk of a huge page looks like once KSM or a part given back has split it.
fn parts(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    let c = p.fork("C")?;
    // The child's second half is mapped by PTEs now, the parent's all by one PMD.
    c.unmap(a.sub(0..a.pages / 2))?;
    p.advise(a.sub(0..1), advice::DONTNEED)?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages of an object: mapped shared, shared from another offset on, and private.
///
///   object         0 1 2 3
///   P, C  whole    0 1 2 3
///   P, C  twice        2 3
///   C     private    1 2           2 its own copy
fn object(ctx: &mut Ctx, walk: &'static Walk, kind: Kind, unit: usize) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let place = |n: usize, name| -> TestResult<Area> {
        let area = match kind {
            Kind::Hugetlb => w.place_huge(n)?,
            _ => w.place(n),
        };
        w.name(area, name);
        Ok(area)
    };
    let (whole, twice) = (place(4, "whole")?, place(2, "twice")?);
    let private = place(2, "private")?;
    let file = w.object(kind, 4 * unit)?;
    p.map_object(whole, &file, 0, RW, Share::Shared)?;
    p.write(whole)?;
    p.map_object(twice, &file, 2 * unit, RW, Share::Shared)?;
    let child = p.fork("C")?;
    child.map_object(private, &file, unit, RW, Share::Private)?;
    child.write(private.sub(unit..2 * unit))?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

fn hugetlb_pages(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    // They move to free pages of the pool only, and the kernel may have found less memory for it than the knob asks for.
    let nodes = &ctx.arena.features.nodes;
    if nodes.iter().any(|&node| hugetlb::free_on(node) < 8) {
        return Err(Stop::Skip("needs free huge pages"));
    }
    let Some(pmd) = ctx.arena.features.pmd_size else {
        return Err(Stop::Skip("needs hugetlb pages of the PMD size"));
    };
    let unit = pmd / ctx.arena.features.page_size;
    pooled(ctx, |ctx| object(ctx, walk, Kind::Hugetlb, unit))
}

/// Many mappers of each page: six processes, of which two have moved theirs, and VMAs that end with it.
///
///   P  C0 C1   [0 1 2 3]            C2   [0 1 2][3]
///   C3         [0][1 2 3] moved     C4   [2 3] moved, 0 and 1 gone
fn crowd(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 4)?;
    p.write(a)?;
    let child = |name: &str| p.fork(name);
    let (_c0, _c1, c2) = (child("C0")?, child("C1")?, child("C2")?);
    let (c3, c4) = (child("C3")?, child("C4")?);
    c2.protect(a.page(3), topology::R)?;
    let (there, here) = (w.place(3), w.place(2));
    w.name(there, "there");
    w.name(here, "here");
    c3.move_to(a.sub(1..4), there)?;
    c4.move_to(a.sub(2..4), here)?;
    c4.unmap(a.sub(0..2))?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Areas that are one folio of `unit` pages each, or small pages.
fn fill(p: Actor, areas: &[Area], unit: usize) -> TestResult {
    for &a in areas {
        if unit > 1 {
            p.map_folio(a)?;
        } else {
            p.map(a)?;
            p.write(a)?;
        }
    }
    Ok(())
}

/// Each an area of small pages, a large folio, or a huge page.
///
///   P  own, left, shared     C  shared, heir, and gone from own     D  had all of it, and has exited
fn own(ctx: &mut Ctx, unit: fn(&World) -> TestResult<usize>, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let unit = unit(&w)?;
    let areas = ["own", "left", "shared", "heir"].map(|name| {
        let a = w.place_aligned(unit.max(4), unit);
        w.name(a, name);
        a
    });
    fill(p, &areas, unit)?;
    let [own, left, shared, heir] = areas;
    p.fork("D")?.exit()?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    c.unmap(left)?;
    p.unmap(heir)?;
    only_own(&w, p, &[own, left], &[shared], way)?;
    // Whoever was there second has it alone, too, when the first has left.
    only_own(&w, c, &[heir], &[shared], way)?;
    p.exit()?;
    only_own(&w, c, &[heir, shared], &[], way)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages that are where they shall go.
///
///   P  own, shared     C  shared, and gone from own
fn stay(ctx: &mut Ctx, unit: fn(&World) -> TestResult<usize>) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let unit = unit(&w)?;
    let [own, shared] = ["own", "shared"].map(|name| {
        let a = w.place_aligned(unit.max(4), unit);
        w.name(a, name);
        a
    });
    fill(p, &[own, shared], unit)?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    stay_put(&w, p, &[own, shared])?;
    stay_put(&w, c, &[shared])?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A large folio that one process maps by PTEs: each of its pages is mapped once.
///
///   P  |own ... r ...|
fn own_parts(ctx: &mut Ctx, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    p.protect(a.page(a.pages / 2), topology::R)?;
    only_own(&w, p, &[a], &[], way)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// What may not be accessed is moved as well, where the kernel finds such pages at all.
///
///   P  |small ---|     |large ... ---|       ---: PROT_NONE
fn own_closed(ctx: &mut Ctx, unit: fn(&World) -> TestResult<usize>) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let small = Grain::Base.map(&w, p, 4)?;
    p.write(small)?;
    let unit = unit(&w)?;
    let large = w.place_aligned(unit, unit);
    w.name(large, "large");
    p.map_folio(large)?;
    for area in [small, large] {
        p.protect(area, NONE)?;
    }
    if w.lost_by_move_pages(p, small)?.is_some() {
        return Err(Stop::Skip(
            "needs move_pages that finds what may not be accessed",
        ));
    }
    if let Some(i) = w.lost_by_move_pages(p, large)? {
        return Err(Stop::fail(format_args!(
            "move_pages finds the parts of a large folio as it finds small pages: not page {i} of it"
        )));
    }
    only_own(&w, p, &[small, large], &[], Way::MovePages)?;
    p.protect(large, topology::R)?;
    p.protect(small, topology::R)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages of a file that a child has from its parent: fork copies the entries of a private mapping that has a page of its own, and both are
/// mappers from then on (folio_dup_file_rmap_ptes()).
///
///   P private  |f f f 3'f f f f|  own       C  all of the first, from P      f: of the file     3': P's own copy
fn own_forked(ctx: &mut Ctx, huge: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let a = if huge { w.place_huge(1)? } else { w.place(16) };
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    match huge {
        true => q.map_huge_object(a, &file)?,
        false => q.map_object(a, &file, 0, RW, Share::Shared)?,
    }
    q.write(a)?;
    if huge && !w.is_huge(q.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    q.exit()?;
    let own = Grain::Base.map(&w, p, 4)?;
    p.write(own)?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a.page(3))?;
    p.read(a)?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    only_own(&w, p, &[own], &[a.sub(8..12)], Way::MovePages)?;
    only_own(&w, c, &[], &[a.sub(8..12)], Way::MovePages)?;
    p.exit()?;
    only_own(&w, c, &[a.sub(8..12)], &[], Way::MovePages)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Several large folios in a row, and small pages between them.
///
///   P  [ folio | folio | 0 1 .. | folio ]
fn folios(ctx: &mut Ctx, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let make = |i| {
        let a = w.place_aligned(4 * n, 4 * n);
        w.name(a, ["a", "b", "c", "d"][i]);
        let small = a.sub(2 * n..3 * n);
        p.map(small)?;
        p.write(small)?;
        for first in [0, n, 3 * n] {
            p.map_folio(a.sub(first..first + n))?;
        }
        Ok(a)
    };
    at_once(&w, p, make, way)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages of zeroes that were never written are nobody's: they are on no node, and do not go to another.
///
///   P  [- - - -]  read      [==== PMD ====]  read
fn zeroes(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place(4), w.place_huge(1)?);
    w.name(a, "small");
    w.name(b, "huge");
    for area in [a, b] {
        p.map(area)?;
        if area.pages > 4 {
            p.advise(area, advice::HUGEPAGE)?;
        }
        p.read(area)?;
    }
    w.check()?;
    let judged = w.check_nowhere(p, a)? + w.check_nowhere(p, b)?;
    w.diag(format_args!("pages of zeroes: {judged}"));
    if judged == 0 {
        return Err(Stop::Skip("needs pages of zeroes"));
    }
    w.finish()
}

/// KSM pages: the mappers of one page have nothing in common but its content.
fn merged(ctx: &mut Ctx, walk: &'static Walk) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 4)?;
    p.write(a)?;
    let c = p.fork("C")?;
    c.write(a.page(3))?;
    walk::only(&w, &ksm::KSM)?;
    walk::only(&w, walk)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const WALK: Test = Test {
    about: "The walk finds both mappers of a page that a fork shares.",
    ..Test::DEFAULT
};
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..WALK
};
const MANY: Test = Test {
    about: "The walk finds all mappers of a page, how many there are and wherever they have it.",
    ..Test::DEFAULT
};
const OWN: Test = Test {
    about: "MPOL_MF_MOVE moves all pages that the process has to itself, and none that another maps.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2)],
    ..Test::DEFAULT
};
const STRICT: Test = Test {
    about: "MPOL_MF_STRICT tells whether every page is where it is to be.",
    ..OWN
};
const OWN_HUGE: Test = Test {
    needs: Grain::HUGE_NODES_NEEDS,
    ..OWN
};
const OWN_FOLIO: Test = Test {
    knobs: walk::FOLIO_KNOBS,
    ..OWN_HUGE
};
const HUGETLB: Test = Test {
    needs: &[
        Need::Pfn,
        Need::KpageFlags,
        Need::MemMib(96),
        Need::Probe(hugetlb_size),
    ],
    knobs: &[Knob::set("/proc/sys/vm/nr_hugepages", "20")],
    ..WALK
};

/// A world places huge pages of the PMD's size.
fn hugetlb_size(f: &Features) -> Result<(), &'static str> {
    if f.pmd_size.is_some() && f.pmd_size == hugetlb::default_size() {
        Ok(())
    } else {
        Err("needs hugetlb pages of the PMD size")
    }
}

/// What the kernel does not get back when the suite is killed in the middle is lost until the next boot.
const OFFLINE: Test = Test {
    destructive: true,
    ..WALK
};
const OFFLINE_HUGE: Test = Test {
    destructive: true,
    ..HUGE
};

const TESTS: &[Test] = &[
    Test {
        name: "migrate",
        run: |c| plain(c, &migrate::MIGRATE, Grain::Base),
        ..WALK
    },
    Test {
        name: "migrate.shared",
        run: |c| shared(c, &migrate::MIGRATE),
        ..WALK
    },
    Test {
        name: "migrate.thp",
        run: |c| plain(c, &migrate::MIGRATE, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "migrate.thp_parts",
        run: |c| parts(c, &migrate::MIGRATE),
        ..HUGE
    },
    Test {
        name: "soft_offline",
        run: |c| plain(c, &soft_offline::SOFT_OFFLINE, Grain::Base),
        ..OFFLINE
    },
    Test {
        name: "soft_offline.shared",
        run: |c| shared(c, &soft_offline::SOFT_OFFLINE),
        ..OFFLINE
    },
    Test {
        name: "soft_offline.thp",
        run: |c| plain(c, &soft_offline::SOFT_OFFLINE, Grain::Huge),
        ..OFFLINE_HUGE
    },
    Test {
        name: "soft_offline.thp_parts",
        run: |c| parts(c, &soft_offline::SOFT_OFFLINE),
        ..OFFLINE_HUGE
    },
    Test {
        name: "migrate.memfd",
        run: |c| object(c, &migrate::MIGRATE, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "migrate.hugetlb",
        run: |c| hugetlb_pages(c, &migrate::MIGRATE),
        ..HUGETLB
    },
    Test {
        name: "migrate.crowd",
        run: |c| crowd(c, &migrate::MIGRATE),
        ..MANY
    },
    Test {
        name: "migrate.ksm",
        run: |c| merged(c, &migrate::MIGRATE),
        ..WALK
    },
    Test {
        name: "migrate.by_each",
        run: |c| crowd(c, &migrate::BY_EACH),
        ..MANY
    },
    Test {
        name: "migrate.by_each.memfd",
        run: |c| object(c, &migrate::BY_EACH, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "migrate.by_each.thp_parts",
        run: |c| parts(c, &migrate::BY_EACH),
        ..HUGE
    },
    Test {
        name: "own",
        run: |c| own(c, |_| Ok(1), Way::MovePages),
        ..OWN
    },
    Test {
        name: "migrate.stay",
        about: "Pages stay where they are when they shall go there, whoever maps them.",
        needs: &[Need::Pfn],
        run: |c| stay(c, |_| Ok(1)),
        ..OWN
    },
    Test {
        name: "migrate.stay.thp",
        about: "Pages stay where they are when they shall go there, whoever maps them.",
        needs: Grain::HUGE_NEEDS,
        run: |c| stay(c, |w| Ok(w.place_huge(1)?.pages)),
        ..OWN
    },
    Test {
        name: "own.folio",
        run: |c| own(c, |w| w.folio_size(), Way::MovePages),
        ..OWN_FOLIO
    },
    Test {
        name: "own.thp",
        run: |c| own(c, |w| Ok(w.place_huge(1)?.pages), Way::MovePages),
        ..OWN_HUGE
    },
    Test {
        name: "own.thp_parts",
        run: |c| own_parts(c, Way::MovePages),
        ..OWN_HUGE
    },
    Test {
        name: "own.closed.folio",
        run: |c| own_closed(c, |w| w.folio_size()),
        ..OWN_FOLIO
    },
    Test {
        name: "own.closed.thp",
        run: |c| own_closed(c, |w| Ok(w.place_huge(1)?.pages)),
        ..OWN_HUGE
    },
    Test {
        name: "own.forked_file",
        run: |c| own_forked(c, false),
        ..OWN
    },
    Test {
        name: "own.forked_file.thp_parts",
        knobs: &[topology::SHARED_HUGE],
        run: |c| own_forked(c, true),
        ..OWN_HUGE
    },
    Test {
        name: "own.folios",
        run: |c| folios(c, Way::MovePages),
        ..OWN_FOLIO
    },
    Test {
        name: "own.mbind.folios",
        run: |c| folios(c, Way::Mbind),
        ..OWN_FOLIO
    },
    nodes::MIXED,
    Test {
        name: "migrate.zero",
        about: "A page that was never written is on no node.",
        run: zeroes,
        ..OWN_HUGE
    },
    counted::PRIVATE,
    counted::MEMFD,
    counted::FILE,
    counted::DIRTY,
    counted::THP,
    counted::MEMFD_HUGE,
    counted::SWAP,
    threads::MIGRATE,
    threads::MIGRATE_MEMFD,
    Test {
        name: "own.mbind",
        run: |c| own(c, |_| Ok(1), Way::Mbind),
        ..OWN
    },
    Test {
        name: "own.mbind.folio",
        run: |c| own(c, |w| w.folio_size(), Way::Mbind),
        ..OWN_FOLIO
    },
    Test {
        name: "own.mbind.thp_parts",
        run: |c| own_parts(c, Way::Mbind),
        ..OWN_HUGE
    },
    Test {
        name: "mbind",
        run: |c| crowd(c, &policy::MBIND),
        ..MANY
    },
    strict::SMALL,
    strict::HUGE,
    Test {
        name: "mbind.memfd",
        run: |c| object(c, &policy::MBIND, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "mbind.hugetlb",
        run: |c| hugetlb_pages(c, &policy::MBIND),
        ..HUGETLB
    },
    Test {
        name: "mbind.thp",
        run: |c| plain(c, &policy::MBIND, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "mbind.thp_parts",
        run: |c| parts(c, &policy::MBIND),
        ..HUGE
    },
    Test {
        name: "mbind.ksm",
        run: |c| merged(c, &policy::MBIND),
        ..WALK
    },
    Test {
        name: "migrate_pages",
        run: |c| plain(c, &policy::MIGRATE_PAGES, Grain::Base),
        ..WALK
    },
    Test {
        name: "migrate_pages.memfd",
        run: |c| object(c, &policy::MIGRATE_PAGES, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "migrate_pages.thp",
        run: |c| plain(c, &policy::MIGRATE_PAGES, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "migrate_pages.ksm",
        run: |c| merged(c, &policy::MIGRATE_PAGES),
        ..WALK
    },
    Test {
        name: "compact",
        run: |c| plain(c, &compact::COMPACT, Grain::Base),
        ..WALK
    },
    Test {
        name: "idle",
        run: |c| plain(c, &idle::IDLE, Grain::Base),
        ..WALK
    },
    Test {
        name: "idle.shared",
        run: |c| shared(c, &idle::IDLE),
        ..WALK
    },
    Test {
        name: "idle.thp",
        run: |c| plain(c, &idle::IDLE, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "idle.thp_parts",
        run: |c| parts(c, &idle::IDLE),
        ..HUGE
    },
    Test {
        name: "idle.memfd",
        run: |c| object(c, &idle::IDLE, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "idle.crowd",
        run: |c| crowd(c, &idle::IDLE),
        ..MANY
    },
    Test {
        name: "idle.ksm",
        run: |c| merged(c, &idle::IDLE),
        ..WALK
    },
    Test {
        name: "ksm",
        run: |c| plain(c, &ksm::KSM, Grain::Base),
        ..WALK
    },
    Test {
        name: "ksm.thp",
        run: |c| plain(c, &ksm::KSM, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "split.thp",
        run: |c| plain(c, &split::SPLIT, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "split.thp_parts",
        run: |c| parts(c, &split::SPLIT),
        ..HUGE
    },
    Test {
        name: "reclaim",
        run: |c| plain(c, &reclaim::RECLAIM, Grain::Base),
        ..WALK
    },
    Test {
        name: "reclaim.crowd",
        run: |c| crowd(c, &reclaim::RECLAIM),
        ..MANY
    },
    Test {
        name: "reclaim.memfd",
        run: |c| object(c, &reclaim::RECLAIM, Kind::Memfd, 1),
        ..WALK
    },
    Test {
        name: "reclaim.shared",
        run: |c| shared(c, &reclaim::RECLAIM),
        ..WALK
    },
    Test {
        name: "reclaim.thp",
        run: |c| plain(c, &reclaim::RECLAIM, Grain::Huge),
        ..HUGE
    },
    Test {
        name: "reclaim.thp_parts",
        run: |c| parts(c, &reclaim::RECLAIM),
        ..HUGE
    },
];

pub fn main() {
    run("walks", "each walk by itself", TESTS)
}
