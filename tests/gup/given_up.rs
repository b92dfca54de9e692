// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are given up (MADV_FREE) while somebody holds them: a device that reads them has to find what was written.

use super::{N, PIN, SPLICE};
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, Grain};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// What holds a page.
#[derive(Clone, Copy)]
enum Holder {
    Pipe,
    Pin,
}

impl Holder {
    fn take(self, p: Actor, area: Area) -> TestResult {
        match self {
            Holder::Pipe => p.splice(area),
            Holder::Pin => p.pin(area),
        }
    }

    /// Of a pipe what is in it is read first.
    fn let_go(self, p: Actor) -> TestResult {
        match self {
            Holder::Pipe => p.drain(),
            Holder::Pin => p.unpin(),
        }
    }
}

/// Pages given up (MADV_FREE) while somebody holds a part of them: reclaim takes none of those, and all when nobody does any more.
///
///   P |0 1 2 3 4 5 6 7|   2..6 held, all given up       control |0 1 2 3|  given up, not held
///   C |0 1 2 3 4 5 6 7|   where it shares them: given up as well
fn given_up(ctx: &mut Ctx, grain: Grain, holder: Holder, shared: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, control) = (grain.map(&w, p, N)?, w.place(4));
    w.name(control, "control");
    p.map(control)?;
    p.write(a)?;
    grain.verify(&w, p, a)?;
    let c = if shared { Some(p.fork("C")?) } else { None };
    let all: Vec<Actor> = std::iter::once(p).chain(c).collect();
    holder.take(p, a.sub(2..6))?;
    for held in [true, false] {
        p.write(control)?;
        p.free(control)?;
        p.needs_lazy_free(control)?;
        for who in &all {
            who.free(a)?;
        }
        walk::reclaim::press(&w)?;
        if p.settle_freed(control)? == 0 {
            return Err(Stop::Skip("needs reclaim that takes pages given up"));
        }
        let mut gone = 0;
        for who in &all {
            gone += who.settle_freed(a)?;
        }
        w.diag(format_args!("{gone} pages were taken"));
        w.check()?;
        if held {
            holder.let_go(p)?;
        }
    }
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const ABOUT: &str = "What is held is not taken, although it was given up.";
pub const SPLICED: Test = Test {
    name: "splice.given_up",
    about: ABOUT,
    needs: &[Need::Reclaim],
    guards: &[],
    run: |c| given_up(c, Grain::Base, Holder::Pipe, false),
    ..SPLICE
};

pub const SPLICED_SHARED: Test = Test {
    name: "splice.given_up.shared",
    run: |c| given_up(c, Grain::Base, Holder::Pipe, true),
    ..SPLICED
};

pub const SPLICED_THP: Test = Test {
    name: "splice.given_up.thp",
    needs: &[
        Need::Reclaim,
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::MemMib(64),
    ],
    run: |c| given_up(c, Grain::Huge, Holder::Pipe, false),
    ..SPLICED
};

pub const PINNED: Test = Test {
    name: "pin.given_up",
    about: ABOUT,
    needs: &[Need::Reclaim],
    guards: &[],
    run: |c| given_up(c, Grain::Base, Holder::Pin, false),
    ..PIN
};
