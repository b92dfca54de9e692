// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel log and the taint mask, watched while a test runs.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Openings of messages that say: the kernel found itself to be wrong. At the start of the text
/// only: "BUG:" in the middle of a driver's sentence is no complaint.
const JUDGED: &[&str] = &[
    "WARNING:",
    "BUG:",
    "kernel BUG at",
    "Oops",
    "Internal error:",
    "general protection fault",
    "Unable to handle kernel",
    "KASAN:",
    "UBSAN:",
    "Bad page",
    "INFO: possible",
    "possible circular locking",
    "------------[ cut here",
    "Kernel panic",
];

/// Openings that would match above, or that help to understand a log, but do not say that the
/// kernel is wrong: a slow emulated board stalls, KCSAN reports races that are known.
const NOTED: &[&str] = &[
    "watchdog:",
    "NMI watchdog:",
    "BUG: soft lockup",
    "BUG: workqueue lockup",
    "BUG: KCSAN:",
    "rcu:",
    "INFO: rcu",
    "INFO: task",
    "Out of memory:",
    "Memory cgroup out of memory:",
];

/// Lines shown from the first judged one on.
const CONTEXT: usize = 20;

/// Taint bits that say the kernel found itself to be wrong: B (5, bad page), D (7, died), W (9,
/// warned). L (14, soft lockup) is a matter of speed.
pub const JUDGED_TAINT: u64 = 1 << 5 | 1 << 7 | 1 << 9;

/// The taint mask; 0 when it cannot be read.
pub fn taint() -> u64 {
    std::fs::read_to_string("/proc/sys/kernel/tainted")
        .ok()
        .and_then(|s| s.trim().parse().ok())
        .unwrap_or(0)
}

/// The judged bits in words.
pub fn taint_names(mask: u64) -> String {
    let names = [(5, "B (bad page)"), (7, "D (died)"), (9, "W (warned)")];
    let set: Vec<_> = names
        .iter()
        .filter(|(bit, _)| mask >> bit & 1 != 0)
        .map(|n| n.1)
        .collect();
    set.join(", ")
}

/// What came since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Complaints, each with what follows it.
    pub judged: Vec<String>,
    /// Not judged, but worth showing.
    pub noted: Vec<String>,
}

/// /dev/kmsg.
pub struct Kmsg {
    read: Option<File>,
    /// Why it is not watched.
    pub blind: Option<String>,
}

impl Kmsg {
    /// Opens it, behind its last record.
    pub fn open() -> Kmsg {
        let mut blind = None;
        let read = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")
            .and_then(|mut f| f.seek(SeekFrom::End(0)).map(|_| f))
            .map_err(|e| blind = Some(format!("/dev/kmsg: {e}")))
            .ok();
        Kmsg { read, blind }
    }

    /// Notes in the log which test begins: what a machine that dies says last.
    pub fn mark(&mut self, suite: &str, test: &str) {
        // Opened anew each time: devkmsg_write() lets an open file write 10 records in 5 s and drops the
        // others (printk.devkmsg=ratelimit, the default), and the test that dies might be one of those.
        if let Ok(mut log) = OpenOptions::new().write(true).open("/dev/kmsg") {
            // <6>: informational, so that a console of the usual level stays clean.
            let _ = log.write(format!("<6>rmap_selftests: start {suite}.{test}\n").as_bytes());
        }
    }

    /// Reads the new records.
    pub fn read(&mut self) -> Found {
        let mut found = Found::default();
        let Some(log) = &mut self.read else {
            return found;
        };
        // A record is at most 8 KiB with its dictionary; one read(2) gives one record.
        let mut buf = [0; 16384];
        let mut context = 0;
        loop {
            match log.read(&mut buf) {
                Ok(0) => return found,
                Ok(n) => found.take(&String::from_utf8_lossy(&buf[..n]), &mut context),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // Records were overwritten before we came to read them: go on with the oldest.
                Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
                Err(_) => return found,
            }
        }
    }
}

impl Found {
    fn take(&mut self, record: &str, context: &mut usize) {
        let Some((from_kernel, text)) = split(record) else {
            return;
        };
        match judge(from_kernel, text) {
            Some(true) => {
                *context = CONTEXT;
                self.judged.push(text.to_owned());
            }
            Some(false) => self.noted.push(text.to_owned()),
            None if *context > 0 && from_kernel => {
                *context -= 1;
                self.judged.push(text.to_owned());
            }
            None => {}
        }
    }
}

/// Whether the OOM killer took a process called `comm` (oom_kill_process() writes "Killed process PID (COMM)").
pub fn oom_took(noted: &[String], comm: &str) -> bool {
    let ours = format!(" ({comm})");
    let killed = |line: &&String| line.contains("ut of memory: Killed process ");
    noted.iter().filter(killed).any(|line| line.contains(&ours))
}

/// "PRIORITY,SEQUENCE,TIME,FLAGS[,...];TEXT\n KEY=VALUE\n...": whether the kernel wrote it, and the text.
fn split(record: &str) -> Option<(bool, &str)> {
    let (prefix, rest) = record.split_once(';')?;
    let priority: u32 = prefix.split(',').next()?.parse().ok()?;
    // The facility is in the bits from 3 on, and 0 cannot be had by writing to /dev/kmsg.
    Some((priority >> 3 == 0, rest.lines().next().unwrap_or("")))
}

/// `Some(true)` judged, `Some(false)` noted. Programs write "WARNING: ..." to the log as well:
/// theirs counts only when it has the whole form of the kernel's (this is how selfcheck tests it).
fn judge(from_kernel: bool, text: &str) -> Option<bool> {
    let starts = |list: &[&str]| list.iter().any(|p| text.starts_with(p));
    if !from_kernel {
        return text.starts_with("WARNING: CPU: ").then_some(true);
    }
    if starts(NOTED) {
        return Some(false);
    }
    starts(JUDGED).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(records: &[&str]) -> Found {
        let mut found = Found::default();
        let mut context = 0;
        for r in records {
            found.take(r, &mut context);
        }
        found
    }

    #[test]
    fn a_warning_is_judged_with_its_context() {
        let f = found(&[
            "6,1,100,-;eth0: link is up, WARNING: cable\n",
            "4,2,101,-;WARNING: CPU: 1 PID: 7 at mm/rmap.c:12 foo+0x1/0x2\n SUBSYSTEM=x\n",
            "4,3,102,-;Modules linked in:\n",
            "12,4,103,-;a program speaks\n",
        ]);
        let warning = "WARNING: CPU: 1 PID: 7 at mm/rmap.c:12 foo+0x1/0x2";
        assert_eq!(f.judged, [warning, "Modules linked in:"]);
        assert!(f.noted.is_empty());
    }

    #[test]
    fn what_is_slow_or_not_the_kernels_is_not_judged() {
        let f = found(&[
            "0,1,1,-;watchdog: BUG: soft lockup - CPU#1 stuck for 23s!\n",
            "12,2,1,-;WARNING: a daemon has an opinion\n",
            "3,3,1,-;INFO: task kworker blocked for more than 120 seconds.\n",
        ]);
        assert!(f.judged.is_empty());
        assert_eq!(f.noted.len(), 2);
    }

    #[test]
    fn bad_pages_and_lockdep() {
        for text in [
            "BUG: Bad page map in process a  pte:1 pmd:2",
            "BUG: Bad rss-counter state mm:0 type:MM_ANONPAGES val:1",
            "INFO: possible recursive locking detected",
            "WARNING: possible circular locking dependency detected",
            "kernel BUG at mm/rmap.c:1!",
            "Oops: general protection fault, probably for non-canonical address",
        ] {
            assert_eq!(judge(true, text), Some(true), "{text}");
        }
    }

    #[test]
    fn the_oom_killer() {
        let line = |text: &str| [text.to_owned()];
        let ours = line("Out of memory: Killed process 77 (fork_tree) total-vm:9kB, anon-rss:1kB");
        assert!(oom_took(&ours, "fork_tree") && !oom_took(&ours, "fork"));
        let group = line("Memory cgroup out of memory: Killed process 8 (swap) total-vm:9kB");
        assert!(oom_took(&group, "swap"));
        assert!(!oom_took(&line("watchdog: (swap) Killed process"), "swap"));
    }

    #[test]
    fn taint_words() {
        assert_eq!(taint_names(1 << 9 | 1 << 5), "B (bad page), W (warned)");
    }
}
