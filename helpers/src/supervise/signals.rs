// SPDX-License-Identifier: GPL-2.0-or-later
//! Signals as data: blocked, and read from a signalfd beside the pipes.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The signals that the supervisor listens to.
pub struct Signals {
    fd: SignalFd,
    before: SigSet,
    /// The first of SIGINT, SIGTERM, SIGHUP that came: the run is to end.
    pub ended_by: Option<Signal>,
}

impl Signals {
    /// Blocks them from now on.
    pub fn block() -> nix::Result<Signals> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // nohup, and a shell that starts a background job, say by ignoring a signal that it
            // shall not end us. A blocked signal would be queued all the same.
            if !ignored(signal) {
                set.add(signal);
            }
        }
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut before))?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Signals {
            fd,
            before,
            ended_by: None,
        })
    }

    /// The descriptor to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Takes in what is pending.
    pub fn read(&mut self) {
        loop {
            match self.fd.read_signal() {
                Ok(Some(info)) => {
                    let signal = Signal::try_from(info.ssi_signo as i32).ok();
                    if signal != Some(Signal::SIGCHLD) && self.ended_by.is_none() {
                        self.ended_by = signal;
                    }
                }
                Err(Errno::EINTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Waits for a signal for `limit` at most, and takes it in.
    pub fn wait(&mut self, limit: Duration) {
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        let _ = poll(
            &mut fds,
            PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX),
        );
        self.read();
    }

    /// In a forked process: the signal mask that the program was started with.
    pub fn restore_mask(&self) -> nix::Result<()> {
        self.before.thread_set_mask()
    }
}

/// Whether this process was started with `signal` ignored.
fn ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|l| l.strip_prefix("SigIgn:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal as i32 - 1) & 1 != 0)
}
