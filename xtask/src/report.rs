// SPDX-License-Identifier: GPL-2.0-or-later
//! What a prove found, as lines, as Markdown and as JSON.

use crate::bugs::{Bug, Kind};
use crate::prove::{Outcome, Results};
use crate::tap::{By, Failure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How a planted bug was noticed, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Notice {
    /// a test failed by its own check
    Caught,
    /// only the kernel's log, a leftover, a time-out, a panic or a hang told
    Noticed,
    /// nothing failed
    Escaped,
}

impl Notice {
    fn word(self) -> &'static str {
        match self {
            Notice::Caught => "caught",
            Notice::Noticed => "noticed only",
            Notice::Escaped => "ESCAPED",
        }
    }
}

/// What failed on the healthy kernel proves nothing elsewhere.
fn failures<'a>(outcome: &'a Outcome, healthy: &BTreeSet<&str>) -> Vec<&'a Failure> {
    let all = outcome.run.failed.iter();
    all.filter(|f| !healthy.contains(f.test.as_str())).collect()
}

fn healthy(results: &Results) -> BTreeSet<&str> {
    let zero = results.outcomes.iter().filter(|o| o.number == 0);
    zero.flat_map(|o| o.run.failed.iter().map(|f| f.test.as_str()))
        .collect()
}

fn notice(outcome: &Outcome, healthy: &BTreeSet<&str>) -> Notice {
    let failed = failures(outcome, healthy);
    if failed.iter().any(|f| f.by == By::Check) {
        Notice::Caught
    } else if !failed.is_empty() || outcome.trouble.is_some() {
        Notice::Noticed
    } else {
        Notice::Escaped
    }
}

/// The property in a failure's line, without place and measured values.
fn oracle(failure: &Failure) -> String {
    let mut parts = failure.line.split(": ");
    let mut text = parts.next().unwrap_or_default();
    if text.contains(".rs:") {
        text = parts.next().unwrap_or_default();
    }
    let short: String = text.chars().take(90).collect();
    short.replace('|', "/")
}

/// One line about an outcome.
pub fn line(outcome: &Outcome) -> String {
    let failed = outcome.run.failed.len();
    let first = outcome.run.failed.iter().find(|f| f.by == By::Check);
    let first = first.or(outcome.run.failed.first());
    let mut text = format!(
        "bug {}: {} passed, {failed} failed, {} skipped in {:.1} s",
        outcome.number,
        outcome.run.passed,
        outcome.run.skipped.len(),
        outcome.seconds
    );
    if let Some(f) = first {
        let _ = write!(text, "; {} after {:.1} s: {}", f.test, f.seconds, oracle(f));
    }
    if let Some(trouble) = &outcome.trouble {
        let _ = write!(text, "; {trouble}");
    }
    text
}

/// What it all comes to.
pub struct Verdict {
    /// kernels on which the suite did what it should
    pub passed: usize,
    /// kernels on which it did not
    pub failed: usize,
    /// what went wrong, a line each
    pub lines: Vec<String>,
}

fn by_number(results: &Results, number: u32) -> Option<&Bug> {
    results.bugs.iter().find(|bug| bug.number == number)
}

/// Judges every outcome.
pub fn verdict(results: &Results) -> Verdict {
    let healthy = healthy(results);
    let mut verdict = Verdict {
        passed: 0,
        failed: 0,
        lines: Vec::new(),
    };
    for outcome in &results.outcomes {
        let bug = by_number(results, outcome.number);
        let wrong = match bug.map(|b| b.kind) {
            Some(Kind::Bug) => {
                let notice = notice(outcome, &healthy);
                (notice != Notice::Caught).then(|| notice.word().to_string())
            }
            // Healthy, or another way to be right.
            _ => {
                let all: Vec<&str> = outcome.run.failed.iter().map(|f| &*f.test).collect();
                if !all.is_empty() {
                    Some(format!("fails on a right kernel: {}", all.join(" ")))
                } else if outcome.run.passed == 0 {
                    Some("no test passed on a right kernel".into())
                } else {
                    outcome.trouble.clone()
                }
            }
        };
        match wrong {
            None => verdict.passed += 1,
            Some(why) => {
                verdict.failed += 1;
                let name = bug.map_or("healthy", |b| &b.name);
                let line = format!("{} {name}: {why}", outcome.number);
                verdict.lines.push(line);
            }
        }
    }
    verdict
}

/// Which bugs each test catches by its own check.
fn catches(results: &Results) -> BTreeMap<&str, BTreeSet<u32>> {
    let healthy = healthy(results);
    let mut map: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for outcome in &results.outcomes {
        if by_number(results, outcome.number).is_none_or(|b| b.kind != Kind::Bug) {
            continue;
        }
        for f in failures(outcome, &healthy) {
            if f.by == By::Check {
                map.entry(&f.test).or_default().insert(outcome.number);
            }
        }
    }
    map
}

/// For each test, the bugs that no other test catches.
fn only(catches: &BTreeMap<&str, BTreeSet<u32>>) -> BTreeMap<String, Vec<u32>> {
    let mut count: BTreeMap<u32, u32> = BTreeMap::new();
    for number in catches.values().flatten() {
        *count.entry(*number).or_default() += 1;
    }
    let mut out = BTreeMap::new();
    for (test, bugs) in catches {
        let alone: Vec<u32> = bugs.iter().copied().filter(|n| count[n] == 1).collect();
        if !alone.is_empty() {
            out.insert(test.to_string(), alone);
        }
    }
    out
}

fn trouble(outcome: &Outcome, healthy: &BTreeSet<&str>) -> String {
    let mut words = BTreeSet::new();
    for f in failures(outcome, healthy) {
        match f.by {
            By::Check => {}
            By::Kernel => drop(words.insert("kernel log")),
            By::Leftover => drop(words.insert("leftover")),
            By::Timeout => drop(words.insert("time-out")),
        }
    }
    if let Some(text) = &outcome.trouble {
        let word = match text {
            t if t.contains("panicked") => "panic",
            t if t.contains("hung") => "hang",
            t if t.contains("boot") => "no boot",
            _ => "ended early",
        };
        words.insert(word);
    }
    words.into_iter().collect::<Vec<_>>().join(", ")
}

fn row(results: &Results, bug: &Bug, out: &mut String) {
    let healthy = healthy(results);
    let Some(outcome) = results.outcomes.iter().find(|o| o.number == bug.number) else {
        return;
    };
    let failed = failures(outcome, &healthy);
    let own: Vec<&&Failure> = failed.iter().filter(|f| f.by == By::Check).collect();
    let (after, how) = match own.first() {
        Some(f) => (format!("{:.1}", f.seconds), oracle(f)),
        None => ("-".into(), "-".into()),
    };
    let mut tests: Vec<String> = own.iter().take(3).map(|f| f.test.clone()).collect();
    if own.len() > 3 {
        tests.push(format!("and {} more", own.len() - 3));
    }
    let word = match bug.kind {
        Kind::Bug => notice(outcome, &healthy).word(),
        Kind::Variation if failed.is_empty() && outcome.trouble.is_none() => "passes",
        Kind::Variation => "FAILS",
    };
    let _ = writeln!(
        out,
        "| {} | {} | `{}` | {word} | {after} | {how} | {} | {} |",
        bug.number,
        bug.title,
        bug.function,
        tests.join(", "),
        trouble(outcome, &healthy)
    );
}

/// The report for people.
pub fn markdown(results: &Results) -> String {
    let of = |kind| results.bugs.iter().filter(move |b| b.kind == kind);
    let healthy_set = healthy(results);
    let caught = of(Kind::Bug)
        .filter(|bug| {
            results
                .outcomes
                .iter()
                .any(|o| o.number == bug.number && notice(o, &healthy_set) == Notice::Caught)
        })
        .count();
    let mut out = String::from("# What the suite catches\n\n");
    let _ = writeln!(
        out,
        "Written by `cargo xtask prove`: Linux {} with the bugs of `lab/bugs/` built in,\n\
         one of them on at a time, in a guest of two processors and two memory nodes\n\
         under QEMU. **Caught** means that a test failed by its own check; what only the\n\
         kernel's log, a time-out or the guest's end told is in the last column.\n",
        results.version
    );
    let _ = writeln!(out, "Caught: **{caught} of {}**.\n", of(Kind::Bug).count());
    if let Some(zero) = results.outcomes.iter().find(|o| o.number == 0) {
        let _ = writeln!(
            out,
            "The healthy kernel: {} passed, {} failed, {} skipped, in {:.0} s.\n",
            zero.run.passed,
            zero.run.failed.len(),
            zero.run.skipped.len(),
            zero.seconds
        );
        for failure in &zero.run.failed {
            let _ = writeln!(
                out,
                "- fails on the healthy kernel, so counts nowhere below: {}",
                failure.test
            );
        }
        for (test, reason) in &zero.run.skipped {
            let _ = writeln!(out, "- skipped: {test}: {reason}");
        }
    }
    let head = "| # | what is wrong | function | verdict | s | first oracle | tests | besides |\n\
                | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    let _ = write!(out, "\n## Bugs\n\n{head}");
    for bug in of(Kind::Bug) {
        row(results, bug, &mut out);
    }
    let _ = write!(
        out,
        "\n## Right variations, on which nothing may fail\n\n{head}"
    );
    for bug in of(Kind::Variation) {
        row(results, bug, &mut out);
    }
    out.push_str("\n## Bugs that only one test catches\n\n| test | bugs |\n| --- | --- |\n");
    for (test, numbers) in only(&catches(results)) {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let _ = writeln!(out, "| {test} | {} |", numbers.join(", "));
    }
    out
}

/// The report for programs.
pub fn json(results: &Results) -> Value {
    let healthy = healthy(results);
    let rows: Vec<Value> = results
        .outcomes
        .iter()
        .map(|outcome| {
            let bug = by_number(results, outcome.number);
            json!({
                "number": outcome.number,
                "name": bug.map_or("healthy", |b| &b.name),
                "kind": match bug.map(|b| b.kind) {
                    None => "healthy",
                    Some(Kind::Bug) => "bug",
                    Some(Kind::Variation) => "variation",
                },
                "title": bug.map(|b| &b.title),
                "function": bug.map(|b| &b.function),
                "breaks": bug.map(|b| &b.breaks),
                "resembles": bug.map(|b| &b.resembles),
                "verdict": notice(outcome, &healthy).word().to_lowercase(),
                "trouble": outcome.trouble,
                "seconds": outcome.seconds,
                "passed": outcome.run.passed,
                "skipped": outcome.run.skipped,
                "failed": outcome.run.failed,
            })
        })
        .collect();
    json!({
        "kernel": results.version,
        "results": rows,
        "only": only(&catches(results)),
    })
}
