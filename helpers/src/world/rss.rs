// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process is said to have in memory, and what it has.

use super::World;
use super::check::Finding;
use super::sight::Lie;
use crate::TestResult;
use crate::kernel::vma;
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);
/// Pages that a task may keep to itself before it tells its mm (TASK_RSS_EVENTS_THRESH, before 6.2).
const PER_TASK: u64 = 64;

impl World<'_> {
    /// RssAnon of every actor (mm->rss_stat, changed with each mapping) is what smaps finds in its page tables. The first is summed up
    /// roughly before 6.16: each CPU may keep back a batch (percpu_counter_batch).
    #[track_caller]
    pub fn check_rss(&self) -> TestResult {
        let cpus = possible_cpus();
        let slack = PER_TASK + cpus * 32.max(2 * cpus);
        let ids: Vec<usize> = self.model.borrow().living().collect();
        for id in ids {
            let pid = self.pid(id)?;
            let mut until = self.limit(PATIENCE);
            loop {
                let told = vma::status_kb(pid, "RssAnon").ok().flatten();
                let found = vma::rollup_kb(pid, "Anonymous").ok().flatten();
                let (Some(told), Some(found)) = (told, found) else {
                    break;
                };
                let lie = u64::from(self.eye.lie == Some(Lie::Rss)) << 30;
                let told = told + lie;
                let pages = told.abs_diff(found) * 1024 / self.page as u64;
                if pages <= slack {
                    break;
                }
                if until.over() {
                    return Err(self.report(&Finding {
                        property: "RssAnon is what is in the page tables",
                        detail: format!(
                            "{}: RssAnon {told} kB, Anonymous in smaps {found} kB",
                            self.actor_name(id)
                        ),
                        at: None,
                    }));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }
}

/// CPUs that may ever be there: the last of "0-3".
fn possible_cpus() -> u64 {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text.trim().rsplit(['-', ',']).next().unwrap_or_default();
    last.parse::<u64>().map_or(1024, |n| n + 1)
}
