// SPDX-License-Identifier: GPL-2.0-or-later
//! Tests of the suite itself: what it must never get wrong, whatever a test does.
//!
//! `cargo test` runs them, as root or not. What cannot be checked here is skipped with a line on
//! standard error; with CI set in the environment, a TAP reader that is not installed is a failure.

mod input;
mod lies;
mod lives;
mod manual;
mod misbehaviour;
mod readers;
mod reports;
mod script;
mod seen;
mod shape;
mod signals;
mod support;
