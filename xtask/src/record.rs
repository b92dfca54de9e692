// SPDX-License-Identifier: GPL-2.0-or-later
//! What is kept of a run for good, beside the document that is written from it. A document so grows by runs made
//! on several machines, and does not lose what another one has measured.

use crate::fleet;
use crate::outcome::Outcome;
use crate::sys;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run of the suite in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// the kernel's release
    pub release: String,
    /// tests that were to run: tells which suite it was
    pub tests: usize,
    /// tests that passed
    pub passed: usize,
    /// tests that were skipped
    pub skipped: usize,
    /// how long the suite ran
    pub seconds: f64,
    /// what was wrong, a line each
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
    /// reasons of the skips, and of how many tests
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, usize>,
}

impl From<&Outcome> for Record {
    fn from(outcome: &Outcome) -> Record {
        let reasons = fleet::reasons(outcome).into_iter();
        Record {
            release: outcome.run.release.clone(),
            tests: outcome.run.listed.len(),
            passed: outcome.run.passed.len(),
            skipped: outcome.run.skipped.len(),
            seconds: outcome.seconds,
            wrong: fleet::wrong(outcome),
            reasons: reasons.map(|(why, n)| (why.to_string(), n)).collect(),
        }
    }
}

/// The runs by the names of their kernels, in the order they were made.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Records {
    runs: BTreeMap<String, Vec<Record>>,
    #[serde(skip)]
    path: PathBuf,
}

impl Records {
    /// Reads `lab/NAME`; there are none where there is no such file.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(name: &str) -> Result<Records> {
        Records::at(sys::root()?.join("lab").join(name))
    }

    fn at(path: PathBuf) -> Result<Records> {
        let mut records = match path.is_file() {
            true => serde_json::from_str(&sys::read_text(&path)?)
                .with_context(|| format!("{}: no record of runs", path.display()))?,
            false => Records::default(),
        };
        records.path = path;
        Ok(records)
    }

    /// Those of that name.
    pub fn of(&self, name: &str) -> &[Record] {
        self.runs.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds a run. Reasons are kept of the last one only: there are as many as the rest of the file has lines.
    pub fn add(&mut self, name: &str, record: Record) {
        let runs = self.runs.entry(name.into()).or_default();
        if let Some(before) = runs.last_mut() {
            before.reasons.clear();
        }
        runs.push(record);
    }

    /// Forgets those of that name.
    pub fn forget(&mut self, name: &str) {
        self.runs.remove(name);
    }

    /// Writes them where they were read, whole or not at all.
    pub fn write(&self) -> Result<()> {
        let new = self.path.with_extension("new");
        sys::write(&new, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(std::fs::rename(&new, &self.path)?)
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The least and the most, or the one number that both are.
pub fn range(numbers: impl Iterator<Item = usize> + Clone) -> String {
    let least = numbers.clone().min().unwrap_or(0);
    let most = numbers.max().unwrap_or(0);
    match least == most {
        true => most.to_string(),
        false => format!("{least} to {most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::outcome;

    #[test]
    fn runs_are_added_to_what_others_have_made() {
        let scratch = sys::Scratch::new("record").unwrap();
        let path = scratch.path().join("r.json");
        let mut records = Records::at(path.clone()).unwrap();
        records.add("lab", Record::from(&outcome(&["a.c"])));
        records.write().unwrap();
        let mut records = Records::at(path.clone()).unwrap();
        records.add("lab", Record::from(&outcome(&["a.c", "a.d"])));
        records.add("else", Record::from(&outcome(&[])));
        records.write().unwrap();
        let mut records = Records::at(path.clone()).unwrap();
        let runs = records.of("lab");
        assert_eq!((runs.len(), runs[1].passed), (2, 2));
        assert!(runs[0].reasons.is_empty());
        assert_eq!(runs[1].reasons["needs KSM"], 1);
        assert_eq!(records.of("else")[0].wrong, ["no test passed"]);
        records.forget("lab");
        assert!(records.of("lab").is_empty());
        sys::write(&path, "[]").unwrap();
        assert!(Records::at(path).is_err());
    }

    #[test]
    fn ranges() {
        assert_eq!(range([3, 1, 2].into_iter()), "1 to 3");
        assert_eq!(range([2, 2].into_iter()), "2");
        assert_eq!(range([].into_iter()), "0");
    }
}
