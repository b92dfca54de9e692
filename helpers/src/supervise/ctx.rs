// SPDX-License-Identifier: GPL-2.0-or-later
//! What a running test holds, and how its process speaks to the supervisor.

use super::Arena;
use crate::TestResult;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Handed to every test function; lives in the test's own process.
pub struct Ctx<'a> {
    /// The machine.
    pub arena: &'a Arena,
    /// Seed of this run, printed in the header; give it to every generator of random choices.
    pub seed: u64,
    /// The supervisor kills the test at this time.
    pub deadline: Instant,
    /// -v: print the script while it runs.
    pub verbose: bool,
    /// Multiplier of all time limits (--timeout-scale).
    pub scale: f64,
    pub(crate) report: Report,
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

/// For code that has no [`Ctx`] at hand: the panic hook, and the script.
static REPORT: OnceLock<Report> = OnceLock::new();

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

    /// A time limit for one wait inside the test: `base` times the scale, but never past the deadline.
    pub fn limit(&self, base: Duration) -> Instant {
        let scaled = Instant::now() + base.mul_f64(self.scale);
        scaled.min(self.deadline)
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
    Report::send_installed(&Message::Step(text.to_string()));
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
