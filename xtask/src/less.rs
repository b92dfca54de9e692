// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask less`: runs the suite on kernels and machines that lack
//! something. Nothing may fail there, and each skip says what is missing.

use crate::bugs;
use crate::machine::Machine;
use crate::outcome::{self, Guest, Outcome};
use crate::plan::Plan;
use crate::plant;
use crate::suite;
use crate::sys;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
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
  --again         run also what was run before
  --suite DIR     take the suite from there, do not build it
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
fn all(timeout: Duration) -> Result<Vec<Less>> {
    let whole = Machine {
        timeout,
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

#[derive(Default)]
struct Options {
    only: Vec<String>,
    list: bool,
    build: bool,
    again: bool,
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
            Long("build") => options.build = true,
            Long("again") => options.again = true,
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

/// Reasons of skips and how often each was given.
fn reasons(outcome: &Outcome) -> BTreeMap<&str, usize> {
    let mut map = BTreeMap::new();
    for (_, reason) in &outcome.run.skipped {
        *map.entry(&**reason).or_default() += 1;
    }
    map
}

fn told(outcome: &Outcome) -> String {
    let reasons = reasons(outcome);
    let words = reasons.iter().map(|(why, n)| format!("{why} ({n})"));
    words.collect::<Vec<_>>().join("; ")
}

/// What is wrong with it, a line each.
fn wrong(outcome: &Outcome) -> Vec<String> {
    let failed = outcome.run.failed.iter();
    let mut lines: Vec<String> = failed.map(|f| format!("{}: {}", f.test, f.line)).collect();
    lines.extend(outcome.trouble.clone());
    if lines.is_empty() && outcome.run.passed.is_empty() {
        lines.push("no test passed".into());
    }
    lines
}

fn markdown(results: &[(Less, Outcome)], version: &str, arguments: &[String]) -> String {
    let given = match arguments {
        [] => String::new(),
        words => format!(" -- {}", words.join(" ")),
    };
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Kernels and machines with less\n\n",
    );
    let _ = writeln!(
        out,
        "Written by `cargo xtask less{given}`: the suite (`run_tests.sh -d`) on Linux {version} in QEMU,\n\
         built without one thing (`lab/kernels/less`) or in a smaller machine. `whole` is\n\
         the kernel of `cargo xtask prove` to compare with. Nothing may fail; a test\n\
         that cannot put its property to the test is skipped.\n\n\
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
            wrong(outcome).len(),
            outcome.run.skipped.len(),
            outcome.seconds
        );
    }
    out.push_str("\n## Failures\n\n");
    let mut none = true;
    for (less, outcome) in results {
        for line in wrong(outcome) {
            none = false;
            let _ = writeln!(out, "- {}: {line}", less.name);
        }
    }
    if none {
        out.push_str("None.\n");
    }
    out.push_str("\n## Reasons of the skips\n\n| kernel | reasons |\n| --- | --- |\n");
    for (less, outcome) in results {
        let _ = writeln!(out, "| {} | {} |", less.name, told(outcome));
    }
    out
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut all = all(Duration::from_secs(options.timeout.unwrap_or(1800)))?;
    let names: Vec<String> = all.iter().map(|less| less.name.clone()).collect();
    if let Some(name) = options.only.iter().find(|name| !names.contains(name)) {
        bail!("no {name} here: {}", names.join(" "));
    }
    if !options.only.is_empty() {
        all.retain(|less| options.only.contains(&less.name));
    }
    if options.list {
        for less in &all {
            println!("{}: without {}", less.name, less.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = bugs::all()?;
    if options.build {
        for less in &all {
            let kernel = plant::build(&catalogue, less.config.as_deref())
                .with_context(|| format!("the kernel {}", less.name))?;
            println!("{}: {}", less.name, kernel.image.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine::default();
    machine.check()?;
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir)?,
        None => suite::build(machine.arch)?,
    };
    let plan = Plan::whole(options.arguments);
    let suite_key = suite::key(&files, &plan.key())?;
    let mut results = Vec::new();
    let mut version = String::new();
    let mut failed = 0;
    for less in all {
        let kernel = plant::build(&catalogue, less.config.as_deref())
            .with_context(|| format!("the kernel {}", less.name))?;
        version.clone_from(&kernel.version);
        let dir = format!("{}-{suite_key}", kernel.key);
        let dir = sys::cache()?.join("less").join(dir);
        sys::make_dir(&dir)?;
        let guest = Guest {
            machine: &less.machine,
            image: &kernel.image,
            modules: &[],
            files: &files,
            command: &plan.command(0),
            short: false,
            stem: &dir.join(&less.name),
        };
        let outcome = match outcome::kept(guest.stem).filter(|_| !options.again) {
            Some(outcome) => outcome,
            None => guest.run(0)?,
        };
        println!(
            "{}: {} passed, {} failed, {} skipped in {:.0} s: {}",
            less.name,
            outcome.run.passed.len(),
            wrong(&outcome).len(),
            outcome.run.skipped.len(),
            outcome.seconds,
            told(&outcome)
        );
        for line in wrong(&outcome) {
            failed += 1;
            println!("  {line}");
        }
        results.push((less, outcome));
    }
    if options.only.is_empty() {
        let path = sys::root()?.join("lab/LESS.md");
        sys::write(&path, markdown(&results, &version, &plan.arguments))?;
        eprintln!("xtask: wrote {}", path.display());
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_says_what_is_missing() {
        let all = all(Duration::from_secs(1)).unwrap();
        assert!(all.iter().filter(|less| less.config.is_some()).count() >= 10);
        assert!(all.iter().all(|less| !less.about.is_empty()));
    }
}
