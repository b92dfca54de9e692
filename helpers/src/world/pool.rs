// SPDX-License-Identifier: GPL-2.0-or-later
//! The pool of huge pages, which outlives every process: what a test has taken from it is back when the test has ended.

use super::World;
use crate::kernel::hugetlb::{self, Taken};
use crate::pace::Wait;
use crate::stop::Doing;
use crate::supervise::Ctx;
use crate::{Stop, TestResult};
use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
use std::time::Duration;

/// How long pages may take to come back: some are freed by a worker.
const LIMIT: Duration = Duration::from_secs(2);

/// Adds pages to the pool until so many are free on each node, as far as there is memory for them.
///
/// # Errors
/// `Skip` where the pool may not be changed, as in a container.
pub fn enlarge_pool(w: &World, pages: usize) -> TestResult {
    match hugetlb::enlarge(pages, &w.features().nodes) {
        Err(e) if matches!(e.kind(), PermissionDenied | ReadOnlyFilesystem) => {
            Err(Stop::Skip("needs a pool of huge pages that it may change"))
        }
        other => other.doing("enlarge the pool"),
    }
}

/// The largest page to fill and compare as a whole, bytes.
const LARGEST: usize = 32 << 20;

/// Adds pages to the pool until so many are free on each node: pages of the size of a PMD.
///
/// # Errors
/// `Skip` where hugetlb pages are of another size, or so large that a test would take too long, or where there are not so many.
pub fn fill_pool(w: &World, pages: usize) -> TestResult {
    let size = hugetlb::default_size();
    if size != w.features().pmd_size || size > Some(LARGEST) {
        return Err(Stop::Skip("needs hugetlb pages of the PMD size"));
    }
    let nodes = &w.features().nodes;
    enlarge_pool(w, pages)?;
    let short = nodes.iter().any(|&node| hugetlb::free_on(node) < pages);
    if short || hugetlb::free() < pages * nodes.len() {
        return Err(Stop::Skip("needs free huge pages"));
    }
    Ok(())
}

/// Why a test of the pool is skipped whose numbers others have changed.
pub const NOBODY_ELSE: &str = "needs a pool of huge pages that nobody else uses";

/// So many huge pages are promised to mappings that have not touched them yet, or come to be soon (resv_huge_pages).
///
/// # Errors
/// `Fail` when it is another number for long.
#[track_caller]
pub fn expect_promised(w: &World, due: usize) -> TestResult {
    let mut until = w.limit(LIMIT);
    loop {
        let Some(now) = hugetlb::taken() else {
            return Err(Stop::Skip("needs hugetlb"));
        };
        if now.reserved == due {
            return Ok(());
        }
        if until.over() {
            return Err(Stop::fail(format_args!(
                "a huge page is promised until it is touched, and not longer: HugePages_Rsvd is {} and should be {due}\n{}",
                now.reserved,
                w.script_text()
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is wrong with the number of promised pages when it is so twice. `once` is told how many are promised before it: none, and the second time what
/// the first has left, which a wrong kernel never gives back.
///
/// # Errors
/// Those of `once`. `Skip` when somebody else uses the pool.
#[track_caller]
pub fn promised_twice(ctx: &mut Ctx, once: fn(&mut Ctx, usize) -> TestResult) -> TestResult {
    if hugetlb::taken() != Some(Taken::default()) {
        return Err(Stop::Skip(NOBODY_ELSE));
    }
    let wrong = match once(ctx, 0) {
        Err(Stop::Fail(text)) => text,
        other => return other,
    };
    ctx.diag(format_args!("the first time: {wrong}"));
    // Its objects have pages as long as they are remembered.
    ctx.left.check(ctx.arena.disk.as_deref())?;
    let left = match hugetlb::taken() {
        Some(taken) if taken.used == 0 && !taken.below_zero => taken.reserved,
        _ => return Err(Stop::Skip(NOBODY_ELSE)),
    };
    match once(ctx, left) {
        Ok(()) => Err(Stop::Skip(NOBODY_ELSE)),
        other => other,
    }
}

/// Runs a test that takes pages from the pool of huge pages. No page is in use and none promised (resv_huge_pages) after it if none was
/// before.
///
/// # Errors
/// Those of the test. `Fail` when something is missing each time that the test is run; `Skip` when it is only the first time: somebody
/// else has come to use the pool.
#[track_caller]
pub fn pooled(ctx: &mut Ctx, test: impl Fn(&mut Ctx) -> TestResult) -> TestResult {
    let test = |ctx: &mut Ctx| {
        test(ctx)?;
        // Its objects have pages as long as they are remembered.
        ctx.left.check(ctx.arena.disk.as_deref())
    };
    let before = hugetlb::taken();
    test(ctx)?;
    let Some(first) = before.and_then(missing) else {
        return Ok(());
    };
    if before != Some(Taken::default()) {
        ctx.diag("somebody else uses the pool of huge pages: it is not judged");
        return Ok(());
    }
    let wrong = |then: &str| {
        Err(Stop::fail(format_args!(
            "the pool of huge pages is after a test as it was before: {before:?} before, {first:?} after it{then}"
        )))
    };
    ctx.diag(format_args!(
        "the pool of huge pages: {before:?} before, {first:?} after the test"
    ));
    if first.below_zero {
        return wrong("");
    }
    let Some(then) = hugetlb::taken() else {
        return Ok(());
    };
    match (test(ctx), missing(then)) {
        (Err(stop @ (Stop::Fail(_) | Stop::Error(_))), _) => Err(stop),
        (_, Some(now)) => wrong(&format!(", {now:?} after it once more")),
        (_, None) => Err(Stop::Skip(NOBODY_ELSE)),
    }
}

/// What is taken now, when it does not become what it was.
fn missing(before: Taken) -> Option<Taken> {
    let mut until = Wait::new(LIMIT);
    loop {
        let now = hugetlb::taken()?;
        if now == before {
            return None;
        }
        if until.over() {
            return Some(now);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
