// SPDX-License-Identifier: GPL-2.0-or-later
//! `rmap_report`: reads TAP, writes all other forms. run_tests.sh starts it; it reads logs as well.

mod console;
mod files;
mod format;
mod json;
mod junit;
mod kconfig;
mod lava;
mod model;
mod result;
mod stream;

use files::{Kind, Sink, TapFile};
use format::Format;
use json::System;
use kconfig::Kconfig;
use lexopt::prelude::*;
use model::{Outcome, Run};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stream::{Event, Reader};

const USAGE: &str = "\
Usage: rmap_report [OPTION]... [LOG]
Reads what run_tests.sh or one of the programs printed, or a serial console's log of
it, from LOG or standard input, and writes reports. A test without a result is an error.
  --format FORMAT   print it as well: flat, as it comes; kselftest, one result per
                    program; lava, with LAVA's signals; none (default)
  --junit FILE      write a JUnit report
  --json FILE       write a JSON report (lab/report.schema.json)
  --tap FILE        write what is read, on the disk line by line (fdatasync)
  --here            what is read comes from this machine, now: look for its kernel's
                    config, and mend no lines that a console has torn
  --check           only see whether the files can be written
  -h, --help        this text
Exit status: 0 passed, 1 failed or not usable, 4 all skipped.";

struct Options {
    format: Format,
    junit: Option<PathBuf>,
    json: Option<PathBuf>,
    tap: Option<PathBuf>,
    here: bool,
    check: bool,
    log: Option<PathBuf>,
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    let mut o = Options {
        format: Format::None,
        junit: None,
        json: None,
        tap: None,
        here: false,
        check: false,
        log: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("format") => {
                let name = parser.value()?.string()?;
                o.format = Format::named(&name).ok_or_else(|| {
                    format!("--format {name}: not one of flat, kselftest, lava, none")
                })?;
            }
            Long("junit") => o.junit = Some(parser.value()?.into()),
            Long("json") => o.json = Some(parser.value()?.into()),
            Long("tap") => o.tap = Some(parser.value()?.into()),
            Long("here") => o.here = true,
            Long("check") => o.check = true,
            Short('h') | Long("help") => return Ok(None),
            Value(log) if o.log.is_none() => o.log = Some(log.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(o))
}

impl Options {
    /// What is written.
    fn files(&self) -> Vec<(&'static str, &Path)> {
        let all = [
            ("--junit", &self.junit),
            ("--json", &self.json),
            ("--tap", &self.tap),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(o, p)| Some((o, p.as_deref()?)))
            .collect()
    }

    /// What is read.
    fn input(&self) -> Result<File, String> {
        match &self.log {
            Some(path) => File::open(path).map_err(|e| format!("{}: {e}", path.display())),
            None => {
                let fd = std::io::stdin().as_fd().try_clone_to_owned();
                fd.map(File::from).map_err(|e| format!("cannot read: {e}"))
            }
        }
    }

    /// Only sees whether the files can be written.
    fn check(&self) -> Result<(), String> {
        // Not opened: it may be a pipe.
        let log = self.log.as_ref().and_then(|log| log.metadata().ok());
        files::apart(&self.files(), log.as_ref())?;
        self.sinks()?;
        self.tap.as_deref().map_or(Ok(()), TapFile::check)
    }

    fn sinks(&self) -> Result<Vec<Sink>, String> {
        let reports = [(Kind::Junit, &self.junit), (Kind::Json, &self.json)];
        let given = reports.into_iter();
        let given = given.filter_map(|(kind, path)| Some((kind, path.as_deref()?)));
        given.map(|(kind, path)| Sink::open(kind, path)).collect()
    }
}

fn run() -> Result<ExitCode, String> {
    let Some(options) = options().map_err(|e| e.to_string().replace('\n', " "))? else {
        let _ = writeln!(std::io::stdout(), "{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    if options.check {
        options.check()?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything is written, which may be the same file.
    let input = options.input()?;
    files::apart(&options.files(), input.metadata().ok().as_ref())?;
    let sinks = options.sinks()?;
    let tap = options.tap.as_deref().map(TapFile::create).transpose()?;
    let mut system = System::default();
    if options.here {
        system.config = Kconfig::running();
    }
    let mut output = Output {
        format: options.format,
        sinks,
        tap,
        system,
        troubled: false,
    };
    let mut lines = BufReader::new(input);
    let mut reader = match options.here {
        true => Reader::direct(),
        false => Reader::default(),
    };
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let more = lines.read_until(b'\n', &mut bytes);
        if more.map_err(|e| format!("cannot read: {e}"))? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let events = reader.line(text);
        output.line(text, &events, &reader.run);
    }
    let missing = reader.end();
    let run = reader.run;
    output.save(&run, missing == 0 && run.bailed_out.is_none(), true);
    if run.total() == 0 {
        return Err("no results in it".into());
    }
    let failed = [Outcome::Fail, Outcome::Timeout, Outcome::Error];
    let bad = failed.iter().any(|o| run.count(*o) > 0);
    Ok(match run.count(Outcome::Pass) {
        _ if bad || run.bailed_out.is_some() || output.troubled => ExitCode::FAILURE,
        0 => ExitCode::from(4),
        _ => ExitCode::SUCCESS,
    })
}

/// All that is written. What cannot be written any more is said once and left out: the stream must be
/// read to its end, or whoever writes it would be killed in the middle of a test.
struct Output {
    format: Format,
    sinks: Vec<Sink>,
    tap: Option<TapFile>,
    system: System,
    troubled: bool,
}

impl Output {
    /// Takes a line, and what it meant.
    fn line(&mut self, text: &str, events: &[Event], run: &Run) {
        let hold = |e: &Event| matches!(e, Event::Start(_) | Event::Result | Event::BailOut);
        if let Some(tap) = &mut self.tap
            && let Err(why) = tap.line(text, events.iter().any(hold))
        {
            self.tap = None;
            self.trouble(&why);
        }
        let out = &mut std::io::stdout();
        if self.format.line(out, text, events, run).is_err() {
            // Nobody listens any more; the exit status still tells.
            self.format = Format::None;
        }
        // A machine that dies leaves reports that say how far it came.
        let step = |e: &Event| matches!(e, Event::Program | Event::End(_));
        if !self.sinks.is_empty() && events.iter().any(step) {
            let mut so_far = run.clone();
            so_far.complete("the run was not over");
            self.save(&so_far, false, false);
        }
    }

    /// Writes the reports; `last`: there will be no other.
    fn save(&mut self, run: &Run, complete: bool, last: bool) {
        self.system.read(run);
        let system = &self.system;
        let text = |kind| match kind {
            Kind::Junit => junit::write(run, system),
            Kind::Json => json::write(run, system, complete),
        };
        let mut all = Vec::new();
        self.sinks.retain_mut(|sink| {
            let done = sink.write(last, text);
            let good = done.is_ok();
            all.extend(done.err());
            good
        });
        if last && let Some(Err(why)) = self.tap.as_mut().map(TapFile::sync) {
            all.push(why);
        }
        for why in all {
            self.trouble(&why);
        }
    }

    fn trouble(&mut self, why: &str) {
        self.troubled = true;
        let _ = writeln!(std::io::stderr(), "rmap_report: {why}");
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(|text| {
        let _ = writeln!(std::io::stderr(), "rmap_report: {text}");
        ExitCode::FAILURE
    })
}
