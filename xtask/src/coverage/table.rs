// SPDX-License-Identifier: GPL-2.0-or-later
//! lab/COVERAGE.md: which program takes which walk over which kind of pages, from the lines at the end of each test (walk::tally).

use super::scope::matches;
use crate::sys;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What every topology is expected to take, as far as it means anything there.
const GENERAL: [&str; 6] = ["migrate", "compact", "idle", "split", "reclaim", "ksm"];

/// All kinds of pages, in the order of the document, and what they are.
const KINDS: [(&str, &str); 17] = [
    ("anon", "private anonymous memory, base pages"),
    ("thp_pmd", "a huge page of it, mapped by a PMD"),
    ("thp_pte", "a huge page of it, mapped by PTEs"),
    ("mthp", "a smaller large folio of it"),
    ("ksm", "merged by KSM"),
    ("shmem", "memfd, MAP_SHARED"),
    ("shmem_private", "memfd, MAP_PRIVATE, not written"),
    (
        "shmem_copied",
        "memfd, MAP_PRIVATE, written: an anonymous page in a VMA of a file",
    ),
    ("shmem_thp", "memfd, a large folio"),
    ("file", "file on a disk, MAP_SHARED"),
    ("file_private", "file on a disk, MAP_PRIVATE, not written"),
    ("file_copied", "file on a disk, MAP_PRIVATE, written"),
    ("file_thp", "file on a disk, a large folio"),
    ("hugetlb", "hugetlb, MAP_SHARED"),
    (
        "hugetlb_tables",
        "hugetlb, in page tables that processes share",
    ),
    ("hugetlb_private", "hugetlb, MAP_PRIVATE, not written"),
    ("hugetlb_copied", "hugetlb, MAP_PRIVATE, written"),
];

type Names = BTreeSet<String>;

/// What the tests of a program have done.
#[derive(Default, Debug)]
struct Program {
    tests: usize,
    /// kinds of pages that walks have met
    there: Names,
    /// how many tests took a walk over a kind
    walked: BTreeMap<(String, String), usize>,
    /// why a walk was not possible
    left_out: BTreeMap<String, String>,
}

/// A run's log, by program in the order of the run.
#[derive(Default, Debug)]
pub struct Table {
    programs: Vec<(String, Program)>,
    kernel: String,
}

impl Table {
    fn program(&mut self, test: &str) -> &mut Program {
        let name = test.split('.').next().unwrap_or_default();
        let at = self.programs.iter().position(|p| p.0 == name);
        let at = at.unwrap_or_else(|| {
            self.programs.push((name.into(), Program::default()));
            self.programs.len() - 1
        });
        &mut self.programs[at].1
    }
}

/// Reads flat TAP.
///
/// # Errors
/// A kind of pages that is not among [`KINDS`].
pub fn read(tap: &str) -> Result<Table> {
    let mut table = Table::default();
    let mut notes: Vec<&str> = Vec::new();
    for line in tap.lines() {
        if let Some(note) = line.strip_prefix("# ") {
            if let Some(kernel) = note.strip_prefix("kernel: ") {
                table.kernel = kernel.into();
            }
            notes.push(note);
            continue;
        }
        let result = line.strip_prefix("ok ").or(line.strip_prefix("not ok "));
        let Some(test) = result.and_then(|rest| rest.split(' ').nth(1)) else {
            continue;
        };
        let program = table.program(test);
        program.tests += 1;
        for note in notes.drain(..) {
            take(program, note);
        }
        let known = |kind: &&String| KINDS.iter().all(|k| k.0 != **kind);
        if let Some(kind) = program.there.iter().find(known) {
            bail!("{test}: a kind of pages that is not in the document: {kind}");
        }
    }
    Ok(table)
}

fn take(program: &mut Program, note: &str) {
    if let Some(kinds) = note.strip_prefix("pages: ") {
        program.there.extend(kinds.split(',').map(String::from));
    } else if let Some(walks) = note.strip_prefix("walked: ") {
        for (walk, kinds) in walks.split("; ").filter_map(|w| w.split_once(' ')) {
            for kind in kinds.split(',') {
                program.there.insert(kind.into());
                let key = (walk.to_string(), kind.to_string());
                *program.walked.entry(key).or_default() += 1;
            }
        }
    } else if let Some((walk, why)) = note
        .strip_prefix("not walked: ")
        .and_then(|n| n.split_once(": "))
    {
        // What was seen differs from test to test.
        let why = if why.starts_with("not now") {
            "not now"
        } else {
            why
        };
        program.left_out.entry(walk.into()).or_insert(why.into());
    }
}

/// What means nothing, from lab/coverage/walks: patterns of program, walk and kind, and why.
pub struct Meaningless(Vec<[String; 4]>);

fn parse(text: &str) -> Result<Meaningless> {
    let mut all = Vec::new();
    for line in text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let parsed = line.split_once(": ").and_then(|(what, why)| {
            let mut words = what.split_whitespace();
            let (program, walk) = (words.next()?, words.next()?);
            let kinds: Vec<&str> = words.collect();
            (!kinds.is_empty() && !why.trim().is_empty()).then_some((program, walk, kinds, why))
        });
        let (program, walk, kinds, why) =
            parsed.with_context(|| format!("no \"PROGRAM WALK KINDS: REASON\": {line}"))?;
        all.extend(
            kinds
                .iter()
                .map(|kind| [program, walk, kind, why.trim()].map(String::from)),
        );
    }
    Ok(Meaningless(all))
}

impl Meaningless {
    /// The file in the lab.
    pub fn read() -> Result<Meaningless> {
        let path = sys::root()?.join("lab/coverage/walks");
        parse(&sys::read_text(&path)?).with_context(|| path.display().to_string())
    }

    /// Why a walk over a kind means nothing, in a program or (with no name) anywhere.
    fn why(&self, program: &str, walk: &str, kind: &str) -> Option<&str> {
        let fits = |[p, w, k, _]: &&[String; 4]| {
            (p == "*" || !program.is_empty() && matches(p, program))
                && matches(w, walk)
                && matches(k, kind)
        };
        self.0.iter().find(fits).map(|[.., why]| &**why)
    }
}

/// Reasons in the order in which they come up, each with a letter.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn letter(&mut self, why: String) -> String {
        let at = self.0.iter().position(|w| *w == why).unwrap_or_else(|| {
            self.0.push(why);
            self.0.len() - 1
        });
        format!("({})", at + 1)
    }
}

/// What is not covered and why that is so is not known.
pub const HOLE: &str = "?";

/// Why a program does not take a walk over a kind of pages that it has.
fn why(
    program: (&str, &Program),
    walk: &str,
    kind: &str,
    not: &Meaningless,
    notes: &mut Notes,
) -> String {
    if let Some(why) = not.why(program.0, walk, kind) {
        return notes.letter(why.into());
    }
    match program.1.left_out.get(walk) {
        Some(why) => notes.letter(format!("skipped here: {why}")),
        None => HOLE.into(),
    }
}

fn cell(program: (&str, &Program), walk: &str, not: &Meaningless, notes: &mut Notes) -> String {
    let mut covered = 0;
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (kind, _) in KINDS.iter().filter(|k| program.1.there.contains(k.0)) {
        if program
            .1
            .walked
            .contains_key(&(walk.into(), (*kind).into()))
        {
            covered += 1;
        } else {
            let why = why(program, walk, kind, not, notes);
            missing.entry(why).or_default().push(kind);
        }
    }
    let words: Vec<String> = missing
        .iter()
        .map(|(why, kinds)| format!("{} {why}", kinds.join(", ")))
        .collect();
    match (covered, missing.len()) {
        (_, 0) => "all".into(),
        (0, 1) => format!("none {}", missing.keys().next().map_or("", |w| w)),
        (0, _) => format!("none: {}", words.join("; ")),
        _ => format!("all but {}", words.join("; ")),
    }
}

/// The document, and how many holes are in it.
pub fn markdown(table: &Table, not: &Meaningless) -> (String, usize) {
    let mut notes = Notes::default();
    let mut out = format!(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n\
         # Walks that the tests take\n\n\
         Written by `cargo xtask coverage` from the log of one run (`run_tests.sh -d --format flat`) on {}.\n\
         A walk counts for a kind of pages when it did to such a page, not the control's, what it is for: moved it,\n\
         split it, merged it, took it to swap, looked who has accessed it. The numbers in brackets are the reasons at the end; `?` is a hole\n\
         without a reason.\n\n## Kinds of pages, and how many tests take each walk over them\n\n",
        table.kernel
    );
    let mut walks: Vec<String> = GENERAL.map(String::from).to_vec();
    let taken: Names = table
        .programs
        .iter()
        .flat_map(|p| p.1.walked.keys().map(|k| k.0.clone()))
        .collect();
    walks.extend(taken.into_iter().filter(|w| !GENERAL.contains(&&**w)));
    let _ = writeln!(out, "| pages | | {} |", walks.join(" | "));
    let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(walks.len()));
    for (kind, about) in KINDS {
        let mut cells = Vec::new();
        for walk in &walks {
            let key = (walk.clone(), kind.to_string());
            let count = table.programs.iter().filter_map(|p| p.1.walked.get(&key));
            cells.push(match count.sum::<usize>() {
                0 => match not.why("", walk, kind) {
                    Some(why) => notes.letter(why.into()),
                    None => {
                        let left = table.programs.iter().find_map(|p| p.1.left_out.get(walk));
                        left.map_or(HOLE.into(), |why| {
                            notes.letter(format!("skipped here: {why}"))
                        })
                    }
                },
                n => n.to_string(),
            });
        }
        let _ = writeln!(out, "| {kind} | {about} | {} |", cells.join(" | "));
    }
    out.push_str("\n## Programs, the kinds of pages that their topologies have, and the walks taken over them\n\n");
    let _ = writeln!(
        out,
        "| program | tests | pages | {} | others |",
        GENERAL.join(" | ")
    );
    let _ = writeln!(
        out,
        "| --- | --- | --- |{} --- |",
        " --- |".repeat(GENERAL.len())
    );
    for (name, program) in &table.programs {
        let there: Vec<&str> = KINDS
            .map(|k| k.0)
            .into_iter()
            .filter(|k| program.there.contains(*k))
            .collect();
        let cells: Vec<String> = if there.is_empty() {
            let none = not
                .why(name, "none", "none")
                .map(|why| notes.letter(why.into()));
            vec![none.unwrap_or(HOLE.into()); GENERAL.len()]
        } else {
            GENERAL
                .iter()
                .map(|walk| cell((name, program), walk, not, &mut notes))
                .collect()
        };
        let others: Names = program
            .walked
            .keys()
            .map(|k| k.0.clone())
            .filter(|w| !GENERAL.contains(&&**w))
            .collect();
        let _ = writeln!(
            out,
            "| `{name}` | {} | {} | {} | {} |",
            program.tests,
            there.join(", "),
            cells.join(" | "),
            others.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
    out.push_str("\n## Reasons\n\n");
    for (at, why) in notes.0.iter().enumerate() {
        let _ = writeln!(out, "{}. {why}", at + 1);
    }
    let cells = out.lines().filter(|l| l.starts_with('|'));
    let holes = cells
        .map(|l| l.matches(" ? ").count() + l.matches(" ?;").count())
        .sum();
    (out, holes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAP: &str = "\
TAP version 13
# kernel: Linux 6.12
1..3
# start a.one
# pages: anon,hugetlb
# walked: migrate anon,hugetlb; reclaim anon
# not walked: idle: needs CONFIG_IDLE_PAGE_TRACKING
# not walked: compact: not now: no page moved
ok 1 a.one
# pages: anon
# walked: poison anon; migrate anon
not ok 2 a.two
ok 3 b.three # SKIP needs KSM
";

    #[test]
    fn a_log_becomes_a_table() {
        assert!(read(&TAP.replace("hugetlb", "odd")).is_err());
        let table = read(TAP).unwrap();
        let not = parse("# x\n* reclaim hugetlb*: not swapped\nb none none: no walk\n").unwrap();
        let (text, holes) = markdown(&table, &not);
        for line in [
            "on Linux 6.12.",
            "| anon | private anonymous memory, base pages | 2 | (1) | (2) | ? | 1 | ? | 1 |",
            "| hugetlb | hugetlb, MAP_SHARED | 1 | (1) | (2) | ? | (3) | ? | ? |",
            "| `a` | 2 | anon, hugetlb | all | none (1) | none (2) | none ? | all but hugetlb (3) | none ? | poison |",
            "| `b` | 1 |  | (4) | (4) |",
            "1. skipped here: not now\n2. skipped here: needs CONFIG_IDLE_PAGE_TRACKING\n3. not swapped\n4. no walk\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(holes > 4, "{holes}");
    }

    #[test]
    fn what_means_nothing() {
        for bad in ["a: b", "a b: c", "a b c:", "a b c"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let not = Meaningless::read().unwrap();
        assert!(not.why("", "reclaim", "hugetlb_copied").is_some());
        assert!(not.why("", "migrate", "anon").is_none());
    }
}
