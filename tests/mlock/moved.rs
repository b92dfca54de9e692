// SPDX-License-Identifier: GPL-2.0-or-later
//! Lockers of a page that moves: each of them is counted anew for the page it moves to (remove_migration_pte(), mlock_vma_folio()), which
//! must be on its list by then (lru_add_drain() in migrate_folio_move()).

use super::MLOCK;
use helpers::kernel::kpage::Flags;
use helpers::kernel::pagemap::Pfn;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{R, filled};
use helpers::walk::mlocked::{self, expect};
use helpers::walk::{self, Walk, migrate, soft_offline};
use helpers::world::model::Lock;
use helpers::world::{Area, World};
use helpers::{Stop, TestResult};

/// The count of one page proves nothing. A right kernel may miss a locker: who moves the page may be taken to another CPU before it drains the
/// batch that the page is in, and who isolates the page for a moment hides it from who unlocks. A wrong one may count all: a full batch is drained. Of
/// most pages of several rounds neither is so.
const ROUNDS: usize = 4;
/// Pages of a round. Soft offline takes all of them.
const N: usize = 16;

/// Moved pages, and how many of them are mlocked when one locker has gone, and when two have.
#[derive(Default)]
struct Tally {
    moved: usize,
    kept: [usize; 2],
}

/// The first locker that goes does not take the mark along, nor does the second.
///
///   P, C, S [r, locked]  T [r]      all moved; then P, C and S unlock
fn moved(ctx: &mut Ctx, by: &'static Walk) -> TestResult {
    let mut tally = Tally::default();
    let mut not_moved = None;
    for _ in 0..ROUNDS {
        let w = World::new(ctx)?;
        mlocked::shown(&w)?;
        match round(&w, by, &mut tally) {
            Ok(()) => w.finish()?,
            Err(Stop::Skip(why)) => not_moved = Some(why),
            Err(stop) => return Err(stop),
        }
    }
    let Tally { moved, kept } = tally;
    ctx.diag(format_args!(
        "of {moved} moved pages {} are mlocked after one of three lockers has gone, {} after two",
        kept[0], kept[1]
    ));
    if moved < ROUNDS * N / 2 {
        return Err(Stop::Skip(not_moved.unwrap_or("needs pages that move")));
    }
    if let Some(gone) = (1..).zip(kept).find(|(_, kept)| 2 * kept < moved) {
        return Err(Stop::fail(format_args!(
            "a page that has moved stays mlocked while one of its lockers is left: {} of {moved} did when {} of three had gone",
            gone.1, gone.0
        )));
    }
    Ok(())
}

fn round(w: &World, by: &'static Walk, tally: &mut Tally) -> TestResult {
    let (p, a) = filled(w, "P", N)?;
    let (c, s, t) = (p.fork("C")?, p.fork("S")?, p.fork("T")?);
    let lockers = [p, c, s];
    for actor in lockers {
        actor.protect(a, R)?;
        actor.lock(a, Lock::Full)?;
    }
    expect(w, t, a, true)?;
    let before = w.pages_of(t, a)?;
    walk::only(w, by)?;
    expect(w, t, a, true)?;
    let page = |seen: Option<(Pfn, Flags)>| seen.map(|(pfn, _)| pfn);
    let both = before.into_iter().zip(w.pages_of(t, a)?);
    let moved: Vec<Area> = both
        .zip(a.vpns())
        .filter(|&((old, new), _)| page(old) != page(new))
        .map(|(_, vpn)| Area { vpn, pages: 1 })
        .collect();
    tally.moved += moved.len();
    for (gone, actor) in lockers.into_iter().enumerate() {
        actor.unlock(a)?;
        if let Some(kept) = tally.kept.get_mut(gone) {
            for &one in &moved {
                *kept += mlocked::count(w, t, one)?;
            }
        }
    }
    expect(w, t, a, false)
}

pub const MIGRATE: Test = Test {
    name: "moved.migrate",
    run: |c| moved(c, &migrate::MIGRATE),
    ..MLOCK
};

pub const SOFT_OFFLINE: Test = Test {
    name: "moved.soft_offline",
    // As in `walks`.
    destructive: true,
    run: |c| moved(c, &soft_offline::SOFT_OFFLINE),
    ..MLOCK
};
