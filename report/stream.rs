// SPDX-License-Identifier: GPL-2.0-or-later
//! Reads what run_tests.sh prints (flat, or in the kselftest form), what a single program prints, and
//! logs of either from a serial console.

use crate::console::{Mender, printable};
use crate::model::{Case, Outcome, Round, Run};
use crate::result::{ResultLine, good, judge, of_ours, plan};

/// What a line meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// a program begins
    Program,
    /// a diagnostic, without its mark
    Note(String),
    /// a test of the last program begins
    Start(String),
    /// the last program's last case has a result
    Result,
    /// the last program ended with this status
    End(i32),
    /// the stream ends before its plan is fulfilled
    BailOut,
}

/// How names are to be understood.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// not known yet; one program alone if it stays so
    Bare,
    /// run_tests.sh --format flat: results are called PROGRAM.TEST
    Flat,
    /// the kselftest runner: a program's own lines are behind "# "
    Nested,
}

/// Reads line by line.
pub struct Reader {
    /// what was read so far
    pub run: Run,
    form: Form,
    /// none: the stream comes as it was written
    mender: Option<Mender>,
    /// lines since the last result
    lines: Vec<String>,
    /// results so far, of all or of the program
    counted: usize,
    /// did the program start a test?
    started: bool,
    /// of the program that begins next
    round: Round,
    /// in the kselftest form: is it a program of another collection?
    foreign: bool,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            run: Run::default(),
            form: Form::Bare,
            mender: Some(Mender::default()),
            lines: Vec::new(),
            counted: 0,
            started: false,
            round: Round::default(),
            foreign: false,
        }
    }
}

impl Reader {
    /// Of a stream that comes as it was written, not by a console.
    pub fn direct() -> Reader {
        Reader {
            mender: None,
            ..Reader::default()
        }
    }

    /// Takes a line of the stream.
    pub fn line(&mut self, raw: &str) -> Vec<Event> {
        let Some(mender) = &mut self.mender else {
            return self.take(raw).into_iter().collect();
        };
        let next = Next {
            run: &self.run,
            form: self.form,
            number: self.counted + 1,
        };
        let lines = mender.line(raw, |l| next.own(l), |l| next.whole(l));
        lines.iter().filter_map(|line| self.take(line)).collect()
    }

    /// The end of the stream: what has no result by now gets an error. The number of those.
    pub fn end(&mut self) -> usize {
        if let Some(line) = self.mender.as_mut().and_then(Mender::end) {
            self.take(&line);
        }
        let why = match &self.run.bailed_out {
            Some(why) => why.clone(),
            None => "not in the log, or the log ends".to_owned(),
        };
        self.flush();
        self.run.complete(&why)
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        let line: &str = &printable(line);
        if line.starts_with("# selftests: ") {
            if self.form != Form::Nested {
                self.form = Form::Nested;
                // It was a number of programs.
                self.run.plan = None;
            }
            let program = of_ours(&line[2..]).filter(|(name, _)| good(name));
            self.foreign = program.is_none();
            let (name, round) = program?;
            self.round = round;
            return self.begin(name);
        }
        // A log of KernelCI's has many collections, and the names of their tests may be ours.
        if self.foreign {
            return None;
        }
        if self.form == Form::Nested {
            return match line.strip_prefix("# ") {
                Some(inner) => self.inner(inner),
                None => self.outer(line),
            };
        }
        if let Some(name) = line.strip_prefix("# program ") {
            self.form = Form::Flat;
            return self.begin(name);
        }
        if let Some(plan) = plan(line) {
            self.run.plan = Some(plan);
            return None;
        }
        self.inner(line)
    }

    /// A line between programs in the kselftest form.
    fn outer(&mut self, line: &str) -> Option<Event> {
        if line.starts_with("Bail out!") {
            return self.inner(line);
        }
        let result = ResultLine::parse(line)?;
        if !result.is_of(self.run.programs.last()) {
            return None;
        }
        let status = match result.directive.split_once("exit=") {
            Some((_, status)) => status.trim().parse().ok()?,
            None if result.directive.starts_with("TIMEOUT") => 124,
            None if result.directive.starts_with("SKIP") => 4,
            None => i32::from(!result.ok),
        };
        self.finish(status)
    }

    /// A line of a program.
    fn inner(&mut self, line: &str) -> Option<Event> {
        if let Some(why) = line.strip_prefix("Bail out!") {
            self.run.bailed_out = Some(why.trim().to_owned());
            return Some(Event::BailOut);
        }
        if let Some(result) = ResultLine::parse(line) {
            // Half a line of a console may look like one.
            return match expected(&self.run, self.form, result.name) {
                true => self.result(&result),
                false => None,
            };
        }
        if self.form == Form::Nested
            && let Some(plan) = plan(line)
        {
            let program = self.run.programs.last_mut()?;
            program.plan = Some(program.earlier + plan);
            return None;
        }
        let note = match line.strip_prefix('#') {
            Some(note) => note.strip_prefix(' ').unwrap_or(note),
            // Whatever else is in a console's log.
            None => return None,
        };
        self.note(note)
    }

    fn note(&mut self, note: &str) -> Option<Event> {
        if note.starts_with("Totals:") {
            return None;
        }
        let round = match note {
            "round quick" => Some(Round::Quick),
            "round rest" => Some(Round::Rest),
            _ => None,
        };
        if let Some(round) = round {
            self.round = round;
            return None;
        }
        if let Some((program, tests)) = note
            .strip_prefix("tests of ")
            .and_then(|n| n.split_once(": "))
        {
            let tests = tests.split(' ').map(String::from).collect();
            self.run.planned.push((program.to_owned(), tests));
            return None;
        }
        if let Some((name, status)) = note
            .strip_prefix("exit status of ")
            .and_then(|n| n.split_once(": "))
            && self.run.programs.last().is_some_and(|p| p.name == name)
        {
            return status.parse().ok().and_then(|status| self.finish(status));
        }
        if self.run.programs.is_empty() {
            // One program alone: it begins with its name.
            let (name, _) = note.split_once(": ")?;
            let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if !name.bytes().all(good) {
                return None;
            }
            self.begin(name);
        }
        self.lines.push(note.to_owned());
        let fresh = !self
            .lines
            .iter()
            .rev()
            .skip(1)
            .any(|l| l.starts_with("start "));
        match note.strip_prefix("start ") {
            Some(test) if fresh => {
                if !self.started {
                    // What came before the first test is the program's.
                    self.started = true;
                    let header: Vec<String> = self.lines.drain(..self.lines.len() - 1).collect();
                    let program = self.run.programs.last_mut()?;
                    // The second round says what the first has said.
                    if program.earlier == 0 {
                        program.header = header;
                    }
                }
                Some(Event::Start(test.to_owned()))
            }
            _ => Some(Event::Note(note.to_owned())),
        }
    }

    fn begin(&mut self, name: &str) -> Option<Event> {
        self.flush();
        self.run.begin(name, self.round);
        self.started = false;
        if self.form == Form::Nested {
            self.counted = 0;
        }
        Some(Event::Program)
    }

    fn finish(&mut self, status: i32) -> Option<Event> {
        self.flush();
        self.run.programs.last_mut()?.ended(status);
        Some(Event::End(status))
    }

    /// Lines that belong to no result.
    fn flush(&mut self) {
        if let Some(program) = self.run.programs.last_mut() {
            let to = if self.started {
                &mut program.tail
            } else {
                &mut program.header
            };
            to.append(&mut self.lines);
        }
    }

    fn result(&mut self, result: &ResultLine) -> Option<Event> {
        if self.run.programs.is_empty() {
            self.begin("");
        }
        let (form, program) = (self.form, self.run.programs.last_mut()?);
        let name = short(form, &program.name, result.name);
        self.counted += 1;
        self.started = true;
        let mut lines = std::mem::take(&mut self.lines);
        let (outcome, reason) = judge(result, &lines);
        let seconds = lines.iter().rev().find_map(|l| {
            let time = l.strip_prefix("time ")?.strip_suffix(" s")?;
            time.parse().ok().filter(|s| (0.0..1e9).contains(s))
        });
        // The reporter runs beside the tests, on boards that they press for memory.
        if outcome == Outcome::Pass {
            lines.retain(|l| l.starts_with("start "));
        }
        program.cases.push(Case {
            name: name.to_owned(),
            outcome,
            reason,
            seconds,
            lines: lines.into(),
        });
        Some(Event::Result)
    }
}

/// What may come next, where lines are torn.
struct Next<'a> {
    run: &'a Run,
    form: Form,
    /// of the next result
    number: usize,
}

impl Next<'_> {
    /// Is it just the result that is expected, or a plan?
    fn whole(&self, text: &str) -> bool {
        match ResultLine::parse(text) {
            Some(result) if self.form == Form::Nested => result.is_of(self.run.programs.last()),
            Some(result) => self.result(&result),
            // The runner's plans tell nothing.
            None => self.form != Form::Nested && plan(text).is_some(),
        }
    }

    /// Would it mean something by itself?
    fn own(&self, line: &str) -> bool {
        if line.starts_with("Bail out!") || self.whole(line) {
            return true;
        }
        if self.form != Form::Nested {
            return line.starts_with('#');
        }
        // A diagnostic of a program that was torn behind the runner's mark has its own mark left, and
        // looks like a line of the program: but not like one that says anything.
        let Some(inner) = line.strip_prefix("# ") else {
            return false;
        };
        match ResultLine::parse(inner) {
            Some(result) => self.result(&result),
            None => {
                let marks = ["#", "selftests: ", "Bail out!"];
                marks.iter().any(|m| inner.starts_with(m)) || plan(inner).is_some()
            }
        }
    }

    fn result(&self, result: &ResultLine) -> bool {
        result.number == self.number && expected(self.run, self.form, result.name)
    }
}

/// The test's name without its program.
fn short<'a>(form: Form, program: &str, name: &'a str) -> &'a str {
    let rest = name.strip_prefix(program).and_then(|n| n.strip_prefix('.'));
    match (form, rest) {
        (Form::Flat, Some(rest)) => rest,
        _ => name,
    }
}

/// May a test of that name have a result now? Where the tests were not listed, any may.
fn expected(run: &Run, form: Form, name: &str) -> bool {
    if !good(name) {
        return false;
    }
    let Some(program) = run.programs.last() else {
        return run.planned.is_empty();
    };
    let name = short(form, &program.name, name);
    run.expects(&program.name, name).unwrap_or(true) && program.cases.iter().all(|c| c.name != name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Run {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.line(line);
        }
        reader.end();
        reader.run
    }

    fn outcomes(run: &Run) -> Vec<(String, &'static str, &str)> {
        let all = run.programs.iter();
        all.flat_map(|p| {
            p.cases.iter().map(|c| {
                (
                    format!("{}.{}", p.name, c.name),
                    c.outcome.word(),
                    c.reason.as_str(),
                )
            })
        })
        .collect()
    }

    const FLAT: &str = "\
TAP version 13
1..5
# tests of a: one two.x three
# tests of b: one two
# program a
# a: about it
# kernel: 6.12 x86_64, page size 4096
# start one
# time 0.250 s
ok 1 a.one
# start two.x
# failed: a.rs:3: it holds: expected 1, seen 2
# script:
#     1 P: fork
# time 1.000 s
not ok 2 a.two.x
# start three
ok 3 a.three # SKIP needs swap
# exit status of a: 1
# program b
# b: about that
# start one
# killed after 2 s without a sign of life; at that time:
not ok 4 b.one # TIMEOUT
# start two
# error: pipe: no
not ok 5 b.two
# exit status of b: 1
# Totals: pass:1 fail:3 xfail:0 xpass:0 skip:1 error:0
";

    #[test]
    fn flat() {
        let run = read(FLAT);
        assert_eq!(
            outcomes(&run),
            [
                ("a.one".into(), "pass", ""),
                (
                    "a.two.x".into(),
                    "fail",
                    "a.rs:3: it holds: expected 1, seen 2"
                ),
                ("a.three".into(), "skip", "needs swap"),
                (
                    "b.one".into(),
                    "timeout",
                    "killed after 2 s without a sign of life; at that time:"
                ),
                ("b.two".into(), "error", "pipe: no"),
            ]
        );
        let a = &run.programs[0];
        assert_eq!(a.cases[0].seconds, Some(0.25));
        assert_eq!(*a.cases[0].lines, ["start one"]);
        assert_eq!(a.said("kernel: "), Some("6.12 x86_64, page size 4096"));
        assert_eq!((a.status, run.plan, a.tail.len()), (Some(1), Some(5), 0));
    }

    #[test]
    fn kselftest() {
        let text = "TAP version 13\n1..2\n# timeout set to 120\n# selftests: rmap: a\n\
            # TAP version 13\n# 1..2\n# # a: about\n# # start one\n# ok 1 one\n# # start two\n\
            # ok 2 two # SKIP no\n# # Totals: x\nok 1 selftests: rmap: a\n# selftests: rmap: b\n# 1..2\n\
            # ok 1 one\nnot ok 2 selftests: rmap: b # exit=137\n";
        let run = read(text);
        assert_eq!(
            outcomes(&run),
            [
                ("a.one".into(), "pass", ""),
                ("a.two".into(), "skip", "no"),
                ("b.one".into(), "pass", ""),
                (
                    "b.no_result".into(),
                    "error",
                    "1 test(s) without a result: not in the log, or the log ends"
                ),
            ]
        );
        assert_eq!(run.programs[1].status, Some(137));
    }

    /// KernelCI's log: all collections, one behind the other.
    #[test]
    fn foreign_collections() {
        let run = read(
            "TAP version 13\n1..2\n# selftests: mm: hugepage-mmap\n# ok 1 foreign\n\
            # not ok 2 it's # no\n# Bail out! no pages\nnot ok 1 selftests: mm: hugepage-mmap # exit=1\n\
            # selftests: mm: a\n# not ok 1 two\nnot ok 2 selftests: mm: a\n\
            TAP version 13\n1..2\n# selftests: rmap: a\n# 1..2\n# # start one\n# ok 1 one\n\
            # ok 2 - two, it says\n# ok 2 two\nok 1 selftests: rmap: a\n\
            # selftests: rmap: run-all.sh\n# ok 1 x\nok 2 selftests: rmap: run-all.sh\n\
            TAP version 13\n1..1\n# selftests: mm/rmap: b\n# 1..3\n# # failed: x\n# not ok 1 one\n\
            # # exit status of a: 3\nnot ok 1 selftests: mm/rmap: b # exit=9\n",
        );
        assert_eq!(
            outcomes(&run),
            [("a.one".into(), "pass", ""), ("a.two".into(), "pass", "")]
        );
        assert_eq!(run.programs[0].status, Some(0));
        assert_eq!((run.programs.len(), run.bailed_out), (1, None));
        // What is said of another program is not ours either.
        let run = read("# selftests: rmap: a\n# ok 1 one\nnot ok 7 selftests: mm: b # exit=9\n");
        assert_eq!(run.programs[0].status, None);
    }

    #[test]
    fn one_program_alone() {
        let run = read(
            "TAP version 13\n1..1\n# walks: each\n# start a.b\nok 1 a.b\n# leftover: x\n# Totals: \n",
        );
        assert_eq!(outcomes(&run), [("walks.a.b".into(), "pass", "")]);
        assert_eq!(run.programs[0].tail, ["leftover: x"]);
    }

    #[test]
    fn a_machine_that_dies() {
        let cut = FLAT.find("# failed").unwrap();
        let console = format!(
            "[    0.1] x\n{}[   12.345678] Kernel panic - not syncing: y\n",
            &FLAT[..cut]
        );
        let run = read(&console);
        let lost = "no result: not in the log, or the log ends";
        assert_eq!(
            outcomes(&run),
            [
                ("a.one".into(), "pass", ""),
                (
                    "a.two.x".into(),
                    "error",
                    "no result, and it was running: not in the log, or the log ends"
                ),
                ("a.three".into(), "error", lost),
                ("b.one".into(), "error", lost),
                ("b.two".into(), "error", lost),
            ]
        );
    }

    #[test]
    fn a_torn_result() {
        let torn = FLAT.replace("ok 1 a.one", "ok 1 a.o[   12.345678] zram0: x\r\nne");
        assert_eq!(outcomes(&read(&torn)), outcomes(&read(FLAT)));
    }

    /// In the kselftest form each line of a program has a mark, and its diagnostics have two.
    #[test]
    fn torn_in_the_kselftest_form() {
        let text = "\
TAP version 13
1..2
# tests of a: one two three
# tests of b: one
# selftests: rmap: a
# TAP version 13
# 1..3
# # a: about
# # start one
# ok 1 one
# # start two
# # failed: a.rs:3: it holds
# # script:
# #     1 P: fork
# #
# # time 1.000 s
# not ok 2 two
# ok 3 three # SKIP needs swap
# # Totals: x
not ok 1 selftests: rmap: a # exit=1
# selftests: rmap: b
# 1..1
# ok 1 one
ok 2 selftests: rmap: b
";
        // As it is when no tests were listed, and when they were.
        let bare: String = text
            .split_inclusive('\n')
            .filter(|l| !l.contains("tests of"))
            .collect();
        for text in [text, &bare] {
            let whole = read(text);
            assert_eq!(whole.count(Outcome::Error), 0);
            for (n, line) in text.lines().enumerate() {
                for at in 1..=line.len() {
                    let mut log = String::new();
                    for (i, line) in text.lines().enumerate() {
                        if i == n {
                            log += &line[..at];
                            log += "[   12.345678] x\r\n[   12.345679] y\r\n";
                            log += &line[at..];
                        } else {
                            log += line;
                        }
                        log += "\r\n";
                    }
                    assert_eq!(read(&log), whole, "{line:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_interrupted() {
        let cut = FLAT.find("# failed").unwrap();
        let run = read(&format!(
            "{}Bail out! interrupted by signal 15\n",
            &FLAT[..cut]
        ));
        assert_eq!(
            run.programs[1].cases[0].reason,
            "no result: interrupted by signal 15"
        );
    }
}
