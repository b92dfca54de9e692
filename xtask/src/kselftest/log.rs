// SPDX-License-Identifier: GPL-2.0-or-later
//! The runner's log, and whether every test is in it.

use crate::sys;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The tests of each program, in their order.
pub fn by_program(tests: &[String]) -> Vec<(&str, Vec<&str>)> {
    let mut list: Vec<(&str, Vec<&str>)> = Vec::new();
    for (program, test) in tests.iter().filter_map(|t| t.split_once('.')) {
        match list.last_mut() {
            Some((last, tests)) if *last == program => tests.push(test),
            _ => list.push((program, vec![test])),
        }
    }
    list
}

/// The end of a text.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Name and result of each test in DIR/log, as the suite's own reporter reads it.
pub fn read(reporter: &Path, dir: &Path) -> Result<Vec<(String, String)>> {
    let json = dir.join("report.json");
    // Its status tells of tests that failed.
    Command::new(reporter)
        .arg("--json")
        .arg(&json)
        .arg(dir.join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", reporter.display()))?;
    crate::lava::results_of_report(&sys::read_text(&json)?)
}

/// How what the log has differs from what was to be in it.
#[derive(Default)]
pub struct Verdict {
    expected: usize,
    read: usize,
    by_result: BTreeMap<String, usize>,
    missing: Vec<String>,
    twice: Vec<String>,
    unknown: Vec<String>,
    /// the tests that failed
    pub failed: Vec<String>,
}

/// Compares the tests with what the log has of them.
pub fn compare(tests: &[String], read: &[(String, String)]) -> Verdict {
    let mut verdict = Verdict {
        expected: tests.len(),
        read: read.len(),
        ..Verdict::default()
    };
    for test in tests {
        let mut of = read.iter().filter(|(name, _)| name == test);
        match (of.next(), of.next()) {
            (None, _) => verdict.missing.push(test.clone()),
            (_, Some(_)) => verdict.twice.push(test.clone()),
            (Some((_, result)), None) => {
                *verdict.by_result.entry(result.clone()).or_default() += 1;
                if result != "pass" && result != "skip" {
                    verdict.failed.push(test.clone());
                }
            }
        }
    }
    let unknown = read.iter().filter(|(name, _)| !tests.contains(name));
    verdict.unknown = unknown.map(|(name, _)| name.clone()).collect();
    verdict
}

impl Verdict {
    /// Is any test not there, there twice, or of another name?
    pub fn lost(&self) -> bool {
        [&self.missing, &self.twice, &self.unknown]
            .iter()
            .any(|list| !list.is_empty())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "tests {}, results {}", self.expected, self.read)?;
        for (result, count) in &self.by_result {
            write!(f, ", {result} {count}")?;
        }
        for (what, list) in [
            ("failed", &self.failed),
            ("missing", &self.missing),
            ("twice", &self.twice),
            ("not a test", &self.unknown),
        ] {
            if !list.is_empty() {
                write!(f, "\n{what} {}: {}", list.len(), list.join(", "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told() {
        let tests = ["a.one", "a.two", "b.one", "b.two"].map(String::from);
        let read = [
            ("a.one", "pass"),
            ("a.two", "error"),
            ("b.one", "pass"),
            ("b.one", "fail"),
            ("b.2", "skip"),
        ];
        let read = read.map(|(name, result)| (name.to_owned(), result.to_owned()));
        let verdict = compare(&tests, &read);
        assert!(verdict.lost());
        assert_eq!(verdict.missing, ["b.two"]);
        assert_eq!(verdict.twice, ["b.one"]);
        assert_eq!(verdict.unknown, ["b.2"]);
        assert_eq!(verdict.failed, ["a.two"]);
        assert!(!compare(&tests[..1], &read[..1]).lost());
    }

    #[test]
    fn programs_keep_their_order() {
        let tests = ["b.one", "b.two.x", "a.one"].map(String::from);
        let list = by_program(&tests);
        assert_eq!(list, [("b", vec!["one", "two.x"]), ("a", vec!["one"])]);
    }
}
