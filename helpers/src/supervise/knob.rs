// SPDX-License-Identifier: GPL-2.0-or-later
//! Machine-wide settings that a test changes for its time.

use super::journal::{Change, Changes};
use crate::kernel::{damon, ksm, sysfs};
use std::io;
use std::path::Path;

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

    /// Two lists as one, of `N` knobs.
    pub const fn both<const N: usize>(first: &[Knob], second: &[Knob]) -> [Knob; N] {
        assert!(N == first.len() + second.len());
        let mut all = [Knob::keep(""); N];
        let mut i = 0;
        while i < N {
            all[i] = if i < first.len() {
                first[i]
            } else {
                second[i - first.len()]
            };
            i += 1;
        }
        all
    }
}

/// Saves the knobs and sets those that have a value. `Ok(Some(reason))`: one is not to be had, the
/// test is to be skipped. `Err`: something went wrong half-way; what was changed is on record.
pub(crate) fn apply(changes: &mut Changes, knobs: &[Knob]) -> Result<Option<&'static str>, String> {
    let mut missing = None;
    for knob in knobs {
        if let Err(e) = apply_one(changes, knob)? {
            match knob.missing {
                WhenMissing::Skip(reason) => missing = missing.or(Some(reason)),
                WhenMissing::Ignore => drop(e),
            }
        }
    }
    Ok(missing)
}

/// The outer error is ours (the journal cannot be written), the inner one says that the knob is not to be had.
fn apply_one(changes: &mut Changes, knob: &Knob) -> Result<io::Result<()>, String> {
    let content = match sysfs::read(knob.path) {
        Ok(content) => content,
        Err(e) => return Ok(Err(e)),
    };
    if let Err(e) = writable(knob.path) {
        return Ok(Err(e));
    }
    let old = sysfs::chosen(&content);
    let change = Change::Knob {
        path: knob.path.into(),
        old: old.to_owned(),
    };
    // First the journal, then the machine: a kill between the two is harmless.
    changes
        .record(change)
        .map_err(|e| format!("journal: {e}"))?;
    match knob.value {
        Some(value) if value != old => Ok(sysfs::write(knob.path, value)),
        _ => Ok(Ok(())),
    }
}

/// Whether it could be opened for writing, without opening it: root passes permission checks
/// that a read-only mount does not.
fn writable(path: &str) -> io::Result<()> {
    Ok(nix::unistd::access(path, nix::unistd::AccessFlags::W_OK)?)
}

/// Writes the old value back and looks whether it is there. `Err` says what is left.
pub(crate) fn restore(path: &Path, old: &str) -> Result<(), String> {
    let is = |content: &str| sysfs::chosen(content) == old;
    if path == Path::new(damon::KDAMONDS) {
        // No value but a user: somebody else's may have come or gone meanwhile.
        return damon::give_back(old).map_err(|e| format!("DAMON still runs for this run: {e}"));
    }
    match sysfs::read(path) {
        Ok(content) if is(&content) => return Ok(()),
        // Gone with its device or its cgroup.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        _ => {}
    }
    let mut written = sysfs::write(path, old);
    if written
        .as_ref()
        .is_err_and(|e| e.raw_os_error() == Some(libc::EBUSY))
        && path.starts_with(ksm::DIR)
    {
        // KSM changes some of its knobs only while nothing is merged. The test could change it, so all that is merged now is ours.
        let _ = ksm::forget(0);
        written = sysfs::write(path, old);
    }
    let now = sysfs::read(path).unwrap_or_else(|e| e.to_string());
    if is(&now) {
        return Ok(());
    }
    let why = written.err().map(|e| format!(" ({e})")).unwrap_or_default();
    Err(format!(
        "knob {} is {}, was {old}{why}",
        path.display(),
        sysfs::chosen(&now)
    ))
}
