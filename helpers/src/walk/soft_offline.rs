// SPDX-License-Identifier: GPL-2.0-or-later
//! Soft offline by MADV_SOFT_OFFLINE: a page that is about to fail is emptied into another one, for all that map it
//! (soft_offline_in_use_page(), migrate_pages()). A certain way to have a page moved on a machine with one node.
//!
//! What was emptied is given back at once (unpoison-pfn in debugfs): without that the walk is not offered.

use super::fate::{self, Fate, Page};
use super::migrate::PATIENCE;
use super::{Taken, Walk, needs_pfn};
use crate::actor::{Cmd, Reply};
use crate::kernel::hwpoison;
use crate::kernel::kpage::Flags;
use crate::pace::Tries;
use crate::sys::mem::advice;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::path::Path;

/// The walk.
pub const SOFT_OFFLINE: Walk = Walk {
    name: "soft_offline",
    offered,
    take,
};

/// Pages emptied in one walk: first, last and an even choice between.
const PAGES: usize = 16;
/// How often a refused page is asked for again, each time through another mapper: most refusals are references held elsewhere for
/// a moment.
const ATTEMPTS: usize = 5;

fn offered(w: &World) -> Result<(), &'static str> {
    needs_pfn(w)?;
    if !w.features().kpageflags {
        return Err("needs /proc/kpageflags");
    }
    if hwpoison::corrupted().is_none() {
        return Err("needs CONFIG_MEMORY_FAILURE");
    }
    w.features().unpoison().map(|_| ())
}

fn take(w: &World) -> TestResult<Taken> {
    let Some(debugfs) = w.features().debugfs.as_deref() else {
        return Ok(Taken::Pointless);
    };
    let base = hwpoison::corrupted();
    let pages = fate::pages(w)?;
    let (control, tested): (Vec<&Page>, Vec<&Page>) = pages
        .iter()
        .filter(|p| !p.hugetlb && p.held.is_none() && p.mappers.iter().any(|&at| w.is_readable(at)))
        .partition(|p| p.control);
    if tested.is_empty() {
        return Ok(Taken::Pointless);
    }
    let step = tested.len().div_ceil(PAGES).max(1);
    let last = tested.last().filter(|_| step > 1);
    let chosen = tested.iter().step_by(step).chain(last);
    let mut refused: Vec<(&Page, Errno)> = Vec::new();
    let mut moved = 0;
    for &page in chosen {
        match empty(w, debugfs, page)? {
            None => {
                moved += 1;
                w.tally().walked(SOFT_OFFLINE.name, [page]);
            }
            Some(e) => refused.push((page, e)),
        }
    }
    if !refused.is_empty()
        && let Some(page) = control.first()
        && let Some(e) = empty(w, debugfs, page)?
    {
        return Ok(Taken::NotNow(format!("the control page: {e}")));
    }
    if let Some((page, e)) = refused.first() {
        let detail = format!(
            "{} page(s) refused again and again while the control page moved; {e}",
            refused.len()
        );
        let now = fate::entries(w)?;
        return Err(page.fail(w, "every page can be emptied into another", &detail, &now));
    }
    if hwpoison::corrupted() != base {
        return Err(Stop::fail(format_args!(
            "what is given back is not counted: HardwareCorrupted was {base:?}, is {:?}",
            hwpoison::corrupted()
        )));
    }
    Ok(Taken::Yes(format!("{moved} pages")))
}

/// MADV_SOFT_OFFLINE of a page that somebody holds is refused: it cannot be emptied into another one.
///
/// # Errors
/// `Skip` where this machine does not do it.
#[track_caller]
pub fn refused(w: &World, actor: Actor, page: Area) -> TestResult {
    offered(w).map_err(Stop::Skip)?;
    let debugfs = w.features().debugfs.as_deref();
    let debugfs = debugfs.ok_or(Stop::Skip("needs debugfs"))?;
    let before = w.pages_of(actor, page)?;
    w.note(format!(
        "{}: madvise {} SOFT_OFFLINE, to be refused",
        actor.name(),
        w.show(page)
    ));
    let cmd = Cmd::Advise {
        addr: page.vpn * w.page_size(),
        len: page.pages * w.page_size(),
        advice: advice::SOFT_OFFLINE,
    };
    match w.ask(actor.id(), &cmd)? {
        Reply::Errno(_) => w.check(),
        other => {
            // It is poisoned now, and not ours to keep: that it cannot be given back is no other failure.
            for (pfn, _) in before.into_iter().flatten() {
                if w.page_flags(pfn)?.is_some_and(|f| f.has(Flags::HWPOISON)) {
                    let _ = hwpoison::unpoison(debugfs, pfn);
                }
            }
            Err(Stop::fail(format_args!(
                "a page that somebody holds stays where it is: MADV_SOFT_OFFLINE was answered {other:?}"
            )))
        }
    }
}

/// Empties one page, and judges it by all its mappers. The errno when it was refused.
fn empty(w: &World, debugfs: &Path, page: &Page) -> TestResult<Option<Errno>> {
    let ways: Vec<_> = page
        .mappers
        .iter()
        .copied()
        .filter(|&at| w.is_readable(at))
        .collect();
    let mut errno = Errno::UnknownErrno;
    for attempt in Tries::new(ATTEMPTS, PATIENCE) {
        let (actor, vpn) = ways[(page.mappers.len() + attempt) % ways.len()];
        let cmd = Cmd::Advise {
            addr: vpn * w.page_size(),
            len: w.page_size(),
            advice: advice::SOFT_OFFLINE,
        };
        // The advice empties what the mapper has there now.
        if fate::entries(w)?.get(&(actor, vpn)).and_then(|s| s.pfn()) != Some(page.pfn) {
            return Ok(None);
        }
        let reply = w.ask(actor, &cmd)?;
        let one = [page.clone()];
        let (now, fates) = fate::fates(w, &one)?;
        // Before anything is judged: the page is not ours to keep. It is poisoned now unless it was refused.
        let poisoned = w
            .page_flags(page.pfn)?
            .is_some_and(|f| f.has(Flags::HWPOISON));
        let given_back = if poisoned {
            hwpoison::unpoison(debugfs, page.pfn)
        } else {
            Ok(())
        };
        match (&fates[0], &reply) {
            (Fate::Torn, _) => {
                let what = "soft offline moves a page for every mapper or for none";
                return Err(page.fail(w, what, "the mappers do not agree", &now));
            }
            (Fate::Stayed, Reply::Done) => {
                let what = "a page that was emptied is no process' page";
                return Err(page.fail(w, what, "MADV_SOFT_OFFLINE succeeded", &now));
            }
            (_, Reply::Errno(e)) => errno = Errno::from_raw(*e),
            (_, Reply::Done) => {
                if let Err(e) = given_back {
                    let text = format!("an emptied page can be given back: {}: {e}", page.pfn);
                    return Err(Stop::fail(text));
                }
                return Ok(None);
            }
            (_, other) => return Err(Stop::error(format_args!("MADV_SOFT_OFFLINE: {other:?}"))),
        }
    }
    Ok(Some(errno))
}
