// SPDX-License-Identifier: GPL-2.0-or-later
//! What a test declares, the process it runs in, and what its end looks like to others.

pub mod arena;
pub mod ctx;
pub mod knob;
pub mod test;

pub use arena::Arena;
pub use ctx::Ctx;
pub use knob::{Knob, WhenMissing};
pub use test::{Fix, Need, Test};

/// Main function of every test binary: parses the command line, runs the tests that it names, prints TAP, never returns.
///
/// Exit status 0 pass, 1 failure or bad input, 4 all skipped.
pub fn main(_suite: &str, _about: &str, _tests: &[Test]) -> ! {
    unimplemented!()
}
