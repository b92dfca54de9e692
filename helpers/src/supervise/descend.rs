// SPDX-License-Identifier: GPL-2.0-or-later
//! Descendants of the supervisor: found, killed, reaped.
//!
//! The supervisor is a child subreaper: whatever a test forks, in whatever session, ends up as its
//! child when the processes between have died. So ECHILD from wait means that nothing is left.

use super::signals::Signals;
use crate::pace::Wait;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// PF_EXITING (linux/sched.h), in the flags field of /proc/PID/stat since 2.6.
const PF_EXITING: u64 = 0x4;

/// One line of /proc/PID/stat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process ID.
    pub pid: i32,
    /// Its parent.
    pub ppid: i32,
    /// Command name.
    pub comm: String,
    /// State letter.
    pub state: char,
    flags: u64,
}

impl Process {
    fn parse(stat: &str) -> Option<Process> {
        // The name may hold spaces and parentheses: it ends at the last one.
        let (head, tail) = stat.rsplit_once(')')?;
        let (pid, comm) = head.split_once('(')?;
        let mut fields = tail.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let ppid = fields.next()?.parse().ok()?;
        // pgrp, session, tty_nr, tpgid, flags
        let flags = fields.nth(4)?.parse().ok()?;
        Some(Process {
            pid: pid.trim().parse().ok()?,
            ppid,
            comm: comm.to_owned(),
            state,
            flags,
        })
    }

    /// Dead, or on its way without asking anybody.
    fn ending(&self) -> bool {
        matches!(self.state, 'Z' | 'X') || self.flags & PF_EXITING != 0
    }

    /// Where it is, for the log: state, the kernel function it sleeps in, kernel stack where root may see it.
    pub fn whereabouts(&self) -> String {
        let file = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/{name}", self.pid)).unwrap_or_default()
        };
        let mut text = format!("pid {} ({}) state {}", self.pid, self.comm, self.state);
        let wchan = file("wchan");
        if !wchan.is_empty() && wchan != "0" {
            text += &format!(", in {wchan}");
        }
        for frame in file("stack").lines().take(12) {
            text += &format!("\n    {frame}");
        }
        text
    }
}

/// Every process below `root`, parents first.
pub fn descendants(root: i32) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let stat = std::fs::read(entry.path().join("stat")).unwrap_or_default();
        if let Some(p) = Process::parse(&String::from_utf8_lossy(&stat)) {
            children.entry(p.ppid).or_default().push(p);
        }
    }
    let mut found: Vec<Process> = children.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next).map(|p| p.pid) {
        found.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Collects exit statuses of children, own and adopted.
#[derive(Default)]
pub struct Reaper {
    /// The process whose status is wanted.
    pub wanted: i32,
    /// Its status, `Err` when it died in a way that cannot be decoded (a real-time signal).
    pub status: Option<Result<WaitStatus, Errno>>,
    /// Adopted processes that had died by a signal, and nobody waited for them.
    pub crashed: Vec<(i32, Signal)>,
}

impl Reaper {
    /// Reaps what is dead. `true` when no child is left at all.
    pub fn reap(&mut self) -> bool {
        loop {
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return false,
                Ok(status) => self.take(status),
                Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => return true,
                // A child died by a signal that nix has no name for; it is reaped by now. Which
                // one it was shows when the wanted one is gone.
                Err(e) => {
                    let gone = kill(Pid::from_raw(self.wanted), None) == Err(Errno::ESRCH);
                    if self.status.is_none() && gone {
                        self.status = Some(Err(e));
                    }
                }
            }
        }
    }

    fn take(&mut self, status: WaitStatus) {
        let Some(pid) = status.pid().map(Pid::as_raw) else {
            return;
        };
        if pid == self.wanted {
            if matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {
                self.status = Some(Ok(status));
            }
        } else if let WaitStatus::Signaled(_, signal, _) = status {
            // SIGKILL is how the suite itself ends processes.
            if signal != Signal::SIGKILL {
                self.crashed.push((pid, signal));
            }
        }
    }
}

/// What [`end_all`] met.
#[derive(Default)]
pub struct Ended {
    /// Were alive, and are dead now.
    pub killed: Vec<Process>,
    /// Survived SIGKILL for the whole limit: stuck in the kernel.
    pub stuck: Vec<Process>,
}

/// Kills and reaps everything below this process but `given_up`, for `limit` at most (times [`pace::scale`]).
pub fn end_all(
    reaper: &mut Reaper,
    signals: &mut Signals,
    given_up: &BTreeSet<i32>,
    limit: Duration,
) -> Ended {
    let mut ended = Ended::default();
    let mut end = Wait::new(limit);
    let me = std::process::id() as i32;
    let mut pause = Duration::from_millis(1);
    loop {
        if reaper.reap() {
            return ended;
        }
        let left: Vec<Process> = descendants(me)
            .into_iter()
            .filter(|p| !given_up.contains(&p.pid))
            .collect();
        if left.is_empty() {
            // Nothing but those that were given up before. (Without /proc nothing is ever found;
            // then there is no suite to run either.)
            return ended;
        }
        let late = end.over();
        for p in left {
            let _ = kill(Pid::from_raw(p.pid), Signal::SIGKILL);
            let known = ended.killed.iter().any(|k| k.pid == p.pid);
            if late {
                ended.killed.retain(|k| k.pid != p.pid);
                ended.stuck.push(p);
            } else if !known && !p.ending() {
                ended.killed.push(p);
            }
        }
        if late {
            return ended;
        }
        // A child's death ends the wait; grandchildren send no signal, so look again in any case.
        signals.wait(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_line() {
        let p = Process::parse("42 (a) (b c)) D 1 42 42 0 -1 4194308 0 0").unwrap();
        assert_eq!((p.pid, p.ppid, p.state), (42, 1, 'D'));
        assert_eq!(p.comm, "a) (b c)");
        assert!(p.ending());
        assert!(Process::parse("42 (a").is_none());
        assert!(
            !Process::parse("7 (x) S 1 7 7 0 -1 4194304 0")
                .unwrap()
                .ending()
        );
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id() as i32;
        assert!(
            descendants(std::process::id() as i32)
                .iter()
                .any(|p| p.pid == pid)
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
