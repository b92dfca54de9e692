// SPDX-License-Identifier: GPL-2.0-or-later
//! Swapped out and in: who touches a page first, reading or writing, who has gone meanwhile.
//!
//! A swap entry knows neither its page's anon_vma nor its page offset. Whoever faults first gives both to the page, for all sharers
//! (do_swap_page(), __folio_set_anon()); that it was exclusive to one, and soft-dirty, only the entry's bits tell. Walks by themselves
//! let each actor read all in turn; here the script says who comes when.

use helpers::kernel::kpage::Flags;
use helpers::supervise::{Ctx, Fix, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW, filled, like};
use helpers::walk::compact::COMPACT;
use helpers::walk::ksm::KSM as KSM_WALK;
use helpers::walk::merge::merge;
use helpers::walk::migrate::MIGRATE;
use helpers::walk::reclaim::{press, swap_off, swap_out};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

#[path = "swap/charged.rs"]
mod charged;
#[path = "swap/counted.rs"]
mod counted;
#[path = "swap/high_water.rs"]
mod high_water;
#[path = "swap/off.rs"]
mod off;
#[path = "swap/part.rs"]
mod part;
#[path = "swap/zeroes.rs"]
mod zeroes;

/// Every walk, then every sharer writes.
fn walks(w: World) -> TestResult {
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The orders in which three come.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Who of them writes: a bit for each.
const WRITERS: usize = 8;
/// A page for each order and each choice of writers.
const PAGES: usize = ORDERS.len() * WRITERS;

/// Turn number `turn` of all pages: whose it is comes and reads or writes. Actors that have gone miss theirs.
fn take_turn(w: &World, turn: usize, a: Area, actors: &[Option<Actor>; 3]) -> TestResult {
    for (who, actor) in actors.iter().enumerate() {
        let Some(actor) = actor else { continue };
        let mut written = Vec::new();
        for i in 0..PAGES {
            if ORDERS[i / WRITERS][turn] != who {
                continue;
            }
            if (i % WRITERS) & (1 << who) != 0 {
                written.push(a.page(i));
            } else {
                actor.read(a.page(i))?;
            }
        }
        actor.write_all(&written)?;
    }
    w.check_partly()
}

/// What happens while the pages are out, or when some are in again.
#[derive(Clone, Copy, PartialEq)]
enum Event {
    Nothing,
    ParentExits,
    FirstExits,
    FirstUnmaps,
    AllMoved,
}

///   P  [0 1 .. 47]     out; then each page is touched by P, C and S in an order of its own,
///   C  [0 1 .. 47]     by each reading or writing
///   S  [0 1 .. 47]
fn order(ctx: &mut Ctx, event: Event) -> TestResult {
    let w = World::new(ctx)?;
    let (p, mut a) = filled(&w, "P", PAGES)?;
    let c = p.fork("C")?;
    let s = if event == Event::Nothing { p } else { c }.fork("S")?;
    swap_out(&w)?;
    let mut actors = [Some(p), Some(c), Some(s)];
    match event {
        Event::ParentExits => {
            p.exit()?;
            actors[0] = None;
        }
        Event::AllMoved => {
            let to = w.place(PAGES);
            w.name(to, "to");
            for actor in [p, c, s] {
                actor.protect(a.sub(5..30), R)?;
                actor.protect(a.sub(5..30), RW)?;
                // Part by part: nobody promises that they are one VMA again.
                for part in [0..5, 5..30, 30..PAGES] {
                    actor.move_to(a.sub(part.clone()), to.sub(part))?;
                }
            }
            a = to;
        }
        _ => {}
    }
    w.check_partly()?;
    take_turn(&w, 0, a, &actors)?;
    match event {
        // The one that gave the pages their anon_vma goes: others must still be found.
        Event::FirstExits => {
            c.exit()?;
            actors[1] = None;
        }
        Event::FirstUnmaps => {
            for i in 0..PAGES {
                let first = actors[ORDERS[i / WRITERS][0]].expect("all are there");
                first.unmap(a.page(i))?;
            }
            w.check_partly()?;
            return walks(w);
        }
        _ => {}
    }
    take_turn(&w, 1, a, &actors)?;
    take_turn(&w, 2, a, &actors)?;
    walks(w)
}

///   P  [out out in in]      forked while some is in swap: an entry that was P's alone is shared from now on
///     \__ C, then G         the first to write is P, C or G
fn forked_while_out(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 12)?;
    swap_out(&w)?;
    p.read(a.sub(8..10))?;
    p.write(a.sub(10..12))?;
    let c = p.fork("C")?;
    // Read before anybody writes: what is exclusive by mistake is seen while the other still has it in swap.
    c.read(a.sub(6..7))?;
    w.check_partly()?;
    p.read(a.sub(7..8))?;
    w.check_partly()?;
    let g = c.fork("G")?;
    w.check_partly()?;
    p.write(a.sub(0..2))?;
    w.check_partly()?;
    c.write(a.sub(2..4))?;
    g.write(a.sub(4..6))?;
    g.write(a.page(7))?;
    p.write(a.page(8))?;
    w.check_partly()?;
    // The child's pages came from the parent's entries: out again, and the parent goes.
    swap_out(&w)?;
    let d = g.fork("D")?;
    w.check_shares()?;
    p.exit()?;
    w.check_shares()?;
    d.read(a.sub(0..6))?;
    w.check_partly()?;
    c.exit()?;
    walks(w)
}

/// Clean in swap, mapped by one and in swap for the other: out again through all three states.
fn again_and_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 6)?;
    let c = p.fork("C")?;
    for round in 0..3 {
        swap_out(&w)?;
        c.read(a.sub(0..4))?;
        p.read(a.sub(round..round + 2))?;
        w.check_partly()?;
        press(&w)?;
        w.check_partly()?;
        p.read(a.sub(3..6))?;
        c.write(a.page(round))?;
        w.check_partly()?;
    }
    walks(w)
}

/// Pages written since the soft-dirty bits were cleared, and pages that were not.
fn soft_dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let (p, a) = filled(&w, "P", 8)?;
    let c = p.fork("C")?;
    w.clear_soft_dirty()?;
    p.write(a.sub(0..3))?;
    c.write(a.sub(2..5))?;
    swap_out(&w)?;
    w.check_partly()?;
    // The bits go to the child with the entries.
    let d = p.fork("D")?;
    d.read(a.sub(0..2))?;
    p.read(a.sub(1..3))?;
    w.check_partly()?;
    let to = w.place(8);
    w.name(to, "to");
    swap_out(&w)?;
    c.move_to(a, to)?;
    w.check_partly()?;
    // Out, and cleared there: what comes back and is written is soft-dirty, and nothing was before.
    swap_out(&w)?;
    p.read(a.page(7))?;
    w.clear_soft_dirty()?;
    w.check_partly()?;
    p.read(a.sub(0..2))?;
    p.write(a.sub(1..3))?;
    d.write(a.page(4))?;
    w.check_partly()?;
    swap_out(&w)?;
    w.check_partly()?;
    walks(w)
}

/// Where a KSM page is shared that goes to swap.
#[derive(Clone, Copy, PartialEq)]
enum Shared {
    OneProcess,
    Processes,
    Forked,
}

/// Swapped in, a KSM page is an ordinary one of whoever came first; all others but its family need a copy of their own
/// (ksm_might_need_to_copy()), or the page would be in VMAs that its anon_vma does not know.
fn ksm(ctx: &mut Ctx, shared: Shared, first_goes: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 6)?;
    let b = w.place(6);
    w.name(b, "b");
    let other = match shared {
        Shared::OneProcess => {
            p.0.map(b)?;
            p.0.write_like(b, p.0, p.1)?;
            (p.0, b)
        }
        Shared::Processes => like(&w, "Q", 6, p)?,
        Shared::Forked => {
            let c = p.0.fork("C")?;
            c.map(b)?;
            c.write_like(b, p.0, p.1)?;
            (c, b)
        }
    };
    merge(&w, &[p, other])?;
    let late = (p.0.fork("late")?, p.1);
    swap_out(&w)?;
    let comers = [p, other, late];
    for (i, order) in ORDERS.iter().enumerate() {
        for (turn, &who) in order.iter().enumerate() {
            let (actor, area) = comers[who];
            // Of each three one writes.
            if i % 3 == turn {
                actor.write(area.page(i))?;
            } else {
                actor.read(area.page(i))?;
            }
        }
    }
    w.check()?;
    if first_goes {
        p.0.unmap(p.1.sub(0..6))?;
        w.check()?;
    }
    walks(w)
}

/// A page that is in memory and in swap, and one process's own all the same: it was brought in ahead (MADV_WILLNEED), and only read. When it
/// is written there is no fault, and nothing but its entry tells that what swap has of it is old. Whoever takes the entry tells the page, or
/// reclaim gives the page up for what is in swap.
///
///   P  [0 1 2 3 .. 15]     out, brought in, read, and 4 to 15 written; then each walk that takes entries, and out again
///   C  [        8 9 .. 15]     forked then
fn cached(ctx: &mut Ctx, forked: bool) -> TestResult {
    const N: usize = 16;
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", N)?;
    let mut cached = 0;
    for one in [None, Some(&MIGRATE), Some(&COMPACT), Some(&KSM_WALK)] {
        swap_out(&w)?;
        p.advise(a, advice::WILLNEED)?;
        p.read(a)?;
        let pages = w.pages_of(p, a)?;
        let in_cache = |(_, flags): &(_, Flags)| flags.has(Flags::SWAPCACHE);
        cached += pages.into_iter().flatten().filter(in_cache).count();
        p.write(a.sub(4..N))?;
        let c = if forked { Some(p.fork("C")?) } else { None };
        if let Some(c) = c {
            c.unmap(a.sub(0..8))?;
        }
        if let Some(one) = one {
            match walk::only(&w, one) {
                Err(Stop::Skip(_)) => {}
                other => other?,
            }
        }
        swap_out(&w)?;
        w.check()?;
        if let Some(c) = c {
            c.exit()?;
        }
        // Its own again, whatever it was merged or shared with.
        p.write(a)?;
    }
    if cached == 0 {
        return Err(Stop::Skip("needs pages that stay in the swap cache"));
    }
    walks(w)
}

/// MADV_COLD and MADV_PAGEOUT through each sharer: nothing may change for anybody.
fn advised(ctx: &mut Ctx, what: i32) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let c = p.fork("C")?;
    c.write(a.sub(0..3))?;
    p.write(a.sub(2..5))?;
    for actor in [p, c] {
        actor.advise(a, what)?;
        w.check_partly()?;
        actor.fork("child")?;
        actor.write(a.page(0))?;
        w.check_partly()?;
        actor.advise(a, what)?;
    }
    w.check()?;
    p.advise(a, what)?;
    p.write(a.sub(5..7))?;
    walks(w)
}

/// MADV_FREE: the pages have their old content or zeroes for the one who freed them, and what was written since is kept. Others
/// keep theirs.
///
///   P  [0 1 2 3 4 5 6 7 8]     frees all; writes 3 4 at once
///   C  [0 1 2]                 frees 1; G nothing
fn freed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 9)?;
    let c = p.fork("C")?;
    c.unmap(a.sub(3..9))?;
    let g = c.fork("G")?;
    g.unmap(a.page(2))?;
    p.free(a)?;
    p.write(a.sub(3..5))?;
    c.free(a.page(1))?;
    press(&w)?;
    g.read(a.sub(0..2))?;
    let gone =
        p.settle_freed(a.sub(0..3))? + p.settle_freed(a.sub(5..9))? + c.settle_freed(a.page(1))?;
    w.diag(format_args!("{gone} freed pages were taken"));
    w.check()?;
    // Freed and rewritten: kept.
    p.free(a.sub(4..8))?;
    p.write(a.sub(4..8))?;
    walks(w)
}

/// The same of pages that came back from swap for both, and are in its cache still: who keeps them finds them nowhere else. Or swap is `off` when P
/// frees: they are in nobody's cache any more, and only the note that they are dirty says that they are nowhere else.
///
///   P  [0 1 2 3 4 5]   out, and in again; P frees 0 to 3
///   C  [0 1 2 3 4 5]
fn freed_cached(ctx: &mut Ctx, off: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 6)?;
    let c = p.fork("C")?;
    swap_out(&w)?;
    p.read(a)?;
    c.read(a)?;
    let off = off.then(|| swap_off(&w)).transpose()?;
    w.check()?;
    p.free(a.sub(0..4))?;
    press(&w)?;
    c.read(a)?;
    p.settle_freed(a.sub(0..4))?;
    w.check()?;
    drop(off);
    walks(w)
}

/// More sharers than the first byte of a slot's count can tell (SWAP_MAP_MAX, add_swap_count_continuation()): the slot is shared by all of them, and
/// is free when the last has gone.
///
///   P  [0 1 ... 63]  all out      C  its 66 children, which go one after the other
fn sharers(ctx: &mut Ctx) -> TestResult {
    const CHILDREN: usize = 66;
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 64)?;
    swap_out(&w)?;
    let mut children = Vec::new();
    for _ in 0..CHILDREN {
        children.push(p.fork("C")?);
    }
    w.check_shares()?;
    let left = children.split_off(CHILDREN - 3);
    for (i, child) in children.into_iter().enumerate() {
        if i % 16 == 15 {
            child.read(a.page(i))?;
            child.write(a.page(0))?;
            w.check_shares()?;
        }
        child.exit()?;
    }
    w.check_shares()?;
    left[0].read(a.sub(0..8))?;
    p.write(a.sub(4..12))?;
    w.check()?;
    walks(w)
}

const SWAP: Test = Test {
    about: "A swapped page comes back as one page for all its sharers, whoever comes first, and each write is the writer's own.",
    needs: &[Need::Pfn, Need::Reclaim],
    guards: &[Fix {
        commit: "ea90002b0fa7",
        subject: "anonvma: when setting up page->mapping, we need to pick the _oldest_ anonvma",
    }],
    ..Test::DEFAULT
};

const KSM: Test = Test {
    about: "A swapped KSM page comes back as one page for each family of areas.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim, Need::Ksm],
    guards: &[Fix {
        commit: "4969c1192d15",
        subject: "mm: fix swapin race condition",
    }],
    ..Test::DEFAULT
};

const CACHED: Test = Test {
    about: "A page that was written since it came back from swap has the new content when it has been there again.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..Test::DEFAULT
};

const ADVICE: Test = Test {
    about: "Advice about when a page goes changes nothing of what it holds.",
    ..SWAP
};

const HIGH_WATER: Test = Test {
    about: "The most that a process had in memory is remembered, whichever way its pages go.",
    needs: &[Need::Pfn, Need::Reclaim],
    ..Test::DEFAULT
};

const COUNTED: Test = Test {
    about: "What a process has in swap is counted.",
    needs: OFF.needs,
    ..Test::DEFAULT
};

const OFF: Test = Test {
    about: "swapoff brings every page back, shared and exclusive as it was.",
    needs: &[Need::Pfn, Need::Reclaim, Need::MemMib(300)],
    guards: &[Fix {
        commit: "14a762dd1977",
        subject: "mm/swapfile: fix lost swap bits in unuse_pte()",
    }],
    ..SWAP
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
    t!(SWAP, "order", |c| order(c, Event::Nothing)),
    t!(SWAP, "order.parent_exits", |c| order(c, Event::ParentExits)),
    t!(SWAP, "order.first_exits", |c| order(c, Event::FirstExits)),
    t!(SWAP, "order.first_unmaps", |c| order(c, Event::FirstUnmaps)),
    t!(SWAP, "order.moved", |c| order(c, Event::AllMoved)),
    t!(SWAP, "forked_while_out", forked_while_out),
    t!(SWAP, "again_and_again", again_and_again),
    t!(SWAP, "soft_dirty", soft_dirty),
    t!(HIGH_WATER, "high_water", high_water::private),
    Test {
        needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
        ..t!(HIGH_WATER, "high_water.shared", |c| high_water::object(
            c,
            Kind::Memfd,
            Share::Shared
        ))
    },
    Test {
        needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim, Need::Disk],
        ..t!(HIGH_WATER, "high_water.disk", |c| high_water::object(
            c,
            Kind::Disk,
            Share::Private
        ))
    },
    t!(CACHED, "cached", |c| cached(c, false)),
    t!(CACHED, "cached.forked", |c| cached(c, true)),
    t!(KSM, "ksm.one_process", |c| ksm(
        c,
        Shared::OneProcess,
        false
    )),
    t!(KSM, "ksm.one_process.first_goes", |c| ksm(
        c,
        Shared::OneProcess,
        true
    )),
    t!(KSM, "ksm.processes", |c| ksm(c, Shared::Processes, false)),
    t!(KSM, "ksm.processes.first_goes", |c| ksm(
        c,
        Shared::Processes,
        true
    )),
    t!(KSM, "ksm.forked", |c| ksm(c, Shared::Forked, false)),
    t!(ADVICE, "cold", |c| advised(c, advice::COLD)),
    t!(ADVICE, "pageout", |c| advised(c, advice::PAGEOUT)),
    t!(ADVICE, "free", freed),
    t!(CACHED, "zeroes", zeroes::zeroes),
    Test {
        needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
        ..t!(COUNTED, "charged.folios", charged::folios)
    },
    Test {
        name: "read_ahead",
        about: "A slot in swap is free when the last has gone who had it, also where its page is in memory by then.",
        run: charged::read_ahead,
        ..SWAP
    },
    part::PART,
    t!(COUNTED, "counted", |c| counted::counted(c, false)),
    Test {
        name: "sharers",
        about: "Pages in swap are shared by all who have their slot, also by more than a byte can count.",
        run: sharers,
        ..SWAP
    },
    Test {
        needs: KSM.needs,
        ..t!(COUNTED, "counted.ksm", |c| counted::counted(c, true))
    },
    t!(ADVICE, "free.cached", |c| freed_cached(c, false)),
    Test {
        needs: OFF.needs,
        ..t!(ADVICE, "free.off", |c| freed_cached(c, true))
    },
    t!(OFF, "off", |c| off::off(c, false)),
    t!(OFF, "off.ksm", |c| off::off(c, true)),
    t!(OFF, "off.moved", off::moved),
    t!(OFF, "off.exclusive", off::exclusive),
];

pub fn main() {
    run("swap", "swapped out and in, in every order", TESTS)
}
