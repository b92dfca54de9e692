// SPDX-License-Identifier: GPL-2.0-or-later
//! The list that reclaim has put a page on: it is active where it has moved to if it was before (folio_migrate_flags()).

use super::Taken;
use super::migrate::MIGRATE;
use super::referenced::{NO_LISTS, TIMES};
use crate::kernel::kpage::Flags;
use crate::kernel::{lru, lru_gen};
use crate::stop::Doing;
use crate::topology::RW;
use crate::world::check::Finding;
use crate::world::{Actor, Area, Kind, Share, World};
use crate::{Stop, TestResult};
use std::os::unix::fs::FileExt;

/// Pages of each sort.
const N: usize = 8;

/// Pages of a file that were read again and again are active, and stay so when they move; those that nobody has read do not become so.
///
///   memfd   0 .. 7 read by pread(2)| 8 .. 15
///   P       all of it
///
/// # Errors
/// `Skip` where pages do not migrate or do not become active, and on a kernel with generations.
#[track_caller]
pub fn moved(w: &World) -> TestResult {
    if lru_gen::enabled() {
        return Err(Stop::Skip(NO_LISTS));
    }
    (MIGRATE.offered)(w).map_err(Stop::Skip)?;
    let file = w.object(Kind::Memfd, 2 * N)?;
    let p = w.actor("P")?;
    let all = w.place(2 * N);
    w.name(all, "all");
    p.map_object(all, &file, 0, RW, Share::Shared)?;
    p.write(all)?;
    w.control()?;
    w.check()?;
    let mut wrong = None;
    let mut times = 0;
    // What cannot be asked again takes nothing back of what was seen.
    while times < TIMES {
        let mut buf = vec![0; w.page_size()];
        // The first notes an access, the second makes the page active (mark_page_accessed()).
        for i in (0..N).cycle().take(3 * N) {
            let at = (i * w.page_size()) as u64;
            file.file().read_exact_at(&mut buf, at).doing("pread")?;
        }
        let before = active(w, p, all)?;
        if before[..N].contains(&false) {
            if times > 0 {
                break;
            }
            return Err(Stop::Skip(
                "needs pages that become active when they are read",
            ));
        }
        w.note(String::from("walk: migrate"));
        if let Taken::NotNow(why) = (MIGRATE.take)(w)? {
            w.diag(why);
            if times > 0 {
                break;
            }
            return Err(Stop::Skip("needs pages that can be migrated now"));
        }
        let after = active(w, p, all)?;
        // Others may age pages at any time, but not just then, each time.
        match before.iter().zip(&after).position(|(was, is)| was != is) {
            None => return w.check(),
            Some(i) => wrong = Some((i, after[i])),
        }
        times += 1;
    }
    let (i, is) = wrong.expect("seen once at least");
    let how = if is { "is" } else { "is not" };
    Err(w.report(&Finding {
        property: "a page that was active is active where it has moved to, and no other",
        detail: format!("page {i} {how}, {times} times"),
        at: Some((p.id(), all.vpn + i)),
    }))
}

/// Which pages of an area are active.
fn active(w: &World, actor: Actor, area: Area) -> TestResult<Vec<bool>> {
    lru::drain().doing("drain the LRU batches")?;
    let pages = w.pages_of(actor, area)?;
    let is = |page: Option<(_, Flags)>| page.is_some_and(|p| p.1.has(Flags::ACTIVE));
    Ok(pages.into_iter().map(is).collect())
}
