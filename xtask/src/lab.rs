// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask lab`: the suite on each architecture with each of Debian's
//! kernels. One table says what came of every cell, also of those that could
//! not be run.

use crate::fleet::{self, Options};
use crate::kernel::{Kernel, NoSuch};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::suite::{self, Files};
use crate::sys::{self, Arch};
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask lab [OPTIONS] [-- ARGUMENTS...]

Runs the whole suite on three architectures with three of Debian's kernels each,
in QEMU, and writes one table: lab/LAB.md. What was run before with the same
kernel and the same suite is not run again, so an interrupted lab goes on where
it was. With --only, or with ARGUMENTS (more arguments for run_tests.sh), the
table goes to lab/LAB.md in the cache.

  --only NAMES    only these, as in x86_64-6.12,riscv64-7
  --list          list them and end
  --again         run also what was run before
  --suite DIR     take the suite from there, do not build it (with --only and
                  cells of one architecture)
  --jobs N        guests at a time (2)
  --timeout S     give a guest up after S seconds (7200)

Exit status: 0 when no test failed in any cell and every test has a result,
1 otherwise.";

/// One kernel on one architecture.
struct Cell {
    name: String,
    arch: Arch,
    /// Debian's version, with a flavour perhaps
    kernel: &'static str,
}

/// What came of a cell.
enum Came {
    /// a run of the suite, or why there is none
    Run(Outcome),
    /// there is no such kernel, nor need there be
    Absent(String),
}

/// All cells, in the order of the table.
fn all() -> Vec<Cell> {
    let mut all = Vec::new();
    for arch in Arch::ALL {
        let more: &[&str] = match arch {
            // Other sizes of pages come with other kernels there only.
            Arch::Aarch64 => &["7-16k"],
            Arch::X86_64 | Arch::Riscv64 => &[],
        };
        for kernel in ["6.1", "6.12", "7"].iter().chain(more) {
            let name = format!("{}-{kernel}", arch.name());
            all.push(Cell { name, arch, kernel });
        }
    }
    all
}

impl Cell {
    fn machine(&self, options: &Options) -> Machine {
        Machine {
            arch: self.arch,
            // A huge page is 32 MiB there.
            mem: match self.kernel.ends_with("-16k") {
                true => 2048,
                false => 1024,
            },
            timeout: options.timeout.unwrap_or(Duration::from_secs(7200)),
            at_once: options.jobs,
            ..Machine::default()
        }
    }

    /// Debian 12, whose kernel is 6.1, has no riscv64. Of every other cell there must be a kernel, or the lab is not whole.
    fn may_lack(&self) -> bool {
        (self.arch, self.kernel) == (Arch::Riscv64, "6.1")
    }

    /// Why there is no kernel.
    fn without(&self, error: &anyhow::Error) -> Came {
        match error.downcast_ref::<NoSuch>() {
            Some(none) if self.may_lack() => Came::Absent(none.to_string()),
            _ => not_run(error),
        }
    }
}

/// The outcome of what could not be run, in one line.
fn not_run(error: &anyhow::Error) -> Came {
    let text = format!("not run: {error:#}");
    let words: Vec<&str> = text.split_whitespace().collect();
    Came::Run(Outcome {
        trouble: Some(words.join(" ")),
        ..Outcome::default()
    })
}

impl Came {
    fn run(&self) -> Option<&Outcome> {
        match self {
            Came::Run(outcome) => Some(outcome),
            Came::Absent(_) => None,
        }
    }

    /// The columns of the table behind the kernel's name.
    fn columns(&self) -> String {
        let outcome = match self {
            Came::Run(outcome) => outcome,
            Came::Absent(why) => return format!("none: {why} | | | | | | |"),
        };
        let run = &outcome.run;
        let (release, page) = match run.page_size {
            0 => ("unknown", String::new()),
            size => (&*run.release, size.to_string()),
        };
        format!(
            "{release} | {page} | {} | {} | {} | {} | {} | {:.0}",
            run.listed.len(),
            run.results(),
            run.passed.len(),
            run.failed.len(),
            run.skipped.len(),
            outcome.seconds
        )
    }
}

/// The one table.
fn table(cells: &[(Cell, Came)]) -> String {
    let mut out = String::from(
        "| architecture | Debian's | release | page size | listed | results | passed | failed | skipped | s |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (cell, came) in cells {
        let (arch, kernel) = (cell.arch.name(), cell.kernel);
        let _ = writeln!(out, "| {arch} | {kernel} | {} |", came.columns());
    }
    out
}

/// Those that were run, by their names.
fn runs(cells: &[(Cell, Came)]) -> impl Iterator<Item = (&str, &Outcome)> {
    cells
        .iter()
        .filter_map(|(cell, came)| Some((&*cell.name, came.run()?)))
}

fn markdown(cells: &[(Cell, Came)], given: &str) -> String {
    let mut out = format!(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# A lab's morning\n\n\
         Written by `cargo xtask lab{given}`: the suite (`run_tests.sh -d`) in QEMU guests of three architectures with three of\n\
         Debian's kernels each: two processors, two memory nodes, 1 GiB (2 GiB with pages of 16 KiB). `listed` is what\n\
         `run_tests.sh` was to run, `results` is what of it arrived; seconds are the guest's, emulated but for\n\
         x86_64 where KVM works.\n\n"
    );
    out += &table(cells);
    out += &fleet::failures(runs(cells).map(|(name, o)| (name, fleet::wrong(o))));
    out.push_str("\n## Reasons of the skips\n\n");
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, outcome) in runs(cells) {
        for (reason, tests) in fleet::reasons(outcome) {
            let words = reasons.entry(reason).or_default();
            words.push(format!("{name}: {tests}"));
        }
    }
    out.push_str(match reasons.is_empty() {
        true => "None.\n",
        false => "| reason | tests of each |\n| --- | --- |\n",
    });
    for (reason, words) in reasons {
        let _ = writeln!(out, "| {reason} | {} |", words.join(", "));
    }
    out
}

/// A suite, and what tells its results from others.
type Suite = (Files, String);

/// The suite for that architecture.
fn suite(options: &Options, machine: &Machine, plan: &Plan) -> Result<Suite> {
    machine.check()?;
    let files = options.files(machine.arch)?;
    let key = suite::key(&files, &plan.key())?;
    Ok((files, key))
}

/// Runs the cells, or finds why they cannot be run.
fn run(options: &Options, cells: Vec<Cell>) -> Result<Vec<(Cell, Came)>> {
    let plan = Plan::whole(options.arguments.clone());
    let mut suites = Vec::new();
    for arch in Arch::ALL {
        if let Some(cell) = cells.iter().find(|cell| cell.arch == arch) {
            suites.push((arch, suite(options, &cell.machine(options), &plan)));
        }
    }
    let kernels: Vec<Result<Kernel>> = cells
        .iter()
        .map(|cell| Kernel::find(&format!("debian:{}", cell.kernel), cell.arch))
        .collect();
    let mut came: Vec<Option<Came>> = Vec::new();
    let mut jobs = Vec::new();
    for (cell, kernel) in cells.iter().zip(&kernels) {
        let suite = suites.iter().find(|(arch, _)| *arch == cell.arch);
        let (_, suite) = suite.expect("one for each architecture");
        let why = match (kernel, suite) {
            (Ok(kernel), Ok((files, key))) => {
                let dir: PathBuf = sys::cache()?.join("lab").join(&cell.name);
                let dir = dir.join(format!("{}-{key}", kernel.name));
                sys::make_dir(&dir)?;
                jobs.push(fleet::Job {
                    name: cell.name.clone(),
                    machine: cell.machine(options),
                    image: kernel.image.clone(),
                    modules: &kernel.modules,
                    files,
                    stem: dir.join("run"),
                    keep: !options.again,
                });
                None
            }
            (Err(error), _) => Some(cell.without(error)),
            (_, Err(error)) => Some(not_run(error)),
        };
        match &why {
            Some(Came::Absent(why)) => println!("{}: {why}", cell.name),
            Some(Came::Run(outcome)) => println!("{}: {}", cell.name, fleet::wrong(outcome)[0]),
            None => (),
        }
        came.push(why);
    }
    let mut outcomes = fleet::run(&jobs, options.jobs, &plan)?.into_iter();
    let came = came.into_iter().map(|why| match why {
        Some(why) => why,
        None => Came::Run(outcomes.next().expect("one for each job")),
    });
    let came: Vec<Came> = came.collect();
    Ok(cells.into_iter().zip(came).collect())
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = fleet::options(parser, USAGE, &mut |_, _| Ok(false))? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut cells = all();
    options.check(&cells.iter().map(|c| &*c.name).collect::<Vec<_>>())?;
    cells.retain(|cell| options.wants(&cell.name));
    if options.list {
        for cell in &cells {
            println!(
                "{}: debian:{} on {}",
                cell.name,
                cell.kernel,
                cell.arch.name()
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(dir) = &options.suite {
        if cells.iter().any(|cell| cell.arch != cells[0].arch) {
            bail!("--suite has programs of one architecture: choose its cells with --only");
        }
        if let Some(cell) = cells.first() {
            suite::from_dir(dir, cell.arch)?;
        }
    }
    let given = options.given();
    let cells = run(&options, cells)?;
    let dir = match &*given {
        "" => sys::root()?.join("lab"),
        // Not over the table of the whole.
        _ => sys::cache()?.join("lab"),
    };
    sys::make_dir(&dir)?;
    let path = dir.join("LAB.md");
    sys::write(&path, markdown(&cells, &given))?;
    print!("\n{}", table(&cells));
    eprintln!("xtask: wrote {}", path.display());
    Ok(
        match runs(&cells).all(|(_, o)| fleet::wrong(o).is_empty()) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::outcome;

    #[test]
    fn the_matrix() {
        let all = all();
        assert_eq!(all.len(), 10);
        assert_eq!(all.iter().filter(|cell| cell.may_lack()).count(), 1);
        let kernels = |arch| all.iter().filter(|c| c.arch == arch).count();
        assert!(Arch::ALL.iter().all(|arch| kernels(*arch) >= 3));
    }

    #[test]
    fn every_cell_is_in_the_table() {
        let error = anyhow::anyhow!("no\n  mirror");
        let none = anyhow::Error::from(NoSuch("linux-image-6.1.*-riscv64".into()));
        let mut ran = outcome(&["a.c"]);
        ran.run.listed = ["a.b", "a.c"].map(String::from).to_vec();
        (ran.run.release, ran.run.page_size) = ("6.1.0".into(), 4096);
        let cells: Vec<(Cell, Came)> = all()
            .into_iter()
            .map(|cell| {
                let came = match &*cell.name {
                    "x86_64-6.1" => not_run(&error),
                    "x86_64-7" | "riscv64-6.1" => cell.without(&none),
                    _ => Came::Run(ran.clone()),
                };
                (cell, came)
            })
            .collect();
        let text = markdown(&cells, " -- -t 'a.*'");
        for line in [
            "Written by `cargo xtask lab -- -t 'a.*'`",
            "| x86_64 | 6.12 | 6.1.0 | 4096 | 2 | 2 | 1 | 0 | 1 | 4 |\n",
            "| riscv64 | 6.1 | none: Debian has no kernel linux-image-6.1.*-riscv64 | | ",
            "| x86_64 | 6.1 | unknown |  | 0 | 0 | 0 | 0 | 0 | 0 |\n",
            "- x86_64-6.1: not run: no mirror\n- x86_64-7: not run: Debian has no kernel",
            "| needs KSM | x86_64-6.12: 1, aarch64-6.1: 1, ",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert_eq!(runs(&cells).count(), 9);
    }
}
