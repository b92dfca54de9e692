// SPDX-License-Identifier: GPL-2.0-or-later
//! What a running test holds.

use super::Arena;
use std::time::{Duration, Instant};

/// Handed to every test function; lives in the test's own process.
pub struct Ctx<'a> {
    /// The machine.
    pub arena: &'a Arena,
    /// Seed of this run, printed in the header; give it to every generator of random choices.
    pub seed: u64,
    /// The supervisor kills the test at this time.
    pub deadline: Instant,
    /// -v: print the script while it runs.
    pub verbose: bool,
    /// Multiplier of all time limits (--timeout-scale).
    pub scale: f64,
    pub(crate) report: super::ctx::Report,
}

/// The pipe to the supervisor.
pub(crate) struct Report {
    #[allow(dead_code)]
    pub(crate) fd: Option<std::os::fd::OwnedFd>,
}

impl Ctx<'_> {
    /// Sends a diagnostic line (several when the text has newlines) that is printed before the result line.
    pub fn diag(&self, _text: impl std::fmt::Display) {
        let _ = &self.report;
        unimplemented!()
    }
    /// A time limit for one wait inside the test: `base` times the scale, but never past the deadline.
    pub fn limit(&self, base: Duration) -> Instant {
        let scaled = Instant::now() + base.mul_f64(self.scale);
        scaled.min(self.deadline)
    }
}
