// SPDX-License-Identifier: GPL-2.0-or-later
//! The guest's root file system: busybox, the suite, and an init that runs
//! one command and tells how it ended. Nothing else, as on a bare board.

use crate::apt::Apt;
use crate::cpio::Archive;
use crate::suite::{self, Files, Source};
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// What begins a line in which init speaks to the host.
pub const MARK: &str = "@rmap-guest";

/// What goes in besides busybox.
pub struct Content<'a> {
    /// names and contents of the modules to load, in order
    pub modules: &'a [(String, Vec<u8>)],
    /// the suite
    pub suite: &'a Files,
    /// the command to run in the suite's directory; none: a shell on the console for whoever drives it
    pub command: &'a [String],
}

/// A script that becomes that command.
fn command_script(command: &[String]) -> String {
    let words: Vec<String> = command
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    format!("exec {}\n", words.join(" "))
}

/// What both kinds of init begin with.
const BEGIN: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in $(cat /lab/order); do
	insmod /lab/$module.ko || echo "init: cannot load $module"
done
# Emulated, a wakeup on another CPU costs more than what it is for: the kernel's
# threads, RCU's first of all, and the tests keep to one.
for process in /proc/[0-9]*; do
	[ -e $process/exe ] || taskset -p 1 ${process#/proc/} >/dev/null 2>&1
done
export RMAP_CPU=0
"#;

/// The command's output goes to a serial port of its own, so that the kernel's
/// messages (on the console) do not tear its lines.
fn init_script(arch: Arch) -> String {
    let port = arch.output_port();
    format!(
        r#"{BEGIN}out=/dev/{port}
stty -F $out raw -echo
cd /suite
{{
	echo "{MARK} begin"
	sh /lab/command </dev/null 2>&1
	echo "{MARK} exit $?"
}} | cat >$out
reboot -f
"#
    )
}

/// What the prompt of the shell on the console is.
pub const PROMPT: &str = "root@rmap:#";

/// A shell on the console, in a session of its own. In `$(...)` and pipes it must not stop.
fn shell_init_script(arch: Arch) -> String {
    let console = arch.console();
    format!(
        r#"{BEGIN}cd /root
export PS1='{PROMPT} '
while :; do
	setsid sh -c 'exec sh -i </dev/{console} >/dev/{console} 2>&1'
done
"#
    )
}

/// Is it an ELF program that needs no dynamic linker?
fn is_static(path: &Path) -> bool {
    let interpreter = b"/ld-linux";
    std::fs::read(path).is_ok_and(|elf| {
        elf.starts_with(b"\x7fELF") && !elf.windows(interpreter.len()).any(|w| w == interpreter)
    })
}

/// A static busybox: the host's, else Debian's.
fn busybox(arch: Arch) -> Result<PathBuf> {
    if arch.is_host() {
        for path in ["/bin/busybox", "/usr/bin/busybox"] {
            if is_static(Path::new(path)) {
                return Ok(path.into());
            }
        }
    }
    let tree = sys::cache()?
        .join("debian")
        .join(arch.debian())
        .join("busybox-static");
    if !tree.is_dir() {
        Apt::new(arch)?
            .unpack(&["busybox-static".into()], &tree)
            .context("no static busybox on the host, and none from Debian")?;
    }
    for path in ["bin/busybox", "usr/bin/busybox"] {
        if tree.join(path).is_file() {
            return Ok(tree.join(path));
        }
    }
    bail!("{}: no busybox in it", tree.display())
}

/// Writes the archive.
pub fn write(path: &Path, arch: Arch, content: &Content) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    for dir in ["bin", "dev", "lab", "proc", "root", "suite", "sys", "tmp"] {
        archive.dir(dir)?;
    }
    archive.device("dev/console", 5, 1)?;
    archive.device("dev/null", 1, 3)?;
    archive.file("bin/busybox", 0o755, &sys::read(&busybox(arch)?)?)?;
    archive.link("bin/sh", "busybox")?;
    let init = if content.command.is_empty() {
        shell_init_script(arch)
    } else {
        init_script(arch)
    };
    archive.file("init", 0o755, init.as_bytes())?;
    archive.file(
        "lab/command",
        0o644,
        command_script(content.command).as_bytes(),
    )?;
    let mut order = String::new();
    for (name, module) in content.modules {
        archive.file(&format!("lab/{name}.ko"), 0o644, module)?;
        order += &format!("{name}\n");
    }
    archive.file("lab/order", 0o644, order.as_bytes())?;
    for (name, source) in content.suite {
        let name = format!("suite/{name}");
        match source {
            Source::File(path) => archive.file(&name, suite::mode(path)?, &sys::read(path)?)?,
            Source::Link(to) => archive.link(&name, to)?,
        }
    }
    archive.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_shell() {
        let words = ["echo", "it's", "a b", "$HOME"].map(String::from);
        assert_eq!(
            command_script(&words),
            "exec 'echo' 'it'\\''s' 'a b' '$HOME'\n"
        );
    }
}
