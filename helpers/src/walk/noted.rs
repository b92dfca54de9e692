// SPDX-License-Identifier: GPL-2.0-or-later
//! What a huge page knows of itself, that it was referenced (PG_referenced), when it is split.

use super::told::TIMES;
use crate::actor::pin::Way;
use crate::kernel::kpage::Flags;
use crate::kernel::{lru, thp};
use crate::pace::Tries;
use crate::stop::Doing;
use crate::topology::{R, RW};
use crate::world::World;
use crate::world::check::Finding;
use crate::{Stop, TestResult};
use std::time::Duration;

/// How often a split is asked for, and for how long at least: somebody may hold the page for a moment.
const SPLITS: (usize, Duration) = (6, Duration::from_millis(300));

/// A huge page that is noted as referenced is so in all its parts once it is split (__split_huge_page_tail(), __split_folio_to_order()). What is noted
/// comes from a read by another process, which finds the page by an entry of a single page (follow_page_pte()).
///
///   P  |0|1|2|3 ..... n-1|  one folio, entries of single pages       X  reads P's 3, then   |0|1|2|3|..
///
/// # Errors
/// `Skip` where the read is not noted, or the page not split.
#[track_caller]
pub fn split(w: &World) -> TestResult {
    let file = w.features().debugfs.as_deref().and_then(thp::split_file);
    let file = file.ok_or(Stop::Skip("needs split_huge_pages in debugfs"))?;
    let (p, x) = (w.actor("P")?, w.actor("X")?);
    let a = w.place_huge(1)?;
    w.name(a, "huge");
    let start = a.vpn * w.page_size();
    let end = start + a.pages * w.page_size();
    let mut wrong = None;
    for _ in 0..TIMES {
        p.map_folio(a)?;
        p.protect(a.page(1), R)?;
        p.protect(a.page(1), RW)?;
        // A page on its way to a list is held.
        lru::drain().doing("drain the LRU batches")?;
        x.peek(p, a.page(3), Way::Mem)?;
        let is_noted = || -> TestResult<Vec<bool>> {
            let seen = w.pages_of(p, a)?.into_iter();
            Ok(seen
                .map(|page| page.is_some_and(|(_, flags)| flags.has(Flags::REFERENCED)))
                .collect())
        };
        let first = is_noted()?[0] && w.folio_pages(p.id(), a.vpn)? == a.pages;
        w.note(format!("split {}", w.show(a)));
        for _ in Tries::new(SPLITS.0, SPLITS.1) {
            // EINVAL: nothing was split. What happened is judged by the page.
            let _ = thp::split(&file, p.pid()?, start, end);
            if w.folio_pages(p.id(), a.vpn)? != a.pages {
                break;
            }
            lru::drain().doing("drain the LRU batches")?;
        }
        let after = is_noted()?;
        // The first part has what the whole had, unless somebody has looked meanwhile.
        if first && after[0] && w.folio_pages(p.id(), a.vpn)? == 1 {
            let lost = after.iter().filter(|noted| !**noted).count();
            w.diag(format_args!(
                "{lost} of {} parts are not noted as referenced",
                a.pages
            ));
            // Reclaim may take the note off some.
            if lost < a.pages / 2 {
                return w.check();
            }
            wrong = Some(lost);
        }
        w.check()?;
        p.unmap(a)?;
    }
    let Some(lost) = wrong else {
        return Err(Stop::Skip(
            "needs huge pages that a read from outside marks, and that are split now",
        ));
    };
    Err(w.report(&Finding {
        property: "the parts of a huge page that was referenced are referenced when it is split",
        detail: format!(
            "{lost} of {} are not, the first is (KPF_REFERENCED)",
            a.pages
        ),
        at: Some((p.id(), a.vpn)),
    }))
}
