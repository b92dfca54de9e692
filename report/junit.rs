// SPDX-License-Identifier: GPL-2.0-or-later
//! JUnit's XML, as Jenkins and GitLab read it.

use crate::json::System;
use crate::model::{Case, Outcome, Program, Run};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The run as XML: a suite for each program.
pub fn write(run: &Run, system: &System) -> Result<String, String> {
    let mut report = Report::new("rmap");
    let mut all = Duration::ZERO;
    for program in &run.programs {
        let time = Duration::from_secs_f64(program.seconds());
        all += time;
        let mut suite = TestSuite::new(program.name.as_str());
        suite.set_time(time);
        suite.add_properties(system.properties(program));
        for case in &program.cases {
            suite.add_test_case(test_case(program, case));
        }
        let said: Vec<&str> = program
            .header
            .iter()
            .chain(&program.tail)
            .map(String::as_str)
            .collect();
        if !said.is_empty() {
            suite.set_system_out(said.join("\n"));
        }
        report.add_test_suite(suite);
    }
    report.set_time(all);
    let text = report.to_string().map_err(|e| e.to_string())?;
    // Jenkins' schema has no number of skipped tests in the outermost element.
    let skipped = format!(" skipped=\"{}\"", run.count(Outcome::Skip));
    Ok(text.replacen(&skipped, "", 1))
}

fn test_case(program: &Program, case: &Case) -> TestCase {
    let kind = match case.outcome {
        Outcome::Error => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = match case.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Skip => TestCaseStatus::skipped(),
        Outcome::Fail | Outcome::Timeout | Outcome::Error => TestCaseStatus::non_success(kind),
    };
    if case.outcome != Outcome::Pass {
        status.set_message(case.reason.as_str());
        status.set_type(case.outcome.word());
    }
    if !case.outcome.ok() {
        status.set_description(case.lines.join("\n"));
    }
    let mut test = TestCase::new(case.name.as_str(), status);
    test.set_classname(format!("rmap.{}", program.name));
    if let Some(seconds) = case.seconds {
        test.set_time(Duration::from_secs_f64(seconds));
    }
    test
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::stream::Reader;

    /// A character that XML forbids makes no file that cannot be read, and no two that differ.
    #[test]
    fn any_character_in_both_reports() {
        let some = [
            0..=0x1ff,
            0x2020..=0x2030,
            0xd7f0..=0xe010,
            0xfdd0..=0x10010,
            0x1fff0..=0x20010,
            0x10fff0..=0x10ffff,
        ];
        let all: Vec<char> = some
            .into_iter()
            .flatten()
            .filter_map(char::from_u32)
            .collect();
        let (mut lost, mut reader) = (Vec::new(), Reader::default());
        reader.line("TAP version 13");
        reader.line("# p: about");
        for (i, c) in all.iter().enumerate() {
            // What ends a line, and what XML or JSON write in another way.
            if "\n<>&\"'\\".contains(*c) {
                continue;
            }
            let number = i + 1;
            reader.line(&format!("# failed: a{c}[0mb"));
            reader.line(&format!("not ok {number} t{number}"));
        }
        reader.end();
        let system = System::default();
        let junit = write(&reader.run, &system).unwrap();
        let json = json::write(&reader.run, &system, true).unwrap();
        let forbidden =
            |c: char| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}');
        assert!(!junit.contains(forbidden) && !json.contains(forbidden));
        for case in &reader.run.programs[0].cases {
            let text = &case.reason;
            if !json.contains(text) || !junit.contains(text) {
                lost.push(text);
            }
        }
        assert!(lost.is_empty(), "{lost:?}");
    }
}
