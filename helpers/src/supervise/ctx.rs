// SPDX-License-Identifier: GPL-2.0-or-later
//! What a running test holds, and how its process speaks to the supervisor.

use super::Arena;
use crate::TestResult;
use crate::walk::tally::Tally;
use crate::world::Left;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Handed to every test function; lives in the test's own process.
pub struct Ctx<'a> {
    /// The machine.
    pub arena: &'a Arena,
    /// Seed of this run, printed in the header; give it to every generator of random choices.
    pub seed: u64,
    /// What can be left out begins before this time: the declared one, whatever the machine. (A slow one then does less; with
    /// --timeout-scale N it has N times as long.)
    pub deadline: Instant,
    /// The declared time limit.
    pub timeout: Duration,
    /// -v: print the script while it runs.
    pub verbose: bool,
    pub(crate) report: Report,
    /// Which walks the test has taken over what.
    pub(crate) tally: Tally,
    /// The objects it has made.
    pub(crate) left: Left,
}

/// The pipe to the supervisor.
pub(crate) struct Report {
    pub(crate) fd: Option<OwnedFd>,
}

/// One line of JSON on that pipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// A diagnostic line for the log.
    Diag(String),
    /// A step of the test's script, see [`step`].
    Step(String),
    /// This process, the test's own or one that it forked, panicked.
    Panic { pid: i32, text: String },
    /// It is at work: nothing to show, but not stuck either.
    Alive,
    /// The test's last word.
    Verdict(Verdict),
}

/// How the test function returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Pass,
    Fail(String),
    Error(String),
    Skip(String),
}

/// Between two signs of life; less than the shortest limit of a test.
const ALIVE_EVERY: Duration = Duration::from_millis(100);

/// For code that has no [`Ctx`] at hand: the panic hook, and the script.
static REPORT: OnceLock<Report> = OnceLock::new();
/// Where steps go that nobody wants to see at once. The supervisor looks there when it is awake anyway: to wake it for each step would
/// be two more switches of processes each.
static STEPS: OnceLock<Report> = OnceLock::new();

impl Report {
    /// Sends one message. `false` when there is nobody to hear it.
    pub(crate) fn send(&self, message: &Message) -> bool {
        let (Some(fd), Ok(mut line)) = (&self.fd, serde_json::to_vec(message)) else {
            return false;
        };
        line.push(b'\n');
        let mut rest = &line[..];
        while !rest.is_empty() {
            match nix::unistd::write(fd, rest) {
                Ok(n) => rest = &rest[n..],
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Makes `fd` the pipe of this process, for good.
    pub(crate) fn install(fd: OwnedFd) -> std::io::Result<Report> {
        let copy = fd.try_clone()?;
        let _ = REPORT.set(Report { fd: Some(fd) });
        Ok(Report { fd: Some(copy) })
    }

    /// Makes `fd`, which must be non-blocking, the pipe for steps of this process.
    pub(crate) fn install_steps(fd: OwnedFd) {
        let _ = STEPS.set(Report { fd: Some(fd) });
    }

    /// The installed pipe.
    pub(crate) fn installed_fd() -> Option<&'static OwnedFd> {
        REPORT.get().and_then(|r| r.fd.as_ref())
    }

    /// Sends through the installed pipe.
    pub(crate) fn send_installed(message: &Message) -> bool {
        REPORT.get().is_some_and(|r| r.send(message))
    }
}

impl Ctx<'_> {
    /// Sends a diagnostic line (several when the text has newlines) that is printed before the result line.
    pub fn diag(&self, text: impl Display) {
        self.report.send(&Message::Diag(text.to_string()));
    }

    /// Takes a step `most` times, less often on a slow machine: as often as goes in `1/share` of the time to the deadline. How
    /// often, and how long it took.
    ///
    /// # Errors
    /// The first of a step.
    pub fn repeat(
        &self,
        most: usize,
        share: u32,
        mut step: impl FnMut(usize) -> TestResult,
    ) -> TestResult<(usize, Duration)> {
        let start = Instant::now();
        let until = start + self.deadline.saturating_duration_since(start) / share;
        let mut done = 0;
        while done < most && Instant::now() < until {
            step(done)?;
            done += 1;
        }
        Ok((done, start.elapsed()))
    }
}

/// Notes a step of the running test's script, from anywhere in the test's process.
///
/// With -v it is printed at once; else the supervisor keeps the last ones and prints them when the
/// test ends without being able to tell its own story: deadline, crash, panic.
pub fn step(text: impl Display) {
    // A pipe takes PIPE_BUF bytes whole or not at all (pipe(7)), and each may become six in JSON.
    const SHORT: usize = 600;
    let text = text.to_string();
    let short = text.len() <= SHORT;
    let message = Message::Step(text);
    // When that pipe is full, the other one wakes the supervisor, which empties this one first.
    match STEPS.get() {
        Some(steps) if short && steps.send(&message) => alive(),
        _ => drop(Report::send_installed(&message)),
    }
}

/// Tells the supervisor that the test goes on, once in a while: any message does.
pub(crate) fn alive() {
    // In milliseconds; a child that was forked goes on from its parent's.
    static LAST: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<Instant> = OnceLock::new();
    let now = START.get_or_init(Instant::now).elapsed().as_millis() as u64;
    let last = LAST.load(Ordering::Relaxed);
    if now >= last + ALIVE_EVERY.as_millis() as u64 {
        LAST.store(now, Ordering::Relaxed);
        Report::send_installed(&Message::Alive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_message_is_one_line() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let report = Report { fd: Some(writer) };
        let sent = Message::Verdict(Verdict::Fail("two\nlines \"#\"".to_owned()));
        assert!(report.send(&sent));
        drop(report);
        let mut text = String::new();
        std::fs::File::from(reader)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), sent);
    }

    #[test]
    fn nobody_listens() {
        assert!(!Report { fd: None }.send(&Message::Diag("x".to_owned())));
    }
}
