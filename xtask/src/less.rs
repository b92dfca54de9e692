// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask less`: runs the suite on kernels and machines that lack
//! something. Nothing may fail there, and each skip says what is missing.

use crate::bugs;
use crate::fleet;
use crate::machine::Machine;
use crate::outcome::{self, Outcome};
use crate::plan::Plan;
use crate::plant;
use crate::suite;
use crate::sys;
use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask less [OPTIONS] [-- ARGUMENTS...]

Builds the lab's kernel once for each lab/kernels/less/*.config, runs the whole
suite on each of them, and on the lab's kernel in smaller machines. Writes
lab/LESS.md when all were run. What was run before with the same kernel and the
same suite is not run again. ARGUMENTS are more arguments for run_tests.sh.

  --only NAMES    only these, as in no-ksm,one-cpu
  --list          list them and end
  --build         build the kernels and end
  --kept          boot nothing: write lab/LESS.md from what was run before
  --again         run also what was run before
  --suite DIR     take the suite from there, do not build it
  --jobs N        guests at a time (2)
  --timeout S     give a guest up after S seconds (1800)

Exit status: 0 when no test fails anywhere, 1 otherwise.";

/// A kernel or a machine with less.
struct Less {
    name: String,
    /// what is missing
    about: String,
    /// the configuration's name for `plant::build`
    config: Option<String>,
    machine: Machine,
}

/// Everything that is run, the lab's own kernel first, to compare with.
fn all(timeout: Duration, at_once: usize) -> Result<Vec<Less>> {
    let whole = Machine {
        timeout,
        at_once,
        ..Machine::default()
    };
    let machine = |name: &str, about: &str, change: &dyn Fn(&mut Machine)| {
        let mut machine = whole.clone();
        change(&mut machine);
        Less {
            name: name.into(),
            about: about.into(),
            config: None,
            machine,
        }
    };
    let mut all = vec![
        machine("whole", "nothing", &|_| ()),
        machine("one-cpu", "a second processor", &|m| m.cpus = 1),
        machine("one-node", "a second memory node", &|m| m.nodes = 1),
        machine("128-mib", "memory: 128 MiB, on one node", &|m| {
            (m.mem, m.nodes) = (128, 1);
        }),
        machine(
            "memcg-off",
            "the memory controller, switched off at boot",
            &|m| {
                m.append = "cgroup_disable=memory".into();
            },
        ),
    ];
    for path in sys::files_below(&sys::root()?.join("lab/kernels/less"))? {
        let Some(name) = path.file_stem().and_then(|n| n.to_str()) else {
            continue;
        };
        let text = sys::read_text(&path)?;
        let about = text
            .lines()
            .find_map(|line| line.strip_prefix("# Missing: "))
            .with_context(|| format!("{}: no line \"# Missing: \"", path.display()))?;
        let mut less = machine(name, about.trim_end_matches('.'), &|_| ());
        less.config = Some(format!("less/{name}"));
        all.push(less);
    }
    Ok(all)
}

fn told(outcome: &Outcome) -> String {
    let reasons = fleet::reasons(outcome);
    let words = reasons.iter().map(|(why, n)| format!("{why} ({n})"));
    words.collect::<Vec<_>>().join("; ")
}

fn markdown(results: &[(Less, Outcome)], left: &[String], version: &str, given: &str) -> String {
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Kernels and machines with less\n\n",
    );
    let _ = writeln!(
        out,
        "Written by `cargo xtask less{given}`: the suite (`run_tests.sh -d`) on Linux {version} in QEMU,\n\
         built without one thing (`lab/kernels/less`) or in a smaller machine. `whole` is\n\
         the kernel of `cargo xtask prove` to compare with. Nothing may fail; a test\n\
         that cannot put its property to the test is skipped. Each run is of the suite as it was then.\n\n\
         | kernel | missing | passed | failed | skipped | s |\n\
         | --- | --- | --- | --- | --- | --- |"
    );
    for (less, outcome) in results {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {:.0} |",
            less.name,
            less.about,
            outcome.run.passed.len(),
            fleet::wrong(outcome).len(),
            outcome.run.skipped.len(),
            outcome.seconds
        );
    }
    if !left.is_empty() {
        let _ = writeln!(out, "\nNot run: {}.", left.join(", "));
    }
    out += &fleet::failures(results.iter().map(|(less, outcome)| (&*less.name, outcome)));
    out.push_str("\n## Reasons of the skips\n\n| kernel | reasons |\n| --- | --- |\n");
    for (less, outcome) in results {
        let _ = writeln!(out, "| {} | {} |", less.name, told(outcome));
    }
    out
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let (mut build, mut kept) = (false, false);
    let own = &mut |name: &str, _: &mut lexopt::Parser| {
        build |= name == "build";
        kept |= name == "kept";
        Ok(matches!(name, "build" | "kept"))
    };
    let Some(options) = fleet::options(parser, USAGE, own)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut all = all(
        options.timeout.unwrap_or(Duration::from_secs(1800)),
        options.jobs,
    )?;
    let names: Vec<String> = all.iter().map(|less| less.name.clone()).collect();
    options.check(&names.iter().map(|n| &**n).collect::<Vec<_>>())?;
    all.retain(|less| options.wants(&less.name));
    if options.list {
        for less in &all {
            println!("{}: without {}", less.name, less.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = bugs::all()?;
    let kernel = |less: &Less| {
        plant::build(&catalogue, less.config.as_deref())
            .with_context(|| format!("the kernel {}", less.name))
    };
    if build {
        for less in &all {
            println!("{}: {}", less.name, kernel(less)?.image.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine::default();
    machine.check()?;
    let files = options.files(machine.arch)?;
    let plan = Plan::whole(options.arguments.clone());
    let suite_key = suite::key(&files, &plan.key())?;
    let mut jobs = Vec::new();
    let mut version = String::new();
    for less in &all {
        let kernel = kernel(less)?;
        version.clone_from(&kernel.version);
        let dir = format!("{}-{suite_key}", kernel.key);
        let dir = sys::cache()?.join("less").join(dir);
        sys::make_dir(&dir)?;
        jobs.push(fleet::Job {
            name: less.name.clone(),
            machine: less.machine.clone(),
            image: kernel.image,
            modules: &[],
            files: &files,
            stem: dir.join(&less.name),
            keep: !options.again,
        });
    }
    let mut left = Vec::new();
    if kept {
        let there = |job: &fleet::Job| outcome::kept(&job.stem).is_some();
        let (have, lack): (Vec<_>, Vec<_>) = jobs.into_iter().partition(there);
        jobs = have;
        left.extend(lack.into_iter().map(|job| job.name));
        all.retain(|less| !left.contains(&less.name));
        if jobs.is_empty() || options.again {
            bail!(
                "--kept: nothing was run before with this kernel and this suite, or --again asks for it"
            );
        }
    }
    let outcomes = fleet::run(&jobs, options.jobs, &plan)?;
    let failed = outcomes.iter().any(|o| !fleet::wrong(o).is_empty());
    if options.only.is_empty() {
        let path = sys::root()?.join("lab/LESS.md");
        let results: Vec<(Less, Outcome)> = all.into_iter().zip(outcomes).collect();
        sys::write(&path, markdown(&results, &left, &version, &options.given()))?;
        eprintln!("xtask: wrote {}", path.display());
    }
    Ok(match failed {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_says_what_is_missing() {
        let all = all(Duration::from_secs(1), 1).unwrap();
        assert!(all.iter().filter(|less| less.config.is_some()).count() >= 10);
        assert!(all.iter().all(|less| !less.about.is_empty()));
    }
}
