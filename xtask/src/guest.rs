// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask guest`: boots a kernel and runs a command in it.

use crate::initramfs::{self, Content};
use crate::kernel::Kernel;
use crate::machine::{End, Machine};
use crate::suite::{self, Source};
use crate::sys::{self, Arch};
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask guest [OPTIONS] [-- COMMAND...]

Boots a kernel in QEMU with busybox and the suite as its whole root file
system, runs COMMAND (./run_tests.sh) there, prints what it prints and exits
with its status; with 2 when the guest panics, hangs or does not boot.

  --kernel SPEC     debian:VERSION, the newest of that version (debian:6.12;
                    with -generic or -rt: of that kind),
                    the path of a bzImage, or a directory in which the packages of a
                    kernel are unpacked (vmlinuz and modules)
  --arch ARCH       x86_64, aarch64 or riscv64 (x86_64)
  --nodes N         NUMA nodes (2)
  --mem SIZE        memory of all nodes together, as in 512M or 1G (1G)
  --cpus N          processors (2)
  --at-once N       how many guests you run at a time (1); where they have more
                    processors than the host, each runs in one thread
  --append WORDS    more words for the kernel's command line
  --keep-log FILE   keep the kernel's messages there
  --timeout S       give the guest up after S seconds (900)
  --suite DIR       take the suite from there, do not build it
  --no-suite        take no suite along
  --add PATH        take this file along too, beside run_tests.sh

Packages are kept in $RMAP_CACHE or rmap-selftests in the user's cache.";

/// The exit status when the guest came to no end of its own.
const NO_VERDICT: u8 = 2;

struct Options {
    kernel: String,
    machine: Machine,
    keep_log: Option<PathBuf>,
    suite: Option<PathBuf>,
    no_suite: bool,
    add: Vec<PathBuf>,
    command: Vec<String>,
}

/// A number of MiB from `512M`, `1G` or a bare number of MiB.
pub fn mebibytes(text: &str) -> Result<u64> {
    let upper = text.to_ascii_uppercase();
    let (digits, factor) = match upper.strip_suffix('G') {
        Some(digits) => (digits, 1024),
        None => (upper.strip_suffix('M').unwrap_or(&upper), 1),
    };
    match digits.parse::<u64>() {
        Ok(n) if n > 0 && n < 1 << 20 => Ok(n * factor),
        _ => bail!("no size of memory: {text:?} (as in 512M or 1G)"),
    }
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        kernel: "debian:6.12".into(),
        machine: Machine::default(),
        keep_log: None,
        suite: None,
        no_suite: false,
        add: Vec::new(),
        command: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("kernel") => options.kernel = parser.value()?.string()?,
            Long("arch") => options.machine.arch = Arch::named(&parser.value()?.string()?)?,
            Long("nodes") => options.machine.nodes = parser.value()?.parse()?,
            Long("mem") => options.machine.mem = mebibytes(&parser.value()?.string()?)?,
            Long("cpus") => options.machine.cpus = parser.value()?.parse()?,
            Long("at-once") => options.machine.at_once = parser.value()?.parse()?,
            Long("append") => options.machine.append = parser.value()?.string()?,
            Long("keep-log") => options.keep_log = Some(parser.value()?.into()),
            Long("timeout") => {
                options.machine.timeout = Duration::from_secs(parser.value()?.parse()?);
            }
            Long("suite") => options.suite = Some(parser.value()?.into()),
            Long("no-suite") => options.no_suite = true,
            Long("add") => options.add.push(parser.value()?.into()),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => {
                // Everything from the command on is the command's.
                options.command = sys::words(word, &mut parser)?;
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.command.is_empty() {
        options.command.push("./run_tests.sh".into());
    }
    Ok(Some(options))
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let machine = &options.machine;
    machine.check()?;
    let mut files = match &options.suite {
        _ if options.no_suite => Vec::new(),
        Some(dir) => suite::from_dir(dir, machine.arch)?,
        None => suite::build(machine.arch)?,
    };
    for path in &options.add {
        match path.file_name().and_then(|n| n.to_str()) {
            Some(name) if path.is_file() => files.push((name.into(), Source::File(path.clone()))),
            _ => bail!("{}: no such file", path.display()),
        }
    }
    let kernel = Kernel::find(&options.kernel, machine.arch)?;
    let scratch = sys::Scratch::new("guest")?;
    let initrd = scratch.path().join("initramfs");
    let content = Content {
        modules: &kernel.modules,
        suite: &files,
        command: &options.command,
    };
    initramfs::write(&initrd, machine.arch, &content)?;
    let console = match &options.keep_log {
        Some(path) => {
            sys::write(path, "")?;
            path.clone()
        }
        None => scratch.path().join("console"),
    };
    eprintln!("xtask: booting {}", kernel.name);
    let end = machine.run(&kernel.image, &initrd, &console, &mut |line| {
        let mut out = std::io::stdout().lock();
        // Nobody may be listening any more; the verdict counts all the same.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        true
    })?;
    if let End::Exit(status) = end {
        return Ok(ExitCode::from(u8::try_from(status).unwrap_or(NO_VERDICT)));
    }
    let said = std::fs::read(&console).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    for line in &lines[lines.len().saturating_sub(30)..] {
        eprintln!("console: {}", line.trim_end());
    }
    eprintln!("xtask: {end}");
    Ok(ExitCode::from(NO_VERDICT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_memory() {
        assert_eq!(mebibytes("1G").unwrap(), 1024);
        assert_eq!(mebibytes("512m").unwrap(), 512);
        assert_eq!(mebibytes("300").unwrap(), 300);
        for bad in ["", "0", "G", "-1", "1T", "99999999999999999999G"] {
            assert!(mebibytes(bad).is_err(), "{bad}");
        }
    }
}
