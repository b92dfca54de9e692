// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines as they come from a serial console: the kernel's messages are among them, and in the
//! middle of them; and so is whatever else a line can pick up.

use std::borrow::Cow;

/// Where a message of the kernel begins in a line: at its time stamp, `[    1.234567] `.
fn stamp(line: &str) -> Option<usize> {
    line.match_indices('[').map(|(at, _)| at).find(|at| {
        let rest = line[at + 1..].trim_start_matches(' ');
        let Some((time, _)) = rest.split_once(']') else {
            return false;
        };
        let Some((seconds, micros)) = time.split_once('.') else {
            return false;
        };
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        digits(seconds) && digits(micros) && micros.len() == 6
    })
}

/// What reports can say of a line: XML has no other characters, not even escaped. Control characters
/// that it does have are replaced as well: what writes JUnit drops them and what looks like a
/// terminal's commands without a word, and the JSON would say something else.
pub fn printable(line: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    if !line.contains(bad) {
        return Cow::Borrowed(line);
    }
    let one = |c| match c {
        '\t' => ' ',
        c if bad(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(line.chars().map(one).collect())
}

/// A line in two parts, which a message of the kernel has torn.
#[derive(Default)]
pub struct Mender {
    head: Option<String>,
}

impl Mender {
    /// Takes a line of the console; gives the lines to read. `whole` says whether a text is just what
    /// is expected next: the halves of a result are joined only then. `own` says whether one would mean
    /// something by itself: it is no rest of a diagnostic then, of which anything else may be the rest.
    ///
    /// Not to be told apart, and so taken as two lines: a diagnostic and a rest of it that reads as a
    /// line of its own, such as `# # start x` torn out of `# output: # # start x`, or in the flat form
    /// any rest with a `#` at its beginning. Not seen at all: messages without a time stamp
    /// (printk.time=0), and bytes that a console has dropped.
    pub fn line(
        &mut self,
        raw: &str,
        own: impl Fn(&str) -> bool,
        whole: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let line = raw.trim_end_matches(['\r', '\n']);
        let torn = match stamp(line) {
            Some(0) => return Vec::new(),
            // Torn within its end, which is two characters.
            Some(at) => Some(line[..at].trim_end_matches('\r')),
            _ => None,
        };
        if let Some(text) = torn {
            self.head.get_or_insert_default().push_str(text);
            return Vec::new();
        }
        let fits = |head: &str, line: &str| match head.starts_with('#') {
            true => !own(line),
            false => whole(&format!("{head}{line}")),
        };
        // Torn just before its end, what is left of it is an empty line.
        match self.head.take() {
            None => vec![line.to_owned()],
            Some(head) if fits(&head, line) => vec![head + line],
            Some(head) => vec![head, line.to_owned()],
        }
    }

    /// What is left when nothing more comes.
    pub fn end(&mut self) -> Option<String> {
        self.head.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend(lines: &[&str]) -> Vec<String> {
        let mut mender = Mender::default();
        let whole = |t: &str| t == "ok 1 a.one" || t.starts_with("ok 2 a.two # SKIP ");
        let own = |t: &str| t.starts_with('#') || whole(t);
        let of = |l: &&str| mender.line(l, own, whole);
        let mut all: Vec<String> = lines.iter().flat_map(of).collect();
        all.extend(mender.end());
        all
    }

    #[test]
    fn messages_of_the_kernel_are_taken_out() {
        assert_eq!(
            mend(&[
                "[    0.000000] Linux version 6.12",
                "# start one\r",
                "ok 1 a.o[   12.345678] zram0: detected capacity change",
                "[   12.345679] Adding swap",
                "ne\r",
                "[  100.000001][    T1] x",
                "ok 2 a.two[  100.000001] a message",
                " # SKIP[  100.000002] another",
                " no",
            ]),
            ["# start one", "ok 1 a.one", "ok 2 a.two # SKIP no"]
        );
    }

    #[test]
    fn what_does_not_fit_is_not_joined() {
        assert_eq!(
            mend(&["ok 1 a.o[   12.345678] x", "ok 2 a.two # SKIP no"]),
            ["ok 1 a.o", "ok 2 a.two # SKIP no"]
        );
        assert_eq!(
            mend(&["# output: [   12.345678] quoted", "# start x"]),
            ["# output: ", "# start x"]
        );
        assert_eq!(
            mend(&["# fai[   12.345678] x", "led: pfn"]),
            ["# failed: pfn"]
        );
        assert_eq!(mend(&["ok 1 a.o[   12.345678] x"]), ["ok 1 a.o"]);
        assert_eq!(mend(&["ok 1 a.one\r[   12.345678] x", ""]), ["ok 1 a.one"]);
    }
}
