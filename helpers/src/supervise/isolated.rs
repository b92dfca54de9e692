// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are off the LRU lists, to be migrated or reclaimed (NR_ISOLATED_ANON, NR_ISOLATED_FILE): once nobody has any in hand there are none.
//! One that is put back and goes on being counted is counted for ever, and in the end reclaim and compaction wait for it (too_many_isolated()).

use crate::kernel::{sysfs, vmstat};
use crate::pace::Wait;
use crate::{Stop, TestResult};
use std::time::Duration;

/// Others may have some in hand at any moment; so long nobody has.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Pages of the whole machine.
#[derive(Clone, Copy)]
pub(super) struct Isolated(u64);

impl Isolated {
    /// Reads them. `None` where the kernel does not tell.
    pub(super) fn open() -> Option<Isolated> {
        // Each CPU's part at once, not within a second (vmstat_refresh()): for root. It may refuse for what others' numbers are.
        let _ = sysfs::read("/proc/sys/vm/stat_refresh");
        let sum = vmstat::sum(&["nr_isolated_anon", "nr_isolated_file"]);
        sum.ok().flatten().map(Isolated)
    }

    /// Judges them.
    ///
    /// # Errors
    /// `Fail` when there are more, and go on being.
    pub(super) fn check(self) -> TestResult {
        let mut until = Wait::new(PATIENCE);
        loop {
            let Some(now) = Isolated::open() else {
                return Err(Stop::error("/proc/vmstat has lost fields during the test"));
            };
            if now.0 <= self.0 {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::fail(format_args!(
                    "pages that are put back on their list are counted as isolated no more: {} before the test, {} now",
                    self.0, now.0
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
