// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask healthy`: runs the whole suite again and again on kernels that
//! have no planted bug. Nothing may ever fail there.

use crate::bugs;
use crate::fleet::{self, Options};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::outcome::{self, Outcome};
use crate::plan::Plan;
use crate::plant;
use crate::sys::{self, Arch};
use anyhow::{Context, Result};
use lexopt::prelude::*;
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
  --jobs N        guests at a time (2)
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
        let bad = runs.iter().filter(|r| !fleet::wrong(r).is_empty()).count();
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
    let runs = results.iter();
    out += &fleet::failures(runs.flat_map(|(k, runs)| runs.iter().map(|r| (k.name, r))));
    out.push_str("\n## Reasons of the skips\n\nOf the last run of each.\n\n| kernel | tests | reason |\n| --- | --- | --- |\n");
    for (kernel, runs) in results {
        for (reason, tests) in runs.last().map(fleet::reasons).unwrap_or_default() {
            let _ = writeln!(out, "| {} | {tests} | {reason} |", kernel.name);
        }
    }
    out
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let (mut wanted, mut report) = (1, false);
    let own = &mut |name: &str, parser: &mut lexopt::Parser| {
        match name {
            "runs" => wanted = parser.value()?.parse()?,
            "report" => report = true,
            _ => return Ok(false),
        }
        Ok(true)
    };
    let Some(options) = fleet::options(parser, USAGE, own)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let names = ALL.map(|k| k.name);
    options.check(&names)?;
    if options.list {
        println!("{}", names.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    if !report {
        run(&options, wanted)?;
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
    let mut runs = results.iter().flat_map(|r| &r.1);
    Ok(match runs.any(|r| !fleet::wrong(r).is_empty()) {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    })
}

/// Runs the suite until there are `wanted` runs of each, a run of each in turn.
fn run(options: &Options, wanted: usize) -> Result<()> {
    let chosen: Vec<&Healthy> = ALL.iter().filter(|k| options.wants(k.name)).collect();
    let mut kernels = Vec::new();
    for healthy in chosen {
        let dir = healthy.dir()?;
        if options.again && dir.is_dir() {
            std::fs::remove_dir_all(&dir)?;
        }
        sys::make_dir(&dir)?;
        let kept = healthy.kept()?.len();
        if kept < wanted {
            let machine = Machine {
                arch: healthy.arch,
                at_once: options.jobs,
                timeout: options.timeout.unwrap_or(Duration::from_secs(5400)),
                ..Machine::default()
            };
            machine.check()?;
            let files = options.files(machine.arch)?;
            let kernel = healthy.kernel().with_context(|| healthy.name)?;
            kernels.push((healthy, kept, machine, kernel, files, dir));
        }
    }
    let mut jobs = Vec::new();
    for n in 1..=wanted {
        for (healthy, kept, machine, kernel, files, dir) in &kernels {
            if n > *kept {
                jobs.push(fleet::Job {
                    name: format!("{} ({}), run {n}", healthy.name, kernel.name),
                    machine: machine.clone(),
                    image: kernel.image.clone(),
                    modules: &kernel.modules,
                    files,
                    stem: dir.join(n.to_string()),
                    keep: false,
                });
            }
        }
    }
    let plan = Plan::whole(options.arguments.clone());
    fleet::run(&jobs, options.jobs, &plan).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::outcome;

    #[test]
    fn a_report_tells_of_each_run() {
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
