// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask`: what the suite needs around it.

fn main() {
    eprintln!("xtask: no command yet");
    std::process::exit(1);
}
