// SPDX-License-Identifier: GPL-2.0-or-later
//! Why lines are not run: lab/coverage/reasons, by function and text, so that it outlives a version.

use super::scope::matches;
use crate::sys;
use anyhow::{Context, Result, bail};
use std::cell::Cell;

/// Could the suite run the line?
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// nothing in user space leads there, or not on this machine
    Cannot,
    /// it could
    Left,
}

/// A reason.
#[derive(Clone, Debug)]
pub struct Reason {
    /// could it?
    pub kind: Kind,
    /// in words
    pub text: String,
    /// what it is for: a function's pattern, and a line's text or `*`
    lines: Vec<(String, String, Cell<bool>)>,
}

/// All reasons.
pub struct Reasons(Vec<Reason>);

pub fn parse(text: &str) -> Result<Reasons> {
    let mut reasons: Vec<Reason> = Vec::new();
    for line in text.lines().map(str::trim) {
        let begin = |word: &str| line.strip_prefix(word).map(str::trim);
        let kind = [("[cannot]", Kind::Cannot), ("[left]", Kind::Left)];
        let kind = kind
            .into_iter()
            .find_map(|(w, kind)| Some((kind, begin(w)?)));
        if line.is_empty() || line.starts_with("##") {
            continue;
        }
        if let Some((kind, text)) = kind {
            if text.is_empty() {
                bail!("no words: {line}");
            }
            reasons.push(Reason {
                kind,
                text: text.into(),
                lines: Vec::new(),
            });
            continue;
        }
        let (function, text) = line
            .split_once(": ")
            .with_context(|| format!("no \"FUNCTION: TEXT\": {line}"))?;
        let reason = reasons
            .last_mut()
            .with_context(|| format!("of no reason: {line}"))?;
        let key = (
            function.to_string(),
            text.trim().to_string(),
            Cell::new(false),
        );
        reason.lines.push(key);
    }
    Ok(Reasons(reasons))
}

impl Reasons {
    /// The file in the lab.
    pub fn read() -> Result<Reasons> {
        let path = sys::root()?.join("lab/coverage/reasons");
        parse(&sys::read_text(&path)?).with_context(|| path.display().to_string())
    }

    /// The reason for a line, by its function and its key. A reason for the very line goes before one for the whole function.
    pub fn of(&self, function: &str, key: &str) -> Option<(Kind, &str)> {
        for whole in [false, true] {
            for reason in &self.0 {
                for (pattern, text, used) in &reason.lines {
                    let fits = if whole { text == "*" } else { text == key };
                    if fits && matches(pattern, function) {
                        used.set(true);
                        return Some((reason.kind, &reason.text));
                    }
                }
            }
        }
        None
    }

    /// Lines of the file that no line of the kernel needed.
    pub fn unused(&self) -> Vec<String> {
        let all = self.0.iter().flat_map(|reason| &reason.lines);
        all.filter(|(_, _, used)| !used.get())
            .map(|(function, text, _)| format!("{function}: {text}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_by_function_and_text() {
        let reasons = parse(
            "## a comment\n[cannot] no memory\nfork*: goto out;\nanon: *\n\n[left] not yet\nanon: x++;\nold: y;\n",
        )
        .unwrap();
        assert_eq!(
            reasons.of("fork_x", "goto out;"),
            Some((Kind::Cannot, "no memory"))
        );
        assert_eq!(reasons.of("anon", "x++;"), Some((Kind::Left, "not yet")));
        assert_eq!(
            reasons.of("anon", "z++;"),
            Some((Kind::Cannot, "no memory"))
        );
        assert_eq!(reasons.of("fork_x", "z++;"), None);
        assert_eq!(reasons.unused(), ["old: y;"]);
        for bad in ["a: b;\n", "[cannot]\n", "[left] x\nnothing\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        Reasons::read().unwrap();
    }
}
