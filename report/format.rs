// SPDX-License-Identifier: GPL-2.0-or-later
//! The stream in another form, while it comes.

use crate::lava::Lava;
use crate::model::{Case, Outcome, Program, Run};
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

/// The form of the kselftest runner: one result per program, its own output behind "# ".
#[derive(Default)]
pub struct Kselftest {
    begun: bool,
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
                let planned = run.planned.iter().find(|(name, _)| *name == program.name);
                writeln!(out, "# selftests: rmap: {}", program.name)?;
                writeln!(out, "# TAP version 13")?;
                writeln!(out, "# 1..{}", planned.map_or(0, |(_, tests)| tests.len()))
            }
            Event::Note(text) if text.is_empty() => writeln!(out, "# #"),
            Event::Note(text) => writeln!(out, "# # {text}"),
            Event::Start(test) => writeln!(out, "# # start {test}"),
            Event::Result => {
                let number = program.cases.len();
                let case = &program.cases[number - 1];
                writeln!(out, "# {}", result(number, case))
            }
            Event::End(status) => {
                writeln!(out, "# # {}", totals(program))?;
                let (number, name) = (run.programs.len(), &program.name);
                let text = format!("{number} selftests: rmap: {name}");
                let bad = program.cases.iter().any(|c| !c.outcome.ok());
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
        let cases = program.cases.iter();
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
