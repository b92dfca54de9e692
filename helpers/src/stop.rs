// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a test ends before its last line.

use std::fmt;
use std::panic::Location;

/// What a test function returns: `Ok` when every check held.
pub type TestResult<T = ()> = Result<T, Stop>;

/// Why a test stops.
///
/// The order of the variants is the order of weight: a failed check always wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The kernel did something wrong. The text says the property, what was
    /// expected and what was seen; it may have several lines.
    Fail(String),
    /// The suite could not do its work (a system call that must work did not, an actor died).
    /// Reported as a failure as well, but says that no property was judged.
    Error(String),
    /// Something is missing on this kernel or machine. Constant and short, since readers of
    /// TAP make it part of the test's name; measured values go into a diagnostic line.
    Skip(&'static str),
}

impl Stop {
    /// A failed check, with the place of the caller in front.
    #[track_caller]
    pub fn fail(text: impl fmt::Display) -> Stop {
        Stop::Fail(format!("{}: {text}", here(Location::caller())))
    }

    /// A thing the suite could not do, with the place of the caller in front.
    #[track_caller]
    pub fn error(text: impl fmt::Display) -> Stop {
        Stop::Error(format!("{}: {text}", here(Location::caller())))
    }
}

/// `file:line` with no directory in front: logs of two builds compare equal.
fn here(at: &Location) -> String {
    let file = at.file().rsplit('/').next().unwrap_or(at.file());
    format!("{file}:{}", at.line())
}

impl From<std::io::Error> for Stop {
    #[track_caller]
    fn from(e: std::io::Error) -> Stop {
        Stop::error(e)
    }
}

impl From<nix::errno::Errno> for Stop {
    #[track_caller]
    fn from(e: nix::errno::Errno) -> Stop {
        Stop::error(e)
    }
}

/// Adds what was being done to an I/O error and makes it a [`Stop::Error`].
pub trait Doing<T> {
    /// `what` names the operation and its object, as in "write /sys/kernel/mm/ksm/run".
    fn doing(self, what: impl fmt::Display) -> TestResult<T>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    #[track_caller]
    fn doing(self, what: impl fmt::Display) -> TestResult<T> {
        // A closure would lose the caller's place.
        match self {
            Ok(v) => Ok(v),
            Err(e) => Err(Stop::error(format_args!("{what}: {e}"))),
        }
    }
}
