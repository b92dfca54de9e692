// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask prove`: runs the suite on the healthy kernel, on each planted
//! bug and on each right variation, and tells what it caught.

use crate::bugs::{self, Bug, Catalogue, Kind};
use crate::detection;
use crate::machine::Machine;
use crate::outcome::{self, Guest, Outcome};
use crate::plan::Plan;
use crate::plant::{self, Planted};
use crate::report;
use crate::suite::{self, Files};
use crate::sys;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const USAGE: &str = "\
usage: cargo xtask prove [OPTIONS] [-- ARGUMENTS...]

Builds one kernel with all planted bugs of lab/bugs/ (--linux 7: lab/bugs-7/) in
it, runs the suite on it healthy and with each bug, and prints what was caught.
What was run before with the same kernel and the same suite is not run again.
When every bug has been run, lab/DETECTION.md and lab/detection.json are written
(DETECTION-7.md, detection-7.json). ARGUMENTS are more arguments for
run_tests.sh, as in -t 'fork_*'; with them, no report.

  --linux VERSION 6.12 (the default), or 7: the newest 7.x that Debian has, with
                  bugs in what 6.12 does not have
  --bugs LIST     only these, as in 3,7,40-50 (and the healthy kernel)
  --chosen        only what lab/chosen lists, each with the tests named there
  --jobs N        guests at a time (2)
  --list          list the bugs and end
  --build         build the kernel, print its path and end
  --debug         a kernel that checks itself (lab/kernels/debug.config)
  --again         run also what was run before
  --suite DIR     take the suite from there, do not build it
  --first         end each bug's guest when a test has caught it, and begin
                  with the tests that did so before; the report says so
  --report        write the report although bugs were left out; it names them
  --timeout S     give a guest up after S seconds (1200)
  --budget S      be done after S seconds; what was not run, or not to its
                  end, is said, and is no failure

Exit status: 0 when the healthy kernel and the variations pass and every bug
is caught by a test's own check, 1 otherwise.";

/// Everything that a report is made from.
pub struct Results {
    /// where the bugs are from
    pub linux: &'static Catalogue,
    /// the catalogue
    pub bugs: Vec<Bug>,
    /// healthy first, then by number
    pub outcomes: Vec<Outcome>,
    /// the kernel's version
    pub version: String,
    /// were guests to be ended at the first catch?
    pub first: bool,
    /// numbers of the catalogue that were not run
    pub left: Vec<u32>,
}

struct Options {
    linux: &'static Catalogue,
    bugs: Option<String>,
    jobs: usize,
    list: bool,
    build: bool,
    debug: bool,
    again: bool,
    first: bool,
    chosen: bool,
    report: bool,
    suite: Option<PathBuf>,
    arguments: Vec<String>,
    timeout: u64,
    budget: Option<u64>,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        linux: &bugs::LINUX_6_12,
        bugs: None,
        jobs: 2,
        list: false,
        build: false,
        debug: false,
        again: false,
        first: false,
        chosen: false,
        report: false,
        suite: None,
        arguments: Vec::new(),
        timeout: 1200,
        budget: None,
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("linux") => options.linux = Catalogue::find(&parser.value()?.string()?)?,
            Long("bugs") => options.bugs = Some(parser.value()?.string()?),
            Long("jobs") => options.jobs = parser.value()?.parse()?,
            Long("list") => options.list = true,
            Long("build") => options.build = true,
            Long("debug") => options.debug = true,
            Long("again") => options.again = true,
            Long("first") => options.first = true,
            Long("chosen") => options.chosen = true,
            Long("report") => options.report = true,
            Long("budget") => options.budget = Some(parser.value()?.parse()?),
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("timeout") => options.timeout = parser.value()?.parse()?,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => options.arguments = sys::words(word, &mut parser)?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.jobs == 0 || options.jobs > 64 {
        bail!("--jobs: 1 to 64");
    }
    if options.chosen && (options.bugs.is_some() || !options.arguments.is_empty()) {
        bail!("--chosen says itself which bugs and which tests");
    }
    if options.chosen && options.linux.version != bugs::LINUX_6_12.version {
        bail!("--chosen: of Linux {} only", bugs::LINUX_6_12.version);
    }
    Ok(Some(options))
}

/// One guest after another, as the kernel and the suite are the same in all.
struct Prover {
    kernel: Planted,
    files: Files,
    plan: Plan,
    machine: Machine,
    dir: PathBuf,
    /// when no more guests are begun
    end: Option<Instant>,
    again: bool,
    /// the bugs whose guest ends at the first catch
    short: Vec<u32>,
}

impl Prover {
    /// None when the time was over before the guest came to its end.
    fn run(&self, number: u32) -> Result<Option<Outcome>> {
        let short = self.short.contains(&number);
        let stem = self.dir.join(self.plan.name(number));
        let usable = |outcome: &Outcome| !self.again && (short || !outcome.stopped);
        if let Some(outcome) = outcome::kept(&stem).filter(usable) {
            return Ok(Some(outcome));
        }
        let mut machine = self.machine.clone();
        if let Some(end) = self.end {
            let left = end.saturating_duration_since(Instant::now());
            machine.timeout = machine.timeout.min(left);
        }
        machine.append = format!("rmap_bug={number}");
        let guest = Guest {
            machine: &machine,
            image: &self.kernel.image,
            modules: &[],
            files: &self.files,
            command: &self.plan.command(number),
            short,
            stem: &stem,
        };
        let outcome = guest.run(number)?;
        // A variation that is not on fails no test.
        if outcome.trouble.is_none() && !guest.said(&format!("rmap_bug: {number} is on"))? {
            outcome::forget(&stem)?;
            bail!("the kernel does not say that bug {number} is on");
        }
        if !self.in_time() && outcome.trouble.is_some() {
            outcome::forget(&stem)?;
            // What failed by then did fail.
            return Ok((!outcome.run.failed.is_empty()).then_some(outcome));
        }
        Ok(Some(outcome))
    }

    fn in_time(&self) -> bool {
        self.end.is_none_or(|end| Instant::now() < end)
    }

    /// Runs these, so many at a time, and says each when it is done.
    fn run_all(&self, numbers: &[u32], jobs: usize) -> Result<Vec<Outcome>> {
        let queue = Mutex::new(numbers.iter().copied().collect::<VecDeque<u32>>());
        let done: Mutex<Vec<Outcome>> = Mutex::new(Vec::new());
        let fault: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let work = || {
            let next = || queue.lock().ok().filter(|_| self.in_time())?.pop_front();
            while let Some(number) = next() {
                match self.run(number) {
                    Ok(None) => {}
                    Ok(Some(outcome)) => {
                        eprintln!("xtask: {}", report::line(&outcome));
                        if let Ok(mut done) = done.lock() {
                            done.push(outcome);
                        }
                    }
                    Err(error) => {
                        if let (Ok(mut queue), Ok(mut fault)) = (queue.lock(), fault.lock()) {
                            queue.clear();
                            fault.get_or_insert(error);
                        }
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
        if let Ok(Some(error)) = fault.into_inner() {
            return Err(error);
        }
        let mut done = done.into_inner().unwrap_or_default();
        done.sort_by_key(|outcome| outcome.number);
        Ok(done)
    }
}

fn of_kind(bugs: &[Bug], kind: Kind) -> Vec<u32> {
    let of = bugs.iter().filter(|bug| bug.kind == kind);
    of.map(|bug| bug.number).collect()
}

fn list(bugs: &[Bug]) {
    for bug in bugs {
        let kind = match bug.kind {
            Kind::Bug => "",
            Kind::Variation => " (right)",
            Kind::Equivalent => " (cannot be seen)",
        };
        println!("{:3} {}{kind}: {}", bug.number, bug.name, bug.title);
    }
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let begun = Instant::now();
    let catalogue = options.linux.bugs()?;
    let (numbers, mut plan) = match options.chosen {
        true => Plan::chosen()?,
        false if options.first && options.arguments.is_empty() => {
            (Vec::new(), Plan::caught_before(&json(options.linux))?)
        }
        false => (Vec::new(), Plan::default()),
    };
    plan.arguments.clone_from(&options.arguments);
    let chosen = match &options.bugs {
        Some(list) => bugs::chosen(&catalogue, list)?,
        None if options.chosen => bugs::in_order(&catalogue, &numbers)?,
        None => catalogue.clone(),
    };
    if options.list {
        list(&chosen);
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine {
        timeout: Duration::from_secs(options.timeout),
        at_once: options.jobs,
        ..Machine::default()
    };
    machine.check()?;
    let kernel = plant::build(options.linux, options.debug.then_some("debug"))?;
    if options.build {
        println!("{}", kernel.image.display());
        return Ok(ExitCode::SUCCESS);
    }
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir, machine.arch)?,
        None => suite::build(machine.arch)?,
    };
    let key = format!("{}-{}", kernel.key, suite::key(&files, &plan.key())?);
    let dir = sys::cache()?.join("prove").join(key);
    sys::make_dir(&dir)?;
    eprintln!("xtask: results are kept in {}", dir.display());
    let version = kernel.version.clone();
    let first = options.first || options.chosen;
    let prover = Prover {
        kernel,
        files,
        plan,
        machine,
        dir,
        end: options.budget.map(|s| begun + Duration::from_secs(s)),
        again: options.again,
        short: match first {
            true => of_kind(&chosen, Kind::Bug),
            false => Vec::new(),
        },
    };
    let mut numbers = vec![0];
    numbers.extend(chosen.iter().map(|bug| bug.number));
    let outcomes = prover.run_all(&numbers, options.jobs)?;
    let asked = |bug: &&Bug| !chosen.iter().any(|c| c.number == bug.number);
    let left = catalogue.iter().filter(asked).map(|b| b.number).collect();
    let results = Results {
        linux: options.linux,
        left,
        bugs: chosen,
        outcomes,
        version,
        first,
    };
    // Right variations may be left for another time, and what was asked for may be; the report says which.
    let was_run = |bug: &Bug| results.outcomes.iter().any(|o| o.number == bug.number);
    let all_bugs = of_kind(&catalogue, Kind::Bug);
    let all_asked = all_bugs.len() == of_kind(&results.bugs, Kind::Bug).len();
    let of_all = (all_asked || options.report) && results.bugs.iter().all(was_run);
    let whole = of_all && options.arguments.is_empty() && !options.chosen && !options.debug;
    finish(&results, &numbers, whole)
}

/// The file for programs that a report has beside it, in lab/.
fn json(of: &Catalogue) -> String {
    format!("detection{}.json", of.suffix)
}

fn finish(results: &Results, numbers: &[u32], whole: bool) -> Result<ExitCode> {
    let verdict = report::verdict(results);
    if whole {
        let lab = sys::root()?.join("lab");
        let name = format!("DETECTION{}.md", results.linux.suffix);
        write(&lab.join(name), &detection::markdown(results))?;
        let path = lab.join(json(results.linux));
        let json = serde_json::to_string_pretty(&detection::json(results))?;
        write(&path, &(json + "\n"))?;
    }
    for line in &verdict.lines {
        println!("{line}");
    }
    let was_run = |n: &u32| results.outcomes.iter().any(|o| o.number == *n);
    let not_run: Vec<String> = numbers
        .iter()
        .filter(|n| !was_run(n))
        .map(u32::to_string)
        .collect();
    if !not_run.is_empty() {
        println!("not run for want of time: {}", not_run.join(" "));
    }
    println!("{} passed, {} failed", verdict.passed, verdict.failed);
    // Of nothing nothing follows.
    Ok(if verdict.failed == 0 && verdict.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write(path: &Path, text: &str) -> Result<()> {
    sys::write(path, text).context("the report")?;
    eprintln!("xtask: wrote {}", path.display());
    Ok(())
}
