// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask less`: runs the suite on kernels and machines that lack
//! something. Nothing may fail there, and each skip says what is missing.

use crate::bugs;
use crate::fleet::{self, Options};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::plant::{self, Planted};
use crate::record::{Record, Records};
use crate::suite;
use crate::sys;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask less [OPTIONS] [-- ARGUMENTS...]

Builds the lab's kernel once for each lab/kernels/less/*.config, runs the whole
suite on each of them, and on the lab's kernel in smaller machines. What was
run before with the same kernel and the same suite is not run again. Puts the
runs into lab/less.json, and writes lab/LESS.md from the last of each that is
there. ARGUMENTS are more arguments for run_tests.sh; what runs with them is in
neither.

  --only NAMES    only these, as in no-ksm,one-cpu
  --list          list them and end
  --build         build the kernels and end
  --report        run nothing, only write
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

impl Less {
    /// Builds the kernel.
    fn kernel(&self) -> Result<Planted> {
        plant::build(&bugs::LINUX_6_12, self.config.as_deref())
            .with_context(|| format!("the kernel {}", self.name))
    }
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

fn told(run: &Record) -> String {
    let words = run.reasons.iter().map(|(why, n)| format!("{why} ({n})"));
    words.collect::<Vec<_>>().join("; ")
}

fn markdown(all: &[Less], records: &Records) -> String {
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Kernels and machines with less\n\n",
    );
    let (mut runs, mut left) = (Vec::new(), Vec::new());
    for less in all {
        match records.of(&less.name).last() {
            Some(run) => runs.push((less, run)),
            None => left.push(&*less.name),
        }
    }
    let versions: BTreeSet<&str> = runs.iter().map(|(_, run)| &*run.release).collect();
    let versions = Vec::from_iter(versions).join(", ");
    let _ = writeln!(
        out,
        "Written by `cargo xtask less` from lab/less.json, to which it adds its runs: the whole suite (`run_tests.sh -d`) on\n\
         Linux {versions} in QEMU, built without one thing (`lab/kernels/less`) or in a smaller machine. `whole` is\n\
         the kernel of `cargo xtask prove` to compare with. Nothing may fail; a test\n\
         that cannot put its property to the test is skipped. Each run is of the suite as it was then.\n\n\
         | kernel | missing | tests | passed | failed | skipped | s |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    for (less, run) in &runs {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {:.0} |",
            less.name,
            less.about,
            run.tests,
            run.passed,
            run.wrong.len(),
            run.skipped,
            run.seconds
        );
    }
    if !left.is_empty() {
        let _ = writeln!(out, "\nNot run: {}.", left.join(", "));
    }
    let wrong = runs
        .iter()
        .map(|(less, run)| (&*less.name, run.wrong.clone()));
    out += &fleet::failures(wrong);
    out.push_str("\n## Reasons of the skips\n\n| kernel | reasons |\n| --- | --- |\n");
    for (less, run) in &runs {
        let _ = writeln!(out, "| {} | {} |", less.name, told(run));
    }
    out
}

/// Makes these runs, and gives what came of each. Those that were made before are not made again, unless that is asked for.
fn run(options: &Options, chosen: &[&Less]) -> Result<Vec<Outcome>> {
    let machine = Machine::default();
    machine.check()?;
    let files = options.files(machine.arch)?;
    let plan = Plan::whole(options.arguments.clone());
    let suite_key = suite::key(&files, &plan.key())?;
    let mut jobs = Vec::new();
    for less in chosen {
        let kernel = less.kernel()?;
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
    fleet::run(&jobs, options.jobs, &plan)
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let (mut build, mut report) = (false, false);
    let own = &mut |name: &str, _: &mut lexopt::Parser| {
        build |= name == "build";
        report |= name == "report";
        Ok(matches!(name, "build" | "report"))
    };
    let Some(options) = fleet::options(parser, USAGE, own)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let all = all(
        options.timeout.unwrap_or(Duration::from_secs(1800)),
        options.jobs,
    )?;
    let names: Vec<&str> = all.iter().map(|less| &*less.name).collect();
    options.check(&names)?;
    let chosen: Vec<&Less> = all
        .iter()
        .filter(|less| options.wants(&less.name))
        .collect();
    if options.list {
        for less in &chosen {
            println!("{}: without {}", less.name, less.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if build {
        for less in &chosen {
            println!("{}: {}", less.name, less.kernel()?.image.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let outcomes = match report {
        true => Vec::new(),
        false => run(&options, &chosen)?,
    };
    let mut failed = outcomes.iter().any(|o| !fleet::wrong(o).is_empty());
    if options.arguments.is_empty() {
        // Read now: another of these commands may have added runs meanwhile.
        let mut records = Records::read("less.json")?;
        for (less, outcome) in chosen.iter().zip(&outcomes) {
            records.forget(&less.name);
            records.add(&less.name, Record::from(outcome));
        }
        records.write()?;
        let last = chosen
            .iter()
            .filter_map(|less| records.of(&less.name).last());
        failed |= last.into_iter().any(|run| !run.wrong.is_empty());
        let path = records.path().with_file_name("LESS.md");
        sys::write(&path, markdown(&all, &records))?;
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
    use crate::fleet::tests::outcome;

    #[test]
    fn every_configuration_says_what_is_missing() {
        let all = all(Duration::from_secs(1), 1).unwrap();
        assert!(all.iter().filter(|less| less.config.is_some()).count() >= 10);
        assert!(all.iter().all(|less| !less.about.is_empty()));
    }

    #[test]
    fn the_document_has_what_is_recorded_and_names_the_rest() {
        let all = all(Duration::from_secs(1), 1).unwrap();
        let mut records = Records::default();
        records.add("one-cpu", Record::from(&outcome(&["a.c"])));
        records.add("no-ksm", Record::from(&outcome(&[])));
        let text = markdown(&all, &records);
        for line in [
            "| one-cpu | a second processor | 0 | 1 | 0 | 1 | 4 |\n",
            "Not run: whole, one-node, 128-mib, ",
            "- no-ksm: no test passed\n",
            "| one-cpu | needs KSM (1) |\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
