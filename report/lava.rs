// SPDX-License-Identifier: GPL-2.0-or-later
//! LAVA's test shell: it finds its signals in what the board prints.
//!
//! Where `lava-test-case` and `lava-test-set` are in PATH, they are called: they know how signals are to
//! be sent there. Otherwise the signals are printed, as these would.

use crate::model::{Case, Outcome, Run};
use crate::stream::Event;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Sends signals.
pub struct Lava {
    test_case: Option<PathBuf>,
    test_set: Option<PathBuf>,
    in_set: bool,
}

impl Lava {
    /// With the helpers that are in PATH.
    pub fn here() -> Lava {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let find = |name: &str| {
            std::env::split_paths(&path)
                .map(|dir| dir.join(name))
                .find(|file| file.is_file())
        };
        Lava {
            test_case: find("lava-test-case"),
            test_set: find("lava-test-set"),
            in_set: false,
        }
    }

    /// Sends what belongs to an event.
    pub fn event(&mut self, out: &mut dyn Write, event: &Event, run: &Run) -> io::Result<()> {
        let Some(program) = run.programs.last() else {
            return Ok(());
        };
        match event {
            Event::Program => {
                self.stop(out)?;
                self.in_set = true;
                let args = ["start", &program.name];
                self.set(out, &args, &format!("TESTSET START {}", program.name))
            }
            Event::Start(test) => signal(out, &format!("STARTTC {}.{test}", program.name)),
            Event::Result => match program.cases.last() {
                Some(case) => self.case(out, &format!("{}.{}", program.name, case.name), case),
                None => Ok(()),
            },
            Event::End(_) | Event::BailOut => self.stop(out),
            Event::Note(_) => Ok(()),
        }
    }

    fn stop(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::take(&mut self.in_set) {
            self.set(out, &["stop"], "TESTSET STOP")?;
        }
        Ok(())
    }

    fn set(&self, out: &mut dyn Write, args: &[&str], otherwise: &str) -> io::Result<()> {
        match &self.test_set {
            Some(helper) if call(helper, args) => Ok(()),
            _ => signal(out, otherwise),
        }
    }

    fn case(&self, out: &mut dyn Write, name: &str, case: &Case) -> io::Result<()> {
        // LAVA knows no other words.
        let result = match case.outcome {
            Outcome::Pass => "pass",
            Outcome::Skip => "skip",
            Outcome::Fail | Outcome::Timeout | Outcome::Error => "fail",
        };
        let seconds = case.seconds.map(|s| format!("{s:.3}"));
        if case.lines.iter().any(|l| l.starts_with("start ")) {
            signal(out, &format!("ENDTC {name}"))?;
        }
        if let Some(helper) = &self.test_case {
            let mut args = vec![name, "--result", result];
            if let Some(seconds) = &seconds {
                args.extend(["--measurement", seconds, "--units", "s"]);
            }
            if call(helper, &args) {
                return Ok(());
            }
        }
        let mut text = format!("TESTCASE TEST_CASE_ID={name} RESULT={result}");
        if let Some(seconds) = &seconds {
            text += &format!(" MEASUREMENT={seconds} UNITS=s");
        }
        signal(out, &text)
    }
}

/// Runs a helper; it prints to our standard output. Its status says whether it could.
fn call(helper: &PathBuf, args: &[&str]) -> bool {
    let status = Command::new(helper)
        .args(args)
        .stdin(Stdio::null())
        .status();
    status.is_ok_and(|s| s.success())
}

/// As LAVA's helpers do it: on the console by way of the kernel's log where KMSG asks for that, since
/// no message of the kernel can tear it then.
fn signal(out: &mut dyn Write, text: &str) -> io::Result<()> {
    if std::env::var_os("KMSG").is_some_and(|v| !v.is_empty()) {
        let log = OpenOptions::new().write(true).open("/dev/kmsg");
        let line = format!("<0><LAVA_SIGNAL_{text}>\n");
        if log
            .and_then(|mut log| log.write_all(line.as_bytes()))
            .is_ok()
        {
            return Ok(());
        }
    }
    writeln!(out, "<LAVA_SIGNAL_{text}>")?;
    out.flush()
}
