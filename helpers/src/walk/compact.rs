// SPDX-License-Identifier: GPL-2.0-or-later
//! Compaction of the whole machine (try_to_migrate(), remove_migration_ptes()). Best effort: whether a given page is
//! moved depends on where it and the free memory happen to be.

use super::charge::Charges;
use super::fate::{self, Fate};
use super::{Taken, Walk, needs_pfn};
use crate::TestResult;
use crate::kernel::sysfs;
use crate::world::World;

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
