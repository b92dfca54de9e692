// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process is said to have of address space, and its areas.

use super::World;
use super::check::Finding;
use super::model::ActorId;
use super::sight::Lie;
use crate::kernel::vma::{self, Flagged};
use crate::stop::Doing;
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);

/// Numbers of /proc/PID/status, and the areas of which their sum is the size (vm_stat_account()).
struct Size {
    told: &'static [&'static str],
    counts: fn(&Flagged) -> bool,
}

/// Which a process may have made itself, or the kernel for it (map_shadow_stack(2)).
fn stack(area: &Flagged) -> bool {
    area.has("gd") || area.has("ss")
}

/// Exclusive of each other, in the order in which the kernel asks.
fn code(area: &Flagged) -> bool {
    area.has("ex") && !area.has("wr") && !area.has("gd")
}

fn data(area: &Flagged) -> bool {
    area.has("wr") && !area.has("sh") && !stack(area)
}

const SIZES: [Size; 4] = [
    Size {
        told: &["VmSize"],
        counts: |_| true,
    },
    Size {
        // The program's text, and what else can be executed: together all that can.
        told: &["VmExe", "VmLib"],
        counts: code,
    },
    Size {
        told: &["VmStk"],
        counts: |a| !code(a) && stack(a),
    },
    Size {
        told: &["VmData"],
        counts: |a| !code(a) && data(a),
    },
];

impl World<'_> {
    /// VmSize, VmData, VmStk, and VmExe with VmLib of an actor (mm->total_vm and its parts) are the sizes of its areas: exactly, at every time
    /// when it is not about to change them.
    #[track_caller]
    pub(super) fn check_sizes(&self, id: ActorId, areas: &[Flagged]) -> TestResult {
        let pid = self.pid(id)?;
        let mut areas = areas.to_vec();
        let mut until = self.limit(PATIENCE);
        loop {
            let Some(wrong) = self.wrong_size(id, pid, &areas)? else {
                return Ok(());
            };
            if until.over() {
                return Err(self.report(&wrong));
            }
            std::thread::sleep(Duration::from_millis(5));
            areas = vma::all_flags(pid).doing("read smaps again")?;
        }
    }

    fn wrong_size(&self, id: ActorId, pid: i32, areas: &[Flagged]) -> TestResult<Option<Finding>> {
        let status = vma::status(pid).doing("read status")?;
        let lie = u64::from(self.eye.lie == Some(Lie::Sizes));
        for size in &SIZES {
            let told = size.told.iter().map(|name| status.kb(name));
            let told = told.sum::<Option<u64>>();
            // Whoever has memory has them all (task_mem()).
            let told =
                told.ok_or_else(|| Stop::error(format_args!("no {:?} in status", size.told)))?;
            let told = told + lie;
            let of = areas.iter().filter(|a| (size.counts)(a));
            let found = of.map(|a| a.end - a.start).sum::<usize>() as u64 / 1024;
            if told != found {
                return Ok(Some(Finding {
                    property: "the sizes of a process are those of its areas",
                    detail: format!(
                        "{}: {} {told} kB, its areas {found} kB",
                        self.actor_name(id),
                        size.told.join(" and ")
                    ),
                    at: None,
                }));
            }
        }
        Ok(None)
    }
}
