// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask coverage`: which lines of the kernel's reverse mapping the suite runs.

mod gcov;
mod reasons;
mod report;
mod scope;
mod source;
mod table;

use crate::machine::Machine;
use crate::outcome::{self, Guest, Outcome};
use crate::plan::Plan;
use crate::plant;
use crate::suite;
use crate::sys;
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask coverage [OPTIONS] [-- ARGUMENTS...]

Builds the lab's kernel, without any bug, so that it counts which of its lines
are run (lab/coverage/functions says where), runs the whole suite on it in QEMU,
and writes lab/COVERAGE-KERNEL.md, and lab/COVERAGE.md from the same run: which
walks the tests take over which pages. ARGUMENTS are more arguments for
run_tests.sh; with any, both are written elsewhere. What was run before with
the same kernel and the same suite is not run again.

  --build         build the kernel and end
  --again         run also what was run before
  --table LOG     print COVERAGE.md for that log (flat TAP of any machine) and end
  --suite DIR     take the suite from there, do not build it
  --timeout S     give the guest up after S seconds (3600)

Exit status: 0, or 1 when a test fails.";

#[derive(Default)]
struct Options {
    build: bool,
    again: bool,
    table: Option<PathBuf>,
    suite: Option<PathBuf>,
    timeout: Option<u64>,
    arguments: Vec<String>,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("build") => options.build = true,
            Long("again") => options.again = true,
            Long("table") => options.table = Some(parser.value()?.into()),
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("timeout") => options.timeout = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => options.arguments = sys::words(word, &mut parser)?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    Ok(Some(options))
}

/// Runs the suite on the kernel that counts; the counts are unpacked in `dir`/counts.
fn run(
    options: &Options,
    image: &Path,
    dir: &Path,
    files: &suite::Files,
    plan: &Plan,
) -> Result<Outcome> {
    let stem = dir.join("run");
    let counts = dir.join("counts");
    if let Some(outcome) = outcome::kept(&stem).filter(|_| !options.again && counts.is_dir()) {
        return Ok(outcome);
    }
    let machine = Machine {
        timeout: Duration::from_secs(options.timeout.unwrap_or(3600)),
        ..Machine::default()
    };
    let script = gcov::script(&plan.command(0));
    let guest = Guest {
        machine: &machine,
        image,
        modules: &[],
        files,
        command: &["sh".into(), "-c".into(), script],
        short: false,
        stem: &stem,
    };
    let outcome = guest.run(0)?;
    if let Some(trouble) = &outcome.trouble {
        bail!(
            "{trouble}: see {}",
            stem.with_extension("console").display()
        );
    }
    gcov::unpack(&sys::read_text(&stem.with_extension("tap"))?, &counts)?;
    Ok(outcome)
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let meaningless = table::Meaningless::read()?;
    if let Some(log) = &options.table {
        let (text, _) = table::markdown(&table::read(&sys::read_text(log)?)?, &meaningless);
        print!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    let scope = scope::read()?;
    let reasons = reasons::Reasons::read()?;
    for program in ["gcov", "tar", "base64"] {
        if !sys::has_program(program) {
            bail!("no {program} on this host");
        }
    }
    let kernel = plant::plain(
        "coverage",
        &scope::makefiles(&scope),
        &[scope::FLAGS.into()],
    )?;
    if options.build {
        println!("{}", kernel.image.display());
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine::default();
    machine.check()?;
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir, machine.arch)?,
        None => suite::build(machine.arch)?,
    };
    let plan = Plan::whole(options.arguments.clone());
    let key = format!("{}-{}", kernel.key, suite::key(&files, &plan.key())?);
    let dir = sys::cache()?.join("coverage").join(key);
    sys::make_dir(&dir)?;
    let outcome = run(&options, &kernel.image, &dir, &files, &plan)?;
    println!(
        "{} passed, {} failed, {} skipped in {:.0} s",
        outcome.run.passed.len(),
        outcome.run.failed.len(),
        outcome.run.skipped.len(),
        outcome.seconds
    );
    for failed in &outcome.run.failed {
        println!("  {}: {}", failed.test, failed.line);
    }
    let counts = gcov::read(&dir.join("counts"), &kernel.build, &kernel.src)?;
    let judged = report::judge(&scope, &counts, &kernel.src, &reasons)?;
    print!("{}", report::summary(&judged));
    let lines = report::markdown(&judged, &kernel.version, &outcome.run, &reasons.unused());
    let tap = sys::read_text(&dir.join("run.tap"))?;
    let (walks, holes) = table::markdown(&table::read(&tap)?, &meaningless);
    println!("{holes} holes without a reason in the table of walks");
    let to = match options.arguments[..] {
        [] => sys::root()?.join("lab"),
        _ => dir,
    };
    for (name, text) in [("COVERAGE-KERNEL.md", lines), ("COVERAGE.md", walks)] {
        let path = to.join(name);
        sys::write(&path, text)?;
        eprintln!("xtask: wrote {}", path.display());
    }
    Ok(match outcome.run.failed.len() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
