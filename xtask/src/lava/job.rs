// SPDX-License-Identifier: GPL-2.0-or-later
//! The job: lab/lava's, with what is here in the place of what a lab would put there.

use crate::initramfs::PROMPT;
use crate::sys;
use anyhow::{Result, bail};
use std::path::Path;
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
        let inline = format!(
            "from: inline\n          repository:\n{}",
            indent(&definition, 12)
        );
        let git = "from: git\n          repository: https://example.org/rmap-selftests.git";
        text = replace(&text, git, &inline)?;
        text = replace(
            &text,
            "job: {minutes: 60}",
            &format!("job: {{seconds: {}}}", self.timeout),
        )?;
        Ok(text)
    }

    /// Writes the job, and what lava-run wants besides; the command that runs it.
    pub fn lava_run(&self) -> Result<Command> {
        let lava = sys::root()?.join("lab/lava");
        let job = self.yaml(
            &sys::read_text(&lava.join("job-qemu.yaml"))?,
            &sys::read_text(&lava.join("rmap-selftests.yaml"))?,
        )?;
        sys::write(&self.dir.join("job.yaml"), job)?;
        sys::write(&self.dir.join("dispatcher.yaml"), "{}\n")?;
        let output = self.dir.join("output");
        sys::make_dir(&output)?;
        let mut command = Command::new("lava-run");
        command.args(["--job-id", "1", "--output-dir"]).arg(output);
        command.arg("--device").arg(lava.join("device-qemu.yaml"));
        command
            .arg("--dispatcher")
            .arg(self.dir.join("dispatcher.yaml"));
        command.arg(self.dir.join("job.yaml"));
        Ok(command)
    }

    /// The same by tuxrun, which has one command and a machine of its own.
    pub fn tuxrun(&self, program: &Path) -> Command {
        let url = |name: &str| format!("file://{}", self.dir.join(name).display());
        let mut command = Command::new(program);
        // It leaves files where it runs.
        command.current_dir(self.dir);
        command.args(["--runtime", "null", "--device", "qemu-x86_64"]);
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
        let minutes = self.timeout.div_ceil(60);
        command.args(["--timeouts", &format!("commands={minutes}")]);
        command.arg("--results").arg(self.dir.join("results.json"));
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
            "job: {seconds: 90}",
        ] {
            assert!(text.contains(part), "no {part:?} in:\n{text}");
        }
        assert!(!text.contains("example.org"), "{text}");
        assert!(include_str!("../../../lab/lava/job-qemu.yaml").contains(PROMPT));
    }
}
