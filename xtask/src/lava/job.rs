// SPDX-License-Identifier: GPL-2.0-or-later
//! The job: lab/lava's, with what is here in the place of what a lab would put there.

use crate::initramfs::PROMPT;
use crate::sys;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to make it of.
pub struct Job<'a> {
    /// where `kernel` and `rootfs.cpio.gz` are
    pub dir: &'a Path,
    /// for run_tests.sh
    pub arguments: &'a str,
    /// more words for the kernel's command line
    pub append: &'a str,
    /// a step before
    pub before: Option<&'a str>,
    /// seconds
    pub timeout: u64,
    /// whether processors are emulated
    pub emulated: bool,
}

/// Replaces what must be there.
fn replace(text: &str, from: &str, to: &str) -> Result<String> {
    if !text.contains(from) {
        bail!("lab/lava has no {from:?} in it");
    }
    Ok(text.replacen(from, to, 1))
}

/// Text, so many blanks further to the right.
fn indent(text: &str, blanks: usize) -> String {
    let line = |l: &str| match l.is_empty() {
        true => String::new(),
        false => format!("{:blanks$}{l}", ""),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

impl Job<'_> {
    /// The job's text.
    fn yaml(&self, template: &str, definition: &str) -> Result<String> {
        let url = |name: &str| format!("file://{}", self.dir.join(name).display());
        let mut definition = definition.to_owned();
        if let Some(before) = self.before {
            let step = format!("  steps:\n    - {}", serde_json::to_string(before)?);
            definition = replace(&definition, "  steps:", &step)?;
        }
        let mut text = replace(template, "https://example.org/bzImage", &url("kernel"))?;
        text = replace(
            &text,
            "https://example.org/rootfs.cpio.gz",
            &url("rootfs.cpio.gz"),
        )?;
        text = replace(&text, " panic=5", &format!(" panic=5 {}", self.append))?;
        text = replace(
            &text,
            "RMAP_ARGS: \"\"",
            &format!("RMAP_ARGS: \"{}\"", self.arguments),
        )?;
        if self.emulated {
            // For devices that have KVM otherwise.
            let context = "context:\n  no_kvm: true\n  cpu: max\n";
            text = replace(&text, "context:\n", context)?;
        }
        let inline = format!(
            "from: inline\n          repository:\n{}",
            indent(&definition, 12)
        );
        let git = "from: git\n          repository: https://example.org/rmap-selftests.git";
        text = replace(&text, git, &inline)?;
        // tuxrun reads no other unit.
        text = replace(
            &text,
            "job: {minutes: 60}",
            &format!("job: {{minutes: {}}}", self.minutes()),
        )?;
        Ok(text)
    }

    fn minutes(&self) -> u64 {
        self.timeout.div_ceil(60)
    }

    /// Writes the job.
    fn write(&self) -> Result<PathBuf> {
        let lava = sys::root()?.join("lab/lava");
        let job = self.yaml(
            &sys::read_text(&lava.join("job-qemu.yaml"))?,
            &sys::read_text(&lava.join("rmap-selftests.yaml"))?,
        )?;
        let path = self.dir.join("job.yaml");
        sys::write(&path, job)?;
        Ok(path)
    }

    /// Writes the job, and what lava-run wants besides; the command that runs it.
    pub fn lava_run(&self) -> Result<Command> {
        let job = self.write()?;
        let lava = sys::root()?.join("lab/lava");
        sys::write(&self.dir.join("dispatcher.yaml"), "{}\n")?;
        let output = self.dir.join("output");
        sys::make_dir(&output)?;
        let mut command = Command::new("lava-run");
        command.args(["--job-id", "1", "--output-dir"]).arg(output);
        command.arg("--device").arg(lava.join("device-qemu.yaml"));
        command
            .arg("--dispatcher")
            .arg(self.dir.join("dispatcher.yaml"));
        command.arg(job);
        Ok(command)
    }

    /// What both ways of tuxrun have.
    fn tuxrun(&self, program: &Path, device: &str) -> Command {
        let mut command = Command::new(program);
        // It leaves files where it runs.
        command.current_dir(self.dir);
        command.args(["--runtime", "null", "--device", device]);
        command.arg("--results").arg(self.dir.join("results.json"));
        command
    }

    /// Writes the job; the command by which tuxrun runs it, on the machine that its context describes.
    pub fn tuxrun_job(&self, program: &Path) -> Result<Command> {
        let job = self.write()?;
        let mut command = self.tuxrun(program, "qemu-lava");
        command.arg("--job-definition");
        command.arg(format!("file://{}", job.display()));
        Ok(command)
    }

    /// A job that tuxrun makes itself, which has one command and a machine of its own.
    pub fn tuxrun_command(&self, program: &Path) -> Command {
        let url = |name: &str| format!("file://{}", self.dir.join(name).display());
        let mut command = self.tuxrun(program, "qemu-x86_64");
        command.args([
            "--kernel",
            &url("kernel"),
            "--rootfs",
            &url("rootfs.cpio.gz"),
        ]);
        command.args([
            "--boot-args",
            format!("rdinit=/init panic=5 {}", self.append).trim(),
        ]);
        command.args(["--prompt", PROMPT]);
        command.args(["--timeouts", &format!("commands={}", self.minutes())]);
        let before = match self.before {
            Some(before) if before.trim_end().ends_with('&') => format!("{before} "),
            Some(before) => format!("{before}; "),
            None => String::new(),
        };
        command.arg("--").arg(format!(
            "dmesg -n 1; set -f; {before}sh /suite/run_tests.sh --format lava {}",
            self.arguments
        ));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_repository_can_be_filled_in() {
        let job = Job {
            dir: Path::new("/dir"),
            arguments: "-t x.*",
            append: "quiet",
            before: Some("echo \"a: b\""),
            timeout: 90,
            emulated: true,
        };
        let text = job
            .yaml(
                include_str!("../../../lab/lava/job-qemu.yaml"),
                include_str!("../../../lab/lava/rmap-selftests.yaml"),
            )
            .unwrap();
        for part in [
            "url: file:///dir/kernel\n",
            " panic=5 quiet\"'",
            "RMAP_ARGS: \"-t x.*\"",
            "            run:\n              steps:\n                - \"echo \\\"a: b\\\"\"\n",
            "job: {minutes: 2}",
            "context:\n  no_kvm: true\n  cpu: max\n  arch: x86_64\n",
        ] {
            assert!(text.contains(part), "no {part:?} in:\n{text}");
        }
        assert!(!text.contains("example.org"), "{text}");
        assert!(include_str!("../../../lab/lava/job-qemu.yaml").contains(PROMPT));
    }
}
