// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask lava`: runs lab/lava's job without a server, and compares what the suite said with
//! what arrived.

mod job;
mod results;

use crate::accel;
use crate::initramfs::{self, Content};
use crate::kernel::Kernel;
use crate::suite::{self, Source};
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use results::Arrived;
pub use results::of_report as results_of_report;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const USAGE: &str = "\
usage: cargo xtask lava [OPTIONS] [-- ARGUMENTS...]

Makes a kernel, a root file system and a job for LAVA (lab/lava/job-qemu.yaml with
lab/lava/rmap-selftests.yaml), runs it with lava-run, and compares: every test of the
suite must arrive as one result, by its name, as the suite said it, with its seconds.
ARGUMENTS are for run_tests.sh. Exit status: 0 all arrived and none failed, 1 one
failed, 2 results are lost, or the job did not end.

  --kernel SPEC     debian:VERSION, the newest of that version (debian:6.12),
                    or the path of a bzImage
  --append WORDS    more words for the kernel's command line
  --before COMMAND  a step of the job before the suite is run
  --tuxrun PROGRAM  let tuxrun run it (--runtime null, --device qemu-lava)
  --command         with --tuxrun: as a command of a job that tuxrun makes itself, on
                    a machine of its own
  --keep DIR        keep there what is made: kernel, root file system, job, logs
  --timeout S       give the job up after S seconds, in whole minutes (1800)
  --suite DIR       take the suite from there, do not build it

Needs lava-run (Debian: lava-dispatcher) and cpio.";

/// The job was not what it should have been.
const NO_VERDICT: u8 = 2;

struct Options {
    kernel: String,
    append: String,
    before: Option<String>,
    tuxrun: Option<String>,
    command: bool,
    keep: Option<PathBuf>,
    timeout: u64,
    suite: Option<PathBuf>,
    arguments: Vec<String>,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        kernel: "debian:6.12".into(),
        append: String::new(),
        before: None,
        tuxrun: None,
        command: false,
        keep: None,
        timeout: 1800,
        suite: None,
        arguments: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("kernel") => options.kernel = parser.value()?.string()?,
            Long("append") => options.append = parser.value()?.string()?,
            Long("before") => options.before = Some(parser.value()?.string()?),
            Long("tuxrun") => options.tuxrun = Some(parser.value()?.string()?),
            Long("command") => options.command = true,
            Long("keep") => options.keep = Some(parser.value()?.into()),
            Long("timeout") => options.timeout = parser.value()?.parse()?,
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => options.arguments = sys::words(word, &mut parser)?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.command && options.tuxrun.is_none() {
        bail!("--command without --tuxrun");
    }
    // They pass through YAML and two shells.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.*?=/x".contains(c);
    if let Some(word) = options.arguments.iter().find(|w| !w.chars().all(plain)) {
        bail!("an argument that a job cannot carry: {word:?}");
    }
    if options.append.contains('"') {
        bail!("--append {}: a quote in it", options.append);
    }
    Ok(Some(options))
}

/// A file of the suite.
fn file<'a>(files: &'a suite::Files, name: &str) -> Result<&'a Path> {
    match files.iter().find(|(n, _)| n == name) {
        Some((_, Source::File(path))) => Ok(path),
        _ => bail!("the suite has no {name}"),
    }
}

/// The tests that are to arrive, as run_tests.sh lists them.
fn expected(files: &suite::Files, arguments: &[String]) -> Result<Vec<String>> {
    let dir = sys::Scratch::new("suite")?;
    let bin = dir.path().join("bin");
    sys::make_dir(&bin)?;
    // In one directory, as they will be on the guest.
    for (name, source) in files.iter().filter(|(name, _)| name.starts_with("bin/")) {
        let to = dir.path().join(name);
        match source {
            Source::File(path) => symlink(std::path::absolute(path)?, to)?,
            Source::Link(other) => symlink(other, to)?,
        }
    }
    let mut list = sys::command("sh", [file(files, "run_tests.sh")?]);
    list.arg("-l").args(arguments).env("BINDIR", bin);
    let text = sys::output_text(&mut list)?;
    Ok(text.lines().map(String::from).collect())
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let program = options.tuxrun.as_deref().unwrap_or("lava-run");
    for program in ["lava-run", "cpio", program] {
        if !sys::has_program(program) && !Path::new(program).is_file() {
            bail!("no {program} on this host");
        }
    }
    let arch = Arch::X86_64;
    let files = match &options.suite {
        Some(dir) => suite::from_dir(dir, arch)?,
        None => suite::build(arch)?,
    };
    let expected = expected(&files, &options.arguments)?;
    let scratch = sys::Scratch::new("lava")?;
    let dir = match &options.keep {
        Some(dir) => {
            sys::make_dir(dir)?;
            std::path::absolute(dir)?
        }
        None => scratch.path().to_path_buf(),
    };
    let kernel = Kernel::find(&options.kernel, arch)?;
    std::fs::copy(&kernel.image, dir.join("kernel"))
        .with_context(|| format!("cannot copy {}", kernel.image.display()))?;
    let content = Content {
        modules: &kernel.modules,
        suite: &files,
        command: &[],
    };
    let rootfs = dir.join("rootfs.cpio");
    initramfs::write(&rootfs, arch, &content)?;
    sys::output(sys::command("gzip", ["-1", "-f"]).arg(&rootfs))?;
    eprintln!("xtask: a job on {}", kernel.name);
    let made = job::Job {
        dir: &dir,
        arguments: &options.arguments.join(" "),
        append: &options.append,
        before: options.before.as_deref(),
        timeout: options.timeout,
        emulated: !accel::kvm(arch, &kernel.image)?,
    };
    let log = dir.join("log");
    let mut command = match &options.tuxrun {
        Some(tuxrun) => {
            // It runs in another directory.
            let tuxrun = match tuxrun.contains('/') {
                true => std::path::absolute(tuxrun)?,
                false => PathBuf::from(tuxrun),
            };
            match options.command {
                true => made.tuxrun_command(&tuxrun),
                false => made.tuxrun_job(&tuxrun)?,
            }
        }
        None => made.lava_run()?,
    };
    let file = std::fs::File::create(&log)?;
    command.stdin(Stdio::null());
    command.stdout(file.try_clone()?).stderr(file);
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    let text = sys::read_text(&log)?;
    let arrived = match &options.tuxrun {
        Some(_) => Arrived::of_tuxrun(&sys::read_text(&dir.join("results.json"))?, &text)?,
        None => Arrived::of_lava(&text),
    };
    sys::write(&dir.join("console"), &arrived.console)?;
    let said = said(&files, &dir)?;
    let verdict = arrived.compare(&expected, &said);
    println!("{verdict}");
    // Of tuxrun it is the tests' status too, and 2 whenever results have come from a definition that it
    // was not told of.
    let told = match (&options.tuxrun, status.code()) {
        (Some(_), Some(1)) => !verdict.failed.is_empty(),
        (Some(_), Some(2)) => !options.command,
        _ => false,
    };
    if arrived.ended_badly || !(status.success() || told) {
        println!("the job did not end well ({status}); {}", arrived.last());
        return Ok(ExitCode::from(NO_VERDICT));
    }
    Ok(match (verdict.lost(), verdict.failed.is_empty()) {
        (true, _) => ExitCode::from(NO_VERDICT),
        (_, true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// What the suite said on the console, read by its own reporter: name and result.
fn said(files: &suite::Files, dir: &Path) -> Result<Vec<(String, String)>> {
    let json = dir.join("report.json");
    // Its status tells of tests that failed.
    let done = Command::new(file(files, "bin/rmap_report")?)
        .arg("--json")
        .arg(&json)
        .arg(dir.join("console"))
        .stdin(Stdio::null())
        .status();
    done.context("cannot run rmap_report")?;
    results::of_report(&sys::read_text(&json)?)
}
