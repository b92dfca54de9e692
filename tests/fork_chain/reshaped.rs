// SPDX-License-Identifier: GPL-2.0-or-later
//! Chains of forks that all stay, and in which each generation reshapes what it has inherited.
//!
//! A VMA is linked to an anon_vma for each generation before it, and whatever parts or moves it has to make all of these links
//! again (anon_vma_clone()): those to the oldest find what nobody has written since, those to the newest what it wrote itself.

use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::world::{Actor, Area, World};
use helpers::{TestResult, walk};

/// Generations, and pages of each area: the links of a VMA grow with them.
const DEEP: usize = 12;

/// One way to reshape, as a generation does it.
struct Way {
    name: &'static str,
    /// Page `g` of the area is its own, and the one behind it.
    run: fn(&World, Actor, a: Area, g: usize) -> TestResult,
}

const WAYS: [Way; 6] = [
    Way {
        // |0 ... g-1|g|g+1 ... 11|, each part as before
        name: "parted",
        run: |_, p, a, g| p.advise(a.page(g), advice::DONTDUMP),
    },
    Way {
        // |0 ... g|g+1 ... 11| and whole again
        name: "joined",
        run: |_, p, a, g| {
            p.protect(a.sub(g + 1..DEEP), R)?;
            p.protect(a.sub(g + 1..DEEP), RW)
        },
    },
    Way {
        // |0 ... g-1| . |g+1 ... 11|   |g|
        name: "taken",
        run: |w, p, a, g| p.move_to(a.page(g), place(w, 1)),
    },
    Way {
        // |0 ... g-1|g'|g+1 ... 11|   |g|, and what comes anew
        name: "emptied",
        run: |w, p, a, g| {
            p.move_dontunmap(a.page(g), place(w, 1))?;
            p.write(a.page(g))
        },
    },
    Way {
        // |0 ... g| . |g+2 ... 11|
        name: "holed",
        run: |_, p, a, g| p.unmap(a.page(g)),
    },
    Way {
        // |0 ... g| . . .   |g+1 ... 11| and back
        name: "away",
        run: |w, p, a, g| {
            let rest = a.sub(g + 1..DEEP);
            let to = place(w, rest.pages);
            p.move_to(rest, to)?;
            p.write(to.page(0))?;
            p.move_to(to, rest)
        },
    },
];

fn place(w: &World, pages: usize) -> Area {
    let area = w.place(pages);
    w.name(area, "to");
    area
}

///   generation 0     |0 1 2 3 ... 11|                              of each area
///   generation 1     |0 1'2'3 ... 11|  then parted, joined, moved ... at page 1
///   generation 2     |0 1 2"3"... 11|  then at page 2
///   ...
///   generation 10    no page but the first is shared by all
///
/// All live, so no anon_vma is taken up. Every walk; then the even generations go.
pub fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let root = w.actor("G0")?;
    let mut areas = Vec::new();
    for way in &WAYS {
        let a = w.place(DEEP);
        w.name(a, way.name);
        root.map(a)?;
        root.write(a)?;
        areas.push(a);
    }
    let mut all = vec![root];
    let mut youngest = root;
    for g in 1..DEEP - 1 {
        youngest = youngest.fork(&format!("G{g}"))?;
        for (way, &a) in WAYS.iter().zip(&areas) {
            youngest.write(a.sub(g..g + 2))?;
            (way.run)(&w, youngest, a, g)?;
        }
        all.push(youngest);
    }
    walk::every(&w)?;
    for actor in all.iter().step_by(2) {
        actor.exit()?;
    }
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}
