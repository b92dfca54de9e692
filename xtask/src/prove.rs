// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask prove`: runs the suite on the healthy kernel, on each planted
//! bug and on each right variation, and tells what it caught.

use crate::bugs::{self, Bug, Kind};
use crate::initramfs::{self, Content};
use crate::machine::{End, Machine};
use crate::plant::{self, Planted};
use crate::report;
use crate::suite::{self, Files};
use crate::sys;
use crate::tap::{Reader, Run};
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const USAGE: &str = "\
usage: cargo xtask prove [OPTIONS] [-- ARGUMENTS...]

Builds one kernel with all planted bugs of lab/bugs/ in it, runs the suite on
it healthy and with each bug, and prints what was caught. What was run before
with the same kernel and the same suite is not run again. When every bug has
been run, lab/DETECTION.md and lab/detection.json are written. ARGUMENTS are
more arguments for run_tests.sh, as in -t 'fork_*'; with them, no report.

  --bugs LIST     only these, as in 3,7,40-50 (and the healthy kernel)
  --jobs N        guests at a time (2)
  --list          list the bugs and end
  --build         build the kernel, print its path and end
  --debug         a kernel that checks itself (lab/kernels/debug.config)
  --again         run also what was run before
  --suite DIR     take the suite from there, do not build it
  --first         end each bug's guest when a test has caught it; no report
  --timeout S     give a guest up after S seconds (600)

Exit status: 0 when the healthy kernel and the variations pass and every bug
is caught by a test's own check, 1 otherwise.";

/// The suite as it is run here: everything, poison too: it is a guest.
const COMMAND: [&str; 4] = ["./run_tests.sh", "--format", "flat", "-d"];

/// What came of one kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// the bug's number, 0 for the healthy kernel
    pub number: u32,
    /// what the tests said
    pub run: Run,
    /// how the guest ended, where that was no exit of the suite
    pub trouble: Option<String>,
    /// was it ended at the first catch?
    #[serde(default)]
    pub stopped: bool,
    /// the suite's exit status
    pub status: Option<i32>,
    /// how long the suite ran
    pub seconds: f64,
}

/// Everything that a report is made from.
pub struct Results {
    /// the catalogue
    pub bugs: Vec<Bug>,
    /// healthy first, then by number
    pub outcomes: Vec<Outcome>,
    /// the kernel's version
    pub version: String,
}

struct Options {
    bugs: Option<String>,
    jobs: usize,
    list: bool,
    build: bool,
    debug: bool,
    again: bool,
    first: bool,
    suite: Option<PathBuf>,
    arguments: Vec<String>,
    timeout: u64,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        bugs: None,
        jobs: 2,
        list: false,
        build: false,
        debug: false,
        again: false,
        first: false,
        suite: None,
        arguments: Vec::new(),
        timeout: 600,
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("bugs") => options.bugs = Some(parser.value()?.string()?),
            Long("jobs") => options.jobs = parser.value()?.parse()?,
            Long("list") => options.list = true,
            Long("build") => options.build = true,
            Long("debug") => options.debug = true,
            Long("again") => options.again = true,
            Long("first") => options.first = true,
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("timeout") => options.timeout = parser.value()?.parse()?,
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
    if options.jobs == 0 || options.jobs > 64 {
        bail!("--jobs: 1 to 64");
    }
    Ok(Some(options))
}

/// One guest after another, as the kernel and the suite are the same in all.
struct Prover {
    kernel: Planted,
    initrd: PathBuf,
    machine: Machine,
    dir: PathBuf,
    again: bool,
    /// the bugs whose guest ends at the first catch
    short: Vec<u32>,
}

impl Prover {
    fn kept(&self, number: u32) -> Option<Outcome> {
        let text = std::fs::read(self.dir.join(format!("{number:03}.json"))).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn run(&self, number: u32) -> Result<Outcome> {
        let short = self.short.contains(&number);
        let usable = |outcome: &Outcome| !self.again && (short || !outcome.stopped);
        if let Some(outcome) = self.kept(number).filter(usable) {
            return Ok(outcome);
        }
        let file = |end: &str| self.dir.join(format!("{number:03}.{end}"));
        let mut machine = self.machine.clone();
        machine.append = format!("rmap_bug={number}");
        let mut reader = Reader::default();
        let mut tap = String::new();
        let mut start = None;
        let end = machine.run(
            &self.kernel.image,
            &self.initrd,
            &file("console"),
            &mut |line| {
                let start = *start.get_or_insert_with(Instant::now);
                let seconds = start.elapsed().as_secs_f64();
                reader.line(line, (seconds * 10.0).round() / 10.0);
                tap.push_str(line);
                tap.push('\n');
                !(short && reader.caught())
            },
        )?;
        let seconds = start.map_or(0.0, |start| start.elapsed().as_secs_f64());
        sys::write(&file("tap"), tap)?;
        let outcome = Outcome {
            number,
            run: reader.finish(),
            stopped: end == End::Stopped,
            status: match end {
                End::Exit(status) => Some(status),
                _ => None,
            },
            trouble: match &end {
                End::Exit(0 | 1 | 4) | End::Stopped => None,
                end => Some(end.to_string()),
            },
            seconds: (seconds * 10.0).round() / 10.0,
        };
        // Whole or not at all: an interrupted prove goes on from these.
        let partial = file("new");
        sys::write(&partial, serde_json::to_vec_pretty(&outcome)?)?;
        std::fs::rename(&partial, file("json"))?;
        Ok(outcome)
    }

    /// Runs these, so many at a time, and says each when it is done.
    fn run_all(&self, numbers: &[u32], jobs: usize) -> Result<Vec<Outcome>> {
        let queue = Mutex::new(numbers.iter().copied().collect::<VecDeque<u32>>());
        let done: Mutex<Vec<Outcome>> = Mutex::new(Vec::new());
        let fault: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let work = || {
            while let Some(number) = queue.lock().ok().and_then(|mut q| q.pop_front()) {
                match self.run(number) {
                    Ok(outcome) => {
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

fn suite_key(files: &Files, command: &[String]) -> Result<String> {
    let mut texts: Vec<Vec<u8>> = command.iter().map(|w| w.clone().into_bytes()).collect();
    for (name, path) in files {
        texts.push(name.clone().into_bytes());
        texts.push(sys::read(path)?);
    }
    let hash = plant::fingerprint(texts.iter().map(Vec::as_slice));
    Ok(format!("{hash:016x}"))
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
        };
        println!("{:3} {}{kind}: {}", bug.number, bug.name, bug.title);
    }
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let catalogue = bugs::all()?;
    let chosen = match &options.bugs {
        Some(list) => bugs::chosen(&catalogue, list)?,
        None => catalogue.clone(),
    };
    if options.list {
        list(&chosen);
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine {
        timeout: Duration::from_secs(options.timeout),
        ..Machine::default()
    };
    machine.check()?;
    let kernel = plant::build(&catalogue, options.debug)?;
    if options.build {
        println!("{}", kernel.image.display());
        return Ok(ExitCode::SUCCESS);
    }
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir)?,
        None => suite::build(machine.arch)?,
    };
    let mut command: Vec<String> = COMMAND.map(String::from).to_vec();
    command.extend(options.arguments.iter().cloned());
    let key = format!("{}-{}", kernel.key, suite_key(&files, &command)?);
    let dir = sys::cache()?.join("prove").join(key);
    sys::make_dir(&dir)?;
    eprintln!("xtask: results are kept in {}", dir.display());
    let scratch = sys::Scratch::new("prove")?;
    let initrd = scratch.path().join("initramfs");
    let content = Content {
        modules: &[],
        suite: &files,
        command: &command,
    };
    initramfs::write(&initrd, machine.arch, &content)?;
    let version = kernel.version.clone();
    let prover = Prover {
        kernel,
        initrd,
        machine,
        dir,
        again: options.again,
        short: match options.first {
            true => of_kind(&chosen, Kind::Bug),
            false => Vec::new(),
        },
    };
    let mut numbers = vec![0];
    numbers.extend(chosen.iter().map(|bug| bug.number));
    let outcomes = prover.run_all(&numbers, options.jobs)?;
    let results = Results {
        bugs: chosen,
        outcomes,
        version,
    };
    let whole =
        options.bugs.is_none() && options.arguments.is_empty() && !options.debug && !options.first;
    finish(&results, whole)
}

fn finish(results: &Results, whole: bool) -> Result<ExitCode> {
    let verdict = report::verdict(results);
    if whole {
        let lab = sys::root()?.join("lab");
        write(&lab.join("DETECTION.md"), &report::markdown(results))?;
        let json = serde_json::to_string_pretty(&report::json(results))?;
        write(&lab.join("detection.json"), &(json + "\n"))?;
    }
    for line in &verdict.lines {
        println!("{line}");
    }
    println!("{} passed, {} failed", verdict.passed, verdict.failed);
    Ok(if verdict.failed == 0 {
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
