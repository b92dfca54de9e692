// SPDX-License-Identifier: GPL-2.0-or-later
//! One guest in QEMU, from power on to its verdict.

use crate::accel;
use crate::firmware;
use crate::initramfs::MARK;
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Words for the kernel's command line that spare an emulated machine what it does not need: defences against other guests, pages
/// cleared twice, and (x86) doubt about the counters of its processors, which are one and the same: each look at the clock would be
/// one at a device. Words that come after them win.
const QUICKER: &str = "mitigations=off init_on_alloc=0 tsc=reliable";
/// How long a kernel may take to reach init.
const BOOT: Duration = Duration::from_secs(300);
/// How long a guest may take to go down after its verdict.
const DOWN: Duration = Duration::from_secs(5);

/// What the machine is like.
#[derive(Clone, Debug)]
pub struct Machine {
    /// its processors' architecture
    pub arch: Arch,
    /// memory in MiB, all nodes together
    pub mem: u64,
    /// number of processors
    pub cpus: u32,
    /// number of NUMA nodes
    pub nodes: u32,
    /// how many guests are run at a time, this one too
    pub at_once: usize,
    /// more words for the kernel's command line
    pub append: String,
    /// how long the guest may run
    pub timeout: Duration,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            arch: Arch::X86_64,
            mem: 1024,
            cpus: 2,
            nodes: 2,
            at_once: 1,
            append: String::new(),
            timeout: Duration::from_secs(900),
        }
    }
}

/// How a guest ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// the command ended with this status
    Exit(i32),
    /// the kernel panicked, with this line
    Panic(String),
    /// the command did not end in time
    Hang(Duration),
    /// the kernel did not reach init
    NoBoot(String),
    /// QEMU ended by itself before the command did
    Died(String),
    /// whoever listened had heard enough
    Stopped,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            End::Exit(status) => write!(f, "exit status {status}"),
            End::Panic(line) => write!(f, "the guest's kernel panicked: {line}"),
            End::Hang(after) => write!(f, "the guest hung: no end after {} s", after.as_secs()),
            End::NoBoot(why) => write!(f, "the guest did not boot: {why}"),
            End::Stopped => write!(f, "stopped"),
            End::Died(why) => write!(f, "the guest ended before its command did: {why}"),
        }
    }
}

impl Machine {
    /// Checks what QEMU would refuse with less clear words.
    pub fn check(&self) -> Result<()> {
        let qemu = self.program();
        if !sys::has_program(&qemu) {
            bail!("no {qemu} on this host");
        }
        if self.at_once == 0 {
            bail!("no guest would run: this one counts too");
        }
        if self.cpus == 0 || self.nodes == 0 || self.nodes > 8 {
            bail!("a machine has 1 or more processors and 1 to 8 nodes");
        }
        if self.mem / u64::from(self.nodes) < 64 {
            bail!("{} MiB are too little for {} nodes", self.mem, self.nodes);
        }
        Ok(())
    }

    fn program(&self) -> String {
        format!("qemu-system-{}", self.arch.name())
    }

    /// QEMU's word for emulation. Processors that share those of the host with other guests' take turns in one thread: in threads
    /// of their own they would spend much of their time in waiting for one that the host does not run.
    fn emulation(&self) -> &'static str {
        let host = std::thread::available_parallelism().map_or(1, usize::from);
        match self.cpus as usize * self.at_once > host {
            true => "tcg,thread=single",
            false => "tcg,thread=multi",
        }
    }

    fn qemu(&self, kernel: &Path, initrd: &Path, console: &Path) -> Result<Command> {
        let program = self.program();
        // A comma ends a value there.
        let console = console.display().to_string().replace(',', ",,");
        // A guest must not outlive us, whatever ends us.
        let mut qemu = sys::mortal(&program, "KILL");
        let console_name = match self.arch {
            // See below.
            Arch::Riscv64 => "ttyS1",
            other => other.console(),
        };
        let kvm = accel::kvm(self.arch, kernel)?;
        let (machine, cpu) = match self.arch {
            Arch::X86_64 => ("q35,mem-merge=off", "max"),
            // The architecture's own way to sign pointers is slow to emulate.
            Arch::Aarch64 if !kvm => ("virt,gic-version=3,mem-merge=off", "max,pauth-impdef=on"),
            Arch::Aarch64 => ("virt,gic-version=3,mem-merge=off", "max"),
            // QEMU has no "max" of it before version 9.
            Arch::Riscv64 => ("virt,mem-merge=off", "rv64"),
        };
        qemu.args(["-accel", if kvm { "kvm" } else { self.emulation() }])
            .args(["-cpu", cpu])
            .args(["-machine", machine, "-m", &format!("{}M", self.mem)])
            .args(["-smp", &format!("{0},sockets={0}", self.cpus)])
            .args(["-nodefaults", "-display", "none", "-no-reboot"])
            .args(["-chardev", "stdio,id=out,signal=on", "-chardev"])
            .arg(format!("file,id=log,path={console}"));
        match self.arch {
            Arch::X86_64 => qemu.args(["-serial", "chardev:log", "-serial", "chardev:out"]),
            Arch::Aarch64 => qemu.args([
                "-serial",
                "chardev:log",
                "-device",
                "pci-serial,chardev=out",
            ]),
            // Its PCI port never interrupts, which does not matter to a kernel's console.
            Arch::Riscv64 => qemu.args([
                "-serial",
                "chardev:out",
                "-device",
                "pci-serial,chardev=log",
            ]),
        };
        if self.nodes > 1 {
            let share = self.mem / u64::from(self.nodes);
            for node in 0..self.nodes {
                let rest = if node == 0 {
                    self.mem % u64::from(self.nodes)
                } else {
                    0
                };
                let size = share + rest;
                let mut cpus = String::new();
                for cpu in (node..self.cpus).step_by(self.nodes as usize) {
                    cpus += &format!(",cpus={cpu}");
                }
                qemu.arg("-object")
                    .arg(format!("memory-backend-ram,id=m{node},size={size}M"))
                    .arg("-numa")
                    .arg(format!("node,nodeid={node},memdev=m{node}{cpus}"));
            }
        }
        if let Some(file) = firmware::find(self.arch) {
            qemu.arg("-bios").arg(file);
        }
        qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd);
        qemu.arg("-append").arg(format!(
            "console={console_name} panic=-1 rdinit=/init {} {}",
            QUICKER, self.append
        ));
        qemu.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(qemu)
    }

    /// Runs a guest to its end. What its command prints goes to `line`, line
    /// by line, until that returns false; what its kernel says, to the file
    /// `console`.
    pub fn run(
        &self,
        kernel: &Path,
        initrd: &Path,
        console: &Path,
        line: &mut dyn FnMut(&str) -> bool,
    ) -> Result<End> {
        self.check()?;
        let mut qemu = self
            .qemu(kernel, initrd, console)?
            .spawn()
            .with_context(|| format!("cannot run {}", self.program()))?;
        let lines = listen(&mut qemu);
        let mut complaints = qemu.stderr.take();
        let start = Instant::now();
        let mut begun = false;
        let mut exit = None;
        let boot = BOOT.min(self.timeout);
        let mut deadline = start + boot;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(text) => match text.strip_prefix(MARK).map(str::trim) {
                    Some("begin") => {
                        begun = true;
                        deadline = start + self.timeout;
                    }
                    Some(word) => {
                        exit = word.strip_prefix("exit ").and_then(|n| n.parse().ok());
                        deadline = Instant::now() + DOWN;
                    }
                    // Firmware may have had that port before.
                    None if !begun => {}
                    None => {
                        if !line(&text) {
                            qemu.kill()?;
                            qemu.wait()?;
                            return Ok(End::Stopped);
                        }
                    }
                },
                Err(error) => {
                    if error == RecvTimeoutError::Timeout {
                        let _ = qemu.kill();
                    }
                    let status = qemu.wait()?;
                    if let Some(status) = exit {
                        return Ok(End::Exit(status));
                    }
                    let said = std::fs::read(console).unwrap_or_default();
                    let said = String::from_utf8_lossy(&said);
                    let panic = said.lines().find(|l| l.contains("Kernel panic"));
                    if let Some(text) = panic {
                        return Ok(End::Panic(text.trim().into()));
                    }
                    if error == RecvTimeoutError::Timeout {
                        return Ok(if begun {
                            End::Hang(self.timeout)
                        } else {
                            End::NoBoot(format!("no sign of init after {} s", boot.as_secs()))
                        });
                    }
                    let mut why = String::new();
                    if let Some(stderr) = complaints.as_mut() {
                        let _ = stderr.read_to_string(&mut why);
                    }
                    let why = match why.trim() {
                        "" => format!("QEMU ended with {status}"),
                        why => why.lines().last().unwrap_or_default().to_string(),
                    };
                    return Ok(if begun {
                        End::Died(why)
                    } else {
                        End::NoBoot(why)
                    });
                }
            }
        }
    }
}

/// A channel of the lines that QEMU's standard output brings.
fn listen(qemu: &mut Child) -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel();
    if let Some(out) = qemu.stdout.take() {
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut bytes = Vec::new();
            while matches!(out.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim_end_matches(['\n', '\r']).to_string();
                bytes.clear();
                if send.send(text).is_err() {
                    break;
                }
            }
        });
    }
    lines
}
