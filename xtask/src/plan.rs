// SPDX-License-Identifier: GPL-2.0-or-later
//! What a guest of `prove` runs: the whole suite, the whole suite with some
//! tests before the others, or only some tests.

use crate::plant;
use crate::sys;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The suite as it is run here: everything, poison too: it is a guest.
pub const SUITE: [&str; 4] = ["./run_tests.sh", "--format", "flat", "-d"];
/// How many of the tests that caught a bug before are run before the others.
const EARLY: usize = 3;

/// What to run on each kernel.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// more arguments for all
    pub arguments: Vec<String>,
    /// the tests to begin with, by the bug's number
    early: BTreeMap<u32, Vec<String>>,
    /// the only tests to run, by the bug's number
    only: BTreeMap<u32, Vec<String>>,
}

fn words(arguments: &[String], option: &str, patterns: &[String]) -> Vec<String> {
    let mut words: Vec<String> = SUITE.map(String::from).to_vec();
    words.extend_from_slice(arguments);
    for pattern in patterns {
        words.extend([option.to_string(), pattern.clone()]);
    }
    words
}

/// What tests have been seen failing on, by bug: a line of lab/SEEN.md has a test and the numbers, among other words.
fn seen(text: &str) -> Vec<Value> {
    let mut tests: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, test, on, _] = cells[..] else {
            continue;
        };
        if !test.contains('.') {
            continue;
        }
        let numbers = on.split([',', ';']).filter_map(|w| w.trim().parse().ok());
        for number in numbers {
            let failed = json!({"test": test, "by": "check"});
            tests.entry(number).or_default().push(failed);
        }
    }
    let row = |(number, failed)| json!({"number": number, "failed": failed});
    tests.into_iter().map(row).collect()
}

impl Plan {
    /// The whole suite with these arguments.
    pub fn whole(arguments: Vec<String>) -> Plan {
        Plan {
            arguments,
            ..Plan::default()
        }
    }

    /// Begins with the tests by which each bug was caught before, as the cache,
    /// the report of that name in lab/ and, last, lab/SEEN.md know it. They are run alone,
    /// then all the others.
    pub fn caught_before(report: &str) -> Result<Plan> {
        let mut rows = seen(&sys::read_text(&sys::root()?.join("lab/SEEN.md"))?);
        let kept = sys::cache()?.join("prove");
        sys::make_dir(&kept)?;
        for path in sys::files_below(&kept)? {
            if path.extension().is_some_and(|e| e == "json") {
                // Of another xtask perhaps: it is only about an order.
                let row: Value = serde_json::from_slice(&sys::read(&path)?).unwrap_or_default();
                rows.push(json!({"number": row["number"], "failed": row["run"]["failed"]}));
            }
        }
        let path = sys::root()?.join("lab").join(report);
        if path.is_file() {
            let report: Value = serde_json::from_slice(&sys::read(&path)?)
                .with_context(|| path.display().to_string())?;
            rows.extend(report["results"].as_array().cloned().unwrap_or_default());
        }
        Ok(Plan::after(&rows))
    }

    fn after(rows: &[Value]) -> Plan {
        let mut plan = Plan::default();
        for row in rows {
            let number = row["number"].as_u64().and_then(|n| u32::try_from(n).ok());
            let failed = row["failed"].as_array().into_iter().flatten();
            let tests = failed
                .filter(|f| f["by"] == "check")
                .filter_map(|f| f["test"].as_str().map(String::from));
            let tests: Vec<String> = tests.take(EARLY).collect();
            if let (Some(number), false) = (number, tests.is_empty()) {
                plan.early.insert(number, tests);
            }
        }
        plan
    }

    /// The list of lab/chosen, in its order: a number and patterns of tests in
    /// each line. The healthy kernel (0) gets all tests of the bugs too.
    pub fn chosen() -> Result<(Vec<u32>, Plan)> {
        let text = sys::read_text(&sys::root()?.join("lab/chosen"))?;
        let mut order = Vec::new();
        let mut plan = Plan::default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let Some(word) = words.next() else {
                continue;
            };
            let number = word
                .parse()
                .with_context(|| format!("lab/chosen: {line}"))?;
            let patterns: Vec<String> = words.map(String::from).collect();
            if patterns.is_empty() || order.contains(&number) {
                bail!("lab/chosen: no tests, or a number twice: {line}");
            }
            if number != 0 {
                order.push(number);
                plan.only.entry(0).or_default().extend(patterns.clone());
            }
            plan.only.entry(number).or_default().extend(patterns);
        }
        if let Some(healthy) = plan.only.get_mut(&0)
            && healthy.iter().any(|pattern| pattern == "*")
        {
            *healthy = vec!["*".into()];
        }
        Ok((order, plan))
    }

    /// The guest's command for a bug.
    pub fn command(&self, number: u32) -> Vec<String> {
        if let Some(only) = self.only.get(&number) {
            return words(&self.arguments, "-t", only);
        }
        let Some(early) = self.early.get(&number) else {
            return words(&self.arguments, "-t", &[]);
        };
        // Names of tests need no quotes.
        let script = [words(&[], "-t", early), words(&[], "-x", early)].map(|w| w.join(" "));
        ["sh".into(), "-c".into(), script.join("; ")].to_vec()
    }

    /// What tells all results apart from those with other arguments.
    pub fn key(&self) -> Vec<String> {
        words(&self.arguments, "-t", &[])
    }

    /// What a bug's result is kept under. An order makes no other result.
    pub fn name(&self, number: u32) -> String {
        match self.only.get(&number) {
            None => format!("{number:03}"),
            Some(only) => {
                let hash = plant::fingerprint(only.iter().map(|pattern| pattern.as_bytes()));
                format!("{number:03}-{hash:016x}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs;

    #[test]
    fn what_was_seen_is_run_early() {
        let text = "| a.b | 3, lie: pfn; 12 |\n| c.d | 3 |\n| 4 | a title, of 5 |\nwords\n";
        let plan = Plan::after(&seen(text));
        assert_eq!(plan.early.keys().copied().collect::<Vec<_>>(), [3, 12]);
        assert_eq!(plan.early[&3], ["a.b", "c.d"]);
    }

    #[test]
    fn early_tests_are_run_once() {
        let caught = [
            json!({"test": "a.log", "by": "kernel"}),
            json!({"test": "a.b", "by": "check"}),
        ];
        let plan = Plan::after(&[
            json!({"number": 7, "failed": caught}),
            json!({"number": 7, "failed": []}),
            json!({"number": 8, "failed": []}),
        ]);
        assert_eq!(plan.command(8), SUITE);
        let suite = SUITE.join(" ");
        let script = format!("{suite} -t a.b; {suite} -x a.b");
        assert_eq!(plan.command(7), ["sh", "-c", &script]);
        assert_eq!(plan.key(), SUITE);
        assert_eq!(plan.name(7), "007");
    }

    #[test]
    fn the_chosen_are_in_the_catalogue() {
        let (order, plan) = Plan::chosen().unwrap();
        let all = bugs::all().unwrap();
        assert!(order.len() >= 12);
        for number in &order {
            assert!(all.iter().any(|bug| bug.number == *number), "{number}");
            assert!(plan.command(*number).contains(&"-t".to_string()));
        }
        assert_eq!(plan.command(0)[SUITE.len()..], ["-t", "*"]);
        assert_ne!(plan.name(order[0]), format!("{:03}", order[0]));
    }
}
