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
use crate::record::{Record, Records, range};
use crate::sys::{self, Arch};
use anyhow::{Context, Result};
use lexopt::prelude::*;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask healthy [OPTIONS] [-- ARGUMENTS...]

Runs the whole suite on kernels without a planted bug, adds the runs to
lab/healthy.json, and writes lab/HEALTHY.md from all that are there. ARGUMENTS
are more arguments for run_tests.sh; what runs with them is not added.

  --only NAMES    only these, as in debian-6.1,lab
  --list          list them and end
  --runs N        until there are N runs of each (1)
  --again         forget the runs of these that there are
  --report        run nothing: take what an interrupted command has run, and write
  --suite DIR     take the suite from there (of the kernel's architecture)
  --jobs N        guests at a time (2)
  --timeout S     give a guest up after S seconds (5400)

Exit status: 0 when no test has failed in any run that is there (with ARGUMENTS:
in any of these), 1 otherwise.";

/// The runs that the document is made from.
const RECORDS: &str = "healthy.json";

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
                let built = plant::build(&bugs::LINUX_6_12, config)?;
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

    /// Where its runs are until they are collected. Runs of some tests only never are.
    fn runs(&self, options: &Options) -> Result<PathBuf> {
        let dir = self.dir()?;
        Ok(match options.arguments.is_empty() {
            true => dir,
            false => dir.join("some"),
        })
    }

    /// Takes the runs out of the cache that an earlier command has made.
    fn collect(&self, records: &mut Records) -> Result<()> {
        let dir = self.dir()?;
        for n in 1.. {
            let stem = dir.join(n.to_string());
            let Some(outcome) = outcome::kept(&stem) else {
                return Ok(());
            };
            records.add(self.name, Record::from(&outcome));
            records.write()?;
            outcome::forget(&stem)?;
        }
        Ok(())
    }
}

fn markdown(records: &Records) -> String {
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Healthy kernels\n\n\
         Written by `cargo xtask healthy` from lab/healthy.json, to which it adds its runs: the whole suite (`run_tests.sh -d`) on kernels that\n\
         nothing is wrong with, emulated (no KVM), two processors, two memory nodes, 1 GiB. Each run is of the suite as it was then;\n\
         `lab` and `lab-debug` are those of `cargo xtask prove`.\n\n\
         | kernel | tests | runs | runs with a failure | passed | skipped | s |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let kernels = ALL.iter().map(|k| (k.name, records.of(k.name)));
    let kernels = kernels.filter(|(_, runs)| !runs.is_empty());
    for (name, runs) in kernels.clone() {
        let bad = runs.iter().filter(|r| !r.wrong.is_empty()).count();
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {bad} | {} | {} | {} |",
            range(runs.iter().map(|r| r.tests)),
            runs.len(),
            range(runs.iter().map(|r| r.passed)),
            range(runs.iter().map(|r| r.skipped)),
            range(runs.iter().map(|r| r.seconds as usize)),
        );
    }
    let each = kernels
        .clone()
        .flat_map(|(name, runs)| runs.iter().map(move |r| (name, r)));
    out += &fleet::failures(each.map(|(name, run)| (name, run.wrong.clone())));
    out.push_str("\n## Reasons of the skips\n\nOf the last run of each.\n\n| kernel | tests | reason |\n| --- | --- | --- |\n");
    for (name, runs) in kernels {
        for (reason, tests) in runs.iter().flat_map(|run| &run.reasons) {
            let _ = writeln!(out, "| {name} | {tests} | {reason} |");
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
    let mut records = Records::read(RECORDS)?;
    let chosen: Vec<&Healthy> = ALL.iter().filter(|k| options.wants(k.name)).collect();
    for healthy in &chosen {
        healthy.collect(&mut records)?;
        if options.again {
            records.forget(healthy.name);
        }
    }
    records.write()?;
    let outcomes = match report {
        true => Vec::new(),
        false => run(&options, &chosen, &records, wanted)?,
    };
    if !options.arguments.is_empty() {
        return Ok(match outcomes.iter().all(|o| fleet::wrong(o).is_empty()) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        });
    }
    // Another of these commands may have added runs of other kernels.
    let mut records = Records::read(RECORDS)?;
    for healthy in &chosen {
        healthy.collect(&mut records)?;
    }
    records.write()?;
    let path = records.path().with_file_name("HEALTHY.md");
    sys::write(&path, markdown(&records))?;
    eprintln!("xtask: wrote {}", path.display());
    let mut runs = ALL.iter().flat_map(|k| records.of(k.name));
    Ok(match runs.all(|run| run.wrong.is_empty()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs the suite until there are `wanted` runs of each, a run of each in turn.
fn run(
    options: &Options,
    chosen: &[&Healthy],
    records: &Records,
    wanted: usize,
) -> Result<Vec<Outcome>> {
    let mut kernels = Vec::new();
    for healthy in chosen {
        // What is not recorded is not there before either.
        let lack = match options.arguments.is_empty() {
            true => wanted.saturating_sub(records.of(healthy.name).len()),
            false => wanted,
        };
        if lack == 0 {
            continue;
        }
        let dir = healthy.runs(options)?;
        sys::make_dir(&dir)?;
        let machine = Machine {
            arch: healthy.arch,
            at_once: options.jobs,
            timeout: options.timeout.unwrap_or(Duration::from_secs(5400)),
            ..Machine::default()
        };
        machine.check()?;
        let files = options.files(machine.arch)?;
        let kernel = healthy.kernel().with_context(|| healthy.name)?;
        kernels.push((healthy, lack, machine, kernel, files, dir));
    }
    let mut jobs = Vec::new();
    for n in 1..=wanted {
        for (healthy, lack, machine, kernel, files, dir) in &kernels {
            if n <= *lack {
                jobs.push(fleet::Job {
                    name: format!("{} ({}), run {n} of {lack}", healthy.name, kernel.name),
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
    fleet::run(&jobs, options.jobs, &plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::outcome;

    #[test]
    fn a_report_tells_of_each_run() {
        let mut records = Records::default();
        records.add(ALL[0].name, Record::from(&outcome(&["a.c"])));
        records.add(ALL[0].name, Record::from(&outcome(&["a.c", "a.d"])));
        records.add(ALL[4].name, Record::from(&outcome(&[])));
        let text = markdown(&records);
        for line in [
            "| debian-6.1 | 0 | 2 | 0 | 1 to 2 | 1 | 3 |\n",
            "| lab | 0 | 1 | 1 | 0 | 1 | 3 |\n",
            "- lab: no test passed\n",
            "| debian-6.1 | 1 | needs KSM |\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("debian-7"));
    }
}
