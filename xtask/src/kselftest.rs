// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask kselftest`: the suite as a part of a kernel's selftests, built in the ways that distributions
//! and labs build those, and run by the kernel's own runner.

mod log;
mod tree;

use crate::initramfs::{self, Content};
use crate::kernel::Kernel;
use crate::machine::{End, Machine};
use crate::suite::Source;
use crate::sys::{self, Arch};
use crate::{guest, source};
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use tree::Tree;

const USAGE: &str = "\
usage: cargo xtask kselftest [OPTIONS] [-- ARGUMENTS...]

Puts the suite, as git has it, as tools/testing/selftests/rmap into a tree beside
a kernel's source, which is not touched; builds it there by install, gen_tar, O=,
kselftest-merge and clean, as a link, and without a cargo; then unpacks the tarball in a
guest with Debian's userland and runs run_kselftest.sh there. Every test must be
in its log. ARGUMENTS choose tests, as with run_tests.sh (-t, -x).
Exit status: 0 all are there and none failed, 1 one failed, 2 something is lost,
or a way of building is broken.

  --source SPEC     the kernel's source: debian:VERSION, the newest of that
                    version (debian:6.12), or a directory
  --kernel SPEC     debian:VERSION, the newest of that version (debian:6.12),
                    or the path of a bzImage
  --append WORDS    more words for the guest's kernel's command line
  --mem SIZE        the guest's memory (1536M)
  --keep DIR        keep there what is made: tree, tarball, logs
  --timeout S       give the guest up after S seconds (1800)
  --no-guest        build only
  --run-tests       and make run_tests, on this machine's kernel, not in a guest
  --quick           build without optimisation

Needs make, rsync, and mmdebstrap for the guest's root file system, kept in the cache.";

/// Something is lost.
const NO_VERDICT: u8 = 2;

struct Options {
    source: String,
    kernel: String,
    machine: Machine,
    keep: Option<PathBuf>,
    guest: bool,
    run_tests: bool,
    quick: bool,
    arguments: Vec<String>,
}

fn options(mut parser: lexopt::Parser) -> Result<Option<Options>> {
    let mut options = Options {
        source: "debian:6.12".into(),
        kernel: "debian:6.12".into(),
        machine: Machine {
            mem: 1536,
            timeout: Duration::from_secs(1800),
            ..Machine::default()
        },
        keep: None,
        guest: true,
        run_tests: false,
        quick: false,
        arguments: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("source") => options.source = parser.value()?.string()?,
            Long("kernel") => options.kernel = parser.value()?.string()?,
            Long("mem") => options.machine.mem = guest::mebibytes(&parser.value()?.string()?)?,
            Long("append") => options.machine.append = parser.value()?.string()?,
            Long("keep") => options.keep = Some(parser.value()?.into()),
            Long("timeout") => {
                options.machine.timeout = Duration::from_secs(parser.value()?.parse()?);
            }
            Long("no-guest") => options.guest = false,
            Long("run-tests") => options.run_tests = true,
            Long("quick") => options.quick = true,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(None);
            }
            Value(word) => options.arguments = sys::words(word, &mut parser)?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    if options.run_tests && !options.arguments.is_empty() {
        bail!("--run-tests runs all tests");
    }
    Ok(Some(options))
}

/// The names of programs and their tests, as run_tests.sh of an installed suite lists them.
fn chosen(installed: &Path, arguments: &[String]) -> Result<Vec<String>> {
    let mut list = sys::command("sh", [installed.join("run_tests.sh")]);
    let text = sys::output_text(list.arg("-l").args(arguments))?;
    Ok(text.lines().map(String::from).collect())
}

/// Debian's smallest userland that has what the kernel's runner calls: bash, perl, timeout.
fn userland() -> Result<PathBuf> {
    let path = sys::cache()?.join("debian/userland-amd64.tar.gz");
    if !path.is_file() {
        if !sys::has_program("mmdebstrap") {
            bail!("no mmdebstrap on this host (Debian's package mmdebstrap)");
        }
        eprintln!("xtask: making a root file system");
        let scratch = sys::Scratch::new("userland")?;
        let new = scratch.path().join("root.tar.gz");
        let make = |release: &str| {
            let mut make = sys::command("mmdebstrap", ["--variant=essential", "--quiet"]);
            make.args(["--include=perl-base", "--architectures=amd64", release]);
            sys::output(make.arg(&new))
        };
        // A mirror may be at odds with itself for one release; either will do.
        make("stable").or_else(|error| {
            eprintln!("xtask: {error:#}");
            make("oldstable")
        })?;
        std::fs::rename(&new, &path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    Ok(path)
}

/// What runs in the guest: the runner, for all programs or, where tests are chosen, for these.
fn script(tests: &[String], all: bool) -> String {
    let mut run = String::new();
    let mut words = "-c rmap".to_owned();
    if !all {
        words.clear();
        for (program, names) in log::by_program(tests) {
            let name = program.to_ascii_uppercase();
            let _ = writeln!(run, "export KSELFTEST_{name}_ARGS='{}'", names.join(" "));
            let _ = write!(words, " -t rmap:{program}");
        }
    }
    // A root that is no mount cannot be made private. The runner opens /dev/stdout by its name, and
    // tells no status.
    format!(
        r#"set -e
mkdir root
mount -o bind root root
tar xzf userland.tar.gz -C root
mkdir -p root/opt/kselftest
tar xzf kselftest.tar.gz -C root/opt/kselftest
rm userland.tar.gz kselftest.tar.gz
for dir in proc sys dev; do
	mount -o bind /$dir root/$dir
done
ln -sf /proc/self/fd root/dev/fd
ln -sf /proc/self/fd/1 root/dev/stdout
cat >root/run.sh <<'END'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /opt/kselftest
{run}./run_kselftest.sh {words} 2>&1 | cat
END
exec chroot root bash /run.sh
"#
    )
}

/// Runs the tarball in a guest; what it prints goes to DIR/log.
fn run(options: &Options, dir: &Path, tarball: &Path, script: &str) -> Result<()> {
    let kernel = Kernel::find(&options.kernel, Arch::X86_64)?;
    let name = dir.join("guest.sh");
    sys::write(&name, script)?;
    let files = vec![
        ("guest.sh".to_owned(), Source::File(name)),
        ("kselftest.tar.gz".to_owned(), Source::File(tarball.into())),
        ("userland.tar.gz".to_owned(), Source::File(userland()?)),
    ];
    let initrd = dir.join("initramfs");
    let content = Content {
        modules: &kernel.modules,
        suite: &files,
        command: &["sh".into(), "guest.sh".into()],
    };
    initramfs::write(&initrd, Arch::X86_64, &content)?;
    eprintln!("xtask: booting {}", kernel.name);
    let mut log = String::new();
    let mut file = std::fs::File::create(dir.join("log")).context("cannot write the log")?;
    let mut lost = None;
    let end = options
        .machine
        .run(&kernel.image, &initrd, &dir.join("console"), &mut |line| {
            log += line;
            log.push('\n');
            lost = writeln!(file, "{line}").err();
            lost.is_none()
        })?;
    if let Some(error) = lost {
        bail!("cannot write the log: {error}");
    }
    if end != End::Exit(0) {
        bail!("{end}; its log:\n{}", log::tail(&log));
    }
    Ok(())
}

/// What a reader of TAP says of the log at its end, if there is such a reader.
fn reader(name: &str, command: &mut Command) -> Option<String> {
    let out = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout);
    let last = text.lines().rev().find(|l| l.contains("ests"))?;
    Some(format!("{name}: {}", last.trim()))
}

/// Runs the command.
pub fn main(parser: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(parser)? else {
        return Ok(ExitCode::SUCCESS);
    };
    for program in ["make", "rsync", "git"] {
        if !sys::has_program(program) {
            bail!("no {program} on this host");
        }
    }
    options.machine.check()?;
    let source = source::find(&options.source)?;
    let scratch = sys::Scratch::new("kselftest")?;
    let dir = match &options.keep {
        Some(dir) => {
            sys::make_dir(dir)?;
            std::path::absolute(dir)?
        }
        None => scratch.path().to_path_buf(),
    };
    let tree = Tree::new(&source, &dir, options.quick)?;
    let built = tree.build()?;
    println!("{built}");
    let mut lost = !built.problems.is_empty();
    let mut failed = false;
    let tests = chosen(&built.installed, &options.arguments)?;
    let mut compare = |dir: &Path| -> Result<()> {
        let read = log::read(&built.installed.join("rmap_report"), dir)?;
        let verdict = log::compare(&tests, &read);
        println!("{verdict}");
        lost |= verdict.lost();
        failed |= !verdict.failed.is_empty();
        Ok(())
    };
    if options.run_tests {
        let dir = dir.join("run_tests");
        sys::make_dir(&dir)?;
        tree.run_tests(&dir.join("log"))?;
        print!("make run_tests: ");
        compare(&dir)?;
    }
    if options.guest {
        let script = script(&tests, options.arguments.is_empty());
        run(&options, &dir, &built.tarball, &script)?;
        compare(&dir)?;
        // They read the runner's own results, one of each program.
        println!("programs {}", log::by_program(&tests).len());
        let log = dir.join("log");
        let kunit = source.join("tools/testing/kunit/kunit.py");
        for said in [
            reader("prove", Command::new("prove").args(["-e", "cat"]).arg(&log)),
            reader(
                "kunit.py",
                Command::new("python3").arg(kunit).arg("parse").arg(&log),
            ),
        ] {
            said.iter().for_each(|said| println!("{said}"));
        }
    }
    Ok(match (lost, failed) {
        (true, _) => ExitCode::from(NO_VERDICT),
        (_, true) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_tests_are_arguments_of_their_programs() {
        let tests = ["a.one", "a.two.x", "b.one"].map(String::from);
        let text = script(&tests, false);
        assert!(
            text.contains("export KSELFTEST_A_ARGS='one two.x'\n"),
            "{text}"
        );
        assert!(
            text.contains("run_kselftest.sh  -t rmap:a -t rmap:b "),
            "{text}"
        );
        let text = script(&tests, true);
        assert!(
            text.contains("run_kselftest.sh -c rmap ") && !text.contains("export KSEL"),
            "{text}"
        );
    }
}
