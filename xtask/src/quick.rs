// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask quick`: chooses the tests that catch most bugs in a short time.

use crate::bugs;
use crate::suite;
use crate::sys;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask quick [OPTIONS] FILE

Writes tests/quick.list, for run_tests.sh -T: the tests that catch most of the
planted bugs for the time they take, until that time is used up. Which test
catches which bug is in lab/detection*.json (the first that did), how long each
takes in FILE, the flat stream of a run of the whole suite (run_tests.sh -d
--one-round --tap FILE).

  --seconds S     for how long they run in the run of FILE (60)

Exit status: 0 when it was written, 1 otherwise.";

/// Below this a test's time is mostly chance, and not worth a difference.
const LEAST: f64 = 0.02;

/// How many bugs each test was the first to catch.
fn catches() -> Result<BTreeMap<String, usize>> {
    let mut all = BTreeMap::new();
    for catalogue in [&bugs::LINUX_6_12, &bugs::LINUX_7] {
        let path = sys::root()?.join(format!("lab/detection{}.json", catalogue.suffix));
        let known: Value = serde_json::from_str(&sys::read_text(&path)?)
            .with_context(|| format!("{}: no JSON", path.display()))?;
        let results = known["results"].as_array();
        for bug in results.with_context(|| format!("{}: no results", path.display()))? {
            if let Some(test) = bug["first"]["test"].as_str()
                && bug["kind"] == "bug"
            {
                *all.entry(test.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(all)
}

/// The time of each test that passed, and all tests in their order.
fn times(stream: &str) -> (BTreeMap<&str, f64>, Vec<&str>) {
    let (mut times, mut order) = (BTreeMap::new(), Vec::new());
    let mut last = None;
    for line in stream.lines() {
        if let Some(time) = line.strip_prefix("# time ") {
            last = time
                .strip_suffix(" s")
                .and_then(|s| s.parse::<f64>().ok())
                .or(last);
        } else if let Some(result) = line.strip_prefix("ok ") {
            let mut words = result.split(' ');
            if let Some(name) = words.nth(1) {
                order.push(name);
                if let (Some(time), None) = (last.take(), words.next()) {
                    times.insert(name, time);
                }
            }
        } else if line.starts_with("not ok ") {
            last = None;
        }
    }
    (times, order)
}

/// What is chosen, and what becomes of it.
struct Choice<'a> {
    /// in the order of the run
    tests: Vec<&'a str>,
    bugs: usize,
    seconds: f64,
}

fn choose<'a>(
    catches: &BTreeMap<String, usize>,
    times: &BTreeMap<&'a str, f64>,
    order: &[&'a str],
    limit: Duration,
) -> Choice<'a> {
    let mut all: Vec<(&str, usize, f64)> = times
        .iter()
        .filter_map(|(&test, &time)| Some((test, *catches.get(test)?, time.max(LEAST))))
        .collect();
    // Stable, and by name before: the same input gives the same list.
    all.sort_by(|a, b| (b.1 as f64 / b.2).total_cmp(&(a.1 as f64 / a.2)));
    let mut choice = Choice {
        tests: Vec::new(),
        bugs: 0,
        seconds: 0.0,
    };
    for (test, bugs, time) in all {
        if choice.seconds + time <= limit.as_secs_f64() {
            choice.tests.push(test);
            choice.bugs += bugs;
            choice.seconds += time;
        }
    }
    let place = |test: &str| order.iter().position(|t| *t == test);
    choice.tests.sort_by_key(|test| place(test));
    choice
}

/// In a run that begins with those tests, after how many seconds each bug has met the test that is known to catch it.
fn met(
    first: &[&str],
    catches: &BTreeMap<String, usize>,
    times: &BTreeMap<&str, f64>,
    order: &[&str],
) -> Vec<f64> {
    let others = order.iter().filter(|test| !first.contains(test));
    let mut seconds = 0.0;
    let mut met = Vec::new();
    for test in first.iter().chain(others) {
        seconds += times.get(test).copied().unwrap_or_default();
        let bugs = catches.get(*test).copied().unwrap_or_default();
        met.extend(std::iter::repeat_n(seconds, bugs));
    }
    met
}

fn list(choice: &Choice, of: usize) -> String {
    let mut out = format!(
        "# SPDX-License-Identifier: GPL-2.0-or-later\n\
         # Written by `cargo xtask quick`: the tests that catch most of the planted bugs for the time they take.\n\
         # They were the first to catch {} of {of}.\n",
        choice.bugs
    );
    for test in &choice.tests {
        let _ = writeln!(out, "{test}");
    }
    out
}

/// Runs the command.
pub fn main(mut parser: lexopt::Parser) -> Result<ExitCode> {
    let mut limit = Duration::from_secs(60);
    let mut file: Option<PathBuf> = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seconds") => limit = Duration::from_secs(parser.value()?.parse()?),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(path) if file.is_none() => file = Some(path.into()),
            _ => return Err(arg.unexpected().into()),
        }
    }
    let file = file.context("no FILE: the flat stream of a run (--help tells more)")?;
    write(&file, limit)?;
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, limit: Duration) -> Result<()> {
    let stream = sys::read_text(file)?;
    let (times, order) = times(&stream);
    if times.is_empty() {
        bail!("{}: no test passed in it, with its time", file.display());
    }
    let catches = catches()?;
    let all = catches.values().sum();
    let choice = choose(&catches, &times, &order, limit);
    let path = sys::root()?.join(suite::LIST);
    sys::write(&path, list(&choice, all))?;
    println!(
        "{} tests, {:.0} s, were the first to catch {} of {all} bugs",
        choice.tests.len(),
        choice.seconds,
        choice.bugs
    );
    for (first, how) in [(&choice.tests[..], "begins with them"), (&[], "does not")] {
        let met = met(first, &catches, &times, &order);
        if let (Some(half), Some(most)) = (met.get(met.len() / 2), met.get(met.len() * 9 / 10)) {
            println!(
                "in a run that {how} half of the bugs have met their test after {half:.0} s, nine of ten after {most:.0} s"
            );
        }
    }
    eprintln!("xtask: wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "# time 1.000 s\nok 1 a.slow\n# time 0.500 s\nok 2 a.good\n# time 0.100 s\nok 3 b.skip # SKIP why\n\
                          ok 4 b.untimed\n# time 0.100 s\nnot ok 5 b.fails\nok 6 b.none\n# time 0.001 s\nok 7 c.tiny\n";

    fn catches() -> BTreeMap<String, usize> {
        let all = [
            ("a.slow", 1),
            ("a.good", 3),
            ("b.skip", 9),
            ("b.fails", 9),
            ("b.none", 9),
            ("c.tiny", 1),
        ];
        all.map(|(test, bugs)| (test.to_owned(), bugs)).into()
    }

    fn chosen(limit: u64) -> Vec<&'static str> {
        let catches = catches();
        let (times, order) = times(STREAM);
        choose(&catches, &times, &order, Duration::from_secs(limit)).tests
    }

    #[test]
    fn the_best_for_their_time_are_chosen() {
        assert_eq!(chosen(1), ["a.good", "c.tiny"]);
        assert_eq!(chosen(2), ["a.slow", "a.good", "c.tiny"]);
        assert!(chosen(0).is_empty());
    }

    #[test]
    fn each_bug_meets_its_test() {
        let (times, order) = times(STREAM);
        let mut catches = catches();
        catches.retain(|test, _| times.contains_key(test.as_str()));
        let choice = choose(&catches, &times, &order, Duration::from_secs(1));
        let met = met(&choice.tests, &catches, &times, &order);
        assert_eq!(met, [0.5, 0.5, 0.5, 0.501, 1.501]);
    }
}
