// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios of shared memory that no PMD can map (Linux 6.11 and later): each VMA has the part of one that it happens to reach, and a
//! fault maps as much of it as fits (finish_fault()).

use super::bits::taken;
use super::place;
use helpers::counters::{FileMapped, each_time};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::{self, mlocked, reclaim};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Pages of a folio.
const PAGES: usize = 16;

/// Who maps what of the file.
struct Stage<'w, 'c> {
    file: Object,
    p: Actor<'w, 'c>,
    q: Actor<'w, 'c>,
    /// Maps parts.
    r: Actor<'w, 'c>,
    /// Of P and of Q: both folios.
    a: Area,
    /// Of R: behind the start of the first.
    head: Area,
    /// Of R: some of both.
    odd: Area,
    /// Of R, private: some of both.
    middle: Area,
}

/// Two folios of a file, written by P.
fn folios<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Actor<'w, 'c>, Area)> {
    let n = PAGES;
    let a = w.place_aligned(2 * n, 2 * n);
    w.name(a, "a");
    let file = w.object(Kind::Memfd, 2 * n)?;
    let p = w.actor("P")?;
    p.map_huge_object(a, &file)?;
    p.write(a)?;
    for first in [a.vpn, a.vpn + n] {
        if w.folio_pages(p.id(), first)? != n {
            return Err(Stop::Skip("needs large folios of shared memory"));
        }
    }
    Ok((file, p, a))
}

///   file        |0 .... folio .... 15|16 .... folio .... 31|
///   P Q         |0 ........................................|
///   R           |0 1 2 3 4|
///   R             1 .................. 18                      an odd address
///   R private                10 ............. 21               12 and 17 its own copies
///   R read-only                                  27 ...... 31|
///   R read-only                 15                             nothing but the last page of one
fn stage<'w, 'c>(w: &'w World<'c>) -> TestResult<Stage<'w, 'c>> {
    let n = PAGES;
    let (file, p, a) = folios(w)?;
    let (q, r) = (w.actor("Q")?, w.actor("R")?);
    q.map_object(a, &file, 0, RW, Share::Shared)?;
    q.write(a)?;
    let (head, odd) = (place(w, "head", n / 4 + 1), place(w, "odd", n + 2));
    let (middle, end) = (place(w, "middle", n - 4), place(w, "end", n / 4 + 1));
    r.map_object(head, &file, 0, RW, Share::Shared)?;
    r.map_object(odd, &file, 1, RW, Share::Shared)?;
    r.map_object(middle, &file, n / 2 + 2, RW, Share::Private)?;
    r.map_object(end, &file, 2 * n - end.pages, R, Share::Shared)?;
    let last = place(w, "last", 1);
    r.map_object(last, &file, n - 1, R, Share::Shared)?;
    for area in [head, odd, middle, end, last] {
        r.read(area)?;
    }
    r.write(middle.page(middle.pages / 2 - 3))?;
    r.write(middle.page(middle.pages / 2 + 2))?;
    Ok(Stage {
        file,
        p,
        q,
        r,
        a,
        head,
        odd,
        middle,
    })
}

fn parts(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    s.r.fork("C")?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Only VMAs that have neither folio's first page are left.
fn tails(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    s.p.exit()?;
    s.q.unmap(s.a.sub(0..PAGES + 1))?;
    s.r.unmap(s.head)?;
    s.r.unmap(s.odd.sub(PAGES - 1..s.odd.pages))?;
    s.r.fork("C")?.write(s.middle.page(1))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Taken whole, with mappers who have locked it and without.
fn reclaimed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    let c = s.r.fork("C")?;
    s.q.lock(s.a.sub(0..PAGES), Lock::Full)?;
    walk::only(&w, &reclaim::RECLAIM)?;
    s.q.exit()?;
    walk::only(&w, &reclaim::RECLAIM)?;
    c.unmap(s.head)?;
    s.p.advise(s.a.sub(3..PAGES + 2), advice::DONTNEED)?;
    walk::only(&w, &reclaim::RECLAIM)?;
    w.finish()
}

/// Cut, moved to where the folio does not fit, protected in parts.
fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    s.p.protect(s.a.sub(2..5), R)?;
    s.q.fork("C")?.unmap(s.a.sub(1..PAGES - 1))?;
    let to = place(&w, "to", 2 * PAGES - 3);
    s.q.move_to(s.a.sub(3..2 * PAGES), to)?;
    s.q.write(to.page(to.pages - 1))?;
    s.r.move_to(s.middle.sub(1..7), place(&w, "moved", 6))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Holes in a folio, and an end of the file inside of one.
fn taken_away(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w)?;
    s.r.fork("C")?;
    w.punch(&s.file, 2..4)?;
    w.check()?;
    w.punch(&s.file, PAGES - 1..PAGES + 2)?;
    w.check()?;
    walk::plain(&w)?;
    w.truncate(&s.file, 2 * PAGES - 2)?;
    w.check()?;
    w.truncate(&s.file, PAGES / 2 + 1)?;
    w.check()?;
    w.truncate(&s.file, 2 * PAGES)?;
    w.check()?;
    w.finish()
}

/// Entries of one folio that are not alike: some have been written since the soft-dirty bits were cleared. Who takes them in rows has to go on
/// behind each row (try_to_unmap_one(), folio_unmap_pte_batch()).
///
///   P Q  |. . . . x . . . . . . . . . . x|x . . . . . . x x x . . . . . .|      x: written since, by P
fn unlike(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let (file, p, a) = folios(&w)?;
    let q = w.actor("Q")?;
    q.map_object(a, &file, 0, RW, Share::Shared)?;
    q.read(a)?;
    w.clear_soft_dirty()?;
    let n = PAGES;
    for written in [n / 4..n / 4 + 1, n - 1..n + 1, n + n / 2 - 1..n + n / 2 + 2] {
        p.write(a.sub(written))?;
    }
    walk::only(&w, &reclaim::RECLAIM)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Half of a folio is locked: that half stays in memory, and the other goes with its VMA only.
///
///   P  |locked 0 .. 7|8 ......... 15|16 ........ 23|locked 24 .. 31|
fn locked_half(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_, p, a) = folios(&w)?;
    let n = PAGES;
    let halves = [a.sub(0..n / 2), a.sub(n + n / 2..2 * n)];
    for half in halves {
        p.lock(half, Lock::OnFault)?;
    }
    for _ in 0..2 {
        reclaim::press(&w)?;
        mlocked::stay(&w, p, &halves)?;
        // What went comes back.
        w.check()?;
    }
    for half in halves {
        p.unlock(half)?;
    }
    walk::plain(&w)?;
    w.finish()
}

/// Maps of the two folios, and what the counters say after each step: the first that they say wrong.
///
///   file        |0 .... folio .... 15|16 .... folio .... 31|
///   R C             3 ........................... 28           then from 11 on, then none
fn count(w: &World, file: &Object, odd: Area) -> TestResult<Option<Stop>> {
    let mut mapped = FileMapped::open(w)?;
    let cut = PAGES / 2;
    let r = w.actor("R")?;
    r.map_object(odd, file, 3, RW, Share::Shared)?;
    r.read(odd)?;
    mapped.expect("mapped by one", odd.pages)?;
    let c = r.fork("C")?;
    c.write(odd)?;
    mapped.expect("mapped twice", odd.pages)?;
    r.unmap(odd.sub(0..cut))?;
    mapped.expect("some unmapped by one", odd.pages)?;
    c.advise(odd.sub(0..cut), advice::DONTNEED)?;
    mapped.expect("and given back by the other", odd.pages - cut)?;
    c.exit()?;
    r.unmap(odd.sub(cut..odd.pages))?;
    mapped.expect("all unmapped", 0)?;
    r.exit()?;
    Ok(mapped.wrong())
}

/// Each page is counted once as mapped, whoever maps it, and no more when none does.
fn counted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, _) = folios(&w)?;
    p.exit()?;
    let odd = place(&w, "odd", 2 * PAGES - 6);
    each_time(&w, || count(&w, &file, odd))?;
    let r = w.actor("R")?;
    r.map_object(odd, &file, 3, RW, Share::Shared)?;
    r.write(odd)?;
    r.fork("C")?
        .advise(odd.sub(0..PAGES / 2), advice::DONTNEED)?;
    r.unmap(odd.sub(0..PAGES / 2))?;
    walk::plain(&w)?;
    w.finish()
}

/// How the only mapper of a folio lets go of it.
type Going = for<'w, 'c> fn(&'w World<'c>, Actor<'w, 'c>, Area) -> TestResult;

const GOING: [Going; 8] = [
    |_, p, _| p.exit(),
    |_, p, a| p.unmap(a),
    |_, p, a| p.advise(a, advice::DONTNEED),
    |_, p, a| {
        p.protect(a, R)?;
        p.exit()
    },
    |_, p, a| {
        p.protect(a, R)?;
        p.unmap(a)
    },
    |w, p, a| {
        p.move_to(a, w.place_aligned(a.pages, a.pages))?;
        p.exit()
    },
    |_, p, _| {
        let c = p.fork("C")?;
        p.exit()?;
        c.exit()
    },
    // Reclaim unmaps it.
    |_, _, _| Ok(()),
];

/// All of a folio is mapped to be read, and then one page is written, not the first: that page's entry is all that knows of it. Entries of a
/// folio go together (zap_present_folio_ptes(), and where they are protected, moved, copied or unmapped), and a folio that is clean is thrown away.
///
///   each P |0 ... 13' . 15|   exits, unmaps it, gives it back, protects it (exits, unmaps it), moves it, forks, keeps it
pub fn written_and_gone(ctx: &mut Ctx, huge: bool) -> TestResult {
    let w = World::new(ctx)?;
    let mut files = Vec::new();
    let n = match huge {
        true => w.place_huge(1)?.pages,
        false => PAGES,
    };
    for (i, going) in GOING.iter().enumerate() {
        let file = w.object(Kind::Memfd, n)?;
        let a = w.place_aligned(n, n);
        w.name(a, format!("a{i}"));
        let p = w.actor(&format!("P{i}"))?;
        p.map_huge_object(a, &file)?;
        p.read(a)?;
        if w.folio_pages(p.id(), a.vpn)? != n {
            return Err(Stop::Skip("needs large folios of shared memory"));
        }
        p.write(a.page(n - 1 - i))?;
        going(&w, p, a)?;
        files.push(file);
    }
    taken(&w)?;
    let q = w.actor("Q")?;
    for file in &files {
        q.map_object(place(&w, "again", n), file, 0, RW, Share::Shared)?;
    }
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

const LARGE: Test = Test {
    about: "Every mapping of a large folio of shared memory is found, whichever part of it that maps.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags],
    knobs: topology::SHARED_FOLIOS,
    ..Test::DEFAULT
};

const fn test(name: &'static str, run: fn(&mut Ctx) -> TestResult) -> Test {
    Test { name, run, ..LARGE }
}

pub const PARTS: Test = test("large.parts", parts);
pub const TAILS: Test = test("large.tails", tails);
pub const RECLAIMED: Test = Test {
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..test("large.reclaimed", reclaimed)
};
pub const WRITTEN_AND_GONE: Test = Test {
    about: "What was written to a page of a large folio is known when its mappings are gone.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..test("large.written_and_gone", |c| written_and_gone(c, false))
};
pub const UNLIKE: Test = Test {
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..test("large.unlike", unlike)
};
pub const LOCKED_HALF: Test = Test {
    about: "A locked part of a large folio stays in memory.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..test("large.locked_half", locked_half)
};
pub const RESHAPED: Test = test("large.reshaped", reshaped);
pub const TAKEN_AWAY: Test = test("large.taken_away", taken_away);
pub const COUNTED: Test = Test {
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::PageMapcount],
    ..test("large.counted", counted)
};
