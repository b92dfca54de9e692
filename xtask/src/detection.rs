// SPDX-License-Identifier: GPL-2.0-or-later
//! lab/DETECTION.md and lab/detection.json: what a prove found.

use crate::bugs::{Bug, Kind};
use crate::outcome::Outcome;
use crate::prove::Results;
use crate::report::{Notice, by_number, catches, failures, healthy, notice, only, oracle};
use crate::tap::{By, Failure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

fn trouble(outcome: &Outcome, healthy: &BTreeSet<&str>) -> String {
    let mut words = BTreeSet::new();
    for f in failures(outcome, healthy) {
        match f.by {
            By::Check => {}
            By::Kernel => drop(words.insert("kernel log")),
            By::Leftover => drop(words.insert("leftover")),
            By::Timeout => drop(words.insert("time-out")),
            By::Crash => drop(words.insert("crash")),
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

fn list(numbers: impl IntoIterator<Item = u32>) -> String {
    let words: Vec<String> = numbers.into_iter().map(|n| n.to_string()).collect();
    words.join(", ")
}

const HEAD: &str = "\
| # | what is wrong | function | verdict | first | run | oracle | tests | besides |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

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
        _ if outcome.run.failed.is_empty() && outcome.trouble.is_none() => "passes",
        _ => "FAILS",
    };
    let ended = if outcome.stopped { ", ended" } else { "" };
    let _ = writeln!(
        out,
        "| {} | {} | `{}` | {word} | {after} | {:.1}{ended} | {how} | {} | {} |",
        bug.number,
        bug.title,
        bug.function,
        outcome.seconds,
        tests.join(", "),
        trouble(outcome, &healthy)
    );
}

/// What is said of how the run was made.
fn preface(results: &Results, out: &mut String) {
    let bugs = |o: &&Outcome| by_number(results, o.number).is_some_and(|b| b.kind == Kind::Bug);
    let all: Vec<&Outcome> = results.outcomes.iter().filter(bugs).collect();
    let (linux, healthy) = (results.linux, healthy(results));
    let count = |n| all.iter().filter(|o| notice(o, &healthy) == n).count();
    let _ = writeln!(
        out,
        "Written by `cargo xtask prove{}{}`: Linux {} with the bugs of `lab/{}/` built in,\n\
         one of them on at a time, in a guest of two processors and two memory nodes\n\
         under QEMU. **Caught** means that a test failed by its own check; what the\n\
         kernel's log, a leftover, a time-out or the guest's end told is under *besides*.\n\
         *First* is the time from the start of the suite to the first failing test, *run*\n\
         how long the suite ran, both in seconds; the oracle is that test's.\n",
        if linux.suffix.is_empty() {
            String::new()
        } else {
            format!(" --linux {}", linux.version)
        },
        if results.first { " --first" } else { "" },
        results.version,
        linux.dir
    );
    if !results.left.is_empty() {
        let left: Vec<String> = results.left.iter().map(u32::to_string).collect();
        let _ = writeln!(out, "Not run this time: {}.\n", left.join(", "));
    }
    let stopped = all.iter().filter(|o| o.stopped).count();
    if results.first {
        let _ = writeln!(
            out,
            "**This was a run with `--first`**: it began with the tests that caught the bug\n\
             before, and the guest was ended at the first test that failed by its own\n\
             check, {stopped} times (*ended*). Which other tests catch these bugs, and\n\
             which bugs only one test catches, is unknown here.\n"
        );
    }
    let _ = writeln!(
        out,
        "Caught: **{} of {}**; {} noticed only otherwise, {} escaped.\n",
        count(Notice::Caught),
        all.len(),
        count(Notice::Noticed),
        count(Notice::Escaped)
    );
}

fn healthy_section(results: &Results, out: &mut String) {
    let Some(zero) = results.outcomes.iter().find(|o| o.number == 0) else {
        return;
    };
    let _ = writeln!(
        out,
        "The healthy kernel: {} passed, {} failed, {} skipped, in {:.0} s.\n",
        zero.run.passed.len(),
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

/// What each test is good for.
fn tests_section(results: &Results, out: &mut String) {
    let catches = catches(results);
    let only = only(results);
    out.push_str("\n## Tests\n\n| test | catches | only it catches |\n| --- | --- | --- |\n");
    for (test, numbers) in &catches {
        let alone = only.get(*test).cloned().unwrap_or_default();
        let caught = list(numbers.iter().copied());
        let _ = writeln!(out, "| {test} | {caught} | {} |", list(alone));
    }
    let zero = results.outcomes.iter().find(|o| o.number == 0);
    let passed = zero.map_or(&[][..], |zero| &zero.run.passed);
    let idle: Vec<&str> = passed
        .iter()
        .map(|test| &**test)
        .filter(|test| !catches.contains_key(test))
        .collect();
    if !results.first && !idle.is_empty() {
        let _ = writeln!(out, "\nNo bug was caught by: {}.", idle.join(", "));
    }
}

/// The report for people.
pub fn markdown(results: &Results) -> String {
    let of = |kind| results.bugs.iter().filter(move |b| b.kind == kind);
    let mut out = String::from(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# What the suite catches\n\n",
    );
    preface(results, &mut out);
    healthy_section(results, &mut out);
    for (kind, title) in [
        (Kind::Bug, "Bugs"),
        (
            Kind::Variation,
            "Right variations, on which nothing may fail",
        ),
        (
            Kind::Equivalent,
            "Bugs that user space cannot see, on which nothing may fail",
        ),
    ] {
        if of(kind).next().is_none() {
            continue;
        }
        let _ = write!(out, "\n## {title}\n\n{HEAD}");
        for bug in of(kind) {
            row(results, bug, &mut out);
        }
        for bug in of(kind).filter(|bug| !bug.why.is_empty()) {
            let _ = writeln!(out, "\n{}: {}", bug.number, bug.why);
        }
    }
    tests_section(results, &mut out);
    out
}

fn first_catch(outcome: &Outcome, healthy: &BTreeSet<&str>) -> Value {
    let failed = failures(outcome, healthy);
    match failed.iter().find(|f| f.by == By::Check) {
        Some(f) => json!({"test": f.test, "oracle": oracle(f), "seconds": f.seconds}),
        None => Value::Null,
    }
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
                    Some(Kind::Equivalent) => "equivalent",
                },
                "title": bug.map(|b| &b.title),
                "function": bug.map(|b| &b.function),
                "breaks": bug.map(|b| &b.breaks),
                "resembles": bug.map(|b| &b.resembles),
                "verdict": notice(outcome, &healthy).word().to_lowercase(),
                "trouble": outcome.trouble,
                "besides": trouble(outcome, &healthy),
                "first": first_catch(outcome, &healthy),
                "ended_at_first": outcome.stopped,
                "seconds": outcome.seconds,
                "passed": outcome.run.passed.len(),
                "skipped": outcome.run.skipped,
                "failed": outcome.run.failed,
            })
        })
        .collect();
    json!({
        "kernel": results.version,
        "first": results.first,
        "results": rows,
        "catches": catches(results),
        "only": only(results),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::results;

    #[test]
    fn the_report_says_how_it_was_made() {
        let text = markdown(&results(false));
        assert!(text.contains("Caught: **3 of 4**; 1 noticed only otherwise, 0 escaped."));
        assert!(text.contains("| caught | 2.5 | 9.0 | every mapper is found | a.x | kernel log |"));
        assert!(text.contains("| caught | 2.5 | 9.0, ended |"));
        assert!(text.contains("| a.x | 1, 2, 3 | 1 |"));
        assert!(text.contains("No bug was caught by: a.idle."));
        assert!(!text.contains("--first"));
        assert!(markdown(&results(true)).contains("This was a run with `--first`"));
    }
}
