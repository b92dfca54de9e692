// SPDX-License-Identifier: GPL-2.0-or-later
//! Compaction of the whole machine (try_to_migrate(), remove_migration_ptes()). Best effort: whether a given page is
//! moved depends on where it and the free memory happen to be.

use super::charge::Charges;
use super::fate::{self, Fate};
use super::{Taken, Walk, needs_pfn};
use crate::kernel::pagemap::Pfn;
use crate::kernel::sysfs;
use crate::stop::Doing;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};

/// The walk.
pub const COMPACT: Walk = Walk {
    name: "compact",
    offered,
    take,
};

const FILE: &str = "/proc/sys/vm/compact_memory";

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if std::fs::OpenOptions::new().write(true).open(FILE).is_ok() {
        Ok(())
    } else {
        Err("needs CONFIG_COMPACTION")
    }
}

fn take(w: &World) -> TestResult<Taken> {
    let pages = fate::pages(w)?;
    let charges = Charges::of(w, &pages)?;
    if let Err(e) = sysfs::write(FILE, "1") {
        return Ok(Taken::NotNow(format!("{FILE}: {e}")));
    }
    let (now, fates) = fate::fates(w, &pages)?;
    charges.judge(w, &pages, &fates, &now)?;
    let mut moved = 0;
    for (page, f) in pages.iter().zip(&fates) {
        page.judge_pin(w, f, &now)?;
        match f {
            Fate::Torn => {
                return Err(page.fail(
                    w,
                    "compaction moves a page for every mapper or for none",
                    "the mappers do not agree",
                    &now,
                ));
            }
            Fate::Moved(_) => {
                moved += 1;
                w.tally().walked(COMPACT.name, [page]);
            }
            Fate::Stayed | Fate::Left => {}
        }
    }
    if moved == 0 {
        return Ok(Taken::NotNow(String::from("no page moved")));
    }
    Ok(Taken::Yes(format!(
        "{moved} of {} pages moved",
        pages.len()
    )))
}

/// Compaction must leave the pages of these areas where they are, which are locked while vm.compact_unevictable_allowed is 0
/// (isolate_migratepages_block()). How many pages of the `others` it has moved meanwhile.
#[track_caller]
pub fn leaves(w: &World, actor: Actor, locked: &[Area], others: &[Area]) -> TestResult<usize> {
    type Places = Vec<Option<Pfn>>;
    let places = |areas: &[Area]| -> TestResult<Places> {
        let mut all = Places::new();
        for &area in areas {
            all.extend(w.pages_of(actor, area)?.into_iter().map(|p| Some(p?.0)));
        }
        Ok(all)
    };
    let moved =
        |before: &Places, after: &Places| before.iter().zip(after).filter(|(b, a)| b != a).count();
    let before = (places(locked)?, places(others)?);
    w.note(String::from("vm/compact_memory: 1"));
    sysfs::write(FILE, "1").doing("have memory compacted")?;
    let gone = moved(&before.0, &places(locked)?);
    if gone > 0 {
        let stop = Stop::fail(format_args!(
            "compaction leaves locked pages where they are without vm.compact_unevictable_allowed: {gone} of {} have moved",
            before.0.len()
        ));
        return Err(w.blame(actor.id(), stop));
    }
    let moved = moved(&before.1, &places(others)?);
    w.check()?;
    Ok(moved)
}
