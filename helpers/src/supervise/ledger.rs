// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says is mapped when a test has ended all that it had map anything: the counters of anonymous memory (NR_ANON_MAPPED,
//! NR_ANON_THPS) of its memory cgroup are what they were before. One mapping counted twice, or not at all, stays in them for ever.

use super::arena::Arena;
use crate::kernel::memcg::Memcg;
use crate::kernel::vma;
use crate::pace::Wait;
use crate::sys::mem;
use std::io;
use std::time::Duration;

/// Covers the 2 s after which a memory cgroup has surely brought its statistics up to date (FLUSH_TIME in mm/memcontrol.c).
const PATIENCE: Duration = Duration::from_millis(2500);

/// The counters before a test, pages.
pub(super) struct Ledger {
    /// Of the cgroup, without what the caller has itself.
    anon: i64,
    /// Those that PMDs map.
    huge: i64,
    /// What the caller had: as much of it as was its parent's may become its own meanwhile.
    slack: i64,
}

impl Ledger {
    /// Reads them; the caller is alone in the cgroup. `None` where there are none, or where a huge page that one maps by a PMD and another by
    /// PTEs is counted twice once it has moved: seen with 6.1, before the mapcounts of compound pages were made anew in Linux 6.2.
    pub(super) fn open(arena: &Arena) -> Option<Ledger> {
        if arena.features.version() < (6, 2) {
            return None;
        }
        read(arena.memcg.as_ref().ok()?).ok().flatten()
    }

    /// What has changed, once more the caller is alone.
    pub(super) fn changes(&self, arena: &Arena) -> Option<String> {
        let memcg = arena.memcg.as_ref().ok()?;
        let mut until = Wait::new(PATIENCE);
        loop {
            let now = read(memcg).ok().flatten()?;
            let anon = now.anon - self.anon;
            let huge = now.huge - self.huge;
            if anon.abs() <= self.slack && huge == 0 {
                return None;
            }
            if until.over() {
                return Some(format!(
                    "the counters of mapped pages follow the mappings: all processes gone, {anon} anonymous pages more than before the test (give or take {}), {huge} pages of PMDs",
                    self.slack
                ));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn read(memcg: &Memcg) -> io::Result<Option<Ledger>> {
    memcg.flush_stats()?;
    let size = mem::page_size() as i64;
    let Some(own) = vma::rollup_kb(0, "Anonymous")? else {
        return Ok(None);
    };
    let own = own as i64 * 1024 / size;
    let pages = |field| -> io::Result<i64> { Ok(memcg.stat(field)?.unwrap_or(0) as i64 / size) };
    Ok(Some(Ledger {
        anon: pages("anon")? - own,
        huge: pages("anon_thp")?,
        slack: own,
    }))
}
