// SPDX-License-Identifier: GPL-2.0-or-later
//! The stream in another form, while it comes.

use crate::lava::Lava;
use crate::model::{Case, Outcome, Program, Run};
use crate::result::ours;
use crate::stream::Event;
use std::io::{self, Write};

/// What is printed.
pub enum Format {
    /// nothing
    None,
    /// each line as it came
    Flat,
    /// as the kselftest runner prints it
    Kselftest(Kselftest),
    /// each line as it came, and LAVA's signals
    Lava(Lava),
}

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<Format> {
        Some(match name {
            "none" => Format::None,
            "flat" => Format::Flat,
            "kselftest" => Format::Kselftest(Kselftest::default()),
            "lava" => Format::Lava(Lava::here()),
            _ => return None,
        })
    }

    /// Prints what a line of the stream meant.
    pub fn line(
        &mut self,
        out: &mut dyn Write,
        line: &str,
        events: &[Event],
        run: &Run,
    ) -> io::Result<()> {
        match self {
            Format::None => return Ok(()),
            Format::Flat => writeln!(out, "{line}")?,
            Format::Kselftest(kselftest) => {
                for event in events {
                    kselftest.event(out, event, run)?;
                }
            }
            Format::Lava(lava) => {
                writeln!(out, "{line}")?;
                out.flush()?;
                for event in events {
                    lava.event(out, event, run)?;
                }
            }
        }
        out.flush()
    }
}

/// The form of the kselftest runner: one result per program, its own output behind "# ". What runs in the first round of
/// two is a collection of its own: no two results have the same name.
#[derive(Default)]
pub struct Kselftest {
    begun: bool,
    /// programs that began, in all rounds
    programs: usize,
}

impl Kselftest {
    /// What comes first, once the programs are known.
    fn begin(&mut self, out: &mut dyn Write, run: &Run) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        writeln!(out, "TAP version 13\n1..{}", run.planned.len())?;
        for (program, tests) in &run.planned {
            writeln!(out, "# tests of {program}: {}", tests.join(" "))?;
        }
        Ok(())
    }

    fn event(&mut self, out: &mut dyn Write, event: &Event, run: &Run) -> io::Result<()> {
        self.begin(out, run)?;
        if *event == Event::BailOut {
            let why = run.bailed_out.as_deref().unwrap_or_default();
            return writeln!(out, "Bail out! {why}");
        }
        let Some(program) = run.programs.last() else {
            return Ok(());
        };
        match event {
            Event::Program => {
                let planned = run.planned.get(self.programs);
                self.programs += 1;
                writeln!(out, "# {}{}", ours(program.round), program.name)?;
                writeln!(out, "# TAP version 13")?;
                writeln!(out, "# 1..{}", planned.map_or(0, |(_, tests)| tests.len()))
            }
            Event::Note(text) if text.is_empty() => writeln!(out, "# #"),
            Event::Note(text) => writeln!(out, "# # {text}"),
            Event::Start(test) => writeln!(out, "# # start {test}"),
            Event::Result => {
                let cases = program.this_round();
                match cases.last() {
                    Some(case) => writeln!(out, "# {}", result(cases.len(), case)),
                    None => Ok(()),
                }
            }
            Event::End(status) => {
                writeln!(out, "# # {}", totals(program))?;
                let (ours, name) = (ours(program.round), &program.name);
                let text = format!("{} {ours}{name}", self.programs);
                let bad = program.this_round().iter().any(|c| !c.outcome.ok());
                match status {
                    0 | 4 if bad => writeln!(out, "not ok {text} # exit={status}"),
                    0 => writeln!(out, "ok {text}"),
                    4 => writeln!(out, "ok {text} # SKIP"),
                    _ => writeln!(out, "not ok {text} # exit={status}"),
                }
            }
            Event::BailOut => Ok(()),
        }
    }
}

/// A case's result line.
fn result(number: usize, case: &Case) -> String {
    let name = &case.name;
    match case.outcome {
        Outcome::Pass => format!("ok {number} {name}"),
        Outcome::Skip => format!("ok {number} {name} # SKIP {}", case.reason),
        Outcome::Timeout => format!("not ok {number} {name} # TIMEOUT"),
        Outcome::Fail | Outcome::Error => format!("not ok {number} {name}"),
    }
}

fn totals(program: &Program) -> String {
    let count = |of: &[Outcome]| {
        let cases = program.this_round().iter();
        cases.filter(|c| of.contains(&c.outcome)).count()
    };
    format!(
        "Totals: pass:{} fail:{} xfail:0 xpass:0 skip:{} error:{}",
        count(&[Outcome::Pass]),
        count(&[Outcome::Fail, Outcome::Timeout]),
        count(&[Outcome::Skip]),
        count(&[Outcome::Error])
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Reader;

    /// As run_tests.sh prints it: `a` has tests in both rounds, `b` in the second only.
    const ROUNDS: &str = "\
TAP version 13
1..4
# tests of a: two
# tests of a: one three
# tests of b: one
# round quick
# program a
# a: about it
# start two
ok 1 a.two
# exit status of a: 0
# round rest
# program a
# a: about it
# start one
# failed: a.rs:3: it holds
not ok 2 a.one
# start three
ok 3 a.three # SKIP needs swap
# exit status of a: 1
# program b
# b: about that
# start one
ok 4 b.one
# exit status of b: 0
# Totals: pass:2 fail:1 xfail:0 xpass:0 skip:1 error:0
";

    fn kselftest(stream: &str) -> (String, Run) {
        let mut reader = Reader::direct();
        let mut format = Format::named("kselftest").unwrap();
        let mut out = Vec::new();
        for line in stream.lines() {
            let events = reader.line(line);
            format.line(&mut out, line, &events, &reader.run).unwrap();
        }
        assert_eq!(reader.end(), 0);
        (String::from_utf8(out).unwrap(), reader.run)
    }

    #[test]
    fn two_rounds() {
        let (out, run) = kselftest(ROUNDS);
        let marks = |line: &&str| {
            !line.starts_with('#') || line.starts_with("# 1..") || line.contains("ok ")
        };
        let lines: Vec<&str> = out.lines().filter(marks).collect();
        assert_eq!(
            lines,
            [
                "TAP version 13",
                "1..3",
                "# 1..1",
                "# ok 1 two",
                "ok 1 selftests: rmap/quick: a",
                "# 1..2",
                "# not ok 1 one",
                "# ok 2 three # SKIP needs swap",
                "not ok 2 selftests: rmap: a # exit=1",
                "# 1..1",
                "# ok 1 one",
                "ok 3 selftests: rmap: b",
            ]
        );
        assert!(out.contains("# # Totals: pass:0 fail:1 xfail:0 xpass:0 skip:1 error:0\n"));
        // One program in the reports, whatever the form was.
        let mut reader = Reader::default();
        for line in out.lines() {
            reader.line(line);
        }
        assert_eq!(reader.end(), 0);
        for run in [&run, &reader.run] {
            let all: Vec<String> = run
                .programs
                .iter()
                .flat_map(|p| {
                    p.cases
                        .iter()
                        .map(|c| format!("{}.{} {}", p.name, c.name, c.outcome.word()))
                })
                .collect();
            assert_eq!(
                all,
                ["a.two pass", "a.one fail", "a.three skip", "b.one pass"]
            );
            let statuses: Vec<_> = run.programs.iter().map(|p| p.status).collect();
            assert_eq!(statuses, [Some(1), Some(0)]);
            assert_eq!(run.programs[0].header, ["a: about it"]);
        }
    }

    #[test]
    fn the_second_round_is_missing() {
        let cut = ROUNDS.find("# round rest").unwrap();
        let mut reader = Reader::direct();
        for line in ROUNDS[..cut].lines() {
            reader.line(line);
        }
        assert_eq!(reader.end(), 3);
        let names: Vec<_> = reader.run.programs[0]
            .cases
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!(names, ["two", "one", "three"]);
    }
}
