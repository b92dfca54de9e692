// SPDX-License-Identifier: GPL-2.0-or-later
//! Does KVM work here? Its device node tells little, and neither does running
//! a few instructions: there are nested hosts where real mode works and a
//! kernel never gets to its first message. So the kernel itself is tried.

use crate::sys::{self, Arch};
use anyhow::Result;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a kernel may take under KVM to find that it has no root.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether KVM runs guests of that architecture here. What was found is kept
/// in the cache until the host boots again.
pub fn kvm(arch: Arch, kernel: &Path) -> Result<bool> {
    if arch != Arch::X86_64 || !arch.is_host() || !Path::new("/dev/kvm").exists() {
        return Ok(false);
    }
    let boot = sys::read_text(Path::new("/proc/sys/kernel/random/boot_id"))?;
    let known = sys::cache()?.join(format!("kvm-{}", boot.trim()));
    let works = match std::fs::read_to_string(&known) {
        Ok(text) => text.trim() == "works",
        Err(_) => {
            let works = probe(kernel)?;
            let word = if works { "works" } else { "does not work" };
            eprintln!("xtask: KVM {word} here");
            sys::write(&known, format!("{word}\n"))?;
            works
        }
    };
    Ok(works)
}

fn probe(kernel: &Path) -> Result<bool> {
    let scratch = sys::Scratch::new("kvm")?;
    let console = scratch.path().join("console");
    let mut qemu = Command::new("qemu-system-x86_64")
        .args(["-accel", "kvm", "-cpu", "max", "-m", "512M"])
        .args(["-nodefaults", "-display", "none", "-no-reboot", "-serial"])
        .arg(format!("file:{}", console.display()))
        .arg("-kernel")
        .arg(kernel)
        .args(["-append", "console=ttyS0 panic=-1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE && qemu.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = qemu.try_wait()?.is_some();
    if !ended {
        qemu.kill()?;
        qemu.wait()?;
    }
    let said = std::fs::read(&console).unwrap_or_default();
    Ok(ended && String::from_utf8_lossy(&said).contains("Kernel panic"))
}
