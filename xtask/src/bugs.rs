// SPDX-License-Identifier: GPL-2.0-or-later
//! The catalogues of planted bugs: lab/bugs/NNN-name.cocci, and lab/bugs-7 for what Linux 6.12 does not have.

use crate::sys;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Is it wrong, or only another way to be right?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// the suite must fail
    Bug,
    /// the suite must pass
    Variation,
    /// wrong, but nobody in user space can see it; the suite must pass
    Equivalent,
}

/// How many there may be: RMAP_BUGS of lab/kernels/rmap_bug.h.
const NUMBERS: u32 = 1024;

/// One semantic patch and what its header says.
#[derive(Clone, Debug)]
pub struct Bug {
    /// what `rmap_bug` is set to
    pub number: u32,
    /// the file's name without number and suffix
    pub name: String,
    /// bug or right variation
    pub kind: Kind,
    /// what is wrong, in one clause
    pub title: String,
    /// the kernel function
    pub function: String,
    /// the property it breaks
    pub breaks: String,
    /// the real bug it resembles
    pub resembles: String,
    /// why user space cannot see it, of an equivalent one
    pub why: String,
    /// the kernel's source file that it changes
    pub file: PathBuf,
    /// the semantic patch
    pub path: PathBuf,
}

/// The `key: value` lines at the top; a value goes on in lines that are
/// indented further.
fn header(text: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("// ") else {
            break;
        };
        if let Some(more) = line.strip_prefix("  ") {
            if let Some(value) = fields.get_mut(&last) {
                value.push(' ');
                value.push_str(more.trim());
            }
        } else if let Some((key, value)) = line.split_once(": ") {
            last = key.to_string();
            fields.insert(last.clone(), value.trim().to_string());
        }
    }
    fields
}

fn parse(path: &Path, text: &str) -> Result<Bug> {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("");
    let mut fields = header(text);
    let mut field = |key: &str| {
        fields
            .remove(key)
            .with_context(|| format!("no {key}: line"))
    };
    let (digits, name) = stem.split_once('-').context("not named NNN-name.cocci")?;
    let number: u32 = field("number")?.parse().context("number:")?;
    if number == 0 || number >= NUMBERS || digits.parse() != Ok(number) {
        bail!("number: 1 to {}, as in the file's name", NUMBERS - 1);
    }
    if !text.contains(&format!("rmap_bug_is({number})")) {
        bail!("no rmap_bug_is({number}) in it");
    }
    let kind = match field("kind")?.as_str() {
        "bug" => Kind::Bug,
        "variation" => Kind::Variation,
        "equivalent" => Kind::Equivalent,
        other => bail!("kind: {other} is none of bug, variation, equivalent"),
    };
    let why = match kind {
        Kind::Equivalent => field("why")?,
        _ => String::new(),
    };
    Ok(Bug {
        number,
        name: name.into(),
        kind,
        title: field("title")?,
        function: field("function")?,
        breaks: field("breaks")?,
        resembles: field("resembles")?,
        why,
        file: field("file")?.into(),
        path: path.into(),
    })
}

/// The bugs that are planted in one kernel.
#[derive(Debug)]
pub struct Catalogue {
    /// the kernel's version, as Debian's package of its source has it; of 7 the newest
    pub version: &'static str,
    /// where they are, below lab/
    pub dir: &'static str,
    /// configuration on top of rmap.config, below lab/kernels/
    pub config: Option<&'static str>,
    /// what of the reports' names comes before the ending
    pub suffix: &'static str,
}

/// The one that most are in.
pub const LINUX_6_12: Catalogue = Catalogue {
    version: "6.12",
    dir: "bugs",
    config: None,
    suffix: "",
};

/// What came later.
pub const LINUX_7: Catalogue = Catalogue {
    version: "7",
    dir: "bugs-7",
    config: Some("linux-7"),
    suffix: "-7",
};

impl Catalogue {
    /// The one for that version.
    pub fn find(version: &str) -> Result<&'static Catalogue> {
        let all = [&LINUX_6_12, &LINUX_7];
        let found = all.into_iter().find(|c| c.version == version);
        found.with_context(|| {
            let all = all.map(|c| c.version).join(", ");
            format!("no bugs for Linux {version} here: {all}")
        })
    }

    /// All of its bugs, in order of their numbers.
    pub fn bugs(&self) -> Result<Vec<Bug>> {
        below(&sys::root()?.join("lab").join(self.dir))
    }
}

/// All of the first catalogue, in order of their numbers.
#[cfg(test)]
pub fn all() -> Result<Vec<Bug>> {
    LINUX_6_12.bugs()
}

fn below(dir: &Path) -> Result<Vec<Bug>> {
    let mut bugs: Vec<Bug> = Vec::new();
    for path in sys::files_below(dir)? {
        if path.extension().is_none_or(|e| e != "cocci") {
            continue;
        }
        let bug =
            parse(&path, &sys::read_text(&path)?).with_context(|| format!("{}", path.display()))?;
        if let Some(twin) = bugs.iter().find(|b| b.number == bug.number) {
            bail!("{} and {} have one number", twin.name, bug.name);
        }
        bugs.push(bug);
    }
    bugs.sort_by_key(|bug| bug.number);
    Ok(bugs)
}

/// Those of `bugs` that a list like `3,7,40-50` names.
pub fn chosen(bugs: &[Bug], list: &str) -> Result<Vec<Bug>> {
    let mut out: Vec<Bug> = Vec::new();
    for part in list.split(',') {
        let number = |text: &str| {
            text.trim()
                .parse::<u32>()
                .with_context(|| format!("no list of bugs: {list:?} (as in 3,7,40-50)"))
        };
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        let found = bugs.iter().filter(|b| (first..=last).contains(&b.number));
        let before = out.len();
        out.extend(found.cloned());
        if out.len() == before {
            bail!("no bug {part} (cargo xtask prove --list)");
        }
    }
    out.sort_by_key(|bug| bug.number);
    out.dedup_by_key(|bug| bug.number);
    Ok(out)
}

/// Those of `bugs` that have these numbers, in that order.
pub fn in_order(bugs: &[Bug], numbers: &[u32]) -> Result<Vec<Bug>> {
    let of = |number: &u32| {
        let bug = bugs.iter().find(|bug| bug.number == *number);
        bug.cloned().with_context(|| format!("no bug {number}"))
    };
    numbers.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_well_formed() {
        let bugs = all().unwrap();
        let count = |kind| bugs.iter().filter(|b| b.kind == kind).count();
        assert!(count(Kind::Bug) >= 48);
        assert!(count(Kind::Variation) >= 5);
        let later = LINUX_7.bugs().unwrap();
        assert!(!later.is_empty());
        // lab/SEEN.md knows them by their numbers alone.
        let twice = later
            .iter()
            .find(|b| bugs.iter().any(|a| a.number == b.number));
        assert!(twice.is_none(), "{twice:?}");
        assert!(Catalogue::find("6.1").is_err());
    }

    #[test]
    fn lists_of_bugs() {
        let bugs = all().unwrap();
        let numbers = |list| -> Vec<u32> {
            chosen(&bugs, list)
                .unwrap()
                .iter()
                .map(|b| b.number)
                .collect()
        };
        assert_eq!(numbers("3,1,1-2"), [1, 2, 3]);
        for bad in ["", "x", "3,", "0", "-1", "5-3"] {
            assert!(chosen(&bugs, bad).is_err(), "{bad}");
        }
    }
}
