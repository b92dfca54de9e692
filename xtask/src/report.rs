// SPDX-License-Identifier: GPL-2.0-or-later
//! What a prove found: how each bug was noticed, and what it comes to.

use crate::bugs::{Bug, Kind};
use crate::outcome::Outcome;
use crate::prove::Results;
use crate::tap::{By, Failure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How a planted bug was noticed, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Notice {
    /// a test failed by its own check
    Caught,
    /// only the kernel's log, a leftover, a time-out, a crash or a hang told
    Noticed,
    /// nothing failed
    Escaped,
}

impl Notice {
    /// In the report.
    pub fn word(self) -> &'static str {
        match self {
            Notice::Caught => "caught",
            Notice::Noticed => "noticed only",
            Notice::Escaped => "ESCAPED",
        }
    }
}

/// What failed on the healthy kernel proves nothing elsewhere.
pub fn failures<'a>(outcome: &'a Outcome, healthy: &BTreeSet<&str>) -> Vec<&'a Failure> {
    let all = outcome.run.failed.iter();
    all.filter(|f| !healthy.contains(f.test.as_str())).collect()
}

/// The tests that fail on the healthy kernel.
pub fn healthy(results: &Results) -> BTreeSet<&str> {
    let zero = results.outcomes.iter().filter(|o| o.number == 0);
    zero.flat_map(|o| o.run.failed.iter().map(|f| f.test.as_str()))
        .collect()
}

/// How this one was noticed.
pub fn notice(outcome: &Outcome, healthy: &BTreeSet<&str>) -> Notice {
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
pub fn oracle(failure: &Failure) -> String {
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
        outcome.run.passed.len(),
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

/// The bug of that number; none for the healthy kernel.
pub fn by_number(results: &Results, number: u32) -> Option<&Bug> {
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
                } else if outcome.run.passed.is_empty() {
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
pub fn catches(results: &Results) -> BTreeMap<&str, BTreeSet<u32>> {
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

/// For each test, the bugs that no other test catches. Of a guest that was
/// ended at the first catch nobody knows that.
pub fn only(results: &Results) -> BTreeMap<String, Vec<u32>> {
    let catches = catches(results);
    let mut count: BTreeMap<u32, u32> = BTreeMap::new();
    for number in catches.values().flatten() {
        *count.entry(*number).or_default() += 1;
    }
    for outcome in results.outcomes.iter().filter(|o| o.stopped) {
        count.remove(&outcome.number);
    }
    let mut out = BTreeMap::new();
    for (test, bugs) in catches {
        let alone = |n: &u32| count.get(n) == Some(&1);
        let alone: Vec<u32> = bugs.into_iter().filter(alone).collect();
        if !alone.is_empty() {
            out.insert(test.to_string(), alone);
        }
    }
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::bugs;
    use crate::tap::Run;

    fn outcome(number: u32, failed: &[(&str, By)], stopped: bool) -> Outcome {
        let failure = |(test, by): &(&str, By)| Failure {
            test: test.to_string(),
            by: *by,
            line: "a.rs:3: every mapper is found: pfn 0x1".into(),
            seconds: 2.5,
        };
        Outcome {
            number,
            run: Run {
                passed: vec!["a.idle".into()],
                skipped: Vec::new(),
                failed: failed.iter().map(failure).collect(),
                ..Run::default()
            },
            trouble: None,
            stopped,
            status: Some(1),
            seconds: 9.0,
        }
    }

    pub fn results(first: bool) -> Results {
        let catalogue = bugs::all().unwrap();
        Results {
            linux: &bugs::LINUX_6_12,
            bugs: bugs::in_order(&catalogue, &[1, 2, 3, 4, 901]).unwrap(),
            outcomes: vec![
                outcome(0, &[], false),
                outcome(1, &[("a.x", By::Check), ("a.y", By::Kernel)], false),
                outcome(2, &[("a.x", By::Check), ("a.z", By::Check)], false),
                outcome(3, &[("a.x", By::Check)], true),
                outcome(4, &[("a.y", By::Kernel)], false),
                outcome(901, &[("a.x", By::Check)], false),
            ],
            version: "6".into(),
            first,
            left: Vec::new(),
        }
    }

    #[test]
    fn only_one_test_is_known_only_of_whole_runs() {
        let only = only(&results(false));
        assert_eq!(only.len(), 1);
        assert_eq!(only["a.x"], [1]);
    }

    #[test]
    fn what_counts_as_caught() {
        let verdict = verdict(&results(false));
        assert_eq!((verdict.passed, verdict.failed), (4, 2));
        assert!(verdict.lines[0].ends_with("noticed only"));
        assert!(verdict.lines[1].ends_with("fails on a right kernel: a.x"));
    }
}
