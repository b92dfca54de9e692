// SPDX-License-Identifier: GPL-2.0-or-later
//! lab/COVERAGE-KERNEL.md: functions, their lines and branches, and why lines are not run.

use super::gcov::{Count, Counts};
use super::reasons::{Kind, Reasons};
use super::scope::File;
use super::source;
use crate::sys;
use crate::tap::Run;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// A line that was not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missed {
    /// its number
    line: usize,
    /// its text, and which of the function's lines of that text it is where there are several
    key: String,
    /// why
    reason: Option<(Kind, String)>,
}

/// What was run of something.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Sum {
    lines: usize,
    run: usize,
    /// lines that nothing in user space leads to
    cannot: usize,
    branches: usize,
    taken: usize,
}

impl Sum {
    fn add(&mut self, other: &Sum) {
        self.lines += other.lines;
        self.run += other.run;
        self.cannot += other.cannot;
        self.branches += other.branches;
        self.taken += other.taken;
    }

    /// Of the lines that can be reached, how many were run, in percent.
    pub fn percent(&self) -> f64 {
        let can = self.lines - self.cannot;
        100.0 * self.run as f64 / can.max(1) as f64
    }
}

/// One function.
#[derive(Debug)]
pub struct Judged {
    name: String,
    sum: Sum,
    missed: Vec<Missed>,
}

/// One file.
#[derive(Debug)]
pub struct Judgement {
    path: String,
    sum: Sum,
    functions: Vec<Judged>,
}

/// A line's number, text and count.
type Line<'a> = (usize, &'a str, &'a Count);
/// A reason, and the lines with their functions that it is for.
type Whys<'a> = BTreeMap<(Option<Kind>, &'a str), Vec<(&'a str, &'a Missed)>>;

fn judge_function(name: &str, lines: &[Line], reasons: &Reasons) -> Judged {
    let mut judged = Judged {
        name: name.into(),
        sum: Sum::default(),
        missed: Vec::new(),
    };
    for (at, (line, text, count)) in lines.iter().enumerate() {
        let sum = &mut judged.sum;
        sum.lines += 1;
        sum.branches += count.branches.len();
        sum.taken += count.branches.iter().filter(|n| **n > 0).count();
        if count.runs > 0 {
            sum.run += 1;
            continue;
        }
        let same = |l: &[Line]| l.iter().filter(|l| l.1 == *text).count();
        let key = match same(lines) {
            1 => (*text).to_string(),
            _ => format!("{text} #{}", same(&lines[..=at])),
        };
        let reason = reasons.of(name, &key).map(|(kind, why)| (kind, why.into()));
        if matches!(reason, Some((Kind::Cannot, _))) {
            sum.cannot += 1;
        }
        judged.missed.push(Missed {
            line: *line,
            key,
            reason,
        });
    }
    judged
}

fn judge_file(
    file: &File,
    text: &str,
    counts: &BTreeMap<usize, Count>,
    reasons: &Reasons,
) -> Judgement {
    let functions = source::functions(text);
    let texts: Vec<&str> = text.lines().map(str::trim).collect();
    let mut by_name: Vec<(String, Vec<Line>)> = Vec::new();
    for (&line, count) in counts {
        let Some(text) = line.checked_sub(1).and_then(|at| texts.get(at)) else {
            continue;
        };
        // What a macro makes outside of all functions has the macro's name.
        let inside = functions.iter().find(|f| f.lines.contains(&line));
        let name = inside.map_or_else(|| source::name(text), |f| Some(&*f.name));
        let Some(name) = name.filter(|name| file.has(name)) else {
            continue;
        };
        match by_name.last_mut() {
            Some((last, lines)) if last == name => lines.push((line, text, count)),
            _ => by_name.push((name.into(), vec![(line, text, count)])),
        }
    }
    let judged = by_name
        .iter()
        .map(|(name, lines)| judge_function(name, lines, reasons));
    let functions: Vec<Judged> = judged.collect();
    let mut sum = Sum::default();
    functions.iter().for_each(|f| sum.add(&f.sum));
    Judgement {
        path: file.path.clone(),
        sum,
        functions,
    }
}

/// Judges what was counted.
pub fn judge(
    files: &[File],
    counts: &Counts,
    src: &Path,
    reasons: &Reasons,
) -> Result<Vec<Judgement>> {
    let none = BTreeMap::new();
    let judge = |file: &File| {
        let text = sys::read_text(&src.join(&file.path))?;
        Ok(judge_file(
            file,
            &text,
            counts.get(&file.path).unwrap_or(&none),
            reasons,
        ))
    };
    files.iter().map(judge).collect()
}

/// The sums of each file, a line each, for the terminal.
pub fn summary(all: &[Judgement]) -> String {
    let mut out = String::new();
    for file in all {
        let sum = &file.sum;
        let _ = writeln!(
            out,
            "{:24} {:5} of {:5} lines ({} cannot be reached): {:.1} %",
            file.path,
            sum.run,
            sum.lines,
            sum.cannot,
            sum.percent()
        );
    }
    out
}

/// Text between backticks, with what would end a table's cell or the backticks put otherwise.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

fn missed(out: &mut String, file: &Judgement) {
    let mut whys = Whys::new();
    for function in &file.functions {
        for line in &function.missed {
            let why = match &line.reason {
                Some((kind, why)) => (Some(*kind), &**why),
                None => (None, "?"),
            };
            whys.entry(why).or_default().push((&function.name, line));
        }
    }
    for ((kind, why), lines) in whys {
        let kind = match kind {
            None => "Not known why",
            Some(Kind::Left) => "Left",
            Some(Kind::Cannot) => "Cannot be reached",
        };
        let _ = writeln!(out, "\n{kind}: {why}\n");
        for of_one in lines.chunk_by(|a, b| a.0 == b.0) {
            let texts: Vec<String> = of_one
                .iter()
                .map(|(_, l)| format!("{} {}", l.line, code(&l.key)))
                .collect();
            let _ = writeln!(out, "- {}: {}", of_one[0].0, texts.join("; "));
        }
    }
}

/// The document.
pub fn markdown(all: &[Judgement], version: &str, run: &Run, unused: &[String]) -> String {
    let (passed, failed, skipped) = (run.passed.len(), run.failed.len(), run.skipped.len());
    let mut out = format!(
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n\
         # Lines of the kernel that the suite runs\n\n\
         Written by `cargo xtask coverage`: Linux {version} built with CONFIG_GCOV_KERNEL, the whole suite\n\
         (`run_tests.sh -d`: {passed} tests passed, {failed} failed, {skipped} skipped) in QEMU; what ran before it is not counted. The\n\
         functions are those of `lab/coverage/functions`; why a line is not run is said in `lab/coverage/reasons`. Percent are of the\n\
         lines that can be reached. A branch is a way out of a line as the compiler has it, in each inlined copy.\n\n\
         | file | functions | lines | run | cannot be reached | % | branches | taken |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for file in all {
        let sum = &file.sum;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {:.1} | {} | {} |",
            file.path,
            file.functions.len(),
            sum.lines,
            sum.run,
            sum.cannot,
            sum.percent(),
            sum.branches,
            sum.taken
        );
    }
    for file in all {
        let _ = writeln!(out, "\n## {}\n", file.path);
        let whole = file.functions.iter().filter(|f| f.missed.is_empty());
        let whole: Vec<String> = whole
            .map(|f| {
                format!(
                    "{} ({}, {}/{})",
                    f.name, f.sum.lines, f.sum.taken, f.sum.branches
                )
            })
            .collect();
        if !whole.is_empty() {
            let _ = writeln!(
                out,
                "All lines run (their number, branches taken): {}.\n",
                whole.join(", ")
            );
        }
        if whole.len() == file.functions.len() {
            continue;
        }
        out.push_str("| function | lines | run | cannot be reached | branches | taken |\n");
        out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for f in file.functions.iter().filter(|f| !f.missed.is_empty()) {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} |",
                f.name, f.sum.lines, f.sum.run, f.sum.cannot, f.sum.branches, f.sum.taken
            );
        }
        missed(&mut out, file);
    }
    if !unused.is_empty() {
        out.push_str("\n## Reasons that no line needed\n\n");
        for line in unused {
            let _ = writeln!(out, "- {}", code(line));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_run_need_a_reason() {
        let files = super::super::scope::parse("a.c f\n").unwrap();
        let reasons =
            super::super::reasons::parse("[cannot] no memory\nf: return 2; #2\n").unwrap();
        let text = "int f(int a)\n{\n\tif (a)\n\t\treturn 2;\n\treturn 2;\n}\nint g(void)\n{\n\treturn 3;\n}\n";
        let count = |runs, branches: &[u64]| Count {
            runs,
            branches: branches.to_vec(),
        };
        let counts = [
            (1, count(1, &[])),
            (3, count(1, &[1, 0])),
            (4, count(0, &[])),
            (5, count(0, &[])),
            (9, count(0, &[])),
        ];
        let judged = judge_file(&files[0], text, &counts.into(), &reasons);
        let sum = Sum {
            lines: 4,
            run: 2,
            cannot: 1,
            branches: 2,
            taken: 1,
        };
        assert_eq!(judged.sum, sum);
        let out = markdown(&[judged], "6.12", &Run::default(), &reasons.unused());
        assert!(
            out.contains("| a.c | 1 | 4 | 2 | 1 | 66.7 | 2 | 1 |"),
            "{out}"
        );
        assert!(
            out.contains("Not known why: ?\n\n- f: 4 `return 2; #1`"),
            "{out}"
        );
        assert!(
            out.contains("Cannot be reached: no memory\n\n- f: 5 `return 2; #2`"),
            "{out}"
        );
        assert!(!out.contains("return 3"));
    }
}
