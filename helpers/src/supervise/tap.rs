// SPDX-License-Identifier: GPL-2.0-or-later
//! The result stream: flat TAP 13, the one form that every reader in use understands whole.
//!
//! The `tap` crate renders a result line and a diagnostic; what it lacks is here: directives,
//! numbering, totals, escaping, a line in one write(2), and no panic when the reader went away.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use tap::tap_test::TapTest;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every check held.
    Pass,
    /// A check failed, or the test left something behind.
    Fail,
    /// The suite could not do its work. Not a pass, but no word about the kernel either.
    Error,
    /// Something is missing; the constant reason.
    Skip(String),
    /// Given up and killed.
    Timeout,
}

/// Results so far.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    /// `ok`.
    pub pass: u32,
    /// `not ok`: judged, or killed at the deadline.
    pub fail: u32,
    /// `ok # SKIP`.
    pub skip: u32,
    /// `not ok`: not judged; and complaints that belong to no test.
    pub error: u32,
}

impl Counts {
    /// Exit status of the program: a failure always wins, 4 only when nothing ran at all.
    pub fn exit_status(&self) -> i32 {
        match *self {
            Counts {
                fail: 0,
                error: 0,
                pass: 0,
                skip,
            } if skip > 0 => 4,
            Counts {
                fail: 0, error: 0, ..
            } => 0,
            _ => 1,
        }
    }
}

/// Writes lines to a descriptor, each with one write(2) where the kernel takes it whole.
pub struct Lines {
    file: File,
    closed: bool,
}

impl Lines {
    /// Takes over `file`.
    pub fn new(file: File) -> Lines {
        Lines {
            file,
            closed: false,
        }
    }

    /// Standard output, past the buffer that `print!` uses.
    pub fn stdout() -> io::Result<Lines> {
        Ok(Lines::new(File::from(
            io::stdout().as_fd().try_clone_to_owned()?,
        )))
    }

    /// Writes one line. A reader that went away (EPIPE), or a full disk, changes nothing in what is run:
    /// the machine must still be put back, and the exit status still tells.
    pub fn line(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let mut whole = Vec::with_capacity(text.len() + 1);
        whole.extend_from_slice(text.as_bytes());
        whole.push(b'\n');
        let mut rest = &whole[..];
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => break,
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // Somebody made the shared terminal or pipe non-blocking.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
                    let _ = poll(&mut fds, PollTimeout::NONE);
                }
                Err(_) => {
                    self.closed = true;
                    break;
                }
            }
        }
    }
}

/// The stream of one program.
pub struct Tap {
    out: Lines,
    log: Option<Lines>,
    next: i64,
    /// Results so far.
    pub counts: Counts,
}

impl Tap {
    /// Version line (unless KSFT_TAP_LEVEL says that we are nested) and plan.
    pub fn start(out: Lines, plan: usize, nested: bool) -> Tap {
        let mut tap = Tap {
            out,
            log: None,
            next: 1,
            counts: Counts::default(),
        };
        if !nested {
            tap.out.line("TAP version 13");
        }
        tap.out.line(&format!("1..{plan}"));
        tap
    }

    /// Copies what follows to a log as well; `None` ends that.
    pub fn log_to(&mut self, log: Option<File>) {
        self.log = log.map(Lines::new);
    }

    fn both(&mut self, line: &str) {
        self.out.line(line);
        if let Some(log) = &mut self.log {
            log.line(line);
        }
    }

    /// `# text`, one line for each line of the text.
    pub fn diag(&mut self, text: &str) {
        for line in diag_lines(text) {
            self.both(&line);
        }
    }

    /// The result line of the next test.
    pub fn result(&mut self, name: &str, outcome: &Outcome) {
        let line = result_line(self.next, name, outcome);
        self.next += 1;
        match outcome {
            Outcome::Pass => self.counts.pass += 1,
            Outcome::Fail | Outcome::Timeout => self.counts.fail += 1,
            Outcome::Error => self.counts.error += 1,
            Outcome::Skip(_) => self.counts.skip += 1,
        }
        self.both(&line);
    }

    /// The line that ends a kselftest.
    pub fn totals(&mut self) {
        let Counts {
            pass,
            fail,
            skip,
            error,
        } = self.counts;
        self.diag(&format!(
            "Totals: pass:{pass} fail:{fail} xfail:0 xpass:0 skip:{skip} error:{error}"
        ));
    }

    /// Ends the stream before its plan is fulfilled.
    pub fn bail_out(&mut self, why: &str) {
        self.both(&format!("Bail out! {}", printable(why)));
    }
}

fn result_line(number: i64, name: &str, outcome: &Outcome) -> String {
    let passed = matches!(outcome, Outcome::Pass | Outcome::Skip(_));
    let test = TapTest {
        name: name.to_owned(),
        passed,
        diagnostics: Vec::new(),
    };
    let mut line = test.status_line(number);
    match outcome {
        Outcome::Skip(reason) => {
            line.push_str(" # SKIP ");
            // A second '#' ends the directive for some readers.
            line.push_str(printable(reason).replace('#', "").trim());
        }
        Outcome::Timeout => line.push_str(" # TIMEOUT"),
        Outcome::Pass | Outcome::Fail | Outcome::Error => {}
    }
    line.truncate(line.trim_end().len());
    line
}

fn diag_lines(text: &str) -> impl Iterator<Item = String> {
    text.trim_end_matches('\n').split('\n').map(|line| {
        let line = printable(line.trim_end());
        if line.is_empty() {
            "#".to_owned()
        } else {
            format!("# {line}")
        }
    })
}

/// One line that a terminal and a serial console show as it is.
fn printable(text: &str) -> String {
    let mut s = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            s.push_str(&format!("\\x{:02x}", c as u32));
        } else {
            s.push(c);
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines() {
        let line = |o| result_line(3, "a.b", &o);
        assert_eq!(line(Outcome::Pass), "ok 3 a.b");
        assert_eq!(line(Outcome::Fail), "not ok 3 a.b");
        assert_eq!(line(Outcome::Error), "not ok 3 a.b");
        assert_eq!(line(Outcome::Timeout), "not ok 3 a.b # TIMEOUT");
        assert_eq!(
            line(Outcome::Skip("needs swap".into())),
            "ok 3 a.b # SKIP needs swap"
        );
        assert_eq!(
            line(Outcome::Skip("a\nb # c".into())),
            "ok 3 a.b # SKIP a\\x0ab  c"
        );
        assert_eq!(line(Outcome::Skip(String::new())), "ok 3 a.b # SKIP");
    }

    #[test]
    fn diagnostics_never_leave_their_line() {
        let all: Vec<_> = diag_lines("one\n\nok 1 two\r\n\x1b[31mred\t.\n").collect();
        assert_eq!(all, ["# one", "#", "# ok 1 two", "# \\x1b[31mred\t."]);
    }

    #[test]
    fn exit_statuses() {
        let status = |pass, fail, skip, error| {
            Counts {
                pass,
                fail,
                skip,
                error,
            }
            .exit_status()
        };
        assert_eq!(status(1, 0, 1, 0), 0);
        assert_eq!(status(0, 0, 2, 0), 4);
        assert_eq!(status(0, 1, 2, 0), 1);
        assert_eq!(status(3, 0, 0, 1), 1);
    }

    #[test]
    fn a_closed_pipe_is_survived() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let mut lines = Lines::new(File::from(writer));
        drop(reader);
        lines.line("one");
        lines.line("two");
        assert!(lines.closed);
    }
}
