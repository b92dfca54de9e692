// SPDX-License-Identifier: GPL-2.0-or-later
//! Migrations that are refused since somebody holds the page: all that was taken for them is given back (migrate_folio_undo_src()), and the page
//! is what it was.

use super::{N, PIN, SPLICE};
use helpers::census::{Census, Loop};
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, Grain};
use helpers::walk::soft_offline::{self, SOFT_OFFLINE};
use helpers::walk::{self, migrate};
use helpers::world::World;
use helpers::{Stop, TestResult};

/// Processes at a time, each with an anon_vma of its own.
const APART: usize = 12;

/// The anon_vma of a page that stays is no longer in use when the processes that had the page have gone.
///
///   root -> P0 |page|    P1 |page|    ...    each has its page in a pipe while it is to move, and exits
fn objects(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (migrate::MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let census = Census::open(&w)?;
    let root = w.actor("root")?;
    let page = w.place(1);
    w.name(page, "page");
    let round = |_| {
        let mut all = Vec::new();
        for i in 0..APART {
            let p = root.fork(&format!("P{i}"))?;
            p.map(page)?;
            p.write(page)?;
            p.splice(page)?;
            all.push(p);
        }
        walk::only(&w, &migrate::MIGRATE)?;
        for p in all {
            p.drain()?;
            p.exit()?;
        }
        Ok(())
    };
    round(0)?;
    let rounds = Loop {
        what: "rounds of refused migrations",
        most: 8,
        objects: APART / 2,
        fewest: 2,
    };
    rounds.judge(ctx, &census, None, round)??;
    census.usable()?;
    w.finish()
}

/// Entries are put back as they were: written since the soft-dirty bits were cleared or not, write-protected by userfaultfd or not
/// (try_to_migrate_one()).
///
///   P |0 1 2 3 4 5 6 7|      2 to 5 written since, 6 7 write-protected, all pinned
fn marked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, N)?;
    p.write(a)?;
    w.clear_soft_dirty()?;
    p.write(a.sub(2..6))?;
    p.pin(a)?;
    let guarded = match p.guard(a.sub(6..8)) {
        Err(Stop::Skip(why)) if w.features().soft_dirty => {
            w.diag(why);
            false
        }
        // No mark of either kind: nothing to be lost.
        other => other.map(|()| true)?,
    };
    w.check()?;
    walk::every_on_offer(&w)?;
    p.unpin()?;
    walk::every(&w)?;
    if guarded {
        p.unguard()?;
    }
    topology::write_by_each(&w)?;
    w.finish()
}

/// Pages that cannot be emptied since somebody holds them are pages like any other when he has let them go (soft_offline_in_use_page()).
///
///   P |0 1 2 3 4 5 6 7|      1 to 5 in a pipe      C has them as well
fn offlined(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Base.map(&w, p, N)?;
    p.write(a)?;
    p.splice(a.sub(1..6))?;
    let c = p.fork("C")?;
    for (who, i) in [(p, 1), (c, 2), (p, 4)] {
        soft_offline::refused(&w, who, a.page(i))?;
    }
    p.drain()?;
    walk::only(&w, &SOFT_OFFLINE)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const MARKED: Test = Test {
    name: "pin.marked",
    about: "A pinned page that stays keeps its marks.",
    run: marked,
    ..PIN
};

pub const OFFLINED: Test = Test {
    name: "splice.offlined",
    about: "A page that was refused to be emptied can be moved and reclaimed afterwards.",
    needs: &[Need::Root, Need::Pfn, Need::KpageFlags],
    guards: &[],
    run: offlined,
    ..SPLICE
};

pub const OBJECTS: Test = Test {
    name: "splice.undone",
    about: "A migration that is refused leaves nothing behind.",
    needs: &[Need::Root, Need::Pfn, Need::Nodes(2)],
    guards: &[],
    run: objects,
    ..SPLICE
};
