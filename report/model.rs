// SPDX-License-Identifier: GPL-2.0-or-later
//! What a run of the suite said.

use std::rc::Rc;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// `ok`
    Pass,
    /// `ok # SKIP`
    Skip,
    /// `not ok`: a check failed, the kernel complained, or something was left behind
    Fail,
    /// `not ok # TIMEOUT`
    Timeout,
    /// `not ok`, and no property was judged; or no result at all
    Error,
}

impl Outcome {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Skip => "skip",
            Outcome::Fail => "fail",
            Outcome::Timeout => "timeout",
            Outcome::Error => "error",
        }
    }

    /// Did a result line say `ok`?
    pub fn ok(self) -> bool {
        matches!(self, Outcome::Pass | Outcome::Skip)
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// without the program
    pub name: String,
    /// how it ended
    pub outcome: Outcome,
    /// why it was skipped; what it failed by
    pub reason: String,
    /// how long it ran, where that was said
    pub seconds: Option<f64>,
    /// what was said of it before its result; of a pass no report wants more than whether it began.
    /// Shared by the copies of a run that are made while it goes on
    pub lines: Rc<[String]>,
}

/// Of a run of the whole suite: a program that has tests in both rounds runs twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Round {
    /// the tests of quick.list
    Quick,
    /// the others; all of them where there is one round
    #[default]
    Rest,
}

/// One program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// its name
    pub name: String,
    /// the round that it runs in, or ran in last
    pub round: Round,
    /// the number of results of the round before
    pub earlier: usize,
    /// its exit status, where that was said; of two rounds the worse
    pub status: Option<i32>,
    /// the number of results that it promised itself
    pub plan: Option<usize>,
    /// what it said before its first test
    pub header: Vec<String>,
    /// its tests, in the order of their results
    pub cases: Vec<Case>,
    /// what it said behind its last result
    pub tail: Vec<String>,
}

impl Program {
    /// How long its tests ran.
    pub fn seconds(&self) -> f64 {
        self.cases.iter().filter_map(|c| c.seconds).sum()
    }

    /// The results of this round.
    pub fn this_round(&self) -> &[Case] {
        &self.cases[self.earlier..]
    }

    /// It has ended with that status.
    pub fn ended(&mut self, status: i32) {
        self.status = Some(match self.status {
            // All were skipped: whatever the other round says is more.
            None | Some(4) => status,
            Some(0) if status != 4 => status,
            Some(other) => other,
        });
    }

    fn lack(&mut self, missing: usize, why: &str) {
        if missing > 0 {
            self.cases.push(Case {
                name: "no_result".into(),
                outcome: Outcome::Error,
                reason: format!("{missing} test(s) without a result: {why}"),
                seconds: None,
                lines: std::mem::take(&mut self.tail).into(),
            });
        }
    }

    /// The value behind that word in the header.
    pub fn said(&self, word: &str) -> Option<&str> {
        self.header.iter().find_map(|l| l.strip_prefix(word))
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// the tests that were to run: program, and its tests without the program; a program of two rounds is there twice
    pub planned: Vec<(String, Vec<String>)>,
    /// the number of results that the stream promised
    pub plan: Option<usize>,
    /// the programs that began
    pub programs: Vec<Program>,
    /// why the stream ended before its plan was fulfilled, where it says so
    pub bailed_out: Option<String>,
}

impl Run {
    /// A program begins in that round.
    pub fn begin(&mut self, name: &str, round: Round) {
        let before = self
            .programs
            .iter()
            .position(|p| p.name == name && p.round != round);
        let program = match before {
            Some(at) => {
                let program = self.programs.remove(at);
                Program {
                    round,
                    earlier: program.cases.len(),
                    ..program
                }
            }
            None => Program {
                name: name.to_owned(),
                round,
                ..Program::default()
            },
        };
        self.programs.push(program);
    }

    /// Was a test of that program to run? Unknown where the tests of the program were not listed.
    pub fn expects(&self, program: &str, test: &str) -> Option<bool> {
        let mut rounds = self
            .planned
            .iter()
            .filter(|(name, _)| name == program)
            .peekable();
        rounds.peek()?;
        Some(rounds.any(|(_, tests)| tests.iter().any(|t| t == test)))
    }

    /// What was planned, with the tests of both rounds together.
    fn planned_in_all(&self) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<(String, Vec<String>)> = Vec::new();
        for (name, tests) in &self.planned {
            match all.iter_mut().find(|(n, _)| n == name) {
                Some((_, before)) => before.extend_from_slice(tests),
                None => all.push((name.clone(), tests.clone())),
            }
        }
        all
    }

    /// How many tests ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let all = self.programs.iter().flat_map(|p| &p.cases);
        all.filter(|c| c.outcome == outcome).count()
    }

    /// Number of tests.
    pub fn total(&self) -> usize {
        self.programs.iter().map(|p| p.cases.len()).sum()
    }

    /// Gives every test that was planned and has no result an error, and tells how many there were.
    pub fn complete(&mut self, why: &str) -> usize {
        let before = self.total();
        let planned = self.planned_in_all();
        for (name, tests) in &planned {
            let at = match self.programs.iter().position(|p| p.name == *name) {
                Some(at) => at,
                None => {
                    self.programs.push(Program {
                        name: name.clone(),
                        ..Program::default()
                    });
                    self.programs.len() - 1
                }
            };
            let program = &mut self.programs[at];
            // What came behind the last result belongs to the test that ran then.
            let mut lines = if program.cases.len() < tests.len() {
                std::mem::take(&mut program.tail)
            } else {
                Vec::new()
            };
            let started = lines.iter().rev().find_map(|l| l.strip_prefix("start "));
            let started = started.map(String::from);
            for test in tests {
                if program.cases.iter().any(|c| c.name == *test) {
                    continue;
                }
                let ran = started.as_deref() == Some(test);
                program.cases.push(Case {
                    name: test.clone(),
                    outcome: Outcome::Error,
                    reason: if ran {
                        format!("no result, and it was running: {why}")
                    } else {
                        format!("no result: {why}")
                    },
                    seconds: None,
                    lines: if ran {
                        std::mem::take(&mut lines).into()
                    } else {
                        Rc::default()
                    },
                });
            }
            program.tail.append(&mut lines);
        }
        // Not planned by name: as many as are missing, without names.
        for program in &mut self.programs {
            let planned = planned.iter().any(|(name, _)| *name == program.name);
            if let (false, Some(plan)) = (planned, program.plan) {
                program.lack(plan.saturating_sub(program.cases.len()), why);
            }
        }
        if planned.is_empty()
            && let Some(plan) = self.plan
        {
            let missing = plan.saturating_sub(self.total());
            if self.programs.is_empty() {
                self.programs.push(Program::default());
            }
            if let Some(program) = self.programs.last_mut() {
                program.lack(missing, why);
            }
        }
        self.total() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_result_is_an_error() {
        let mut run = Run {
            planned: vec![
                ("a".into(), vec!["one".into(), "two".into(), "three".into()]),
                ("b".into(), vec!["one".into()]),
            ],
            programs: vec![Program {
                name: "a".into(),
                cases: vec![Case {
                    name: "one".into(),
                    outcome: Outcome::Pass,
                    reason: String::new(),
                    seconds: None,
                    lines: Rc::default(),
                }],
                tail: vec!["start two".into(), "failed: x".into()],
                ..Program::default()
            }],
            ..Run::default()
        };
        assert_eq!(run.complete("the machine died"), 3);
        assert_eq!((run.total(), run.count(Outcome::Error)), (4, 3));
        let two = &run.programs[0].cases[1];
        assert_eq!(
            two.reason,
            "no result, and it was running: the machine died"
        );
        assert_eq!(*two.lines, ["start two", "failed: x"]);
        assert_eq!(
            run.programs[0].cases[2].reason,
            "no result: the machine died"
        );
        assert_eq!(run.programs[1].cases[0].name, "one");
        assert_eq!(run.complete("twice"), 0);
    }
}
