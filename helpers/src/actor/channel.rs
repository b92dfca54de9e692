// SPDX-License-Identifier: GPL-2.0-or-later
//! The test's side of the socket.

use super::agent::{self, PACKET};
use super::wire::{Cmd, Reply};
use crate::pace::{self, Wait};
use crate::sys::{fd, proc};
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair,
};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// A living actor, seen from the test.
pub struct Channel {
    socket: OwnedFd,
    pid: i32,
    reaped: bool,
}

impl Channel {
    fn pair() -> TestResult<(OwnedFd, OwnedFd)> {
        Ok(socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?)
    }

    /// An actor forked from the test's own process: the root of a tree. It gets all of the test's files but `without`, which it would
    /// keep open when the test closes them.
    pub fn spawn(without: &[BorrowedFd]) -> TestResult<Channel> {
        let (ours, theirs) = Channel::pair()?;
        match proc::fork_child()? {
            proc::Forked::Child => {
                drop(ours);
                // Their owners are of the test's side, and this process never comes back there.
                without.iter().for_each(|f| drop(fd::adopt(f.as_raw_fd())));
                agent::serve(theirs)
            }
            proc::Forked::Parent(pid) => Ok(Channel {
                socket: ours,
                pid,
                reaped: false,
            }),
        }
    }

    /// Has this actor fork; the channel of the child.
    pub fn fork(&mut self, limit: Duration) -> TestResult<Channel> {
        let ours = self.begin_fork()?;
        self.end_fork(ours, limit)
    }

    /// The first half of [`Channel::fork`], for what has to happen before the fork can end. The next call has to be
    /// [`Channel::end_fork`].
    pub fn begin_fork(&mut self) -> TestResult<OwnedFd> {
        let (ours, theirs) = Channel::pair()?;
        self.send(&Cmd::Fork, Some(theirs.as_fd()))?;
        Ok(ours)
    }

    /// The second half; `ours` is what the first one has returned.
    pub fn end_fork(&mut self, ours: OwnedFd, limit: Duration) -> TestResult<Channel> {
        match self.reply(&Cmd::Fork, limit)? {
            Reply::Value(pid) => Ok(Channel {
                socket: ours,
                pid: pid as i32,
                reaped: false,
            }),
            Reply::Errno(e) => Err(Stop::error(format_args!("fork: {}", Errno::from_raw(e)))),
            other => Err(Stop::error(format_args!("fork: reply {other:?}"))),
        }
    }

    /// Process ID.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// What is readable once there is a reply, or the end of the actor.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends one command and waits for its reply for `limit`, see [`Wait`].
    ///
    /// # Errors
    /// An actor that died or does not answer is a failure of the kernel: actors do nothing but
    /// the system call or the memory access they were told.
    #[track_caller]
    pub fn ask(&mut self, cmd: &Cmd, fd: Option<BorrowedFd>, limit: Duration) -> TestResult<Reply> {
        self.send(cmd, fd)?;
        self.reply(cmd, limit)
    }

    /// The first half of [`Channel::ask`]. The next call has to be [`Channel::reply`].
    #[track_caller]
    pub fn send(&mut self, cmd: &Cmd, fd: Option<BorrowedFd>) -> TestResult {
        let text = serde_json::to_vec(cmd).map_err(Stop::error)?;
        if text.len() > PACKET {
            return Err(Stop::error(format_args!(
                "a command of {} bytes",
                text.len()
            )));
        }
        let fds: Vec<RawFd> = fd.iter().map(|f| f.as_raw_fd()).collect();
        let rights = [ControlMessage::ScmRights(&fds)];
        let cmsgs = if fds.is_empty() { &[] } else { &rights[..] };
        let sent = loop {
            match sendmsg::<()>(
                self.socket.as_raw_fd(),
                &[IoSlice::new(&text)],
                cmsgs,
                MsgFlags::MSG_NOSIGNAL,
                None,
            ) {
                Err(Errno::EINTR) => {}
                other => break other,
            }
        };
        match sent {
            Ok(_) => Ok(()),
            Err(_) => Err(self.death(cmd)),
        }
    }

    /// The second half: waits for the reply to `cmd` for `limit`.
    #[track_caller]
    pub fn reply(&mut self, cmd: &Cmd, limit: Duration) -> TestResult<Reply> {
        let mut limit = Wait::new(limit);
        loop {
            if !self.heard(&mut limit)? {
                return Err(Stop::fail(format_args!(
                    "pid {} gave no answer to {} in time; it is in {}",
                    self.pid,
                    brief(cmd),
                    whereabouts(self.pid)
                )));
            }
            // Most replies are a few bytes: a buffer for the largest would cost more than the command.
            let size = recv(
                self.socket.as_raw_fd(),
                &mut [],
                MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC,
            );
            let mut buf = vec![0u8; *size.as_ref().unwrap_or(&0)];
            match size.and_then(|_| recv(self.socket.as_raw_fd(), &mut buf, MsgFlags::MSG_DONTWAIT))
            {
                Ok(0) | Err(Errno::ECONNRESET) => return Err(self.death(cmd)),
                Ok(n) => {
                    pace::beat();
                    return serde_json::from_slice(&buf[..n]).map_err(Stop::error);
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Waits until there is something to receive, the end of the socket included. False when there is nothing in time.
    fn heard(&self, limit: &mut Wait) -> TestResult<bool> {
        loop {
            if limit.expired() {
                return Ok(false);
            }
            let ms = u16::try_from(limit.left().as_millis() + 1).unwrap_or(u16::MAX);
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match nix::poll::poll(&mut fds, PollTimeout::from(ms)) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Tells the actor to exit and decodes how it did.
    pub fn exit(&mut self, limit: Duration) -> TestResult {
        self.ask(&Cmd::Exit(0), None, limit)?;
        // The socket is closed after the address space is gone (do_exit()) and just before there is a status.
        let mut until = Wait::new(limit);
        self.heard(&mut until)?;
        match self.wait(&mut until) {
            Some(WaitStatus::Exited(_, 0)) => Ok(()),
            Some(status) => Err(Stop::fail(format_args!(
                "pid {} was told to exit 0 but {}",
                self.pid,
                decode(status)
            ))),
            None => Err(Stop::fail(format_args!(
                "pid {} was told to exit and did not; it is in {}",
                self.pid,
                whereabouts(self.pid)
            ))),
        }
    }

    /// Waits for the end of the process. `None` when it is still there in the end.
    fn wait(&mut self, limit: &mut Wait) -> Option<WaitStatus> {
        let mut pause = Duration::from_micros(50);
        loop {
            match waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
                Ok(status) => {
                    self.reaped = true;
                    return Some(status);
                }
                Err(_) => {
                    self.reaped = true;
                    return None;
                }
            }
            if limit.over() {
                return None;
            }
            // The exit has been asked for or seen: this polls for its end, with growing pauses.
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    fn death(&mut self, cmd: &Cmd) -> Stop {
        let how = match self.wait(&mut Wait::new(Duration::from_secs(2))) {
            Some(status) => decode(status),
            None => String::from("closed its socket"),
        };
        Stop::fail(format_args!(
            "pid {} {how} while obeying {}",
            self.pid,
            brief(cmd)
        ))
    }
}

impl Drop for Channel {
    /// A test that stops early leaves no actor behind.
    fn drop(&mut self) {
        if !self.reaped {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
            let _ = self.wait(&mut Wait::new(Duration::from_secs(2)));
        }
    }
}

/// In the text of a failure whose cause is that an actor was killed, by [`decode`].
pub(crate) const KILLED: &str = " was killed by SIGKILL while obeying ";

/// How a process ended, in words.
pub fn decode(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(_, code) => format!("exited with status {code}"),
        WaitStatus::Signaled(_, sig, core) => {
            format!(
                "was killed by {sig}{}",
                if core { " (core dumped)" } else { "" }
            )
        }
        other => format!("ended as {other:?}"),
    }
}

/// The command without its page list.
fn brief(cmd: &Cmd) -> String {
    let text = format!("{cmd:?}");
    match text.char_indices().nth(120) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}

/// Where a process is stuck: its state and the kernel function it waits in.
fn whereabouts(pid: i32) -> String {
    let read = |f: &str| std::fs::read_to_string(format!("/proc/{pid}/{f}")).unwrap_or_default();
    let stat = read("stat");
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|r| r.split(' ').next())
        .unwrap_or("?")
        .to_owned();
    let wchan = read("wchan");
    format!(
        "state {state}, wchan {}",
        if wchan.is_empty() { "?" } else { &wchan }
    )
}
