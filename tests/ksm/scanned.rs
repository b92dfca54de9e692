// SPDX-License-Identifier: GPL-2.0-or-later
//! Scans that find nothing new. With smart_scan ksmd leaves out pages that it did not merge, for up to eight scans each (skip_age()); merged
//! ones stay in its trees through all of them.

use super::walks;
use helpers::kernel::ksm;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::topology::{filled, like};
use helpers::walk::merge::{self, merge};
use helpers::walk::{self, compact, idle, migrate};
use helpers::world::World;
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Scans; more than a page may be left out.
const SCANS: usize = 14;

/// Time between two scans, in milliseconds: enough to stop ksmd in.
const PAUSE: &str = "20";

/// Has ksmd go through all mergeable memory once more, or a few times where we are too late to stop it.
fn scan(w: &World) -> TestResult {
    let before = ksm::full_scans().doing("read full_scans")?;
    let mut until = w.limit(Duration::from_secs(8));
    ksm::set_run(1).doing("start ksmd")?;
    let end = loop {
        match ksm::full_scans().doing("read full_scans") {
            Ok(now) if now == before && !until.over() => {
                std::thread::sleep(Duration::from_millis(2))
            }
            Ok(now) => break Ok(now > before),
            Err(e) => break Err(e),
        }
    };
    ksm::set_run(0).doing("stop ksmd")?;
    match end? {
        true => Ok(()),
        false => Err(Stop::Skip("needs a ksmd that scans in time")),
    }
}

///   P [0 1 2 3]   Q [0 1 2 3]   merged;   R [4 5]   not      scan, walk, scan, walk, ...
fn again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    let alone = filled(&w, "R", 2)?;
    alone
        .0
        .advise(alone.1, helpers::sys::mem::advice::MERGEABLE)?;
    merge(&w, &[p, q])?;
    let moves = [&migrate::MIGRATE, &compact::COMPACT, &idle::IDLE];
    let finds = moves.into_iter().find(|walk| (walk.offered)(&w).is_ok());
    for _ in 0..SCANS {
        scan(&w)?;
        // Now, not after another scan: that would put right what this one did.
        merge::expect_merging(&w, false, &[(p.0, 4), (q.0, 4), (alone.0, 0)])?;
        match finds.map(|walk| walk::midway(&w, walk)) {
            // Not now, perhaps after the next scan.
            None | Some(Ok(()) | Err(Stop::Skip(_))) => w.check()?,
            Some(Err(stop)) => return Err(stop),
        }
    }
    let late = like(&w, "late", 4, p)?;
    merge(&w, &[p, q, late])?;
    // The walk waits for pages that ksmd has left out so often by now.
    match ksm::set("smart_scan", "0") {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).doing("set smart_scan"),
        _ => walks(w),
    }
}

pub const AGAIN: Test = Test {
    name: "scanned_again",
    about: "Pages stay merged, and are found through all their mappers, however often ksmd comes by (smart_scan).",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm],
    knobs: &[
        Knob::set("/sys/kernel/mm/ksm/smart_scan", "1"),
        Knob::set("/sys/kernel/mm/ksm/sleep_millisecs", PAUSE),
    ],
    timeout: Duration::from_secs(60),
    run: again,
    ..Test::DEFAULT
};
