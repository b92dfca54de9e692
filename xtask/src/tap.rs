// SPDX-License-Identifier: GPL-2.0-or-later
//! What a run of the suite said, read from its flat TAP.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// By what a test failed; what says most comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
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
    /// a panic, a crash, or an error in which no property was judged
    Crash,
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
    /// the tests that passed
    pub passed: Vec<String>,
    /// the tests that were skipped, and why
    pub skipped: Vec<(String, String)>,
    /// the tests that failed
    pub failed: Vec<Failure>,
    /// the tests that were to run, in order
    #[serde(default)]
    pub listed: Vec<String>,
    /// the kernel's release
    #[serde(default)]
    pub release: String,
    /// its page size in bytes, 0 when nobody told
    #[serde(default)]
    pub page_size: u64,
}

impl Run {
    /// How many results there are.
    pub fn results(&self) -> usize {
        self.passed.len() + self.skipped.len() + self.failed.len()
    }

    /// The tests that were to run and have no result.
    pub fn lost(&self) -> Vec<&str> {
        let skipped = self.skipped.iter().map(|(test, _)| test);
        let failed = self.failed.iter().map(|failure| &failure.test);
        let known: BTreeSet<&String> = self.passed.iter().chain(skipped).chain(failed).collect();
        let listed = self.listed.iter().filter(|test| !known.contains(test));
        listed.map(String::as_str).collect()
    }
}

/// Reads a run line by line.
#[derive(Default)]
pub struct Reader {
    run: Run,
    notes: VecDeque<String>,
}

/// What a note of a failure begins with; the first that fits counts.
const MARKS: [(&str, By); 7] = [
    ("failed: process ", By::Crash),
    ("failed: the test's process ", By::Crash),
    ("failed:", By::Check),
    ("kernel log:", By::Kernel),
    ("the kernel is tainted", By::Kernel),
    ("leftover:", By::Leftover),
    ("error:", By::Crash),
];

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
            if self.header(note) {
                return;
            }
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
            self.run.passed.push(name);
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

    /// Takes what is told before the tests: which they are, and of what kernel.
    fn header(&mut self, note: &str) -> bool {
        if let Some(list) = note.strip_prefix("tests of ") {
            let (program, tests) = list.split_once(": ").unwrap_or((list, ""));
            let names = tests.split_whitespace().map(|t| format!("{program}.{t}"));
            self.run.listed.extend(names);
            return true;
        }
        // Each program tells it.
        if let Some(kernel) = note.strip_prefix("kernel: ")
            && self.run.release.is_empty()
        {
            let (name, page) = kernel.split_once(", page size ").unwrap_or((kernel, ""));
            self.run.release = name.split(' ').next().unwrap_or_default().into();
            self.run.page_size = page.parse().unwrap_or(0);
        }
        false
    }

    fn reason(&self, directive: &str) -> (By, String) {
        if directive.starts_with("TIMEOUT") {
            return (By::Timeout, directive.into());
        }
        let marked = self.notes.iter().filter_map(|note| {
            let (begin, by) = MARKS.iter().find(|(begin, _)| note.starts_with(begin))?;
            Some((*by, note[begin.len()..].trim().to_string()))
        });
        // A check that failed says more than a crash besides.
        if let Some(best) = marked.min_by_key(|(by, _)| *by) {
            return best;
        }
        let told = |note: &&String| !ASIDES.iter().any(|aside| note.starts_with(aside));
        let note = self.notes.iter().find(told).cloned();
        (By::Crash, note.unwrap_or_default())
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
            "1..7",
            "# tests of a: one two three lost",
            "# tests of b: four",
            "# kernel: 6.12 x86_64, page size 4096",
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
            "# failed: process 7: panicked at a.rs:9",
            "# failed: a.rs:4: it is found",
            "not ok 6 b.six",
            "# failed: the test's process 8 ended badly: signal 11",
            "not ok 7 b.seven",
        ] {
            reader.line(line, 1.5);
        }
        let run = reader.finish();
        assert_eq!(run.passed, ["a.one"]);
        assert_eq!(run.skipped, [("a.three".into(), "no KSM".into())]);
        let by: Vec<By> = run.failed.iter().map(|f| f.by).collect();
        assert_eq!(
            by,
            [By::Check, By::Kernel, By::Timeout, By::Check, By::Crash]
        );
        assert_eq!(run.failed[0].line, "a.rs:3: every mapper is found: pfn 0x1");
        assert_eq!(run.failed[1].line, "BUG: Bad page");
        assert_eq!((&*run.release, run.page_size), ("6.12", 4096));
        assert_eq!((run.listed.len(), run.results()), (5, 7));
        assert_eq!(run.lost(), ["a.lost"]);
    }
}
