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
