// SPDX-License-Identifier: GPL-2.0-or-later
//! Machine-wide settings that a test changes for its time.

/// What to do when the file is not there or cannot be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// SKIP with this reason.
    Skip(&'static str),
    /// Run without it.
    Ignore,
}

/// A one-value file under /sys or /proc/sys.
#[derive(Clone, Copy)]
pub struct Knob {
    /// Absolute path.
    pub path: &'static str,
    /// Value for the time of the test; `None`: only saved and restored, the test writes it itself.
    pub value: Option<&'static str>,
    /// See [`WhenMissing`].
    pub missing: WhenMissing,
}

impl Knob {
    /// A knob that is set when it is there.
    pub const fn set(path: &'static str, value: &'static str) -> Knob {
        Knob {
            path,
            value: Some(value),
            missing: WhenMissing::Ignore,
        }
    }
    /// A knob that is only saved and restored.
    pub const fn keep(path: &'static str) -> Knob {
        Knob {
            path,
            value: None,
            missing: WhenMissing::Ignore,
        }
    }
}
