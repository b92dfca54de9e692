// SPDX-License-Identifier: GPL-2.0-or-later
//! Result lines, and what they and the lines before them say.

use crate::model::{Outcome, Program, Round};

/// What a note that tells of a failure begins with.
const FAILED: [&str; 1] = ["failed: "];
/// What a note begins with that says why nothing was judged.
const ERROR: [&str; 1] = ["error: "];
/// What a note begins with that the supervisor makes a failure of.
const WRONG: [&str; 3] = ["kernel log: ", "leftover: ", "the kernel is tainted"];

/// What the kselftest runner calls a program of ours, before its name.
const OURS: &str = "selftests: rmap: ";
/// The same in the first round of two.
const OURS_EARLY: &str = "selftests: rmap/quick: ";

/// What is before the name of a program of that round.
pub fn ours(round: Round) -> &'static str {
    match round {
        Round::Quick => OURS_EARLY,
        Round::Rest => OURS,
    }
}

/// The name of a program of ours and its round; none of another collection.
pub fn of_ours(name: &str) -> Option<(&str, Round)> {
    let of = |round| Some((name.strip_prefix(ours(round))?, round));
    of(Round::Rest).or_else(|| of(Round::Quick))
}

/// Is it a name that a program or a test of ours can have?
pub fn good(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
    !name.is_empty() && name.bytes().all(good)
}

/// How a test ended, and why; only a pass has no reason.
pub fn judge(result: &ResultLine, lines: &[String]) -> (Outcome, String) {
    let (outcome, mut reason) = said(result, lines);
    if reason.is_empty() && outcome != Outcome::Pass {
        reason = "no reason given".to_owned();
    }
    (outcome, reason)
}

/// The same, where the reason may be empty.
fn said(result: &ResultLine, lines: &[String]) -> (Outcome, String) {
    let first = |marks: &[&str]| {
        let of = |l: &&String| marks.iter().any(|m| l.starts_with(m));
        lines.iter().find(of).cloned()
    };
    if let Some(reason) = result.directive.strip_prefix("SKIP")
        && result.ok
    {
        return (Outcome::Skip, reason.trim().to_owned());
    }
    if result.ok {
        return (Outcome::Pass, String::new());
    }
    let failed = first(&FAILED);
    if result.directive.starts_with("TIMEOUT") {
        let killed = first(&["killed "]);
        let why = failed.or(killed).unwrap_or_else(|| "timeout".into());
        return (Outcome::Timeout, why);
    }
    if let Some(why) = failed {
        return (Outcome::Fail, why["failed: ".len()..].to_owned());
    }
    if let Some(why) = first(&ERROR) {
        return (Outcome::Error, why["error: ".len()..].to_owned());
    }
    if let Some(why) = first(&WRONG) {
        return (Outcome::Fail, why);
    }
    let why = lines
        .iter()
        .rev()
        .find(|l| l.contains("ended with exit status"));
    (
        Outcome::Error,
        why.cloned().unwrap_or_else(|| "not ok".into()),
    )
}

/// The number of results that a plan promises.
pub fn plan(line: &str) -> Option<usize> {
    let number = line.strip_prefix("1..")?;
    number.split(' ').next()?.parse().ok()
}

/// `[not ]ok NUMBER NAME[ # DIRECTIVE]`
pub struct ResultLine<'a> {
    /// without `not`
    pub ok: bool,
    /// from 1
    pub number: usize,
    /// of the test, or of the program
    pub name: &'a str,
    /// without `#`; empty where there is none
    pub directive: &'a str,
}

impl ResultLine<'_> {
    /// Takes a line apart; none when it is something else.
    pub fn parse(line: &str) -> Option<ResultLine<'_>> {
        let (ok, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok ")?),
        };
        let (number, rest) = rest.split_once(' ')?;
        let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
        Some(ResultLine {
            ok,
            number: number.parse().ok()?,
            name: name.trim(),
            directive: directive.trim(),
        })
    }

    /// Is it the kselftest runner's, of this program?
    pub fn is_of(&self, program: Option<&Program>) -> bool {
        let of = of_ours(self.name);
        program.is_some_and(|program| of == Some((program.name.as_str(), program.round)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON's schema wants a reason of at least one letter.
    #[test]
    fn what_did_not_pass_has_a_reason() {
        let of = |line: &str, said: &str| {
            let lines = [said.to_owned()];
            judge(&ResultLine::parse(line).unwrap(), &lines)
        };
        let none = || "no reason given".to_owned();
        assert_eq!(of("ok 1 x # SKIP", ""), (Outcome::Skip, none()));
        assert_eq!(of("ok 1 x # SKIP ", ""), (Outcome::Skip, none()));
        assert_eq!(of("not ok 1 x", "failed: "), (Outcome::Fail, none()));
        assert_eq!(of("not ok 1 x", "error: "), (Outcome::Error, none()));
        assert_eq!(of("not ok 1 x", ""), (Outcome::Error, "not ok".into()));
        assert_eq!(of("ok 1 x", ""), (Outcome::Pass, String::new()));
    }
}
