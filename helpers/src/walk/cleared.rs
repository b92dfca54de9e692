// SPDX-License-Identifier: GPL-2.0-or-later
//! Accessed bits that a process has cleared of one kind of areas (2 and 3 to /proc/PID/clear_refs, clear_refs_test_walk()): it is the area that has
//! a file or has none, whatever pages are in it.

use super::told::{TIMES, referenced, touch_all};
use crate::TestResult;
use crate::kernel::sysfs;
use crate::stop::Doing;
use crate::world::check::Finding;
use crate::world::{Actor, Area, World};

/// Touches areas that map a file and some that do not, and clears the bits of the one kind and of the other: those are gone, and no others.
///
/// # Errors
/// `Skip` where the touches do not show.
#[track_caller]
pub fn by_kind(w: &World, actor: Actor, plain: &[Area], mapped: &[Area]) -> TestResult {
    for (what, cleared, kept) in [("2", plain, mapped), ("3", mapped, plain)] {
        w.note(format!(
            "{}: all touched, then {what} to clear_refs",
            actor.name()
        ));
        let areas: Vec<(Actor, Area)> = cleared.iter().chain(kept).map(|&a| (actor, a)).collect();
        let mut wrong = None;
        for _ in 0..TIMES {
            touch_all(w, &areas)?;
            let file = format!("/proc/{}/clear_refs", actor.pid()?);
            sysfs::write(file, what).doing("write clear_refs")?;
            let mut seen = Vec::new();
            for (i, &(_, area)) in areas.iter().enumerate() {
                let due = if i < cleared.len() { 0 } else { area.pages };
                seen.push((area, due, referenced(w, actor, area)?));
            }
            wrong = seen.into_iter().find(|(_, due, seen)| due != seen);
            if wrong.is_none() {
                break;
            }
        }
        if let Some((area, due, seen)) = wrong {
            return Err(w.report(&Finding {
                property: "the accessed bits of areas without a file are cleared, or of those with one, as it is asked for",
                detail: format!(
                    "expected {due} accessed page(s) of {} after {what}, seen {seen}, each of {TIMES} times",
                    w.show(area)
                ),
                at: Some((actor.id(), area.vpn)),
            }));
        }
    }
    Ok(())
}
