// SPDX-License-Identifier: GPL-2.0-or-later
//! What is in swap is charged to the memory cgroup that it was charged to in memory, and no longer than it is there. Each slot is, also of a large folio
//! that went there as a whole (swap_cgroup_record()).

use helpers::stop::Doing;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::walk::reclaim::swap_out;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Pages of each kind.
const PAGES: usize = 512;
/// Slots that a CPU may keep when they are given back (SWAP_SLOTS_CACHE_SIZE, up to Linux 6.14): the actor's and the test's.
const KEPT: usize = 2 * 64;
/// How long the kernel may keep what was given back: it does so in batches.
const LIMIT: Duration = Duration::from_secs(2);

fn charged(w: &World) -> TestResult<u64> {
    let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    let bytes = memcg.swapped().doing("read what is swapped")?;
    bytes.ok_or(Stop::Skip(
        "needs swap accounting (CONFIG_MEMCG, swapaccount=1)",
    ))
}

/// Whether what these areas have in swap is charged, and no more when they are gone: in the end as much as before, or how much more.
fn comes_and_goes(w: &World, p: Actor, areas: &[Area], large: bool) -> TestResult<u64> {
    // Without them: what else there is.
    swap_out(w)?;
    let before = charged(w)?;
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
    if charged(w)? <= before {
        return Err(Stop::Skip("needs pages that go to swap"));
    }
    for &area in areas {
        p.unmap(area)?;
    }
    let mut until = w.limit(LIMIT);
    loop {
        let more = charged(w)?.saturating_sub(before);
        if more == 0 || until.over() {
            return Ok(more);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

///   P  |folio| |folio| ...      swapped out, unmapped; small pages first, for what the kernel keeps back
pub fn folios(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let kept = comes_and_goes(&w, p, &[w.place(PAGES)], false)?;
    let folios = (PAGES / n).max(1);
    let places: Vec<Area> = (0..folios).map(|_| w.place_aligned(n, n)).collect();
    let more = comes_and_goes(&w, p, &places, true)?;
    if more > kept + (KEPT * w.page_size()) as u64 {
        return Err(Stop::fail(format_args!(
            "what has gone from swap is charged to nobody: {more} bytes are after {folios} folios of {n} pages, {kept} after {PAGES} small pages"
        )));
    }
    w.finish()
}
