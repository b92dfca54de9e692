// SPDX-License-Identifier: GPL-2.0-or-later
//! Topologies that nobody thought of: scripts by chance ([`plan`]) and all short ones ([`batch`]), played in a world, judged by
//! every walk, and cut down to what matters when one fails ([`shrink`]).
//!
//! A script is data ([`step`]). The model of the world says which steps are legal and what they must lead to; the
//! kernel is only asked where its VMAs end, which no property depends on.

pub mod batch;
pub mod ground;
pub mod midway;
pub mod objects;
pub mod plan;
pub mod rng;
pub mod shrink;
pub mod step;

pub use plan::Script;

use crate::pace;
use crate::supervise::Ctx;
use crate::supervise::ctx::Report;
use crate::world::Left;
use crate::world::World;
use crate::{Stop, TestResult, topology, walk};
use rng::Rng;
use std::time::Instant;
use step::Parts;

/// Environment variable: a script (the JSON of a failure report) to play instead of the one of the seed.
pub const SCRIPT_VAR: &str = "RMAP_SELFTESTS_SCRIPT";

/// Plays the `n`th script of the run's seed.
pub fn random(ctx: &Ctx, n: u64, plan: fn(u64) -> Script) -> TestResult {
    if let Some(text) = std::env::var_os(SCRIPT_VAR) {
        let text = text.to_string_lossy();
        let script: Script =
            serde_json::from_str(&text).map_err(|e| Stop::Error(format!("{SCRIPT_VAR}: {e}")))?;
        ctx.diag(format_args!("the script of {SCRIPT_VAR}"));
        return test(ctx, &script);
    }
    let script = plan(Rng::new(ctx.seed ^ n.rotate_left(32)).next());
    ctx.diag(format_args!(
        "--seed {:#x} gives this script of {} steps again",
        ctx.seed,
        script.steps.len()
    ));
    test(ctx, &script)
}

/// Plays a script and judges; a failing one is cut down while time allows.
pub fn test(ctx: &Ctx, script: &Script) -> TestResult {
    let all: Vec<usize> = (0..script.steps.len()).collect();
    judge(
        ctx,
        all.len(),
        |ctx, keep| play(ctx, script, keep),
        |keep| {
            let steps = keep.iter().map(|&i| script.steps[i]).collect();
            Script { steps, ..*script }.replay()
        },
    )
}

impl Script {
    /// How a reader of the log plays this script.
    fn replay(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("play it again: {SCRIPT_VAR}='{text}' explore random.0")
    }
}

/// Plays some steps of a script in a world of its own.
fn play(ctx: &Ctx, script: &Script, keep: &[usize]) -> TestResult {
    let w = World::new(ctx)?;
    let region = script.ground.place(&w, script.pages)?;
    w.name(region, "r");
    let mut parts = Parts::root(w.actor("P")?.id());
    parts.file = script.ground.file(&w)?;
    let mut left_out = 0;
    for &i in keep {
        if !script.steps[i].perform(&w, &mut parts, region)? {
            left_out += 1;
        }
    }
    if left_out > 0 {
        w.diag(format_args!("{left_out} steps left out"));
    }
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Runs `play` on all of `0..n`, and when it fails on fewer and fewer of it.
fn judge(
    ctx: &Ctx,
    n: usize,
    play: impl Fn(&Ctx, &[usize]) -> TestResult,
    describe: impl Fn(&[usize]) -> String,
) -> TestResult {
    let all: Vec<usize> = (0..n).collect();
    let started = Instant::now();
    let first = match play(ctx, &all) {
        Err(Stop::Fail(text)) => text,
        other => return other,
    };
    let took = started.elapsed();
    // At once: what comes next may end with the deadline, or with the kernel.
    ctx.diag(format_args!(
        "failed, a shorter script is looked for: {first}"
    ));
    // The test has this time for all of its work and more where it goes on (supervise/run.rs); the last attempt may be as slow
    // as the first one.
    let most = ctx.timeout.mul_f64(pace::scale()) / 2;
    let end = Instant::now() + most.saturating_sub(took.mul_f64(1.5));
    let silent = Ctx {
        arena: ctx.arena,
        seed: ctx.seed,
        deadline: ctx.deadline,
        verbose: false,
        timeout: ctx.timeout,
        report: Report { fd: None },
        tally: ctx.tally.clone(),
        left: Left::default(),
    };
    let mut attempts = 0;
    let mut best: Option<String> = None;
    let kept = shrink::shrink(n, |keep| {
        if Instant::now() >= end {
            return None;
        }
        attempts += 1;
        match play(&silent, keep) {
            Err(Stop::Fail(text)) => {
                best = Some(text);
                Some(true)
            }
            _ => Some(false),
        }
    });
    Err(Stop::Fail(match best {
        Some(text) => format!(
            "{text}\n(cut down from {n} to {} in {attempts} attempts; how the whole failed is shown before)\n{}",
            kept.len(),
            describe(&kept)
        ),
        None => format!(
            "{first}\n(no shorter script failed in {attempts} attempts)\n{}",
            describe(&all)
        ),
    }))
}
