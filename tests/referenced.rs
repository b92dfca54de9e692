// SPDX-License-Identifier: GPL-2.0-or-later
//! Who has touched a page: every mapper's accessed bit counts, and nobody's but theirs.
//!
//! Three users of the reverse map ask for it. Idle page tracking clears the bits of all mappers and looks whether any was set since
//! (page_idle_clear_pte_refs()); reclaim does before it takes a page (folio_referenced()). A mapper that they miss loses a page that it
//! is using; nothing else shows it. Each topology is asked by both, where they are on offer: each page touched through one mapper alone. DAMON
//! clears and looks again and again, and counts.

use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, NONE, R, RW, filled, like};
use helpers::walk;
use helpers::walk::damon;
use helpers::walk::idle::{self, IDLE};
use helpers::walk::merge::merge;
use helpers::walk::referenced::{spared, spared_from_above, spared_watched};
use helpers::walk::{noted, told};
use helpers::world::model::{ActorId, Lock};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};

#[path = "referenced/uncounted.rs"]
mod uncounted;

/// Mappers whose touches need not count for reclaim.
type Exempt = Vec<(ActorId, Area)>;

/// Asks both of a topology made anew for each.
///
/// # Errors
/// `Skip` when neither is on offer.
fn asked(ctx: &mut Ctx, build: impl Fn(&World) -> TestResult<Exempt>) -> TestResult {
    let w = World::new(ctx)?;
    let offered = (IDLE.offered)(&w);
    if offered.is_ok() {
        build(&w)?;
        walk::only(&w, &IDLE)?;
        topology::write_by_each(&w)?;
    }
    w.finish()?;
    match (spared(ctx, &build), offered) {
        (Err(Stop::Skip(why)), Ok(())) => {
            ctx.diag(why);
            Ok(())
        }
        (result, _) => result,
    }
}

/// Both at a time: neither may take from the other what it wants to know.
fn watched(ctx: &mut Ctx) -> TestResult {
    let builds: [fn(&World) -> TestResult<Exempt>; 3] = [forked, object, no_recency];
    let (mut judged, mut lacking) = (false, "");
    for build in builds {
        match spared_watched(ctx, build) {
            Err(Stop::Skip(why)) => lacking = why,
            result => {
                result?;
                judged = true;
            }
        }
    }
    if judged {
        Ok(())
    } else {
        Err(Stop::Skip(lacking))
    }
}

/// DAMON is asked of a topology. It knows of no mapper whose touches need not count.
fn counted(ctx: &mut Ctx, build: impl Fn(&World) -> TestResult<Exempt>) -> TestResult {
    let w = World::new(ctx)?;
    build(&w)?;
    damon::counted(&w)?;
    w.finish()
}

/// The same for topologies whose folios may be split by reclaim first, which some kernels do without the accessed bits: idle tracking only.
fn asked_idle(ctx: &mut Ctx, build: impl Fn(&World) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    (IDLE.offered)(&w).map_err(Stop::Skip)?;
    build(&w)?;
    walk::only(&w, &IDLE)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// And whether a touch is still known when the page has moved since.
fn moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    forked(&w)?;
    object(&w)?;
    idle::moved(&w)?;
    w.finish()
}

/// The same of folios of each size, two each: one of the two is touched.
fn folios_moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let sizes = w.folio_sizes()?;
    for n in sizes.iter().flat_map(|n| [n; 2]) {
        let a = w.place_aligned(*n, *n);
        w.name(a, "folio");
        p.map_folio(a)?;
    }
    idle::moved(&w)?;
    w.finish()
}

/// Does something to memory of each kind that nobody else maps: small pages, a folio of each size, a huge page that is mapped by single
/// entries.
///
///   P  [0 .. 7]   [==== folio ====] of each size    [======== PMD ========]    [........ PTEs ........]
fn of_each_size(ctx: &mut Ctx, run: impl Fn(&World, Actor, Area) -> TestResult) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    run(&w, p, a)?;
    let sizes = w.folio_sizes()?;
    let pmd = sizes[sizes.len() - 1];
    let all = sizes.iter().map(|n| (*n, false)).chain([(pmd, true)]);
    for (n, by_ptes) in all {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        if by_ptes {
            p.protect(a.page(1), R)?;
            p.protect(a.page(1), RW)?;
        }
        run(&w, p, a)?;
        // They are what they were.
        w.check()?;
        p.unmap(a)?;
    }
    w.finish()
}

/// And whether an advice takes back what was said by all entries.
fn cold(ctx: &mut Ctx) -> TestResult {
    of_each_size(ctx, |w, p, a| {
        let n = a.pages;
        told::cold(w, p, a, &[0, 1, n / 2, n - 1])?;
        told::cold(w, p, a, &[n / 2 + 1])
    })
}

/// P has written both, and C is its child.
///
///   P, C  [0 .. 7]      P, C  b: memfd [0 .. 7]
fn both_kinds<'w, 'c>(w: &'w World<'c>) -> TestResult<[(Actor<'w, 'c>, Area); 4]> {
    let file = w.object(Kind::Memfd, 8)?;
    let (p, a) = filled(w, "P", 8)?;
    let b = w.place(8);
    w.name(b, "b");
    p.map_object(b, &file, 0, RW, Share::Shared)?;
    p.write(b)?;
    let c = p.fork("C")?;
    Ok([(p, a), (c, a), (p, b), (c, b)])
}

/// And whether what all mappers say can be taken back: of memory that a fork shares, and of a file.
fn forgotten(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    told::forgotten(&w, &both_kinds(&w)?)?;
    w.finish()?;
    of_each_size(ctx, |w, p, a| {
        let c = p.fork("C")?;
        told::forgotten(w, &[(p, a), (c, a)])?;
        c.exit()
    })
}

/// And whether what DAMON has taken from the entries of one mapper is not lost. Both kinds, and folios of each size that both map.
fn remembered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let mappers = both_kinds(&w)?;
    for (actor, area) in mappers {
        actor.read(area)?;
    }
    damon::remembered(&w, &mappers)?;
    w.finish()?;
    of_each_size(ctx, |w, p, a| {
        let c = p.fork("C")?;
        damon::remembered(w, &[(p, a), (c, a)])?;
        c.exit()
    })
}

/// And that what was touched before it is marked idle is idle.
///
///   P  [0 1 2 3 4 5 6 7]      C, its child, the same      P  memfd [0 1 2 3]
fn marked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, 8)?;
    p.write(a)?;
    let file = w.object(Kind::Memfd, 4)?;
    let b = w.place(4);
    w.name(b, "b");
    p.map_object(b, &file, 0, RW, Share::Shared)?;
    p.write(b)?;
    let c = p.fork("C")?;
    told::marked(&w, &[(p, a), (c, a), (p, b)])?;
    w.finish()
}

/// And whether it is still known of all parts, and said of none that nobody touched, when the PMD that said so is split: one that may be written, one that a fork has made read-only,
/// and one that its owner may only read. By a change of one page's rights, and by advice about a half.
fn cut(ctx: &mut Ctx) -> TestResult {
    type Cut = fn(Actor, Area) -> TestResult;
    let cuts: [Cut; 2] = [
        |p, a| p.protect(a.page(1), NONE),
        |p, a| p.advise(a.sub(a.pages / 2..a.pages), advice::DONTDUMP),
    ];
    for (cut, touched) in cuts.into_iter().flat_map(|cut| [(cut, true), (cut, false)]) {
        for left in (0..told::TIMES).rev() {
            let w = World::new(ctx)?;
            let p = w.actor("P")?;
            let mut all = Vec::new();
            for name in ["own", "shared", "read_only"] {
                let a = w.place_huge(1)?;
                w.name(a, name);
                p.map_folio(a)?;
                all.push(a);
            }
            p.advise(all[0], advice::DONTFORK)?;
            p.protect(all[2], R)?;
            p.fork("C")?;
            let mut lost = None;
            for a in all {
                lost = lost.or(told::cut(&w, p, a, touched, cut)?);
            }
            match lost {
                None => {
                    w.finish()?;
                    break;
                }
                Some(lost) if left == 0 => return Err(w.report(&lost)),
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// And whether a touch is still known when the mapping is gone.
fn gone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    told::gone(&w)?;
    w.finish()
}

/// And whether a huge page that nobody touched is idle in all its parts once it is split.
fn split(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    idle::split(&w, p, a)?;
    w.finish()
}

/// And whether the parts of a huge page that was touched still count as accessed, when idle tracking had looked at it before it was split.
fn split_touched(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    told::split(&w, p, || {
        let a = Grain::Huge.map(&w, p, 1)?;
        p.write(a)?;
        Grain::Huge.verify(&w, p, a)?;
        Ok(a)
    })?;
    w.finish()
}

/// And whether all parts have the note that the page was referenced.
fn split_noted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    noted::split(&w)?;
    w.finish()
}

///   P  [0 1 2 .. 11 12'.. 15']     C  [0 .. 11 12 .. 15]     G  [4 .. 11], its own 8' .. 11'
fn forked(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 16)?;
    let c = p.fork("C")?;
    p.write(a.sub(12..16))?;
    let g = c.fork("G")?;
    g.unmap(a.sub(0..4))?;
    g.unmap(a.sub(12..16))?;
    g.write(a.sub(8..12))?;
    Ok(Vec::new())
}

///   P  |0 1 2 3|r 4 5 6 7|8 .. 11|    C  moved, the halves apart    D  [8 .. 11] on top of [0 .. 3]     G  P has exited by then
fn reshaped(w: &World, parent_exits: bool) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 12)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    p.protect(a.sub(4..8), R)?;
    let (one, two) = (w.place(6), w.place(6));
    w.name(one, "one");
    w.name(two, "two");
    c.move_to(a.sub(0..6), two)?;
    c.move_to(a.sub(6..12), one)?;
    d.move_to(a.sub(8..12), a.sub(0..4))?;
    d.fork("G")?;
    if parent_exits {
        p.exit()?;
    }
    Ok(Vec::new())
}

/// Eight mappers of each page: every one in its turn.
fn crowd(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 9)?;
    for name in ["C0", "C1", "C2", "C3", "C4", "C5", "C6"] {
        p.fork(name)?;
    }
    let _ = a;
    Ok(Vec::new())
}

///   P [0 .. 7]  Q [0 .. 7]  merged        C a child of P, forked since       R, twice in one process
fn merged(w: &World) -> TestResult<Exempt> {
    let p = filled(w, "P", 8)?;
    let q = like(w, "Q", 8, p)?;
    let twice = w.place(8);
    w.name(twice, "twice");
    q.0.map(twice)?;
    q.0.write_like(twice, p.0, p.1)?;
    merge(w, &[p, q, (q.0, twice)])?;
    p.0.fork("C")?;
    Ok(Vec::new())
}

///   object          0 1 .. 11
///   P  shared       0 1 .. 11        and again  4 .. 11
///   Q  private      0 1 .. 7, 6'7' copied       C  Q's child
fn object(w: &World) -> TestResult<Exempt> {
    let file = w.object(Kind::Memfd, 12)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (all, again, private) = (w.place(12), w.place(8), w.place(8));
    w.name(all, "all");
    w.name(again, "again");
    w.name(private, "private");
    p.map_object(all, &file, 0, RW, Share::Shared)?;
    p.write(all)?;
    p.map_object(again, &file, 4, R, Share::Shared)?;
    q.map_object(private, &file, 0, RW, Share::Private)?;
    q.write(private.sub(6..8))?;
    q.fork("C")?;
    Ok(Vec::new())
}

/// What reclaim may know of before it comes: given up once and written again, cold and touched since.
fn advised(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 12)?;
    p.advise(a, advice::COLD)?;
    let c = p.fork("C")?;
    c.advise(a.sub(0..6), advice::COLD)?;
    Ok(Vec::new())
}

/// A VMA that is read in order or at random keeps no page by its accesses (vma_has_recency()); those of other mappers count as ever, whoever is
/// asked first.
///
///   P  [0 .. 8]                             |sequential 9 10 11|random 12 13 14|15 16 17|
///   C  |sequential 0 1 2|random 3 4 5|6 7 8|                                   [9 .. 17]
fn no_recency(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 18)?;
    let c = p.fork("C")?;
    let mut exempt = Exempt::new();
    for (actor, from) in [(c, 0), (p, 9)] {
        actor.advise(a.sub(from..from + 3), advice::SEQUENTIAL)?;
        actor.advise(a.sub(from + 3..from + 6), advice::RANDOM)?;
        exempt.push((actor.id(), a.sub(from..from + 6)));
    }
    Ok(exempt)
}

/// Touches by processes in another cgroup keep no page when this one has to give pages back (invalid_folio_referenced_vma()), be they the first that are
/// asked or the last.
///
///   P, C  [0 .. 7]  ours     D, a child of P too, in the other cgroup
///   R     [0 .. 7]  in the other cgroup since it has written     S, its child, ours
fn cgroup(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 8)?;
    p.fork("C")?;
    let d = p.fork("D")?;
    d.enter_other_memcg()?;
    let (r, b) = filled(w, "R", 8)?;
    r.fork("S")?;
    r.enter_other_memcg()?;
    Ok(vec![(d.id(), a), (r.id(), b)])
}

/// One mapper has locked some: an access counts for idle tracking, and reclaim leaves them alone.
fn locked(w: &World) -> TestResult<Exempt> {
    let (p, a) = filled(w, "P", 9)?;
    let c = p.fork("C")?;
    // Read-only: a lock of writable memory would copy.
    c.protect(a, R)?;
    c.lock(a.sub(0..4), Lock::Full)?;
    p.fork("D")?;
    Ok(Vec::new())
}

/// Small folios, as many as there are to be touched in different ways.
fn folios<'w, 'c>(w: &'w World<'c>, n: usize) -> TestResult<(Actor<'w, 'c>, Vec<Area>)> {
    let pages = w.folio_size()?;
    if w.features().pmd_size == Some(pages * w.page_size()) {
        return Err(Stop::Skip("needs large folios of other sizes (mTHP)"));
    }
    let p = w.actor("P")?;
    let mut all = Vec::new();
    for _ in 0..n {
        let a = w.place_aligned(pages, pages);
        w.name(a, "folio");
        p.map_folio(a)?;
        all.push(a);
    }
    Ok((p, all))
}

/// Five times:   P  [0 ........ n-1]      C  [n/2 ... n-1]       D  [n-1]
fn folio_parts(w: &World) -> TestResult<Exempt> {
    let (p, all) = folios(w, 7)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    for a in all {
        c.unmap(a.sub(0..a.pages / 2))?;
        d.unmap(a.sub(0..a.pages - 1))?;
    }
    Ok(Vec::new())
}

/// Only parts are left of the folio: the first page in one, one of the middle in another, the last in a third.
fn folio_one_each(w: &World) -> TestResult {
    let (p, all) = folios(w, 2)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    for a in all {
        let n = a.pages;
        p.unmap(a.sub(1..n))?;
        c.unmap(a.sub(0..n / 2))?;
        c.unmap(a.sub(n / 2 + 1..n))?;
        d.unmap(a.sub(0..n - 1))?;
    }
    Ok(())
}

///   P, C  [======== PMD ========] twice        D  PTEs: one page protected        E  the last page
fn thp(w: &World) -> TestResult<Exempt> {
    let p = w.actor("P")?;
    let mut all = Vec::new();
    for _ in 0..2 {
        let a = w.place_huge(1)?;
        w.name(a, "huge");
        p.map_folio(a)?;
        all.push(a);
    }
    p.fork("C")?;
    let (d, e) = (p.fork("D")?, p.fork("E")?);
    for a in all {
        d.protect(a.page(1), R)?;
        e.unmap(a.sub(0..a.pages - 1))?;
    }
    Ok(Vec::new())
}

/// Three times:   P, C  [======== PMD ========]
fn thp_whole(w: &World) -> TestResult<Exempt> {
    let p = w.actor("P")?;
    for _ in 0..3 {
        let a = w.place_huge(1)?;
        w.name(a, "huge");
        p.map_folio(a)?;
    }
    p.fork("C")?;
    Ok(Vec::new())
}

const TOUCHED: Test = Test {
    about: "A touch through any mapper of a page counts, for idle tracking and for reclaim.",
    needs: &[Need::Pfn, Need::KpageFlags],
    ..Test::DEFAULT
};

const KSM: Test = Test {
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm],
    ..TOUCHED
};

const CGROUP: Test = Test {
    needs: &[Need::Pfn, Need::KpageFlags, Need::OtherMemcg],
    ..TOUCHED
};

const NESTED: Test = Test {
    about: "A touch by a process in a cgroup counts when a cgroup above it has to give pages back.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::NestedMemcg],
    ..TOUCHED
};

const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..TOUCHED
};

const FOLIO: Test = Test {
    knobs: walk::FOLIO_KNOBS,
    ..HUGE
};

const WATCHED: Test = Test {
    about: "Idle tracking and reclaim tell each other of the touches that either has seen.",
    ..TOUCHED
};

const WATCHED_KSM: Test = Test {
    about: WATCHED.about,
    ..KSM
};

const WATCHED_FOLIO: Test = Test {
    about: WATCHED.about,
    ..FOLIO
};

const DAMON: Test = Test {
    about: "DAMON counts accesses to a page through any mapper, and none to others.",
    knobs: damon::KNOBS,
    ..TOUCHED
};

const DAMON_KSM: Test = Test {
    about: DAMON.about,
    knobs: DAMON.knobs,
    ..KSM
};

const DAMON_HUGE: Test = Test {
    about: DAMON.about,
    knobs: DAMON.knobs,
    ..HUGE
};

///   P  plain [0 1 2 3]   memfd shared [0 1 2 3]   private [0'1 2 3]   all copies [0'1'2'3']
///   C  P's child, clears its own: 2, then 3 to clear_refs
fn cleared(ctx: &mut Ctx) -> TestResult {
    const N: usize = 4;
    let w = World::new(ctx)?;
    let (p, plain) = filled(&w, "P", N)?;
    let file = w.object(Kind::Memfd, N)?;
    let areas = [("shared", 0), ("private", 1), ("copies", N)];
    let [shared, private, copies] = areas.map(|(name, written)| {
        let area = w.place(N);
        w.name(area, name);
        (area, written)
    });
    for (area, written) in [shared, private, copies] {
        let share = match written {
            0 => Share::Shared,
            _ => Share::Private,
        };
        p.map_object(area, &file, 0, RW, share)?;
        if written > 0 {
            p.write(area.sub(0..written))?;
        }
    }
    let files = [shared, private, copies].map(|(area, _)| area);
    walk::cleared::by_kind(&w, p, &[plain], &files)?;
    let c = p.fork("C")?;
    walk::cleared::by_kind(&w, c, &[plain], &files)?;
    w.check()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const DAMON_FOLIO: Test = Test {
    about: DAMON.about,
    knobs: damon::FOLIO_KNOBS,
    ..HUGE
};

macro_rules! t {
    ($of:ident, $name:literal, $run:expr) => {
        Test {
            name: $name,
            run: $run,
            ..$of
        }
    };
}

const TESTS: &[Test] = &[
    t!(TOUCHED, "forked", |c| asked(c, forked)),
    t!(TOUCHED, "reshaped", |c| asked(c, |w| reshaped(w, false))),
    t!(TOUCHED, "reshaped.parent_exits", |c| asked(
        c,
        |w| reshaped(w, true)
    )),
    t!(TOUCHED, "crowd", |c| asked(c, crowd)),
    t!(TOUCHED, "moved", moved),
    t!(FOLIO, "moved.folios", folios_moved),
    Test {
        about: "MADV_COLD makes all pages of its area old, whatever folios they are part of.",
        ..t!(FOLIO, "cold", cold)
    },
    Test {
        about: "Clearing the accessed bits (clear_refs) leaves no page that counts as accessed, to nobody.",
        ..t!(FOLIO, "forgotten", forgotten)
    },
    Test {
        about: "Accessed bits are cleared of the kind of areas that it is asked for (clear_refs).",
        ..t!(TOUCHED, "cleared", cleared)
    },
    Test {
        about: "What was accessed, and nothing else, counts as accessed where it has moved to.",
        ..t!(FOLIO, "moved.counted", |c| of_each_size(c, |w, p, a| {
            told::moved_untouched(w, p, a)?;
            told::moved(w, p, a)
        }))
    },
    Test {
        about: "What was accessed, and nothing else, counts as accessed where its area has moved to.",
        ..t!(FOLIO, "remapped", |c| of_each_size(c, |w, p, a| {
            let to = w.place_aligned(a.pages, a.pages);
            w.name(to, "to");
            told::remapped(w, p, a, to)
        }))
    },
    Test {
        about: "What a PMD says of accesses is said of all its parts when it is split.",
        ..t!(FOLIO, "cut", cut)
    },
    t!(TOUCHED, "marked", marked),
    Test {
        about: "A child has accessed none of its pages, whatever its parent has.",
        ..t!(FOLIO, "born", |c| of_each_size(c, |w, p, a| told::born(
            w, p, a
        )))
    },
    Test {
        about: "A page of a file that was touched counts as accessed when the mapping is gone.",
        ..t!(TOUCHED, "gone", gone)
    },
    uncounted::SEQUENTIAL,
    uncounted::SEQUENTIAL_GONE,
    uncounted::MOVED_ACTIVE,
    uncounted::SWAPOFF,
    t!(NESTED, "cgroup.above", |c| spared_from_above(c, forked)),
    t!(WATCHED, "watched", watched),
    t!(WATCHED_KSM, "watched.ksm", |c| spared_watched(c, merged)),
    t!(WATCHED_FOLIO, "watched.folio", |c| spared_watched(
        c,
        folio_parts
    )),
    Test {
        about: "What nobody has touched is idle after a split.",
        needs: Grain::HUGE_NEEDS,
        ..t!(TOUCHED, "split", split)
    },
    Test {
        about: "What was touched counts as accessed after a split.",
        needs: Grain::HUGE_NEEDS,
        ..t!(TOUCHED, "split.touched", split_touched)
    },
    Test {
        about: "What was referenced is so in all its parts after a split.",
        needs: Grain::HUGE_NEEDS,
        ..t!(TOUCHED, "split.noted", split_noted)
    },
    t!(KSM, "ksm", |c| asked(c, merged)),
    t!(TOUCHED, "memfd", |c| asked(c, object)),
    t!(TOUCHED, "advised", |c| asked(c, advised)),
    t!(TOUCHED, "no_recency", |c| asked(c, no_recency)),
    t!(CGROUP, "cgroup", |c| asked(c, cgroup)),
    t!(TOUCHED, "locked", |c| asked(c, locked)),
    t!(FOLIO, "folio", |c| asked(c, folio_parts)),
    t!(FOLIO, "folio.one_page_each", |c| asked_idle(
        c,
        folio_one_each
    )),
    t!(HUGE, "thp", |c| asked(c, thp)),
    t!(DAMON, "damon.forked", |c| counted(c, forked)),
    t!(DAMON, "damon.reshaped", |c| counted(c, |w| reshaped(
        w, false
    ))),
    t!(DAMON, "damon.crowd", |c| counted(c, crowd)),
    t!(DAMON, "damon.memfd", |c| counted(c, object)),
    t!(DAMON_KSM, "damon.ksm", |c| counted(c, merged)),
    t!(DAMON_FOLIO, "damon.folio", |c| counted(c, folio_parts)),
    t!(DAMON_HUGE, "damon.thp", |c| counted(c, thp)),
    t!(DAMON_HUGE, "damon.thp.whole", |c| counted(c, thp_whole)),
    Test {
        about: "What was touched counts as accessed when DAMON has looked at it.",
        ..t!(DAMON_FOLIO, "damon.remembered", remembered)
    },
];

pub fn main() {
    run("referenced", "every mapper's touch of a page counts", TESTS)
}
