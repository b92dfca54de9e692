// SPDX-License-Identifier: GPL-2.0-or-later
//! PG_mlocked and the unevictable list, as kpageflags and the cgroup's memory.stat show them (mm/mlock.c).
//!
//! A page is marked when it is mapped into a locked VMA or when the VMA is locked; the mark goes with the last such mapping. How many there
//! are is counted (folio->mlock_count) only while the page is on its list: "mlock_count is maintained, but might undercount", says
//! __munlock_folio(). So of two lockers the first to go may take the mark along; nobody who never locked may.

use crate::kernel::kpage::Flags;
use crate::kernel::lru::drain;
use crate::stop::Doing;
use crate::supervise::arena;
use crate::world::check::Finding;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long marks may take to show: they go through batches of each CPU.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether this kernel shows the mark: on a page of plain topology it comes with mlock and goes with munlock.
///
/// # Errors
/// `Skip` where it does not.
#[track_caller]
pub fn shown(w: &World) -> TestResult {
    let (control, _) = w.control()?;
    let (control, area) = (w.actor_by_id(control), w.place(1));
    w.name(area, "plain");
    control.map(area)?;
    control.write(area)?;
    let mut seen = Vec::new();
    for lock in [false, true, false] {
        if lock {
            control.lock(area, crate::world::model::Lock::Full)?;
        } else {
            control.unlock(area)?;
        }
        seen.push(settle(w, control, area, lock)?.is_none());
    }
    if seen.contains(&false) {
        return Err(Stop::Skip("needs the mlocked flag in kpageflags"));
    }
    Ok(())
}

/// Every page of locked areas must be in memory.
#[track_caller]
pub fn stay(w: &World, actor: Actor, areas: &[Area]) -> TestResult {
    for &area in areas {
        let gone = w.pages_of(actor, area)?.iter().position(Option::is_none);
        if let Some(i) = gone {
            return Err(w.report(&Finding {
                property: "a page in a locked area stays in memory",
                detail: String::from("it is not there"),
                at: Some((actor.id(), area.vpn + i)),
            }));
        }
    }
    Ok(())
}

/// Every page of an area must have the mark, or none may.
#[track_caller]
pub fn expect(w: &World, actor: Actor, area: Area, mlocked: bool) -> TestResult {
    match settle(w, actor, area, mlocked)? {
        None => Ok(()),
        Some((page, flags)) => Err(w.report(&Finding {
            property: "a page is mlocked while a mapper has locked it, and not longer",
            detail: format!(
                "expected {}, seen flags {flags:?}",
                if mlocked { "mlocked" } else { "not mlocked" }
            ),
            at: Some((actor.id(), page)),
        })),
    }
}

/// How many pages of an area have the mark.
pub fn count(w: &World, actor: Actor, area: Area) -> TestResult<usize> {
    drain().doing("empty the LRU batches")?;
    let pages = w.pages_of(actor, area)?;
    let marked = pages
        .iter()
        .flatten()
        .filter(|(_, f)| f.has(Flags::MLOCKED));
    Ok(marked.count())
}

/// The first page that is not as it should be.
fn settle(
    w: &World,
    actor: Actor,
    area: Area,
    mlocked: bool,
) -> TestResult<Option<(usize, Flags)>> {
    let mut until = w.limit(PATIENCE);
    loop {
        drain().doing("empty the LRU batches")?;
        let pages = w.pages_of(actor, area)?;
        let wrong = pages.iter().zip(area.vpns()).find_map(|(seen, vpn)| {
            let (_, flags) = (*seen)?;
            // A locked page may be on its way from one list to the other, a page unlocked while off its list keeps this flag.
            let right =
                flags.has(Flags::MLOCKED) == mlocked && (!mlocked || flags.has(Flags::UNEVICTABLE));
            (!right).then_some((vpn, flags))
        });
        if wrong.is_none() || until.over() {
            return Ok(wrong);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes on the unevictable list of the test's own cgroup. `None` without one.
pub fn unevictable(w: &World) -> TestResult<Option<u64>> {
    drain().doing("empty the LRU batches")?;
    let Ok(memcg) = &w.arena().memcg else {
        return Ok(None);
    };
    memcg.flush_stats()?;
    Ok(memcg.stat("unevictable")?)
}

/// What it is when it has not become right in time.
pub fn unevictable_until(w: &World, right: impl Fn(u64) -> bool) -> TestResult<Option<u64>> {
    let mut until = w.limit(PATIENCE);
    loop {
        let now = unevictable(w)?;
        if now.is_none_or(&right) {
            return Ok(None);
        }
        if until.over() {
            return Ok(now);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Mlocked of /proc/meminfo, bytes: of the whole machine.
pub fn machine() -> Option<u64> {
    arena::meminfo("Mlocked")
}
