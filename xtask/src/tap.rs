// SPDX-License-Identifier: GPL-2.0-or-later
//! What a run of the suite said, read from its flat TAP.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// By what a test failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// its own check
    Check,
    /// something in the kernel's log
    Kernel,
    /// something that it left behind
    Leftover,
    /// its deadline
    Timeout,
}

/// A failed test.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// program.test
    pub test: String,
    /// by what it failed
    pub by: By,
    /// the line that says so
    pub line: String,
    /// how long after the start of the suite
    pub seconds: f64,
}

/// A run of the suite.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// number of tests that passed
    pub passed: usize,
    /// the tests that were skipped, and why
    pub skipped: Vec<(String, String)>,
    /// the tests that failed
    pub failed: Vec<Failure>,
}

/// Reads a run line by line.
#[derive(Default)]
pub struct Reader {
    run: Run,
    notes: VecDeque<String>,
}

/// What begins a diagnostic line that tells of no failure.
const ASIDES: [&str; 9] = [
    "start ",
    "property:",
    "this test guards",
    "time ",
    "script:",
    "program ",
    "kernel:",
    "features:",
    " ",
];

impl Reader {
    /// Takes the next line, which came so long after the start.
    pub fn line(&mut self, line: &str, seconds: f64) {
        if let Some(note) = line.strip_prefix("# ") {
            if note.starts_with("start ") {
                self.notes.clear();
            }
            self.notes.push_back(note.into());
            return;
        }
        let (ok, rest) = match (line.strip_prefix("ok "), line.strip_prefix("not ok ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return,
        };
        let Some((_, rest)) = rest.split_once(' ') else {
            return;
        };
        let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
        let name = name.trim_start_matches("- ").trim().to_string();
        if let Some(reason) = directive.strip_prefix("SKIP") {
            self.run.skipped.push((name, reason.trim().into()));
        } else if ok {
            self.run.passed += 1;
        } else {
            let (by, line) = self.reason(directive);
            self.run.failed.push(Failure {
                test: name,
                by,
                line,
                seconds,
            });
        }
        self.notes.clear();
    }

    fn reason(&self, directive: &str) -> (By, String) {
        let find = |begin: &str| self.notes.iter().find(|note| note.starts_with(begin));
        let marks = [
            ("failed:", By::Check),
            ("kernel log:", By::Kernel),
            ("leftover:", By::Leftover),
        ];
        if directive.starts_with("TIMEOUT") {
            return (By::Timeout, directive.into());
        }
        for (begin, by) in marks {
            if let Some(note) = find(begin) {
                return (by, note.trim_start_matches(begin).trim().into());
            }
        }
        let told = |note: &&String| !ASIDES.iter().any(|aside| note.starts_with(aside));
        let note = self.notes.iter().find(told).cloned();
        (By::Check, note.unwrap_or_default())
    }

    /// Did a test fail by its own check yet?
    pub fn caught(&self) -> bool {
        self.run.failed.iter().any(|f| f.by == By::Check)
    }

    /// What was read.
    pub fn finish(self) -> Run {
        self.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_their_reasons() {
        let mut reader = Reader::default();
        for line in [
            "TAP version 13",
            "1..5",
            "# start a.one",
            "ok 1 a.one",
            "# start a.two",
            "# failed: a.rs:3: every mapper is found: pfn 0x1",
            "# kernel log: WARNING: x",
            "not ok 2 a.two",
            "ok 3 a.three # SKIP no KSM",
            "# kernel log: BUG: Bad page",
            "not ok 4 b.four",
            "not ok 5 b.five # TIMEOUT 10 s",
        ] {
            reader.line(line, 1.5);
        }
        let run = reader.finish();
        assert_eq!(run.passed, 1);
        assert_eq!(run.skipped, [("a.three".into(), "no KSM".into())]);
        let by: Vec<By> = run.failed.iter().map(|f| f.by).collect();
        assert_eq!(by, [By::Check, By::Kernel, By::Timeout]);
        assert_eq!(run.failed[0].line, "a.rs:3: every mapper is found: pfn 0x1");
        assert_eq!(run.failed[1].line, "BUG: Bad page");
    }
}
