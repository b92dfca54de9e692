// SPDX-License-Identifier: GPL-2.0-or-later
//! What forks leave behind: anon_vmas and the links to them.
//!
//! A page keeps the anon_vma of the process that made it, and a child's VMA is linked to all those of its ancestors. So
//! fork after fork, each by the youngest, could add an anon_vma per generation although only one process is ever alive.
//! The kernel promises that it does not (anon_vma_clone() takes up an anon_vma that lost its process), that a fork makes no
//! more than it needs, and that all of it goes with the last process.

#[path = "fork_chain/reshaped.rs"]
mod reshaped;

use helpers::actor::Cmd;
use helpers::census::{ATTEMPTS, Census, Growth, Loop, Reading, SHARE};
use helpers::supervise::{Ctx, Fix, Test, main as run};
use helpers::topology::{self, Grain, RW};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};
use std::time::Duration;

/// VMAs of each kind in a chain.
const AREAS: usize = 2;
/// Generations of a chain, on a machine that is quick enough.
const GENERATIONS: usize = 400;
/// Fewer tell nothing: other processes come and go with as many objects.
const FEWEST: usize = 60;
/// After so many a chain holds as much as it ever will.
const FIRST: usize = 8;

/// Private areas, each a VMA with an anon_vma of its own.
fn areas(w: &World, p: Actor, n: usize, pages: usize) -> TestResult<Vec<Area>> {
    let one = |_| {
        let area = Grain::Base.map(w, p, pages)?;
        p.write(area.sub(0..3))?;
        Ok(area)
    };
    (0..n).map(one).collect()
}

///   generation 0   [old x y] [old x y]    exits after its fork
///   generation 1   [old 1 y] [old x y]    exits after its fork
///   generation 2   [old 1 2] [old x y]    exits after its fork
///   ...             written   never
///
/// One process is left at the end, with two children: "old" must be found in all three. Each attempt goes on where the last ended.
fn exiting_ancestors(ctx: &mut Ctx) -> TestResult {
    exiting(ctx, false)
}

/// The same, where each generation has had two other children: one that exits before it, and one after it. Their anon_vmas must not
/// count any more when it is asked whether the parent's can be taken up (anon_vma.num_children).
fn with_other_children(ctx: &mut Ctx) -> TestResult {
    exiting(ctx, true)
}

fn exiting(ctx: &mut Ctx, others: bool) -> TestResult {
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let p = w.actor("G0")?;
    let written = areas(&w, p, AREAS, 3)?;
    areas(&w, p, AREAS, 3)?;
    let write = |actor: Actor, g: usize| -> TestResult {
        let each = |a: &Area| actor.write(a.page(1 + g % 2));
        written.iter().try_for_each(each)
    };

    // The same number of forks and exits, but no child goes on.
    let then = census.settled()?;
    let (forks, took) = ctx.repeat(GENERATIONS, SHARE, |g| {
        let c = p.fork("control")?;
        write(c, g)?;
        c.exit()
    })?;
    let (control, grown) = census.grown(&then, None, forks / 2)?;
    w.diag(format_args!(
        "control: {forks} forks in {took:.2?}: {control}"
    ));

    let mut youngest = p;
    // Where one kind of VMA grows, AREAS objects come with each generation, and as many links to them.
    let chain = Loop {
        what: "generations",
        most: forks,
        objects: 1,
        fewest: FEWEST,
    };
    let mut generation = |g| {
        if others {
            youngest.fork("other")?.exit()?;
        }
        let outlives = others.then(|| youngest.fork("outlives")).transpose()?;
        let c = youngest.fork("next")?;
        youngest.exit()?;
        outlives.map_or(Ok(()), Actor::exit)?;
        youngest = c;
        write(youngest, g)
    };
    (0..FIRST).try_for_each(&mut generation)?;
    // A control that grows as well excuses nothing.
    let usual = (!grown).then_some(&control);
    let result = chain.judge(ctx, &census, usual, generation);
    youngest.fork("left")?;
    youngest.fork("right")?;
    conclude(&w, &census, result?)?;
    w.finish()
}

///   generation 0   [old x y .  . .]     stays: "old" is always shared
///   generation g   [old x y .  .][r]    split by mprotect, then fork and exit
///   generation g+1 [old x y .  . .]     something new in place of [r], the next one split off
///
/// Splitting links the new VMA to the same anon_vmas, with none taken up. Splitting in the middle and merging again comes before.
fn split_ancestors(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let p = w.actor("G0")?;
    let split = areas(&w, p, AREAS, 6)?;
    let mut youngest = p.fork("G1")?;
    let chain = Loop {
        what: "generations, each with a split",
        most: GENERATIONS,
        objects: 1,
        fewest: FEWEST,
    };
    let mut generation = |g| {
        for a in &split {
            youngest.protect(a.page(1), topology::R)?;
            youngest.protect(a.page(1), topology::RW)?;
            youngest.protect(a.page(5), topology::R)?;
        }
        let c = youngest.fork("next")?;
        youngest.exit()?;
        youngest = c;
        for a in &split {
            youngest.map(a.page(5))?;
            youngest.write(a.page(1 + g % 2))?;
        }
        Ok(())
    };
    (0..FIRST).try_for_each(&mut generation)?;
    let result = chain.judge(ctx, &census, None, generation);
    conclude(&w, &census, result?)?;
    w.finish()
}

/// The walks first: a mapper that is missed weighs more than objects too many, and needs no count.
fn conclude(w: &World, census: &Census, grown: TestResult) -> TestResult {
    match walk::every(w) {
        // The count has been judged all the same.
        Ok(()) | Err(Stop::Skip(_)) => topology::write_by_each(w)?,
        failed => return failed,
    }
    grown?;
    census.usable()
}

/// VMAs for [`objects_per_fork`].
const VMAS: usize = 1000;
/// Generations forked there, each from the one before, all alive.
const LINE: usize = 3;

/// What each fork of a line P -> C -> G -> GG makes, and what is left after their exit.
fn line<'c>(
    census: &Census<'_, 'c>,
    p: Actor,
    name: &str,
) -> TestResult<(Vec<Growth<'c>>, Reading)> {
    let before = census.settled()?;
    let mut made = Vec::new();
    let mut born = vec![p];
    for k in 1..=LINE {
        let then = census.read()?;
        born.push(born[k - 1].fork(&format!("{name}{k}"))?);
        made.push(census.since(&then)?);
    }
    born.drain(1..).try_for_each(Actor::exit)?;
    Ok((made, before))
}

/// Objects of a cache made per VMA, by generation; `None` when they are not countable.
type PerVma = Option<[f64; LINE]>;

/// What a fork makes with [`VMAS`] less what it makes without. Others make it look like more or like less; a kernel that makes too
/// many does so each time, so the least of all attempts is kept.
fn per_vma(before: PerVma, with: &[Growth], without: &[Growth], cache: &str) -> PerVma {
    let mut least = before.unwrap_or([f64::MAX; LINE]);
    for (k, least) in least.iter_mut().enumerate() {
        let more = with[k].objects(cache)? - without[k].objects(cache)?;
        *least = least.min(more as f64 / VMAS as f64);
    }
    Some(least)
}

/// For the log.
fn show(per_vma: PerVma) -> String {
    per_vma.map_or(String::from("not countable"), |q| format!("{q:.2?}"))
}

///   P   |SRC1|SRC2|SRC3|...|SRCn|      on one anon_vma          |A1|   |A2|   |A3|  ...  each on its own
///   C   |DST1|DST2|DST3|...|DSTn|                               |B1|   |B2|   |B3|
///
/// Per fork and VMA of the child, at generation k of living ancestors:
///
///              anon_vma          anon_vma_chain
///   separate   1                 k + 1          one link to the anon_vma of each ancestor, one to its own
///   shared     1 per run of neighbours          (the run's first VMA makes it)
///
/// Which it is, is the kernel's choice. No VMA needs more than that of either, at any generation.
fn objects_per_fork(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let few = w.actor("few")?;
    let stripes = w.actor("stripes")?;
    let apart = w.actor("apart")?;
    let area = w.place(2 * VMAS);
    let page = w.page_size();
    stripes.unmodelled("map", &topology::neighbours(area.sub(0..VMAS), page))?;
    apart.unmodelled("map", &topology::loners(area, page))?;
    for (actor, what) in [(stripes, "neighbours"), (apart, "apart")] {
        let (mut own, mut links) = (None, None);
        for attempt in 1..=ATTEMPTS {
            let (without, _) = line(&census, few, "few")?;
            let (with, before) = line(&census, actor, what)?;
            own = per_vma(own, &with, &without, "anon_vma");
            links = per_vma(links, &with, &without, "anon_vma_chain");
            let made = format!(
                "{what}: anon_vma {}, anon_vma_chain {} per VMA in forks 1, 2, 3",
                show(own),
                show(links)
            );
            w.diag(&made);
            let (left, stays) = census.grown(&before, None, VMAS / 2)?;
            let excess = own.is_some_and(|own| own.iter().any(|&q| q > 1.5))
                || links.is_some_and(|links| (1..).zip(links).any(|(k, q)| q > f64::from(k) + 1.5));
            if !excess && !stays {
                break;
            }
            if attempt == ATTEMPTS {
                return Err(Stop::fail(if excess {
                    format!(
                        "a VMA's fork makes one anon_vma and one link for each generation at most; {made}"
                    )
                } else {
                    format!("what {what} got by forks is gone after the exits; left are {left}")
                }));
            }
        }
        if let (Some(own), "neighbours") = (own, what) {
            // fork_design tells the designs apart for good; this one is seen without any merge.
            let design = if own[0] > 0.5 {
                "separate"
            } else {
                "shared, or made later"
            };
            w.diag(format_args!("anon_vmas of a child's neighbours: {design}"));
        }
    }
    census.usable()?;
    w.finish()
}

/// Areas that are torn up in each process of [`all_gone`].
const TORN: usize = 40;

/// What a process does to an area `a`, with a place `to` of as many pages to move to:
///
///   [0 1 2 3 4 5]   ->   [0 1 2][3]. .        split, merged, split, moved, moved over an old place and over a part
///                        [4 5]                of it, unmapped; source kept, its VMA emptied and written anew
fn tear(cmds: &mut Vec<Cmd>, page: usize, a: Area, to: Area, dontunmap: bool) {
    let range = |a: Area| (a.vpn * page, a.pages * page);
    let mut protect = |a: Area, prot| {
        let (addr, len) = range(a);
        cmds.push(Cmd::Protect { addr, len, prot });
    };
    protect(a.sub(1..3), topology::R);
    protect(a.sub(1..3), topology::RW);
    protect(a.page(2), topology::R);
    let mut moved = |from: Area, to: Area, keep| {
        let (addr, len) = range(from);
        cmds.push(Cmd::move_to(addr, len, to.vpn * page, keep));
    };
    moved(a.sub(3..5), to.sub(0..2), false);
    moved(a.page(5), to.page(1), false);
    moved(to.page(0), a.page(4), false);
    moved(to.page(1), a.page(5), false);
    if dontunmap {
        moved(a.sub(0..1), to.page(0), true);
        moved(to.page(0), to.page(2), true);
    }
    let write = [a.page(0), a.page(1), a.page(5)];
    let pages = write.map(|a| (a.vpn * page, 1)).to_vec();
    cmds.push(Cmd::Fill { page, pages });
    let (addr, len) = range(a.page(4));
    cmds.push(Cmd::Unmap { addr, len });
}

/// Whole families, the oldest included: each anon_vma holds its root, which goes with the last of them (__put_anon_vma()).
///
///   P   |0 1 .| |0 1 .| ... AREAS of them        C, G   the same, some pages written        all exit, first or last P
fn families(ctx: &mut Ctx) -> TestResult {
    const AREAS: usize = 96;
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let page = w.page_size();
    let areas: Vec<Area> = (0..AREAS).map(|_| w.place(3)).collect();
    let write = |i: usize| Cmd::Fill {
        page,
        pages: areas.iter().map(|a| ((a.vpn + i) * page, 7)).collect(),
    };
    let mut fresh: Vec<Cmd> = areas
        .iter()
        .map(|a| Cmd::map(a.vpn * page, a.pages * page, RW))
        .collect();
    fresh.extend([write(0), write(1)]);
    let family = |oldest_first: bool| -> TestResult {
        let p = w.actor("P")?;
        p.unmodelled("map and write", &fresh)?;
        let c = p.fork("C")?;
        c.unmodelled("write", &[write(1)])?;
        let g = c.fork("G")?;
        g.unmodelled("write", &[write(0)])?;
        let order = if oldest_first { [p, c, g] } else { [g, c, p] };
        order.into_iter().try_for_each(Actor::exit)
    };
    // What the kernel keeps for the next process is not a leak.
    family(true)?;
    let rounds = Loop {
        what: "rounds of two families",
        most: 12,
        objects: AREAS / 2,
        fewest: 4,
    };
    let round = |_| [true, false].into_iter().try_for_each(family);
    let result = rounds.judge(ctx, &census, None, round)?;
    conclude(&w, &census, result)?;
    w.finish()
}

///   root -> P -> C -> G    each tears up areas of its own before it forks; they exit in each of the six orders,
///                          again and again
fn all_gone(ctx: &mut Ctx) -> TestResult {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let root = w.actor("root")?;
    let from = areas(&w, root, 3 * TORN, 6)?;
    let to: Vec<Area> = from.iter().map(|_| w.place(6)).collect();
    let dontunmap = match root.move_dontunmap(from[0].page(5), to[0].page(5)) {
        Err(Stop::Skip(reason)) => {
            w.diag(format_args!("left out: {reason}"));
            false
        }
        other => other.map(|()| true)?,
    };
    let plan = |i: usize| {
        let mut cmds = Vec::new();
        for (a, to) in from.iter().zip(&to).skip(i).step_by(3) {
            tear(&mut cmds, w.page_size(), *a, *to, dontunmap);
        }
        cmds
    };
    let plans = [plan(0), plan(1), plan(2)];
    let tree = |order: [usize; 3]| -> TestResult {
        let mut who = Vec::new();
        let mut last = root;
        for (name, plan) in ["P", "C", "G"].iter().zip(&plans) {
            last = last.fork(name)?;
            last.unmodelled("tear up", plan)?;
            who.push(last);
        }
        order.into_iter().try_for_each(|i| who[i].exit())
    };
    // What the kernel keeps for the next process is not a leak.
    tree(ORDERS[0])?;

    // Half of one object for each area of one process in only one of the orders.
    let trees = Loop {
        what: "rounds of six trees",
        most: 12,
        objects: TORN / 2,
        fewest: 4,
    };
    let round = |_| ORDERS.into_iter().try_for_each(tree);
    let result = trees.judge(ctx, &census, None, round)?;
    // The root's own pages have been shared and left alone hundreds of times.
    conclude(&w, &census, result)?;
    w.finish()
}

/// Areas of [`walked`] that have an anon_vma each.
const WALKED: usize = 64;

/// Walks take references to the anon_vma of a page and hold it for as long as they need it (folio_get_anon_vma(),
/// folio_lock_anon_vma_read()).
///
///   root -> P    |0|   |1|   |2|  ...    each with an anon_vma of its own; all walks; P exits; again
fn walked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let census = Census::open(&w)?;
    let root = w.actor("root")?;
    let area = w.place(2 * WALKED);
    w.name(area, "apart");
    let round = |_| {
        let p = root.fork("P")?;
        w.queued(|| {
            (0..WALKED).try_for_each(|i| {
                let page = area.page(2 * i);
                p.map(page)?;
                p.write(page)
            })
        })?;
        walk::plain(&w)?;
        p.exit()
    };
    round(0)?;
    let rounds = Loop {
        what: "rounds of walks",
        most: 3,
        objects: WALKED / 2,
        fewest: 1,
    };
    let result = rounds.judge(ctx, &census, None, round)?;
    conclude(&w, &census, result)?;
    w.finish()
}

const HIERARCHY: Fix = Fix {
    commit: "7a3ef208e662",
    subject: "mm: prevent endless growth of anon_vma hierarchy",
};
const CREDIT: Fix = Fix {
    commit: "b800c91a0517",
    subject: "mm: fix corner case in anon_vma endless growing prevention",
};
const DONTUNMAP: Fix = Fix {
    commit: "1583aa278f5f",
    subject: "mm: mremap: unlink anon_vmas when mremap with MREMAP_DONTUNMAP success",
};

/// For slow machines; loops take as much of it as they may, see [`SHARE`].
const SLOW: Duration = Duration::from_secs(90);

const BOUNDED: Test = Test {
    timeout: SLOW,
    about: "While the ancestors of a chain of forks exit, its anon_vmas stay bounded and its oldest page is found.",
    guards: &[HIERARCHY, CREDIT],
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "exiting_ancestors",
        run: exiting_ancestors,
        ..BOUNDED
    },
    Test {
        name: "exiting_ancestors.other_children",
        run: with_other_children,
        ..BOUNDED
    },
    Test {
        name: "exiting_ancestors.split",
        run: split_ancestors,
        ..BOUNDED
    },
    Test {
        name: "objects_per_fork",
        about: "A fork makes at most one anon_vma for each VMA, and one link to it and to each ancestor's.",
        run: objects_per_fork,
        ..Test::DEFAULT
    },
    Test {
        name: "all_gone",
        timeout: SLOW,
        about: "Whatever processes did to their VMAs, nothing of it is left when they have exited, in whatever order.",
        guards: &[CREDIT, DONTUNMAP],
        run: all_gone,
        ..Test::DEFAULT
    },
    Test {
        name: "all_gone.families",
        timeout: SLOW,
        about: "Nothing is left of a family of processes when all of them have exited, the oldest too.",
        guards: &[CREDIT],
        run: families,
        ..Test::DEFAULT
    },
    Test {
        name: "walked",
        timeout: SLOW,
        about: "A walk lets go of the anon_vma that it has held.",
        run: walked,
        ..Test::DEFAULT
    },
    Test {
        name: "reshaped",
        about: "However deep in a chain of forks, a VMA that is parted or moved keeps its links to all generations before.",
        run: reshaped::reshaped,
        ..Test::DEFAULT
    },
];

pub fn main() {
    run(
        "fork_chain",
        "what forks leave behind: growth and leaks",
        TESTS,
    )
}
