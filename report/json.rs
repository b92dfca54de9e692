// SPDX-License-Identifier: GPL-2.0-or-later
//! The run as JSON: lab/report.schema.json says what each field is.

use crate::kconfig::Kconfig;
use crate::model::{Case, Outcome, Program, Run};
use serde::Serialize;
use std::collections::BTreeMap;

/// The number in lab/report.schema.json: another one when a field changes its meaning.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    suite: &'static str,
    version: &'static str,
    complete: bool,
    ended: Option<&'a str>,
    system: &'a System,
    counts: BTreeMap<&'static str, usize>,
    seconds: f64,
    programs: Vec<ProgramReport<'a>>,
}

/// The machine that the suite ran on.
#[derive(Debug, Default, Serialize)]
pub struct System {
    kernel: Option<String>,
    machine: Option<String>,
    page_size: Option<u64>,
    memory_nodes: Option<u64>,
    features: BTreeMap<String, bool>,
    /// not from the stream
    pub config: Kconfig,
}

#[derive(Serialize)]
struct ProgramReport<'a> {
    name: &'a str,
    exit_status: Option<i32>,
    seed: Option<&'a str>,
    seconds: f64,
    notes: Vec<&'a str>,
    tests: Vec<TestReport<'a>>,
}

#[derive(Serialize)]
struct TestReport<'a> {
    name: String,
    result: &'static str,
    seconds: Option<f64>,
    reason: Option<&'a str>,
    output: &'a [String],
}

impl System {
    /// What the headers of the programs tell.
    pub fn read(&mut self, run: &Run) {
        for program in &run.programs {
            self.kernel(program);
            self.features(program);
        }
    }

    /// "kernel: RELEASE MACHINE, page size BYTES"
    fn kernel(&mut self, program: &Program) {
        let Some((kernel, page)) = program
            .said("kernel: ")
            .and_then(|k| k.split_once(", page size "))
        else {
            return;
        };
        self.page_size = page.trim().parse().ok();
        if let Some((release, machine)) = kernel.split_once(' ') {
            self.kernel = Some(release.to_owned());
            self.machine = Some(machine.to_owned());
        }
    }

    /// "features: NAME...; absent: NAME...; memory nodes: N"
    fn features(&mut self, program: &Program) {
        let Some(line) = program.said("features: ") else {
            return;
        };
        for (i, part) in line.split("; ").enumerate() {
            if let Some(nodes) = part.strip_prefix("memory nodes: ") {
                self.memory_nodes = nodes.parse().ok();
                continue;
            }
            let (has, names) = match part.strip_prefix("absent: ") {
                Some(names) => (false, names),
                None if i == 0 => (true, part),
                None => continue,
            };
            for name in names.split(' ').filter(|n| *n != "nothing") {
                self.features.insert(name.to_owned(), has);
            }
        }
    }

    /// What JUnit's properties tell of the machine and of a program's run.
    pub fn properties(&self, program: &Program) -> Vec<(String, String)> {
        let unknown = || "unknown".to_owned();
        let number = |n: Option<u64>| n.map_or_else(unknown, |n| n.to_string());
        let mut all = vec![
            ("kernel".into(), self.kernel.clone().unwrap_or_else(unknown)),
            (
                "machine".into(),
                self.machine.clone().unwrap_or_else(unknown),
            ),
            ("page_size".into(), number(self.page_size)),
            ("memory_nodes".into(), number(self.memory_nodes)),
            ("config".into(), self.config.source.clone()),
            (
                "seed".into(),
                program.said("seed ").map_or_else(unknown, String::from),
            ),
        ];
        for (name, has) in &self.features {
            all.push((format!("feature.{name}"), has.to_string()));
        }
        all
    }
}

/// The run as JSON; `complete` says whether the stream came to its end.
pub fn write(run: &Run, system: &System, complete: bool) -> Result<String, String> {
    let all = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Timeout,
        Outcome::Error,
        Outcome::Skip,
    ];
    let mut counts: BTreeMap<_, _> = all.map(|o| (o.word(), run.count(o))).into();
    counts.insert("total", run.total());
    let report = Report {
        schema: SCHEMA,
        suite: "rmap-selftests",
        version: env!("CARGO_PKG_VERSION"),
        complete,
        ended: run.bailed_out.as_deref(),
        system,
        counts,
        seconds: milli(run.programs.iter().map(Program::seconds).sum::<f64>()),
        programs: run.programs.iter().map(program).collect(),
    };
    let text = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
    Ok(text + "\n")
}

fn program(program: &Program) -> ProgramReport<'_> {
    ProgramReport {
        name: &program.name,
        exit_status: program.status,
        seed: program.said("seed "),
        seconds: milli(program.seconds()),
        notes: program
            .header
            .iter()
            .chain(&program.tail)
            .map(String::as_str)
            .collect(),
        tests: program.cases.iter().map(|c| test(program, c)).collect(),
    }
}

fn test<'a>(program: &Program, case: &'a Case) -> TestReport<'a> {
    TestReport {
        name: format!("{}.{}", program.name, case.name),
        result: case.outcome.word(),
        seconds: case.seconds,
        reason: (case.outcome != Outcome::Pass).then_some(case.reason.as_str()),
        output: if case.outcome == Outcome::Pass {
            &[]
        } else {
            &case.lines
        },
    }
}

/// Sums of milliseconds have no more digits than these; the sum of nothing is 0, not -0.
fn milli(seconds: f64) -> f64 {
    0.0 + (seconds * 1000.0).round() / 1000.0
}
