// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim: the test's own memory cgroup is told to give everything back (try_to_unmap()).
//!
//! A page leaves all its mappers or none. One mapper that is missed keeps the page in memory: the
//! others then hold swap entries and that one does not.

use super::fate::{self, Fate};
use super::{Taken, Walk, needs_pfn};
use crate::TestResult;
use crate::kernel::pagemap::State;
use crate::stop::Doing;
use crate::world::World;

/// The walk.
pub const RECLAIM: Walk = Walk {
    name: "reclaim",
    offered,
    take,
};

/// How often reclaim is asked before a page that stayed counts. The first pass may find pages just
/// referenced or in another CPU's LRU batch; the kernel gives each a few passes of its own already.
const ATTEMPTS: usize = 6;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    w.arena().memcg.as_ref().map_err(|e| *e)?;
    w.arena().swap.as_ref().map_err(|e| *e)?;
    Ok(())
}

fn take(w: &World) -> TestResult<Taken> {
    let memcg = match &w.arena().memcg {
        Ok(m) => m,
        Err(e) => return Ok(Taken::NotNow((*e).to_owned())),
    };
    let pages = fate::pages(w)?;
    let mut stayed = Vec::new();
    for attempt in 1..=ATTEMPTS {
        memcg
            .reclaim()
            .doing("reclaim of the test's memory cgroup")?;
        let (now, fates) = fate::fates(w, &pages)?;
        stayed.clear();
        for (page, f) in pages.iter().zip(&fates) {
            if !page.locked.is_empty() {
                // The walk ends at the first locked VMA: the others may have lost it or not.
                let gone = page
                    .locked
                    .iter()
                    .find(|at| !matches!(now[*at].state, State::Present(_)));
                if gone.is_some() {
                    return Err(page.fail(
                        w,
                        "a page that one mapper has locked stays in memory",
                        "reclaim took a locked page",
                        &now,
                    ));
                }
                continue;
            }
            match f {
                Fate::Left => {}
                Fate::Stayed | Fate::Moved(_) => stayed.push(page),
                Fate::Torn => {
                    return Err(page.fail(
                        w,
                        "reclaim takes a page from every mapper or from none",
                        "some mappers lost it and others have it",
                        &now,
                    ));
                }
            }
        }
        if stayed.is_empty() {
            mark_swapped(w);
            return Ok(Taken::Yes(if attempt > 1 {
                format!("{attempt} passes")
            } else {
                String::new()
            }));
        }
    }
    let (now, _) = fate::fates(w, &pages)?;
    mark_swapped(w);
    if stayed.iter().any(|p| p.control) {
        return Ok(Taken::NotNow(format!(
            "{} of {} pages stayed, the control page too",
            stayed.len(),
            pages.len()
        )));
    }
    let detail = format!(
        "{} page(s) stayed after {ATTEMPTS} passes that took the control page",
        stayed.len()
    );
    Err(stayed[0].fail(
        w,
        "reclaim can take every page that is not locked",
        &detail,
        &now,
    ))
}

/// What swapping out changes in the model.
fn mark_swapped(w: &World) {
    w.each_frame(|frame| {
        // do_swap_page() may or may not give the bit back.
        frame.exclusive = crate::world::model::Exclusive::Either;
        // ksm_might_need_to_copy(): each mapper may come back with a copy.
        frame.scattered |= frame.ksm;
    });
}
