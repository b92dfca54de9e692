// SPDX-License-Identifier: GPL-2.0-or-later
//! The suite on several kernels or machines, one guest for each run: what the commands that do so share.

use crate::machine::Machine;
use crate::outcome::{self, Guest, Outcome};
use crate::plan::Plan;
use crate::suite::{self, Files};
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// What all of these commands can be asked for.
pub struct Options {
    /// the names of those that are wanted, none for all
    pub only: Vec<String>,
    /// list the names and end
    pub list: bool,
    /// run also what was run before
    pub again: bool,
    /// the suite's directory, where it is not to be built
    pub suite: Option<PathBuf>,
    /// how long a guest may run
    pub timeout: Option<Duration>,
    /// guests at a time
    pub jobs: usize,
    /// more arguments for run_tests.sh
    pub arguments: Vec<String>,
}

/// Reads the options. `own` takes those of the one command by their names, and says whether it knows them. `None`: help was asked for.
pub fn options(
    mut parser: lexopt::Parser,
    usage: &str,
    own: &mut dyn FnMut(&str, &mut lexopt::Parser) -> Result<bool>,
) -> Result<Option<Options>> {
    let mut options = Options {
        only: Vec::new(),
        list: false,
        again: false,
        suite: None,
        timeout: None,
        jobs: 2,
        arguments: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        let name = match arg {
            Long("help") | Short('h') => {
                println!("{usage}");
                return Ok(None);
            }
            Long(name) => name.to_string(),
            Value(word) => {
                options.arguments = sys::words(word, &mut parser)?;
                continue;
            }
            Short(_) => return Err(arg.unexpected().into()),
        };
        match name.as_str() {
            "only" => {
                let names = parser.value()?.string()?;
                options.only = names.split(',').map(String::from).collect();
            }
            "list" => options.list = true,
            "again" => options.again = true,
            "suite" => options.suite = Some(parser.value()?.into()),
            "timeout" => options.timeout = Some(Duration::from_secs(parser.value()?.parse()?)),
            "jobs" => options.jobs = parser.value()?.parse()?,
            _ if own(&name, &mut parser)? => {}
            _ => return Err(Long(&name).unexpected().into()),
        }
    }
    if options.jobs == 0 {
        bail!("--jobs 0: no guest would run");
    }
    Ok(Some(options))
}

impl Options {
    /// Refuses names that there are not.
    pub fn check(&self, names: &[&str]) -> Result<()> {
        match self.only.iter().find(|n| !names.contains(&n.as_str())) {
            Some(name) => bail!("no {name} here: {}", names.join(" ")),
            None => Ok(()),
        }
    }

    /// Whether one is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|n| n == name)
    }

    /// What was given, as in a report's head: which of them, and with what arguments.
    pub fn given(&self) -> String {
        let mut text = String::new();
        if !self.only.is_empty() {
            text += &format!(" --only {}", self.only.join(","));
        }
        if !self.arguments.is_empty() {
            text += &format!(" -- {}", self.arguments.join(" "));
        }
        text
    }

    /// The suite for an architecture, built where no directory was given.
    pub fn files(&self, arch: Arch) -> Result<Files> {
        match &self.suite {
            Some(dir) => suite::from_dir(dir, arch),
            None => suite::build(arch),
        }
    }
}

/// One run to make.
pub struct Job<'a> {
    /// what to call it
    pub name: String,
    /// the machine
    pub machine: Machine,
    /// the kernel's file
    pub image: PathBuf,
    /// names and contents of the modules to load
    pub modules: &'a [(String, Vec<u8>)],
    /// the suite
    pub files: &'a Files,
    /// where everything of it is kept
    pub stem: PathBuf,
    /// what was kept before will do
    pub keep: bool,
}

/// Makes the runs, `at_once` at a time, and tells of each when it has ended; the outcomes are in the order of the jobs.
pub fn run(jobs: &[Job], at_once: usize, plan: &Plan) -> Result<Vec<Outcome>> {
    let next = Mutex::new(jobs.iter().enumerate());
    let done: Mutex<Vec<Option<Outcome>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let command = plan.command(0);
    let work = || -> Result<()> {
        loop {
            let job = next.lock().expect("no panic in between").next();
            let Some((i, job)) = job else {
                return Ok(());
            };
            let kept = outcome::kept(&job.stem).filter(|_| job.keep);
            let outcome = match kept {
                Some(outcome) => outcome,
                None => Guest {
                    machine: &job.machine,
                    image: &job.image,
                    modules: job.modules,
                    files: job.files,
                    command: &command,
                    short: false,
                    stem: &job.stem,
                }
                .run(0)
                .with_context(|| job.name.clone())?,
            };
            let mut lines = format!("{}: {}\n", job.name, counts(&outcome));
            for line in wrong(&outcome) {
                lines += &format!("  {line}\n");
            }
            print!("{lines}");
            done.lock().expect("no panic in between")[i] = Some(outcome);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.min(jobs.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let ends = workers
            .into_iter()
            .map(|w| w.join().expect("a worker panicked"));
        ends.collect::<Result<Vec<()>>>()
    })?;
    let done = done.into_inner().expect("no panic in between");
    Ok(done.into_iter().flatten().collect())
}

/// The numbers of an outcome in words.
fn counts(outcome: &Outcome) -> String {
    format!(
        "{} passed, {} failed, {} skipped in {:.0} s",
        outcome.run.passed.len(),
        wrong(outcome).len(),
        outcome.run.skipped.len(),
        outcome.seconds
    )
}

/// What is wrong with a run, a line each.
pub fn wrong(outcome: &Outcome) -> Vec<String> {
    let failed = outcome.run.failed.iter();
    let mut lines: Vec<String> = failed.map(|f| format!("{}: {}", f.test, f.line)).collect();
    let lost = outcome.run.lost();
    let lost = lost.first().map(|first| {
        let (n, of) = (lost.len(), outcome.run.listed.len());
        format!("{n} of {of} tests have no result, {first} is the first")
    });
    let ended: Vec<String> = outcome.trouble.iter().cloned().chain(lost).collect();
    if !ended.is_empty() {
        lines.push(ended.join("; "));
    }
    if lines.is_empty() && outcome.run.passed.is_empty() {
        lines.push("no test passed".into());
    }
    lines
}

/// Reasons of skips and how often each was given.
pub fn reasons(outcome: &Outcome) -> BTreeMap<&str, usize> {
    let mut map = BTreeMap::new();
    for (_, reason) in &outcome.run.skipped {
        *map.entry(&**reason).or_default() += 1;
    }
    map
}

/// A section on what was wrong, for a report: names of runs, and what was [`wrong`] with each.
pub fn failures<'a>(runs: impl Iterator<Item = (&'a str, Vec<String>)>) -> String {
    let mut out = String::from("\n## Failures\n\n");
    let lines: Vec<String> = runs
        .flat_map(|(name, wrong)| {
            let lines = wrong.into_iter();
            lines.map(move |line| format!("- {name}: {line}\n"))
        })
        .collect();
    match lines[..] {
        [] => out.push_str("None.\n"),
        _ => out.extend(lines),
    }
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::tap::Run;

    /// An outcome with these tests passed and one skip.
    pub fn outcome(passed: &[&str]) -> Outcome {
        Outcome {
            number: 0,
            run: Run {
                passed: passed.iter().map(|p| p.to_string()).collect(),
                skipped: vec![("a.b".into(), "needs KSM".into())],
                ..Run::default()
            },
            trouble: None,
            stopped: false,
            status: Some(0),
            seconds: 3.9,
        }
    }

    #[test]
    fn nothing_passed_is_wrong() {
        assert!(wrong(&outcome(&["a.c"])).is_empty());
        let runs = [outcome(&[])];
        let text = failures(runs.iter().map(|r| ("lab", wrong(r))));
        assert!(text.ends_with("- lab: no test passed\n"), "{text}");
        assert_eq!(reasons(&runs[0])["needs KSM"], 1);
        let mut lost = outcome(&["a.c"]);
        lost.run.listed = ["a.b", "a.c", "a.d", "a.e"].map(String::from).to_vec();
        assert_eq!(
            wrong(&lost),
            ["2 of 4 tests have no result, a.d is the first"]
        );
        lost.trouble = Some("it hung".into());
        assert!(wrong(&lost)[0].starts_with("it hung; 2 of 4"));
    }

    #[test]
    fn options_of_all_and_of_one() {
        let read = |words: &[&str]| {
            let mut runs = 0;
            let parser = lexopt::Parser::from_args(words.iter().copied());
            let options = options(parser, "", &mut |name, parser| {
                if name == "runs" {
                    runs = parser.value()?.parse()?;
                }
                Ok(name == "runs")
            });
            options.map(|o| (o.unwrap(), runs))
        };
        let (o, runs) = read(&["--only", "a,b", "--runs", "3", "--", "-t", "x"]).unwrap();
        assert_eq!((o.only.len(), runs, o.jobs), (2, 3, 2));
        assert_eq!(o.arguments, ["-t", "x"]);
        assert_eq!(o.given(), " --only a,b -- -t x");
        assert!(o.wants("b") && !o.wants("c"));
        assert!(o.check(&["a", "b"]).is_ok() && o.check(&["a"]).is_err());
        assert!(read(&["--jobs", "0"]).is_err());
        assert!(read(&["--nonsense"]).is_err());
    }
}
