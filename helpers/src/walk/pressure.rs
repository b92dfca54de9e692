// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim that takes some pages and leaves others: by advice of one mapper, or of one cgroup. Which it takes is its own affair unless
//! they are owed; but a page goes from all its mappers or from none.

use super::fate::{self, Entries, Fate, Page};
use super::reclaim::{forget_accesses, mark_swapped};
use crate::kernel::memcg::Memcg;
use crate::stop::Doing;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long a cgroup is asked again for what it owes, see [`super::reclaim`].
const LIMIT: Duration = Duration::from_secs(5);

/// Has `act` take pages as it likes, and judges that none is left with some of its mappers only. Brings nothing back.
#[track_caller]
pub fn together(w: &World, act: impl FnOnce() -> TestResult) -> TestResult {
    let pages = fate::pages(w)?;
    act()?;
    judge_torn(w, &pages).map(drop)
}

#[track_caller]
fn judge_torn(w: &World, pages: &[Page]) -> TestResult<(Entries, Vec<Fate>)> {
    let (now, fates) = fate::fates(w, pages)?;
    mark_swapped(w);
    for (page, f) in pages.iter().zip(&fates) {
        // The walk ends at the first locked VMA, for the whole folio: the others may have lost it or not.
        if *f == Fate::Torn && page.locked.is_empty() && !page.beside_locked {
            return Err(page.fail(
                w,
                "reclaim takes a page from every mapper or from none",
                "some mappers lost it and others have it",
                &now,
            ));
        }
    }
    Ok((now, fates))
}

/// Reclaim of one cgroup until all pages of `owed`, which must be charged to it, have left all their mappers, in whichever cgroup these are.
/// `plain` are pages of plain topology charged to it as well: when they do not go either, it was not possible now.
///
/// # Errors
/// `Skip` then.
#[track_caller]
pub fn reclaim_of(
    w: &World,
    memcg: &Memcg,
    owed: &[(Actor, Area)],
    plain: (Actor, Area),
) -> TestResult {
    w.note(format!(
        "reclaim of the cgroup that {} is in",
        plain.0.name()
    ));
    let within = |page: &Page, (actor, area): (Actor, Area)| {
        let at = |m: &(usize, usize)| m.0 == actor.id() && area.vpns().contains(&m.1);
        page.mappers.iter().any(at)
    };
    let pages = fate::pages(w)?;
    let mut until = w.limit(LIMIT);
    loop {
        forget_accesses(w)?;
        memcg.reclaim().doing("reclaim of a memory cgroup")?;
        let (now, fates) = judge_torn(w, &pages)?;
        let stayed = |place| {
            let of = |(page, f): &(&Page, &Fate)| within(page, place) && **f != Fate::Left;
            pages.iter().zip(&fates).find(of).map(|(page, _)| page)
        };
        let left = owed.iter().find_map(|&place| stayed(place));
        match left {
            None => break,
            Some(page) if until.over() => {
                if stayed(plain).is_some() {
                    return Err(Stop::Skip("needs pages that reclaim can take now"));
                }
                return Err(page.fail(
                    w,
                    "reclaim of a cgroup takes its pages from the mappers in others too",
                    "it stayed, and those of one plain mapper went",
                    &now,
                ));
            }
            Some(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    let mut taken = pages;
    taken.retain(|page| owed.iter().any(|&place| within(page, place)));
    w.tally().walked("reclaim", &taken);
    Ok(())
}
