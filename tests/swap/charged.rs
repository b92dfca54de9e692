// SPDX-License-Identifier: GPL-2.0-or-later
//! What is in swap is charged to the memory cgroup that it was charged to in memory, and no longer than it is there. Each slot is, also of a large folio
//! that went there as a whole (swap_cgroup_record()).

use helpers::kernel::pagemap::State;
use helpers::stop::Doing;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::filled;
use helpers::walk::reclaim::swap_out;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Pages of each kind.
const PAGES: usize = 512;
/// Slots that a CPU may keep when they are given back (SWAP_SLOTS_CACHE_SIZE, up to Linux 6.14): the actor's and the test's.
const KEPT: usize = 2 * 64;
/// How long the kernel may keep what was given back: it does so in batches.
const LIMIT: Duration = Duration::from_secs(5);

fn charged(w: &World) -> TestResult<u64> {
    let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    let bytes = memcg.swapped().doing("read what is swapped")?;
    bytes.ok_or(Stop::Skip(
        "needs swap accounting (CONFIG_MEMCG, swapaccount=1)",
    ))
}

/// What these areas have in swap is charged no more when they are gone: as much as it was is taken off.
fn given_back(w: &World, p: Actor, areas: &[Area], large: bool) -> TestResult {
    for &area in areas {
        if large {
            p.map_folio(area)?;
        } else {
            p.map(area)?;
            p.advise(area, advice::NOHUGEPAGE)?;
            p.write(area)?;
        }
    }
    swap_out(w)?;
    let mut out = 0;
    for &area in areas {
        let states = w.states(p, area)?;
        out += states
            .iter()
            .filter(|s| matches!(s, State::Swapped(_)))
            .count();
    }
    if out < PAGES / 2 {
        return Err(Stop::Skip(
            "needs large folios and small pages that go to swap",
        ));
    }
    // Nothing goes to swap from here on; what comes back from it meanwhile is a few pages.
    let before = charged(w)?;
    for &area in areas {
        p.unmap(area)?;
    }
    let least = ((out - KEPT) * w.page_size()) as u64;
    let mut until = w.limit(LIMIT);
    loop {
        let off = before.saturating_sub(charged(w)?);
        if off >= least {
            return Ok(());
        }
        if until.over() {
            return Err(Stop::fail(format_args!(
                "what has gone from swap is charged to nobody: {off} bytes were taken off when {} area(s) of {} pages had gone, {out} of their pages in swap",
                areas.len(),
                areas[0].pages
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Pages that were read ahead are in memory and in swap, and nobody maps them: when the last who could goes, so do their slots
/// (free_swap_and_cache_nr()).
///
///   P  |first half|second half|   in swap; read ahead (MADV_WILLNEED)      C, its child, exits      P unmaps one half, gives up the other
pub fn read_ahead(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let free = || {
        let swap = w.arena().swap.as_ref().map_err(|e| Stop::Skip(e))?;
        swap.free().ok_or(Stop::Skip("needs /proc/swaps"))
    };
    let (p, a) = filled(&w, "P", PAGES)?;
    let c = p.fork("C")?;
    swap_out(&w)?;
    p.advise(a, advice::WILLNEED)?;
    w.check_partly()?;
    let states = w.states(p, a)?;
    let out = states.iter().filter(|s| matches!(s, State::Swapped(_)));
    let out = out.count();
    if out < PAGES / 2 {
        return Err(Stop::Skip("needs pages that keep their slots in swap"));
    }
    let before = free()?;
    c.exit()?;
    p.unmap(a.sub(0..PAGES / 2))?;
    p.advise(a.sub(PAGES / 2..PAGES), advice::DONTNEED)?;
    let least = ((out - KEPT) * w.page_size()) as u64;
    let mut until = w.limit(LIMIT);
    loop {
        let more = free()?.saturating_sub(before);
        if more >= least {
            return w.finish();
        }
        if until.over() {
            return Err(Stop::fail(format_args!(
                "pages that were read ahead leave swap with the last who could map them: {more} bytes became free of {out} pages"
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

///   P  |folio| |folio| ...      swapped out, unmapped; small pages first
pub fn folios(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    given_back(&w, p, &[w.place(PAGES)], false)?;
    let folios = (PAGES / n).max(1);
    let places: Vec<Area> = (0..folios).map(|_| w.place_aligned(n, n)).collect();
    given_back(&w, p, &places, true)?;
    w.finish()
}
