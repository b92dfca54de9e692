// SPDX-License-Identifier: GPL-2.0-or-later
//! mlock of one mapper among many.
//!
//! A shared page can be locked only through a VMA that may not be written (a lock of a writable one copies). The page is then mlocked
//! for all its mappers: reclaim keeps it, migration carries the mark along, whoever leaves without ever having locked it changes
//! nothing, and with the last locked mapper it is an ordinary page again.

use helpers::kernel::kpage::Flags;
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Knob, Need, Test, main as run};
use helpers::topology::{self, Grain, R, RW, filled};
use helpers::walk::compact::COMPACT;
use helpers::walk::ksm::KSM;
use helpers::walk::migrate::MIGRATE;
use helpers::walk::mlocked::{self, expect};
use helpers::walk::reclaim::{RECLAIM, swap_out};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

#[path = "mlock/born.rs"]
mod born;
#[path = "mlock/compacted.rs"]
mod compacted;
#[path = "mlock/large.rs"]
mod large;
#[path = "mlock/moved.rs"]
mod moved;
#[path = "mlock/object.rs"]
mod object;
#[path = "mlock/refused.rs"]
mod refused;
#[path = "mlock/several.rs"]
mod several;

/// How a mapping goes away.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Unlock,
    Unmap,
    Exit,
    Exec,
    Over,
}

fn leave(w: &World, actor: Actor, a: Area, how: End) -> TestResult {
    match how {
        End::Unlock => actor.unlock(a),
        End::Unmap => actor.unmap(a),
        End::Exit => actor.exit(),
        End::Exec => actor.exec(),
        End::Over => {
            let b = w.place(a.pages);
            w.name(b, "over");
            actor.map(b)?;
            actor.write(b)?;
            actor.move_to(b, a)
        }
    }
}

/// VmLck of a process, pages.
#[track_caller]
fn vm_locked(w: &World, actor: Actor, pages: u64) -> TestResult {
    let kb = vma::status_kb(actor.pid()?, "VmLck").doing("read status")?;
    let seen = kb.unwrap_or(0) * 1024 / w.page_size() as u64;
    if seen != pages {
        return Err(Stop::fail(format_args!(
            "VmLck counts the pages of locked VMAs: actor {} expected {pages}, seen {seen}",
            actor.name()
        )));
    }
    Ok(())
}

/// Reclaim alone; where it is not offered the marks must do.
fn reclaim(w: &World) -> TestResult {
    match walk::only(w, &RECLAIM) {
        Err(Stop::Skip(_)) => Ok(()),
        other => other,
    }
}

///   P [rw] -- C [r, locked] , D [r], S, T [rw]      all but C leave first, each in another way; the lock holds
fn one_among_many(ctx: &mut Ctx, end: End) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", 4)?;
    let others = [p.fork("S")?, p.fork("T")?, p.fork("U")?, p.fork("V")?];
    let c = p.fork("C")?;
    let d = c.fork("D")?;
    c.protect(a, R)?;
    d.protect(a, R)?;
    c.lock(a, Lock::Full)?;
    expect(&w, c, a, true)?;
    w.check_shares()?;
    let ways = [End::Exit, End::Unmap, End::Exec, End::Over];
    for (other, way) in others.into_iter().zip(ways) {
        leave(&w, other, a, way)?;
        expect(&w, c, a, true)?;
    }
    p.write(a.sub(0..2))?;
    expect(&w, c, a, true)?;
    expect(&w, p, a.sub(0..2), false)?;
    p.unmap(a.sub(2..4))?;
    expect(&w, c, a, true)?;
    walk::every_on_offer(&w)?;
    vm_locked(&w, c, 4)?;
    w.check_shares()?;
    expect(&w, d, a, true)?;
    leave(&w, c, a, end)?;
    w.check_shares()?;
    expect(&w, d, a, false)?;
    walk::every_on_offer(&w)?;
    d.protect(a, RW)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// In which three lockers go.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

///   P, C, S [r, locked]  T [r]      P, C and S go in all orders, by munlock, munmap and exit
fn three_lockers(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let mut kept = 0;
    for (i, order) in ORDERS.iter().enumerate() {
        let (p, a) = filled(&w, "P", 8)?;
        let (c, s, t) = (p.fork("C")?, p.fork("S")?, p.fork("T")?);
        let lockers = [p, c, s];
        for actor in lockers {
            actor.protect(a, R)?;
            actor.lock(a, Lock::Full)?;
            expect(&w, t, a, true)?;
        }
        for (turn, &who) in order.iter().enumerate() {
            let way = [End::Unlock, End::Unmap, End::Exit][(turn + i) % 3];
            leave(&w, lockers[who], a, way)?;
            if turn < 2 {
                kept += mlocked::count(&w, t, a)?;
                reclaim(&w)?;
            }
        }
        expect(&w, t, a, false)?;
        reclaim(&w)?;
        t.write(a)?;
        w.check()?;
    }
    // Isolated from its list for a moment a page's lockers are undercounted: that happens to some pages, not to all.
    if kept == 0 {
        return Err(Stop::fail(
            "a page stays mlocked while one of its lockers is left: not one of 96 did",
        ));
    }
    w.finish()
}

///   P [rw, locked]    written after a fork: the copy is mlocked, the old page is the child's and is not
///   C [rw]
fn copied(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", 6)?;
    p.lock(a, Lock::Full)?;
    expect(&w, p, a, true)?;
    let c = p.fork("C")?;
    vm_locked(&w, c, 0)?;
    expect(&w, c, a, true)?;
    p.write(a.sub(0..2))?;
    expect(&w, p, a, true)?;
    expect(&w, c, a.sub(0..2), false)?;
    c.write(a.sub(2..4))?;
    expect(&w, p, a, true)?;
    expect(&w, c, a.sub(2..4), false)?;
    walk::every_on_offer(&w)?;
    expect(&w, p, a, true)?;
    // The child's own lock copies what is left.
    c.lock(a, Lock::Full)?;
    expect(&w, c, a, true)?;
    p.unlock(a)?;
    expect(&w, p, a, false)?;
    expect(&w, c, a, true)?;
    walk::every_on_offer(&w)?;
    c.unlock(a.sub(1..3))?;
    vm_locked(&w, c, 4)?;
    expect(&w, c, a.sub(1..3), false)?;
    expect(&w, c, a.page(0), true)?;
    expect(&w, c, a.sub(3..6), true)?;
    // A locked page shared through a read-only VMA is copied when that may be written.
    let d = c.fork("D")?;
    d.protect(a.sub(1..3), R)?;
    d.lock(a.sub(1..3), Lock::Full)?;
    expect(&w, c, a.sub(1..3), true)?;
    d.protect(a.sub(1..3), RW)?;
    expect(&w, d, a.sub(1..3), true)?;
    expect(&w, c, a.sub(1..3), false)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Every walk that puts a page back into a locked area marks it again: looked at after each, since reclaim mends what others forgot.
///
///   P [rw]  C [r, locked]  S [r, locked]      and b: P's alone, locked
fn carried(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", 16)?;
    let b = w.place(16);
    w.name(b, "b");
    p.map(b)?;
    p.write(b)?;
    p.lock(b, Lock::Full)?;
    let (c, s) = (p.fork("C")?, p.fork("S")?);
    c.protect(a, R)?;
    c.lock(a, Lock::Full)?;
    s.protect(a.sub(8..16), R)?;
    s.lock(a.sub(8..16), Lock::Full)?;
    let mut taken = 0;
    for one in [&MIGRATE, &COMPACT, &COMPACT, &KSM, &MIGRATE, &COMPACT] {
        match walk::only(&w, one) {
            Ok(()) => taken += 1,
            Err(Stop::Skip(_)) => {}
            Err(stop) => return Err(stop),
        }
        expect(&w, p, a, true)?;
        expect(&w, p, b, true)?;
    }
    if taken == 0 {
        return Err(Stop::Skip("needs an rmap walk that moves pages"));
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// cea86fe246b6 ("mm/munlock: rmap call mlock_vma_page() munlock_vma_page()"): before it only mlock(2) itself marks what is mapped already, and
/// reclaim what it comes across.
fn marked_when_mapped(w: &World) -> TestResult {
    mlocked::shown(w)?;
    if w.features().version() < (5, 18) {
        return Err(Stop::Skip(
            "needs pages that are mlocked when they are mapped (Linux 5.18)",
        ));
    }
    Ok(())
}

/// MLOCK_ONFAULT: what is there is mlocked, what comes later is mlocked when it comes.
fn on_fault(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    marked_when_mapped(&w)?;
    let p = w.actor("P")?;
    let a = w.place(6);
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..2))?;
    let c = p.fork("C")?;
    p.lock(a, Lock::OnFault)?;
    expect(&w, p, a.sub(0..2), true)?;
    p.write(a.sub(3..5))?;
    expect(&w, p, a.sub(3..5), true)?;
    p.write(a.page(0))?;
    expect(&w, p, a.page(0), true)?;
    expect(&w, c, a.page(0), false)?;
    walk::every_on_offer(&w)?;
    vm_locked(&w, p, 6)?;
    // What is locked counts once, however many times it is, and how.
    for (part, how) in [
        (a.sub(1..4), Lock::Full),
        (a, Lock::Full),
        (a.sub(2..6), Lock::OnFault),
        (a, Lock::OnFault),
    ] {
        p.lock(part, how)?;
        vm_locked(&w, p, 6)?;
    }
    expect(&w, p, a, true)?;
    p.unlock(a)?;
    vm_locked(&w, p, 0)?;
    expect(&w, p, a.sub(0..2), false)?;
    expect(&w, p, a.sub(3..5), false)?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Locked areas split, moved and taken to pieces: marks and counts follow.
///
///   P  |0 1|2 3 locked|4 5|       C (a child) |0 1 r locked|2 .. 5|
fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = filled(&w, "P", 6)?;
    let c = p.fork("C")?;
    c.protect(a.sub(0..2), R)?;
    c.lock(a.sub(0..2), Lock::Full)?;
    p.lock(a.sub(2..4), Lock::Full)?;
    expect(&w, p, a.sub(0..4), true)?;
    expect(&w, p, a.sub(4..6), false)?;
    expect(&w, c, a.sub(2..6), false)?;
    let b = w.place(6);
    w.name(b, "b");
    c.move_to(a.sub(0..2), b.sub(0..2))?;
    expect(&w, c, b.sub(0..2), true)?;
    p.protect(a.page(3), R)?;
    p.move_to(a.page(2), b.page(2))?;
    vm_locked(&w, p, 2)?;
    expect(&w, p, a.page(3), true)?;
    expect(&w, p, b.page(2), true)?;
    walk::every_on_offer(&w)?;
    expect(&w, p, a.page(3), true)?;
    expect(&w, p, b.page(2), true)?;
    expect(&w, c, b.sub(0..2), true)?;
    // Shrunk: what is cut off is counted no more.
    let d = w.place(4);
    w.name(d, "d");
    p.map(d)?;
    p.write(d)?;
    p.lock(d, Lock::Full)?;
    vm_locked(&w, p, 6)?;
    let small = p.resize(d, 1)?;
    vm_locked(&w, p, 3)?;
    expect(&w, p, small, true)?;
    p.unmap(small)?;
    vm_locked(&w, p, 2)?;
    c.unmap(b.page(0))?;
    expect(&w, p, a.page(0), false)?;
    expect(&w, p, a.page(1), true)?;
    vm_locked(&w, c, 1)?;
    c.exit()?;
    expect(&w, p, a.page(1), false)?;
    walk::every_on_offer(&w)?;
    w.finish()
}

/// Locking brings pages back from swap, and keeps them for all.
fn from_swap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 6)?;
    let c = p.fork("C")?;
    let s = p.fork("S")?;
    c.protect(a.sub(0..3), R)?;
    swap_out(&w)?;
    // Read through the first half, copied in the second.
    c.lock(a, Lock::Full)?;
    w.check_partly()?;
    if w.pages_of(c, a)?.contains(&None) {
        return Err(Stop::fail("mlock brings every page in: one is not there"));
    }
    walk::every_on_offer(&w)?;
    p.exit()?;
    walk::every_on_offer(&w)?;
    c.unlock(a)?;
    walk::every_on_offer(&w)?;
    s.write(a)?;
    w.check()?;
    w.finish()
}

/// A page that is locked when its last entry comes in from swap gives up its slot there: it will not need it (should_try_to_free_swap()).
///
///   P  r [a b c d]  in swap       then locked: read in, the last to need the slots
///   C    [a b c d]  in swap, read
fn slots(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let c = p.fork("C")?;
    p.protect(a, R)?;
    swap_out(&w)?;
    c.read(a)?;
    let cached = |actor: Actor| -> TestResult<Vec<bool>> {
        let pages = w.pages_of(actor, a)?;
        let has = |seen: Option<(_, Flags)>| seen.is_some_and(|(_, f)| f.has(Flags::SWAPCACHE));
        Ok(pages.into_iter().map(has).collect())
    };
    if cached(c)?.contains(&false) {
        return Err(Stop::Skip("needs pages that stay in the swap cache"));
    }
    p.lock(a, Lock::Full)?;
    mlocked::stay(&w, p, &[a])?;
    w.check_partly()?;
    let left = cached(p)?;
    if left.contains(&true) {
        return Err(Stop::fail(format_args!(
            "a locked page has no slot in swap that nobody needs: {left:?} of P's have one"
        )));
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// What a cgroup and the machine count as mlocked comes back to where it was, whichever way the pages go.
fn counters(ctx: &mut Ctx) -> TestResult {
    const N: usize = 256;
    const ROUNDS: usize = 3;
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let bytes = (N * w.page_size()) as u64;
    let mut drifts = Vec::new();
    for round in 0..ROUNDS {
        let listed = mlocked::unevictable(&w)?;
        let before = mlocked::machine();
        let (p, a) = filled(&w, "P", N)?;
        let c = p.fork("C")?;
        c.protect(a, R)?;
        c.lock(a, Lock::Full)?;
        expect(&w, c, a, true)?;
        if let Some(then) = listed
            && let Some(now) = mlocked::unevictable_until(&w, |now| now == then + bytes)?
        {
            return Err(Stop::fail(format_args!(
                "a cgroup's unevictable memory is its mlocked pages: expected {bytes} more than {then}, seen {now}"
            )));
        }
        walk::every_on_offer(&w)?;
        // A quarter each goes by munlock, munmap, a move on top of it, and exit.
        let part = |i: usize| a.sub(i * N / 4..(i + 1) * N / 4);
        leave(&w, c, part(0), End::Unlock)?;
        leave(&w, c, part(1), End::Unmap)?;
        leave(&w, c, part(2), End::Over)?;
        vm_locked(&w, c, (N / 4) as u64)?;
        if round == 1 {
            p.exit()?;
            c.exit()?;
        } else {
            c.exit()?;
            p.exit()?;
        }
        if let Some(then) = listed
            && let Some(now) = mlocked::unevictable_until(&w, |now| now <= then)?
        {
            return Err(Stop::fail(format_args!(
                "pages that are gone are on no list: unevictable was {then}, is {now}"
            )));
        }
        if let (Some(before), Some(after)) = (before, mlocked::machine()) {
            drifts.push((after as i64 - before as i64) / w.page_size() as i64);
        }
    }
    w.diag(format_args!(
        "Mlocked of the machine drifted by {drifts:?} pages"
    ));
    // Others lock and unlock too, but not as many in the same direction each time.
    let most = (N / 8) as i64;
    let all = |f: &dyn Fn(i64) -> bool| drifts.len() == ROUNDS && drifts.iter().all(|&d| f(d));
    if all(&|d| d >= most) || all(&|d| d <= -most) {
        return Err(Stop::fail(format_args!(
            "Mlocked comes back when {N} locked pages are gone: it drifted by {drifts:?} pages in {ROUNDS} rounds"
        )));
    }
    w.finish()
}

const MLOCK: Test = Test {
    about: "A page stays in memory, and mlocked, while one of its mappers has locked it, and not longer.",
    needs: &[Need::Pfn, Need::KpageFlags],
    ..Test::DEFAULT
};

macro_rules! t {
    ($name:literal, $run:expr) => {
        Test {
            name: $name,
            run: $run,
            ..MLOCK
        }
    };
}

const TESTS: &[Test] = &[
    t!("one_among_many.unlock", |c| one_among_many(c, End::Unlock)),
    t!("one_among_many.unmap", |c| one_among_many(c, End::Unmap)),
    t!("one_among_many.exit", |c| one_among_many(c, End::Exit)),
    t!("one_among_many.exec", |c| one_among_many(c, End::Exec)),
    t!("one_among_many.over", |c| one_among_many(c, End::Over)),
    t!("three_lockers", three_lockers),
    t!("copied", copied),
    t!("carried", carried),
    t!("on_fault", on_fault),
    t!("reshaped", reshaped),
    Test {
        name: "from_swap",
        needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: from_swap,
        ..MLOCK
    },
    Test {
        name: "from_swap.slots",
        needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: slots,
        ..MLOCK
    },
    t!("counters", counters),
    t!("born.anonymous", born::anonymous),
    t!("born.object", born::object),
    t!("born.filled_in", born::filled_in),
    t!("left_behind", born::left_behind),
    t!("remapped", object::remapped),
    Test {
        needs: Grain::HUGE_NEEDS,
        knobs: object::KNOBS,
        ..t!("large.object", object::large)
    },
    Test {
        needs: &[
            Need::Thp,
            Need::Pfn,
            Need::KpageFlags,
            Need::Reclaim,
            Need::MemMib(64),
        ],
        knobs: object::KNOBS,
        ..t!("large.object.beside", object::large_beside)
    },
    Test {
        needs: Grain::HUGE_NEEDS,
        ..t!("large", born::large)
    },
    Test {
        needs: Grain::HUGE_NEEDS,
        knobs: &[Knob::set(
            "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
            "madvise",
        )],
        ..t!("large.halves", born::halves)
    },
    Test {
        needs: Grain::HUGE_NEEDS,
        ..t!("collapsed", born::collapsed)
    },
    large::CUT,
    large::HALVES,
    large::OBJECT,
    large::COPIED,
    several::SEVERAL,
    several::NEIGHBOURS,
    several::NEIGHBOURS_ON_FAULT,
    compacted::COMPACTED,
    refused::REFUSED,
    refused::REFUSED_ON_FAULT,
    moved::MIGRATE,
    moved::SOFT_OFFLINE,
];

pub fn main() {
    run("mlock", "mlock of one mapper among many", TESTS)
}
