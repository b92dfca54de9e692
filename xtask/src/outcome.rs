// SPDX-License-Identifier: GPL-2.0-or-later
//! One run of the suite in a guest, and what came of it.

use crate::initramfs::{self, Content};
use crate::machine::{End, Machine};
use crate::suite::Files;
use crate::sys;
use crate::tap::{Reader, Run};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What came of one kernel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// the bug's number, 0 for the healthy kernel
    pub number: u32,
    /// what the tests said
    pub run: Run,
    /// how the guest ended, where that was no exit of the suite
    pub trouble: Option<String>,
    /// was it ended at the first catch?
    #[serde(default)]
    pub stopped: bool,
    /// the suite's exit status
    pub status: Option<i32>,
    /// how long the suite ran
    pub seconds: f64,
}

/// What to boot and what to run in it.
pub struct Guest<'a> {
    /// the machine, with the words for its command line
    pub machine: &'a Machine,
    /// the kernel
    pub image: &'a Path,
    /// names and contents of the modules to load, in order
    pub modules: &'a [(String, Vec<u8>)],
    /// the suite
    pub files: &'a Files,
    /// the command to run
    pub command: &'a [String],
    /// end it at the first catch
    pub short: bool,
    /// where TAP, console and outcome are kept: this with an ending
    pub stem: &'a Path,
}

fn file(stem: &Path, end: &str) -> PathBuf {
    stem.with_extension(end)
}

/// The outcome that was kept with this stem.
pub fn kept(stem: &Path) -> Option<Outcome> {
    let text = std::fs::read(file(stem, "json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Removes it again.
pub fn forget(stem: &Path) -> Result<()> {
    Ok(std::fs::remove_file(file(stem, "json"))?)
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

impl Guest<'_> {
    /// Boots it, reads what the suite says, and keeps the outcome.
    pub fn run(&self, number: u32) -> Result<Outcome> {
        let scratch = sys::Scratch::new("run")?;
        let initrd = scratch.path().join("initramfs");
        let content = Content {
            modules: self.modules,
            suite: self.files,
            command: self.command,
        };
        initramfs::write(&initrd, self.machine.arch, &content)?;
        let mut reader = Reader::default();
        let mut tap = String::new();
        let mut start = None;
        let console = file(self.stem, "console");
        let end = self
            .machine
            .run(self.image, &initrd, &console, &mut |line| {
                let start = *start.get_or_insert_with(Instant::now);
                reader.line(line, tenths(start.elapsed().as_secs_f64()));
                tap.push_str(line);
                tap.push('\n');
                !(self.short && reader.caught())
            })?;
        let seconds = start.map_or(0.0, |start| start.elapsed().as_secs_f64());
        sys::write(&file(self.stem, "tap"), tap)?;
        let outcome = Outcome {
            number,
            run: reader.finish(),
            stopped: end == End::Stopped,
            status: match end {
                End::Exit(status) => Some(status),
                _ => None,
            },
            trouble: match &end {
                End::Exit(0 | 1 | 4) | End::Stopped => None,
                end => Some(end.to_string()),
            },
            seconds: tenths(seconds),
        };
        // Whole or not at all: an interrupted run goes on from these.
        let partial = file(self.stem, "new");
        sys::write(&partial, serde_json::to_vec_pretty(&outcome)?)?;
        std::fs::rename(&partial, file(self.stem, "json"))?;
        Ok(outcome)
    }

    /// Is this in what its kernel has said?
    pub fn said(&self, words: &str) -> Result<bool> {
        let console = sys::read(&file(self.stem, "console"))?;
        Ok(String::from_utf8_lossy(&console).contains(words))
    }
}
