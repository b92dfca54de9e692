// SPDX-License-Identifier: GPL-2.0-or-later
//! What arrived, and whether it is what was sent.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The case of lab/lava's definition that is no test of the suite.
const WHOLE: &str = "run_tests";

/// A result as the consumer has it.
#[derive(Clone, PartialEq, Debug)]
struct One {
    name: String,
    result: String,
    set: Option<String>,
    seconds: Option<f64>,
}

/// What a job brought.
#[derive(Default)]
pub struct Arrived {
    cases: Vec<One>,
    /// the guest's console
    pub console: String,
    /// an error of the job itself
    pub ended_badly: bool,
}

/// A line of LAVA's log: YAML in one line, which is JSON but for the tags.
fn log_line(line: &str) -> Option<Value> {
    let start = line.find("{\"dt\"")?;
    // A quote within a string has a backslash before it, so what is found is no string's content.
    let text = ["!!float", "!!int", "!!bool", "!!null", "!"]
        .iter()
        .fold(line[start..].to_owned(), |text, tag| {
            text.replace(&format!(": {tag} \""), ": \"")
        });
    serde_json::from_str(&text).ok()
}

/// A line of tuxrun's log without its colours and its time.
fn plain_line(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once('m').map_or("", |(_, text)| text);
    }
    // 2026-01-01T00:00:00 text
    let text = match plain.split_once(' ') {
        Some((time, text)) if time.len() == 19 && time.as_bytes()[10] == b'T' => text,
        _ => &plain,
    };
    format!("{text}\n")
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

impl Arrived {
    /// From lava-run's log.
    pub fn of_lava(log: &str) -> Arrived {
        let mut arrived = Arrived::default();
        for line in log.lines().filter_map(log_line) {
            let message = &line["msg"];
            match line["lvl"].as_str() {
                Some("results") if message["definition"] == "lava" => {
                    // "job" fails when it is cut off.
                    arrived.ended_badly |= message["case"] == "job" && message["result"] != "pass";
                }
                Some("results") => {
                    let text = |v: &Value| v.as_str().map(String::from);
                    arrived.cases.push(One {
                        name: text(&message["case"]).unwrap_or_default(),
                        result: text(&message["result"]).unwrap_or_default(),
                        set: text(&message["set"]),
                        seconds: number(&message["measurement"]),
                    });
                }
                Some("target") => {
                    arrived.console += message.as_str().unwrap_or_default();
                    arrived.console += "\n";
                }
                _ => {}
            }
        }
        arrived
    }

    /// From tuxrun's file of results, suites and cases in them, and its log.
    pub fn of_tuxrun(json: &str, log: &str) -> Result<Arrived> {
        let json: Value = serde_json::from_str(json).context("tuxrun's results")?;
        let mut arrived = Arrived {
            console: log.lines().map(plain_line).collect(),
            // Also where nothing tells how it ended.
            ended_badly: json["lava"]["job"]["result"] != "pass",
            ..Arrived::default()
        };
        let suites = json.as_object().context("tuxrun's results")?;
        for (suite, cases) in suites {
            for (name, case) in cases.as_object().into_iter().flatten() {
                let result = case["result"].as_str().unwrap_or_default().to_owned();
                if suite == "lava" {
                    continue;
                }
                // The command as a whole is a case too.
                let name = if name == "command" { WHOLE } else { name };
                arrived.cases.push(One {
                    name: name.into(),
                    result,
                    set: case["set"].as_str().map(String::from),
                    seconds: number(&case["measurement"]),
                });
            }
        }
        Ok(arrived)
    }

    /// What the console said last of a test.
    pub fn last(&self) -> String {
        let mark = "<LAVA_SIGNAL_STARTTC ";
        let started = self.console.lines().rev().find_map(|l| {
            let name = l.split_once(mark)?.1;
            name.split_once('>').map(|(name, _)| name)
        });
        match started {
            Some(test) => format!("the last test that began: {test}"),
            None => "no test began".into(),
        }
    }

    /// Compares with the list of tests, and with what the suite said of each.
    pub fn compare(&self, expected: &[String], said: &[(String, String)]) -> Verdict {
        let mut verdict = Verdict {
            expected: expected.len(),
            arrived: self.cases.iter().filter(|c| c.name != WHOLE).count(),
            ..Verdict::default()
        };
        for name in expected {
            let of: Vec<&One> = self.cases.iter().filter(|c| c.name == *name).collect();
            match of[..] {
                [] => verdict.missing.push(name.clone()),
                [one] => self.judge(one, said, &mut verdict),
                _ => verdict.twice.push(name.clone()),
            }
        }
        for case in &self.cases {
            if case.name != WHOLE && !expected.contains(&case.name) {
                verdict.unknown.push(case.name.clone());
            }
        }
        verdict
    }

    fn judge(&self, one: &One, said: &[(String, String)], verdict: &mut Verdict) {
        *verdict.by_result.entry(one.result.clone()).or_default() += 1;
        verdict.measured += usize::from(one.seconds.is_some());
        if one.result == "fail" {
            verdict.failed.push(one.name.clone());
        }
        let program = one.name.split('.').next();
        if one.set.as_deref() != program {
            verdict
                .changed
                .push(format!("{}: set {:?}", one.name, one.set));
        }
        let word = match said.iter().find(|(name, _)| *name == one.name) {
            None => "nothing",
            Some((_, word)) if word == "timeout" || word == "error" => "fail",
            Some((_, word)) => word,
        };
        if word != one.result {
            let (name, result) = (&one.name, &one.result);
            verdict
                .changed
                .push(format!("{name}: said {word}, arrived {result}"));
        }
    }
}

/// Name and result of each test, from rmap_report's JSON.
pub fn of_report(json: &str) -> Result<Vec<(String, String)>> {
    let json: Value = serde_json::from_str(json).context("rmap_report's JSON")?;
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let programs = list(&json["programs"]);
    let tests = programs.iter().flat_map(|p| list(&p["tests"]));
    Ok(tests
        .map(|t| (text(&t["name"]), text(&t["result"])))
        .collect())
}

/// How what arrived differs from what was to arrive.
#[derive(Default)]
pub struct Verdict {
    expected: usize,
    arrived: usize,
    by_result: BTreeMap<String, usize>,
    measured: usize,
    missing: Vec<String>,
    twice: Vec<String>,
    unknown: Vec<String>,
    changed: Vec<String>,
    /// the tests that failed
    pub failed: Vec<String>,
}

impl Verdict {
    /// Is anything lost or changed on the way?
    pub fn lost(&self) -> bool {
        [&self.missing, &self.twice, &self.unknown, &self.changed]
            .iter()
            .any(|list| !list.is_empty())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "tests {}, results {}", self.expected, self.arrived)?;
        for (result, count) in &self.by_result {
            write!(f, ", {result} {count}")?;
        }
        write!(f, "; with seconds {}", self.measured)?;
        for (what, list) in [
            ("failed", &self.failed),
            ("missing", &self.missing),
            ("twice", &self.twice),
            ("not a test", &self.unknown),
            ("changed", &self.changed),
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

    const LOG: &str = r#"- {"dt": "2026-01-01T00:00:00", "lvl": "target", "msg": "ok 1 a.one"}
- {"dt": "2026-01-01T00:00:00", "lvl": "target", "msg": "<LAVA_SIGNAL_STARTTC a.two>"}
- {"dt": "2026-01-01T00:00:00", "lvl": "results", "msg": {"case": "a.one", "definition": "0_rmap", "endtc": ! "644", "measurement": !!float "0.25", "result": "pass", "set": "a", "units": "s"}}
- {"dt": "2026-01-01T00:00:00", "lvl": "results", "msg": {"case": "a.two", "definition": "0_rmap", "result": "skip", "set": "b"}}
- {"dt": "2026-01-01T00:00:00", "lvl": "results", "msg": {"case": "a.2", "definition": "0_rmap", "result": "pass"}}
- {"dt": "2026-01-01T00:00:00", "lvl": "results", "msg": {"case": "run_tests", "definition": "0_rmap", "result": "pass"}}
- {"dt": "2026-01-01T00:00:00", "lvl": "results", "msg": {"case": "job", "definition": "lava", "result": "fail"}}
"#;

    #[test]
    fn what_is_lost_or_changed_is_told() {
        let arrived = Arrived::of_lava(LOG);
        assert!(arrived.ended_badly);
        assert_eq!(arrived.last(), "the last test that began: a.two");
        let names = ["a.one", "a.two", "a.three"].map(String::from);
        let said = [
            ("a.one".to_owned(), "timeout".to_owned()),
            ("a.two".to_owned(), "skip".to_owned()),
        ];
        let verdict = arrived.compare(&names, &said);
        assert!(verdict.lost());
        assert_eq!(verdict.missing, ["a.three"]);
        assert_eq!(verdict.unknown, ["a.2"]);
        assert_eq!(verdict.changed.len(), 2);
        assert_eq!(
            (verdict.expected, verdict.arrived, verdict.measured),
            (3, 3, 1)
        );
    }

    #[test]
    fn tuxrun() {
        let json = r#"{"lava": {"job": {"result": "pass"}}, "0_command": {"command": {"result": "pass"},
            "a.one": {"result": "pass", "measurement": "1.5", "set": "a"}}}"#;
        let log = "\x1b[0;90m2026-01-01T00:00:00\x1b[0m \x1b[32m<LAVA_SIGNAL_STARTTC a.one>\x1b[0m\nend\n";
        let arrived = Arrived::of_tuxrun(json, log).unwrap();
        assert!(!arrived.ended_badly);
        assert_eq!(arrived.console, "<LAVA_SIGNAL_STARTTC a.one>\nend\n");
        let verdict = arrived.compare(&["a.one".into()], &[]);
        assert_eq!(verdict.changed, ["a.one: said nothing, arrived pass"]);
        let said = [("a.one".to_owned(), "pass".to_owned())];
        let verdict = arrived.compare(&["a.one".into()], &said);
        assert!(!verdict.lost());
        assert_eq!(verdict.measured, 1);
        // Cut off.
        let json = json.replace("\"job\"", "\"validate\"");
        assert!(Arrived::of_tuxrun(&json, log).unwrap().ended_badly);
        // A set is compared, too.
        let json = json.replace("\"set\": \"a\"", "\"set\": \"b\"");
        let arrived = Arrived::of_tuxrun(&json, log).unwrap();
        assert!(arrived.compare(&["a.one".into()], &said).lost());
    }
}
