// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask healthy`: runs the whole suite again and again on kernels that
//! have no planted bug. Nothing may ever fail there.

use crate::bugs;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::outcome::{self, Guest, Outcome};
use crate::plan::Plan;
use crate::plant;
use crate::suite;
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask healthy [OPTIONS] [-- ARGUMENTS...]

Runs the whole suite on kernels without a planted bug, and writes
lab/HEALTHY.md from all runs that are kept. ARGUMENTS are more arguments for
run_tests.sh.

  --only NAMES    only these, as in debian-6.1,lab
  --list          list them and end
  --runs N        until N runs of each are kept (1)
  --again         forget the runs that are kept of these
  --report        run nothing, only write
  --suite DIR     take the suite from there (of the kernel's architecture)
  --timeout S     give a guest up after S seconds (5400)

Exit status: 0 when no test failed in any run, 1 otherwise.";

/// A kernel that nothing is wrong with.
struct Healthy {
    name: &'static str,
    arch: Arch,
    from: From,
}

enum From {
    /// Debian's newest of that version
    Debian(&'static str),
    /// the lab's, with what its configuration has on top
    Lab(Option<&'static str>),
}

const ALL: [Healthy; 6] = [
    Healthy::new("debian-6.1", Arch::X86_64, From::Debian("debian:6.1")),
    Healthy::new("debian-6.12", Arch::X86_64, From::Debian("debian:6.12")),
    Healthy::new("debian-7", Arch::X86_64, From::Debian("debian:7")),
    Healthy::new(
        "debian-6.12-arm64",
        Arch::Aarch64,
        From::Debian("debian:6.12"),
    ),
    Healthy::new("lab", Arch::X86_64, From::Lab(None)),
    Healthy::new("lab-debug", Arch::X86_64, From::Lab(Some("debug"))),
];

impl Healthy {
    const fn new(name: &'static str, arch: Arch, from: From) -> Healthy {
        Healthy { name, arch, from }
    }

    fn kernel(&self) -> Result<Kernel> {
        match self.from {
            From::Debian(spec) => Kernel::find(spec, self.arch),
            From::Lab(config) => {
                let built = plant::build(&bugs::all()?, config)?;
                Ok(Kernel {
                    name: format!("Linux {}", built.version),
                    image: built.image,
                    modules: Vec::new(),
                })
            }
        }
    }

    fn dir(&self) -> Result<PathBuf> {
        Ok(sys::cache()?.join("healthy").join(self.name))
    }

    /// Runs that were made before.
    fn kept(&self) -> Result<Vec<Outcome>> {
        let dir = self.dir()?;
        Ok((1..)
            .map_while(|n| outcome::kept(&dir.join(n.to_string())))
            .collect())
    }
}

#[derive(Default)]
struct Options {
    only: Vec<String>,
    list: bool,
    again: bool,
    report: bool,
    runs: Option<usize>,
    suite: Option<PathBuf>,
    timeout: Option<u64>,
    arguments: Vec<String>,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("only") => {
                let names = parser.value()?.string()?;
                options.only = names.split(',').map(String::from).collect();
            }
            Long("list") => options.list = true,
            Long("again") => options.again = true,
            Long("report") => options.report = true,
            Long("runs") => options.runs = Some(parser.value()?.parse()?),
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("timeout") => options.timeout = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => {
                options.arguments.push(word.string()?);
                for word in parser.raw_args()? {
                    options.arguments.push(word.string()?);
                }
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    Ok(Some(options))
}

/// What is wrong with a run, a line each.
fn wrong(outcome: &Outcome) -> Vec<String> {
    let failed = outcome.run.failed.iter();
    let mut lines: Vec<String> = failed.map(|f| format!("{}: {}", f.test, f.line)).collect();
    lines.extend(outcome.trouble.clone());
    if lines.is_empty() && outcome.run.passed.is_empty() {
        lines.push("no test passed".into());
    }
    lines
}

/// The least and the most, or the one number that both are.
fn range(numbers: impl Iterator<Item = usize> + Clone) -> String {
    let least = numbers.clone().min().unwrap_or(0);
    let most = numbers.max().unwrap_or(0);
    match least == most {
        true => most.to_string(),
        false => format!("{least} to {most}"),
    }
}

fn markdown(results: &[(&Healthy, Vec<Outcome>)]) -> String {
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Healthy kernels\n\n\
         Written by `cargo xtask healthy`: the whole suite (`run_tests.sh -d`) on kernels that nothing is\n\
         wrong with, emulated (no KVM), two processors, two memory nodes, 1 GiB. Each run is of the suite as it was then;\n\
         `lab` and `lab-debug` are those of `cargo xtask prove`.\n\n\
         | kernel | runs | runs with a failure | passed | skipped | s |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for (kernel, runs) in results {
        let bad = runs.iter().filter(|r| !wrong(r).is_empty()).count();
        let _ = writeln!(
            out,
            "| {} | {} | {bad} | {} | {} | {} |",
            kernel.name,
            runs.len(),
            range(runs.iter().map(|r| r.run.passed.len())),
            range(runs.iter().map(|r| r.run.skipped.len())),
            range(runs.iter().map(|r| r.seconds as usize)),
        );
    }
    out.push_str("\n## Failures\n\n");
    let mut none = true;
    for (kernel, runs) in results {
        for line in runs.iter().flat_map(wrong) {
            none = false;
            let _ = writeln!(out, "- {}: {line}", kernel.name);
        }
    }
    if none {
        out.push_str("None.\n");
    }
    out.push_str("\n## Reasons of the skips\n\nOf the last run of each.\n\n| kernel | tests | reason |\n| --- | --- | --- |\n");
    for (kernel, runs) in results {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, reason) in runs.last().iter().flat_map(|r| &r.run.skipped) {
            *reasons.entry(reason).or_default() += 1;
        }
        for (reason, tests) in reasons {
            let _ = writeln!(out, "| {} | {tests} | {reason} |", kernel.name);
        }
    }
    out
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let names = ALL.map(|k| k.name);
    if let Some(name) = options.only.iter().find(|n| !names.contains(&n.as_str())) {
        bail!("no {name} here: {}", names.join(" "));
    }
    if options.list {
        println!("{}", names.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = |k: &&Healthy| options.only.is_empty() || options.only.iter().any(|n| n == k.name);
    for healthy in ALL.iter().filter(chosen).filter(|_| !options.report) {
        run(healthy, &options).with_context(|| healthy.name)?;
    }
    let mut results = Vec::new();
    for healthy in &ALL {
        let runs = healthy.kept()?;
        if !runs.is_empty() {
            results.push((healthy, runs));
        }
    }
    let path = sys::root()?.join("lab/HEALTHY.md");
    sys::write(&path, markdown(&results))?;
    eprintln!("xtask: wrote {}", path.display());
    let failed = results
        .iter()
        .flat_map(|r| &r.1)
        .any(|r| !wrong(r).is_empty());
    Ok(match failed {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    })
}

/// Runs the suite until there are as many runs as are asked for.
fn run(healthy: &Healthy, options: &Options) -> Result<()> {
    let machine = Machine {
        arch: healthy.arch,
        timeout: Duration::from_secs(options.timeout.unwrap_or(5400)),
        ..Machine::default()
    };
    machine.check()?;
    let dir = healthy.dir()?;
    if options.again && dir.is_dir() {
        std::fs::remove_dir_all(&dir)?;
    }
    sys::make_dir(&dir)?;
    let kept = healthy.kept()?.len();
    let wanted = options.runs.unwrap_or(1);
    if kept >= wanted {
        return Ok(());
    }
    let kernel = healthy.kernel()?;
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir)?,
        None => suite::build(machine.arch)?,
    };
    let plan = Plan::whole(options.arguments.clone());
    for n in kept + 1..=wanted {
        let guest = Guest {
            machine: &machine,
            image: &kernel.image,
            modules: &kernel.modules,
            files: &files,
            command: &plan.command(0),
            short: false,
            stem: &dir.join(n.to_string()),
        };
        let outcome = guest.run(0)?;
        println!(
            "{} ({}), run {n}: {} passed, {} failed, {} skipped in {:.0} s",
            healthy.name,
            kernel.name,
            outcome.run.passed.len(),
            wrong(&outcome).len(),
            outcome.run.skipped.len(),
            outcome.seconds
        );
        for line in wrong(&outcome) {
            println!("  {line}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tap::Run;

    #[test]
    fn a_report_tells_of_each_run() {
        let outcome = |passed: &[&str]| Outcome {
            number: 0,
            run: Run {
                passed: passed.iter().map(|p| p.to_string()).collect(),
                skipped: vec![("a.b".into(), "needs KSM".into())],
                failed: Vec::new(),
            },
            trouble: None,
            stopped: false,
            status: Some(0),
            seconds: 3.9,
        };
        let text = markdown(&[(&ALL[0], vec![outcome(&["a.c"]), outcome(&["a.c", "a.d"])])]);
        assert!(
            text.contains("| debian-6.1 | 2 | 0 | 1 to 2 | 1 | 3 |"),
            "{text}"
        );
        assert!(text.contains("| debian-6.1 | 1 | needs KSM |"), "{text}");
        let text = markdown(&[(&ALL[4], vec![outcome(&[])])]);
        assert!(
            text.contains("| lab | 1 | 1 |") && text.contains("- lab: no test passed"),
            "{text}"
        );
    }
}
