// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that nobody marks when they come into a locked area as a whole, since nobody sees the whole of them: each step maps or
//! locks a part. Reclaim, which finds all entries of them, makes up for it (folio_referenced_one()).

use super::{End, MLOCK, leave};
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, RW, filled};
use helpers::walk::mlocked::{self, expect};
use helpers::walk::reclaim::{press, swap_out};
use helpers::walk::{self, migrate::MIGRATE};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// For large folios of shared memory and for small ones.
const KNOBS: &[Knob] = &[
    topology::SHARED_HUGE,
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
        "madvise",
    ),
];

/// How long reclaim may take to come by.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pages of the area that is not locked.
const N: usize = 8;

/// What the first page of a large folio says once reclaim has come by: reclaim is had to take the pages of an area that is not locked, and
/// asked again until it has met the folio as well.
#[track_caller]
fn expect_after_reclaim(w: &World, actor: Actor, folio: Area) -> TestResult {
    let first = folio.page(0);
    swap_out(w)?;
    let mut until = w.limit(PATIENCE);
    while mlocked::count(w, actor, first)? == 0 && !until.over() {
        press(w)?;
    }
    expect(w, actor, first, true)
}

/// Needs reclaim, and a kernel that looks for the whole of a large folio that PTEs map. Before Linux 6.7 such a one stays in memory, and is
/// not marked.
fn offered(w: &World) -> TestResult {
    mlocked::shown(w)?;
    if w.features().version() < (6, 7) {
        return Err(Stop::Skip(
            "needs large folios that are mlocked when PTEs map them (Linux 6.7)",
        ));
    }
    Ok(())
}

/// A place for a folio and one for a huge page.
fn places(w: &World) -> TestResult<[Area; 2]> {
    let n = w.folio_size()?;
    let (small, huge) = (w.place_aligned(n, n), w.place_huge(1)?);
    w.name(small, "folio");
    w.name(huge, "huge");
    Ok([small, huge])
}

/// Locked by one half and then the other, and moved to another node: the entries that come back are single ones.
///
///   P |          |==locked==| -> |=======locked========| -> on another node
fn halves(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    offered(&w)?;
    let (p, _) = filled(&w, "P", N)?;
    let both = places(&w)?;
    for a in both {
        p.map_folio(a)?;
        let half = a.pages / 2;
        p.lock(a.sub(half..a.pages), Lock::Full)?;
        p.lock(a.sub(0..half), Lock::Full)?;
        p.needs_one_vma(a)?;
        expect_after_reclaim(&w, p, a)?;
    }
    match walk::only(&w, &MIGRATE) {
        Err(Stop::Skip(_)) => {}
        other => other?,
    }
    for a in both {
        if w.folio_pages(p.id(), a.vpn)? == a.pages {
            expect_after_reclaim(&w, p, a)?;
        }
        p.unlock(a)?;
        expect(&w, p, a.page(0), false)?;
    }
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A huge page that is locked as a whole, by its PMD, which is split then by what is done to a part of it: no mark is left of the PMD's when
/// all is unlocked (__split_huge_pmd_locked() takes it off).
///
///   P |==== locked, PMD ====| -> |=|=== PTEs ===| -> |  unlocked  |
fn cut(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    type Cut = fn(Actor, Area) -> TestResult;
    let ways: [Cut; 3] = [
        |p, a| p.protect(a.page(3), topology::R),
        |p, a| p.advise(a.sub(a.pages / 2..a.pages), advice::DONTDUMP),
        |p, a| p.unlock(a.page(a.pages - 1)),
    ];
    for way in ways {
        let a = w.place_huge(1)?;
        w.name(a, "huge");
        p.map(a)?;
        p.advise(a, advice::HUGEPAGE)?;
        p.write(a)?;
        if !w.is_huge(p.id(), a)? {
            return Err(Stop::Skip("needs a free huge page"));
        }
        w.check_shares()?;
        p.lock(a, Lock::Full)?;
        expect(&w, p, a.page(0), true)?;
        w.check_shares()?;
        way(p, a)?;
        w.check()?;
        w.check_shares()?;
        p.unlock(a)?;
        expect(&w, p, a.page(0), false)?;
    }
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A huge page of a memfd that comes into a locked area by faults, page by page, and goes from there in different ways. Q, who has not locked
/// it, keeps it.
///
///   memfd           |0 ..... huge page ..... 511|
///   Q               |===========================|    PMD
///   P on fault      |0 1 2 ................. 511|    PTEs
fn object(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    offered(&w)?;
    filled(&w, "R", N)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let q = w.actor("Q")?;
    q.map_huge_object(a, &file)?;
    q.write(a)?;
    if !w.is_huge(q.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    for end in [End::Unlock, End::Unmap, End::Exit] {
        let p = w.actor("P")?;
        p.map_object(a, &file, 0, NONE, Share::Shared)?;
        p.advise(a, advice::NOHUGEPAGE)?;
        p.lock(a, Lock::OnFault)?;
        p.protect(a, RW)?;
        p.read(a)?;
        expect_after_reclaim(&w, p, a)?;
        expect(&w, q, a.page(0), true)?;
        leave(&w, p, a, end)?;
        expect(&w, q, a.page(0), false)?;
        w.check()?;
        if end != End::Exit {
            p.exit()?;
        }
        q.read(a)?;
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// A large folio of which some pages are the process' own copies by now: each is marked for itself, and the folio is not while it is not locked as
/// a whole.
///
///   P  |0 1 2 3 4 5 6 7 .. n|    C  |0 1 2'3'4 5 6 7' .. n|    locked, unlocked
fn copied(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    let both = places(&w)?;
    for a in both {
        p.map_folio(a)?;
    }
    let c = p.fork("C")?;
    for a in both {
        let own = [a.sub(2..4), a.sub(7..8), a.sub(a.pages - 1..a.pages)];
        c.write_all(&own)?;
        for how in [Lock::Full, Lock::OnFault] {
            c.lock(a, how)?;
            for part in own {
                expect(&w, c, part, true)?;
            }
            w.check()?;
            c.unlock(a)?;
            for part in own {
                expect(&w, c, part, false)?;
            }
        }
    }
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const LARGE: Test = Test {
    about: "Reclaim marks a large folio as mlocked that lies in a locked area as a whole.",
    needs: &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::Reclaim,
        Need::MemMib(64),
    ],
    knobs: KNOBS,
    ..MLOCK
};
pub const CUT: Test = Test {
    name: "large.cut",
    about: "A huge page that was locked and is taken to pieces is not locked any more when nobody has locked it.",
    needs: topology::Grain::HUGE_NEEDS,
    run: cut,
    ..MLOCK
};
pub const HALVES: Test = Test {
    name: "large.by_reclaim",
    run: halves,
    ..LARGE
};
pub const OBJECT: Test = Test {
    name: "large.by_reclaim.object",
    run: object,
    ..LARGE
};
pub const COPIED: Test = Test {
    name: "large.copied",
    about: "mlock marks each page of a locked area that a process has copied out of a large folio, and munlock unmarks it.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::MemMib(64)],
    run: copied,
    ..LARGE
};
