// SPDX-License-Identifier: GPL-2.0-or-later
//! What was counted: from the guest's console to counts for each line.

use crate::sys;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Stands in the output of the guest's command before and behind the counts.
const MARK: &str = "@rmap-gcov";

/// A script that runs the suite with the counts begun anew (the boot's are not the suite's), and prints the counts. Files
/// of the kernel's debugfs have no size that tar could believe.
pub fn script(suite: &[String]) -> String {
    let suite = suite.join(" ");
    format!(
        "d=/sys/kernel/debug; c=/tmp/gcov; mkdir $c
mount -t debugfs debugfs $d && echo 0 >$d/gcov/reset && umount $d || exit 9
{suite}; status=$?
mount -t debugfs debugfs $d || exit 9
for f in $(find $d/gcov -name '*.gcda'); do
	cat $f >$c/$(echo ${{f#$d/gcov/}} | tr / @)
done
echo '{MARK} begin'
tar -C $c -cz . | base64
echo '{MARK} end'
exit $status"
    )
}

/// Unpacks in `dir` the counts that a guest has printed.
pub fn unpack(said: &str, dir: &Path) -> Result<()> {
    let (begin, end) = (format!("{MARK} begin\n"), format!("{MARK} end\n"));
    let text = said
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end))
        .context("the guest has printed no counts")?
        .0;
    let _ = std::fs::remove_dir_all(dir);
    sys::make_dir(dir)?;
    sys::write(&dir.join("counts.base64"), text)?;
    let tar = sys::output(sys::command("base64", ["-d", "counts.base64"]).current_dir(dir))?;
    sys::write(&dir.join("counts.tar.gz"), tar.stdout)?;
    sys::output(sys::command("tar", ["-xzf", "counts.tar.gz"]).current_dir(dir))?;
    Ok(())
}

/// What was counted of one line: how often it was run, and each branch of it taken.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Count {
    /// runs
    pub runs: u64,
    /// times that each branch was taken
    pub branches: Vec<u64>,
}

impl Count {
    /// The same line, compiled again elsewhere (a header's).
    fn add(&mut self, other: Count) {
        self.runs += other.runs;
        if self.branches.len() < other.branches.len() {
            self.branches.resize(other.branches.len(), 0);
        }
        for (sum, n) in self.branches.iter_mut().zip(other.branches) {
            *sum += n;
        }
    }
}

/// Counts by file and line.
pub type Counts = BTreeMap<String, BTreeMap<usize, Count>>;

#[derive(Deserialize)]
struct Json {
    files: Vec<JsonFile>,
}

#[derive(Deserialize)]
struct JsonFile {
    file: String,
    lines: Vec<JsonLine>,
}

#[derive(Deserialize)]
struct JsonLine {
    line_number: usize,
    count: i64,
    branches: Vec<JsonBranch>,
}

#[derive(Deserialize)]
struct JsonBranch {
    count: i64,
}

/// Adds what gcov says. Paths are made relative to the source; gcov gives them relative to the build or whole.
fn add(counts: &mut Counts, json: &[u8], src: &str) -> Result<()> {
    let json: Json = serde_json::from_slice(json).context("gcov's JSON")?;
    for file in json.files {
        let name = file.file.strip_prefix(src).unwrap_or(&file.file);
        let name = name.trim_start_matches("../").trim_start_matches("./");
        let name = name.trim_start_matches('/').trim_start_matches("src/");
        let lines = counts.entry(name.into()).or_default();
        for line in file.lines {
            // gcov works most counts out from others: what runs while they are read out makes small ones negative.
            let branches = line.branches.iter().map(|b| b.count.unsigned_abs());
            let (runs, branches) = (line.count.unsigned_abs(), branches.collect());
            let count = Count { runs, branches };
            lines.entry(line.line_number).or_default().add(count);
        }
    }
    Ok(())
}

/// All counts in `dir`, with the notes that the compiler left in `build`.
pub fn read(dir: &Path, build: &Path, src: &Path) -> Result<Counts> {
    let mut counts = Counts::new();
    // The counts are called as the compiler would have called the file: the build's path, with @ for /.
    let begin = build.display().to_string().replace('/', "@");
    let begin = begin.trim_start_matches('@');
    for data in sys::files_below(dir)? {
        let Some(name) = data.file_name().and_then(|n| n.to_str()) else {
            continue;
        };
        let Some(object) = name
            .strip_prefix(begin)
            .and_then(|n| n.strip_prefix('@')?.strip_suffix(".gcda"))
        else {
            continue;
        };
        let notes = build.join(object.replace('@', "/") + ".gcno");
        std::fs::copy(&notes, data.with_extension("gcno"))
            .with_context(|| format!("cannot read {}", notes.display()))?;
        let gcov = ["--json-format", "--stdout", "--branch-probabilities", name];
        let out = sys::output(sys::command("gcov", gcov).current_dir(dir))?;
        add(&mut counts, &out.stdout, &src.display().to_string()).context(object.to_string())?;
    }
    if counts.is_empty() {
        bail!("{}: no counts of this kernel in it", dir.display());
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_header_are_added() {
        let json = |runs: u64, branches: &str| {
            format!(
                r#"{{"format_version": "1", "files": [{{"file": "../src/include/a.h", "functions": [],
                "lines": [{{"line_number": 7, "count": {runs}, "unexecuted_block": false,
                "branches": [{branches}]}}]}}]}}"#
            )
        };
        let branch = |n| format!(r#"{{"count": {n}, "throw": false, "fallthrough": true}}"#);
        let mut counts = Counts::new();
        add(&mut counts, json(1, &branch(1)).as_bytes(), "/s").unwrap();
        let two = format!("{}, {}", branch(0), branch(5));
        add(&mut counts, json(4, &two).as_bytes(), "/s").unwrap();
        let wanted = Count {
            runs: 5,
            branches: vec![1, 5],
        };
        assert_eq!(counts["include/a.h"][&7], wanted);
        assert!(add(&mut counts, b"{}", "/s").is_err());
    }

    #[test]
    fn counts_come_out_of_the_console() {
        let scratch = sys::Scratch::new("test").unwrap();
        let dir = scratch.path().join("counts");
        assert!(unpack("ok 1 a\n", &dir).is_err());
        let made = sys::output_text(&mut sys::command(
            "sh",
            ["-c", "cd /proc/self && tar -cz limits | base64"],
        ));
        let said = format!("ok 1 a\n{MARK} begin\n{}{MARK} end\n", made.unwrap());
        unpack(&said, &dir).unwrap();
        assert!(dir.join("limits").is_file());
    }
}
