// SPDX-License-Identifier: GPL-2.0-or-later
//! One mark takes every mapper's accessed bit (page_idle_clear_pte_refs_one()).
//!
//!   P, C, D  read the page      it is marked idle, once      nobody reads it: it is idle
//!
//! A mark that leaves one of the bits where it was is made good by the next look, which takes that bit for an access. So the page is marked
//! once and looked at once, and what comes after that tells only whether it could be marked at all.

use super::{MAPPERS, is_idle, set_idle};
use crate::TestResult;
use crate::kernel::lru;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::walk::fate::{self, Page};
use crate::walk::referenced::touch;
use crate::world::World;
use std::collections::BTreeMap;
use std::fs::File;

/// How often the same page must be found busy. The walk leaves a page of a file or of KSM alone while somebody else has locked it, and then
/// has taken nothing; and a page may be off its list for a moment.
const TIMES: usize = 4;

/// Folios by their first page, each with one or two of its pages.
pub(super) type Folios<'p> = BTreeMap<Pfn, Vec<&'p Page>>;

/// Each page is read by its mappers, by one after the other, and then marked.
#[track_caller]
pub(super) fn judge(w: &World, bitmap: &File, folios: Folios) -> TestResult {
    let mut busy = folios;
    for _ in 0..TIMES {
        let readers = |page: &&Page| {
            let readable = page.mappers.iter().filter(|at| w.is_readable(**at));
            readable.take(MAPPERS).copied().collect::<Vec<_>>()
        };
        let reads: Vec<_> = busy.values().flatten().flat_map(readers).collect();
        touch(w, &reads)?;
        lru::drain().doing("drain the LRU batches")?;
        for &head in busy.keys() {
            set_idle(bitmap, head)?;
        }
        let mut left = Folios::new();
        for (head, pages) in busy {
            if !is_idle(bitmap, head)? {
                left.insert(head, pages);
            }
        }
        // What was marked in vain since it was not to be had is so again.
        busy = Folios::new();
        for (head, pages) in left {
            if becomes_idle(bitmap, head)? {
                busy.insert(head, pages);
            }
        }
        if busy.is_empty() {
            return Ok(());
        }
    }
    let now = fate::entries(w)?;
    for page in busy.values().flatten() {
        if fate::here(w, page)? {
            return Err(page.fail(
                w,
                "a page that its mappers have read is idle once it is marked, until somebody reads it again",
                &format!("not idle, each of {TIMES} times, but marked anew it is"),
                &now,
            ));
        }
    }
    Ok(())
}

/// Marked again and again, by nobody's access: each mark may leave one mapper's bit less.
fn becomes_idle(bitmap: &File, head: Pfn) -> TestResult<bool> {
    for _ in 0..=MAPPERS {
        set_idle(bitmap, head)?;
        if is_idle(bitmap, head)? {
            return Ok(true);
        }
    }
    Ok(false)
}
