// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask`: what the suite needs around it: guests of other kernels to
//! run it in, and kernels with planted bugs to prove that it catches them.

mod accel;
mod apt;
mod bugs;
mod coverage;
mod cpio;
mod detection;
mod dist;
mod firmware;
mod fleet;
mod guest;
mod healthy;
mod initramfs;
mod kernel;
mod kselftest;
mod lab;
mod lava;
mod less;
mod licenses;
mod machine;
mod modules;
mod outcome;
mod plan;
mod plant;
mod prove;
mod quick;
mod record;
mod report;
mod source;
mod suite;
mod sys;
mod tap;
mod target;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND [OPTIONS]

  guest    boot a kernel in QEMU and run the suite, or a command, in it
  prove    run the suite on a kernel with planted bugs: does it catch them?
  healthy  run the suite again and again on kernels that nothing is wrong with
  less     run the suite on kernels and machines that lack something
  lab      run it on three architectures, three kernels of each: one table
  lava     run it as a job of LAVA or tuxrun, without a server: does each result arrive?
  kselftest
           put it into a kernel's selftests; build and run it there as labs do
  quick    choose the tests that catch most bugs in a short time
  dist     build release tarballs for boards
  coverage which lines of the kernel the suite runs, which walks over which pages

`cargo xtask COMMAND --help` tells a command's options.";

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let command = args.next();
    let rest = lexopt::Parser::from_args(args);
    let done = match command.as_deref().and_then(|c| c.to_str()) {
        Some("guest") => guest::main(rest),
        Some("prove") => prove::main(rest),
        Some("healthy") => healthy::main(rest),
        Some("less") => less::main(rest),
        Some("lab") => lab::main(rest),
        Some("lava") => lava::main(rest),
        Some("kselftest") => kselftest::main(rest),
        Some("coverage") => coverage::main(rest),
        Some("quick") => quick::main(rest),
        Some("dist") => dist::main(rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(anyhow::anyhow!("no such command: {other}\n{USAGE}")),
        None => Err(anyhow::anyhow!("no command\n{USAGE}")),
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
