// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim that not all mappers of a page have asked for: memory given up by one (MADV_FREE), advice by one or from outside, pages that
//! are charged to the cgroup of one; and what brings them back without an access.
//!
//! tests/swap.rs has the orders in which sharers touch what is in swap. Here it is decided who loses what: a page that one gave up
//! goes from him alone (try_to_unmap_one() looks at each mapper's dirty bit, and puts back what is dirty), everything else goes from all
//! or from none, and the counts of both are right at every moment.

use helpers::kernel::pagemap::{NO_SWAP, State};
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Fix, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW, filled, like};
use helpers::walk::charge::Owners;
use helpers::walk::merge::merge;
use helpers::walk::pressure::{reclaim_of, together};
use helpers::walk::reclaim::{self, press, swap_off, swap_out};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};
use std::time::Duration;

#[path = "reclaim/forked.rs"]
mod forked;
#[path = "reclaim/given_up.rs"]
mod given_up;
#[path = "reclaim/mincore.rs"]
mod mincore;
#[path = "reclaim/moved.rs"]
mod moved;
#[path = "reclaim/pageout.rs"]
mod pageout;
#[path = "reclaim/part.rs"]
mod part;
#[path = "reclaim/threads.rs"]
mod threads;

/// Every walk, then every sharer writes.
fn walks(w: World) -> TestResult {
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Reclaim; then each freed page has its old content or zeroes, and everybody else's is as it was.
fn press_freed(w: &World, freed: &[(Actor, Area)]) -> TestResult {
    press(w)?;
    let mut gone = 0;
    for (actor, area) in freed {
        gone += actor.settle_freed(*area)?;
    }
    w.diag(format_args!("{gone} freed pages were taken"));
    w.check()
}

/// Two pages of each fate; G, C's child, frees nothing but the last two.
///
///   P  [free][free][free, written][free][free, forked][free, moved][free][free]
///   C  [    ][written after][     ][free][            ][           ][cold][free]
///   G  [                                                                 ][free]
fn free_shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 16)?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    let pair = |i: usize| a.sub(2 * i..2 * i + 2);
    p.free(a)?;
    c.write(pair(1))?;
    p.write(pair(2))?;
    c.free(pair(3))?;
    // Clean and given up in both: each may lose it, G may not.
    let d = p.fork("D")?;
    d.unmap(a.sub(0..8))?;
    d.unmap(a.sub(10..16))?;
    d.write(a.page(9))?;
    let moved = w.place(2);
    w.name(moved, "moved");
    p.move_to(pair(5), moved)?;
    c.advise(pair(6), advice::COLD)?;
    c.free(pair(7))?;
    g.free(pair(7))?;
    press_freed(
        &w,
        &[
            (p, a.sub(0..4)),
            (p, a.sub(6..10)),
            (p, moved),
            (p, a.sub(12..16)),
            (c, pair(3)),
            (c, pair(7)),
            (g, pair(7)),
            (d, a.page(8)),
        ],
    )?;
    walks(w)
}

/// Given up while in swap: zeroes at once for whoever gave it up, and nobody else's entry is gone with it.
///
///   P  [out, freed][out][in, freed][in again by C, freed]
///   C  [out       ][out][in       ][in                  ]
fn free_swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 10)?;
    let own = w.place(4);
    w.name(own, "own");
    p.map(own)?;
    p.write(own)?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    swap_out(&w)?;
    p.read(a.sub(4..6))?;
    c.read(a.sub(6..8))?;
    c.write(a.sub(8..10))?;
    // Clean pages that still have their slots in swap, P's alone.
    p.read(own)?;
    p.free(own)?;
    for part in [a.sub(0..2), a.sub(4..10)] {
        let before = w.states(p, part)?;
        p.free(part)?;
        // What comes back from swap by itself meanwhile is there, and no entry of swap any more.
        let after = w.states(p, part)?;
        let is_out =
            |state: &State| matches!(state, State::Swapped(Some((kind, _))) if *kind < NO_SWAP);
        let left = before
            .iter()
            .zip(&after)
            .filter(|(b, a)| is_out(b) && is_out(a));
        let left = left.count();
        if left > 0 {
            return Err(Stop::fail(format_args!(
                "what is given up in swap is gone at once (madvise_free_pte_range()): {left} page(s) still have their slots"
            )));
        }
    }
    w.check_shares()?;
    press_freed(&w, &[(p, own), (p, a.sub(0..2)), (p, a.sub(4..10))])?;
    walks(w)
}

/// One folio, half of it shared and half not, given up as a whole and written again in the half that is its owner's: entries that may be
/// written beside others that may not are put back as they were.
///
///   P  |0 shared .. n/2-1|n/2 own ... n-1|      one VMA, all given up; some of the own half written
///   C  |0 ........ n/2-1 |                      G, its child, all but 0
fn free_folio(ctx: &mut Ctx, write_shared: bool) -> TestResult {
    let w = World::new(ctx)?;
    let n = w.folio_size()?;
    let a = w.place_aligned(n, n);
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map_folio(a)?;
    let (first, own) = (a.sub(0..n / 2), a.sub(n / 2..n));
    p.advise(own, advice::DONTFORK)?;
    let c = p.fork("C")?;
    p.advise(own, advice::DOFORK)?;
    let g = c.fork("G")?;
    g.unmap(first.page(0))?;
    p.free(a)?;
    let written = own.sub(1..3);
    p.write(written)?;
    let mut freed = vec![(p, own.page(0)), (p, own.sub(3..n / 2))];
    if write_shared {
        // Copied: the page that C has is P's no more.
        p.write(first.page(0))?;
        freed.push((p, first.sub(1..n / 2)));
    } else {
        freed.push((p, first));
    }
    press_freed(&w, &freed)?;
    c.write(first.page(1))?;
    w.check()?;
    walks(w)
}

/// Parts of folios given up, which nobody else maps: one page at an end, one in the middle, a half. Of each size, and of a huge page that is
/// mapped by single entries.
///
///   P  [f . . . ]   [. . f . ]   [. . f f ]
fn free_part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let sizes = w.folio_sizes()?;
    let pmd = sizes[sizes.len() - 1];
    let all = sizes.iter().map(|n| (*n, false)).chain([(pmd, true)]);
    for (n, by_ptes) in all {
        let a = w.place_aligned(n, n);
        w.name(a, "a");
        for (from, to) in [(0, 1), (n - 1, n), (n / 2, n / 2 + 1), (n / 2, n)] {
            p.map_folio(a)?;
            if by_ptes {
                p.protect(a.page(1), R)?;
                p.protect(a.page(1), RW)?;
            }
            p.free(a.sub(from..to))?;
            press_freed(&w, &[(p, a.sub(from..to))])?;
            w.check()?;
            p.unmap(a)?;
        }
    }
    w.finish()
}

/// A huge page given up, and what its sharers do until reclaim comes.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// P alone has it, and writes one page of it again.
    Write,
    /// The same, and asks for all of it to go.
    PageOut,
    /// Forked: both may lose all but what they write.
    Fork,
    /// Shared when it is given up; C never gave it up.
    Shared,
}

///   P  [======== PMD ========]  given up       C  the same, before or after
fn free_thp(ctx: &mut Ctx, then: Then) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map_folio(a)?;
    let n = a.pages;
    let mut freed = Vec::new();
    match then {
        Then::Write | Then::PageOut => {
            p.free(a)?;
            p.write(a.page(n / 2))?;
            // At once: reclaim of its own accord spares what was touched just now.
            if then == Then::PageOut {
                p.advise(a, advice::PAGEOUT)?;
            }
        }
        Then::Fork => {
            p.free(a)?;
            let c = p.fork("C")?;
            p.write(a.page(n / 2))?;
            c.write(a.page(0))?;
            freed.push((c, a.sub(1..n)));
        }
        Then::Shared => {
            p.fork("C")?.fork("G")?;
            p.free(a)?;
            p.write(a.page(n / 2))?;
        }
    }
    freed.push((p, a.sub(0..n / 2)));
    freed.push((p, a.sub(n / 2 + 1..n)));
    press_freed(&w, &freed)?;
    p.fork("late")?;
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Copies of file pages beside pages that are the file's own, in one VMA; the file has another mapper.
///
///   file        0 1 2 3 4 5 6 7
///   P  private  0 1'2 3'4 5 6 7           C  private  0 1'2'3'4 5 6 7       Q  shared  4 5 6 7
fn private_file(ctx: &mut Ctx, kind: Kind) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(kind, 8)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(8), w.place(4));
    w.name(a, "private");
    w.name(b, "shared");
    q.map_object(b, &file, 4, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a.page(1))?;
    p.write(a.page(3))?;
    let c = p.fork("C")?;
    c.write(a.page(2))?;
    if kind == Kind::Disk {
        w.sync(&file)?;
    }
    for by in [p, q, c] {
        let area = if by.id() == q.id() { b } else { a };
        together(&w, || by.advise(area, advice::PAGEOUT))?;
        w.check()?;
    }
    c.write(a.page(5))?;
    press(&w)?;
    w.check()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Which cgroup is told to give its pages back.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Ours,
    Other,
}

/// Pages are charged to the cgroup of who touched them first, and mapped by processes in another.
///
///   ours    P  [0 1 2 3 4 5 6 7]                 object [0 1 2 3] written by P
///   other   C  [0 1 2'3'4 5 6 7]   D as C        Q  the object, 2 3 more of it written by it
fn cgroups(ctx: &mut Ctx, of: Of) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let object = w.object(Kind::Memfd, 6)?;
    let s = w.place(6);
    w.name(s, "shared");
    p.map_object(s, &object, 0, RW, Share::Shared)?;
    p.write(s.sub(0..4))?;
    let mine = filled(&w, "plain", 4)?;
    let c = p.fork("C")?;
    c.enter_other_memcg()?;
    let q = w.actor("Q")?;
    q.enter_other_memcg()?;
    c.write(a.sub(2..4))?;
    q.map_object(s, &object, 0, RW, Share::Shared)?;
    q.write(s.sub(4..6))?;
    let theirs = w.place(4);
    w.name(theirs, "theirs");
    q.map(theirs)?;
    q.write(theirs)?;
    let d = c.fork("D")?;
    w.check()?;
    let (arena, both) = (w.arena(), [a.sub(0..2), a.sub(4..8)]);
    let unfit = |e: &&'static str| Stop::Skip(e);
    match of {
        Of::Ours => {
            let memcg = arena.memcg.as_ref().map_err(unfit)?;
            // P's and what is left to P alone; D is a mapper in the other one, and Q of the object.
            let owed = [
                (d, both[0]),
                (d, both[1]),
                (p, a.sub(2..4)),
                (q, s.sub(0..2)),
            ];
            reclaim_of(&w, memcg, &owed, mine)?;
        }
        Of::Other => {
            let memcg = arena.other_memcg.as_ref().map_err(unfit)?;
            let owed = [(c, a.sub(2..4)), (d, a.sub(2..4))];
            reclaim_of(&w, memcg, &owed, (q, theirs))?;
        }
    }
    w.check_partly()?;
    w.check_shares()?;
    w.check()?;
    if of == Of::Ours {
        p.exit()?;
    }
    walks(w)
}

/// A child finds a droppable area empty, as after MADV_WIPEONFORK (do_mmap(), MAP_DROPPABLE), and so does its child.
fn not_inherited(w: &World, p: Actor, drop: Area) -> TestResult {
    let c = p.fork("C")?;
    for actor in [p, c, c.fork("G")?] {
        let (pid, addr) = (actor.pid()?, drop.vpn * w.page_size());
        let flags = vma::vm_flags(pid, addr).doing("read smaps")?;
        if flags.is_some_and(|flags| !flags.iter().any(|f| f == "wf")) {
            return Err(Stop::fail(format_args!(
                "a droppable area is wiped at fork: {} lacks wf in VmFlags",
                actor.name()
            )));
        }
        // Nobody but P has touched it.
        let kb = vma::smaps_kb(pid, addr, "Rss").doing("read smaps")?;
        if actor.id() != p.id() && kb.is_some_and(|kb| kb > 0) {
            return Err(Stop::fail(format_args!(
                "a child gets nothing of a droppable area: {} has Rss {} kB of it",
                actor.name(),
                kb.unwrap_or(0)
            )));
        }
        if actor.id() != p.id() {
            actor.exit()?;
        }
    }
    Ok(())
}

/// Pages that may be dropped are never swapped, written to or not (try_to_unmap_one(), VM_DROPPABLE), and no child gets them.
///
///   P  droppable [0 .. 31]   [0 .. 7]        C  P's child: none of the first
fn droppable(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, plain) = filled(&w, "P", 8)?;
    let drop = w.place(32);
    w.name(drop, "droppable");
    p.map_droppable(drop)?;
    let pid = p.pid()?;
    let kb = |a: Area, field| {
        let kb = vma::smaps_kb(pid, a.vpn * w.page_size(), field).doing("read smaps")?;
        kb.ok_or(Stop::Skip("needs smaps"))
    };
    not_inherited(&w, p, drop)?;
    let all = kb(drop, "Rss")?;
    let mut until = w.limit(Duration::from_secs(2));
    while kb(drop, "Rss")? == all {
        if until.over() {
            // What reclaim takes is in swap as long as nobody reads it.
            if kb(plain, "Rss")? == 0 {
                return Err(Stop::fail(
                    "pages of a droppable area are dropped: reclaim has taken all of a plain area, and none of these",
                ));
            }
            return Err(Stop::Skip("needs pages that reclaim can take now"));
        }
        reclaim::pass(&w)?;
    }
    let swap = kb(drop, "Swap")?;
    if swap > 0 {
        return Err(Stop::fail(format_args!(
            "pages of a droppable area are dropped, never swapped: Swap {swap} kB"
        )));
    }
    // Nor are they merged with what is not to be dropped (vma_ksm_compatible()).
    match p.advise(drop, advice::MERGEABLE) {
        Err(Stop::Skip(_)) => {}
        Err(stop) => return Err(stop),
        Ok(()) => {
            let flags = vma::vm_flags(pid, drop.vpn * w.page_size()).doing("read smaps")?;
            if flags.is_some_and(|flags| flags.iter().any(|f| f == "mg")) {
                return Err(Stop::fail("a droppable area is not mergeable: VmFlags mg"));
            }
        }
    }
    p.unmap(drop)?;
    walks(w)
}

/// Pages of one cgroup are read from swap by processes of another.
///
///   P  (ours)   a [0 .. 7]   s [0 .. 7] a memfd's      D  P's child (theirs)  reads 0 .. 3     Q  (theirs)  maps s and reads 4 .. 7
fn read_by_others(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let object = w.object(Kind::Memfd, 8)?;
    let s = w.place(8);
    w.name(s, "s");
    p.map_object(s, &object, 0, RW, Share::Shared)?;
    p.write(s)?;
    let d = p.fork("D")?;
    d.enter_other_memcg()?;
    let q = w.actor("Q")?;
    q.enter_other_memcg()?;
    q.map_object(s, &object, 0, RW, Share::Shared)?;
    let owners = Owners::of(&w)?;
    swap_out(&w)?;
    d.read(a.sub(0..4))?;
    q.read(s.sub(4..8))?;
    owners.judge(&w)?;
    p.read(a)?;
    d.read(s)?;
    owners.judge(&w)?;
    walks(w)
}

/// What comes back without an access: read ahead into the swap cache (MADV_WILLNEED) and for reading or writing (MADV_POPULATE_*).
///
///   P  [need][need][read][read][write][write][   ]       C touches after, or before
fn populated(ctx: &mut Ctx, child_first: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 14)?;
    let c = p.fork("C")?;
    let late = p.fork("D")?;
    swap_out(&w)?;
    if child_first {
        c.read(a.sub(0..3))?;
        c.write(a.sub(3..6))?;
        c.read(a.sub(8..10))?;
    }
    p.advise(a.sub(0..4), advice::WILLNEED)?;
    w.check_partly()?;
    w.check_mincore()?;
    p.advise(a.sub(4..8), advice::POPULATE_READ)?;
    p.advise(a.sub(8..12), advice::POPULATE_WRITE)?;
    w.check_partly()?;
    w.check_shares()?;
    w.check_mincore()?;
    late.write(a.sub(2..10))?;
    c.read(a.sub(0..4))?;
    w.check_partly()?;
    w.check_shares()?;
    p.exit()?;
    w.check_partly()?;
    walks(w)
}

/// Shares and mincore at every stage of pages that some have and others have in swap.
///
///   P [0 .. 11]     C [0 1'..]     G [.. 11]     Q, a stranger, merges with P's 8 to 11
fn shares(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 12)?;
    let never = w.place(3);
    w.name(never, "never");
    p.map(never)?;
    let judge = || -> TestResult {
        w.check_shares()?;
        w.check_mincore()
    };
    judge()?;
    let c = p.fork("C")?;
    c.write(a.sub(1..3))?;
    let g = c.fork("G")?;
    g.unmap(a.sub(0..6))?;
    judge()?;
    swap_out(&w)?;
    judge()?;
    let d = g.fork("D")?;
    judge()?;
    c.read(a.sub(0..8))?;
    judge()?;
    d.write(a.sub(6..8))?;
    p.advise(a.sub(10..12), advice::DONTNEED)?;
    judge()?;
    press(&w)?;
    judge()?;
    g.exit()?;
    p.unmap(a.page(9))?;
    judge()?;
    p.fork("E")?;
    judge()?;
    w.check()?;
    judge()?;
    walks(w)
}

/// swapoff with a large folio of which parts are in again and parts given up, beside pages that KSM has merged.
///
///   P  [0 .... n/4 in again ...... n-1]     C  [n/2 ... n-1], one written     Q  equal to P's small pages
fn off(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let n = w.folio_size()?;
    let a = w.place_aligned(n, n);
    w.name(a, "a");
    let (p, small) = filled(&w, "P", 4)?;
    p.map_folio(a)?;
    let q = like(&w, "Q", 4, (p, small))?;
    if w.arena().ksm.is_ok() {
        merge(&w, &[(p, small), q])?;
    }
    let c = p.fork("C")?;
    c.unmap(a.sub(0..n / 2))?;
    swap_out(&w)?;
    p.read(a.sub(n / 8..n / 4))?;
    c.write(a.page(n - 1))?;
    c.read(a.sub(n / 2..n / 2 + 2))?;
    p.write(a.page(n / 2))?;
    p.advise(a.sub(0..2), advice::DONTNEED)?;
    w.check_partly()?;
    let off = swap_off(&w)?;
    w.check()?;
    drop(off);
    walks(w)
}

const FREE: Test = Test {
    about: "What one sharer gives up (MADV_FREE) is lost to him alone, and not when it is written again.",
    needs: &[Need::Pfn, Need::Reclaim],
    ..Test::DEFAULT
};

/// What a test of large folios that are reclaimed declares.
const LARGE_NEEDS: &[Need] = &[
    Need::Reclaim,
    Need::Thp,
    Need::Pfn,
    Need::KpageFlags,
    Need::MemMib(64),
];

const FREE_HUGE: Test = Test {
    needs: LARGE_NEEDS,
    ..FREE
};

const FREE_FOLIO: Test = Test {
    about: "A folio given up is put back with each of its entries as it was.",
    knobs: walk::FOLIO_KNOBS,
    guards: &[Fix {
        commit: "29f40594a281",
        subject: "mm/rmap: fix incorrect pte restoration for lazyfree folios",
    }],
    ..FREE_HUGE
};

const FILE: Test = Test {
    about: "Copies and the file's own pages in one VMA go and come each in its own way.",
    ..FREE
};

const CGROUPS: Test = Test {
    about: "A cgroup that gives its pages back gets them from the mappers in another cgroup too.",
    needs: &[Need::Pfn, Need::OtherMemcg],
    ..Test::DEFAULT
};

const DROPPED: Test = Test {
    about: "Pages of a droppable area go when memory is short, and neither to swap nor to a child.",
    ..FREE
};

const CHARGED: Test = Test {
    about: "A page that comes back from swap is charged to the cgroup that it was charged to, whoever reads it.",
    ..CGROUPS
};

const BACK: Test = Test {
    about: "Pages that come back without an access are found, and are their owners'.",
    ..FREE
};

const SHARES: Test = Test {
    about: "smaps and mincore count a page for each process by who has it, in memory and in swap.",
    ..FREE
};

const OFF: Test = Test {
    about: "swapoff brings back what is left of a large folio, for each sharer.",
    needs: &[
        Need::Reclaim,
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::MemMib(300),
    ],
    knobs: walk::FOLIO_KNOBS,
    ..Test::DEFAULT
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
    t!(FREE, "free.shared", free_shared),
    t!(FREE, "free.swapped", free_swapped),
    given_up::TAKEN,
    given_up::TAKEN_THP,
    t!(FREE_FOLIO, "free.folio", |c| free_folio(c, false)),
    t!(FREE_FOLIO, "free.folio.copied", |c| free_folio(c, true)),
    forked::WRITTEN_AGAIN,
    t!(FREE_FOLIO, "free.part", free_part),
    t!(FREE_HUGE, "free.thp", |c| free_thp(c, Then::Write)),
    t!(FREE_HUGE, "free.thp.paged_out", |c| free_thp(
        c,
        Then::PageOut
    )),
    t!(FREE_HUGE, "free.thp.forked", |c| free_thp(c, Then::Fork)),
    t!(FREE_HUGE, "free.thp.shared", |c| free_thp(c, Then::Shared)),
    moved::BASE,
    moved::FOLIO,
    moved::THP,
    pageout::INSIDE,
    pageout::OUTSIDE,
    pageout::SHARED,
    pageout::SHARED_FOLIO,
    pageout::SHARED_HUGE,
    part::PAGEOUT,
    threads::WRITTEN,
    threads::READ_BACK,
    threads::GIVEN_UP,
    threads::WRITTEN_AGAIN,
    threads::MEMFD,
    t!(FILE, "private.memfd", |c| private_file(c, Kind::Memfd)),
    Test {
        name: "private.disk",
        needs: &[Need::Pfn, Need::Reclaim, Need::Disk],
        run: |c| private_file(c, Kind::Disk),
        ..FILE
    },
    t!(CGROUPS, "cgroup.ours", |c| cgroups(c, Of::Ours)),
    t!(CGROUPS, "cgroup.other", |c| cgroups(c, Of::Other)),
    t!(DROPPED, "droppable", droppable),
    t!(CHARGED, "cgroup.read_by_others", read_by_others),
    t!(BACK, "populated", |c| populated(c, false)),
    t!(BACK, "populated.child_first", |c| populated(c, true)),
    t!(SHARES, "shares", shares),
    mincore::MEMFD,
    mincore::DISK,
    mincore::WILLNEED,
    t!(OFF, "off.folio", off),
];

pub fn main() {
    run(
        "reclaim",
        "reclaim that not all mappers have asked for",
        TESTS,
    )
}
