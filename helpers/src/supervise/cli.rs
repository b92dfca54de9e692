// SPDX-License-Identifier: GPL-2.0-or-later
//! Command line of a test binary.

use super::Test;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// -l: names only.
    pub list: bool,
    /// -h.
    pub help: bool,
    /// -d: destructive tests too.
    pub destructive: bool,
    /// -v: the script while it runs.
    pub verbose: bool,
    /// --seed.
    pub seed: Option<u64>,
    /// --timeout-scale; `None`: by measuring.
    pub scale: Option<f64>,
    /// -o: a directory for one log per test.
    pub logs: Option<PathBuf>,
    names: Vec<String>,
    include: Vec<String>,
    exclude: Vec<String>,
}

/// Text of -h, without its first lines.
pub const USAGE: &str = "\
  NAME                run this test (several may be named)
  -l, --list          list the names of the tests
  -t PATTERN          run the tests that match, * and ? as in the shell (repeatable)
  -x PATTERN          leave out the tests that match (repeatable)
  -d                  run destructive tests too
  -v                  show the script of each test while it runs
  --seed N            seed of random choices, decimal or 0x hex (the header shows it)
  --timeout-scale N   multiply all time limits by N, or as this machine needs it: auto (default)
  -o DIR              write a log for each test to DIR
  -h, --help          this text
Exit status: 0 passed, 1 failed or not usable, 4 all skipped.";

impl Options {
    /// Parses; `Err` is one line for stderr.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
        let mut o = Options {
            list: false,
            help: false,
            destructive: false,
            verbose: false,
            seed: None,
            scale: None,
            logs: None,
            names: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
        };
        o.read(args).map_err(|e| e.to_string().replace('\n', " "))?;
        Ok(o)
    }

    fn read(&mut self, args: impl IntoIterator<Item = OsString>) -> Result<(), lexopt::Error> {
        let mut parser = lexopt::Parser::from_iter(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Short('l') | Long("list") => self.list = true,
                Short('h') | Long("help") => self.help = true,
                Short('d') => self.destructive = true,
                Short('v') => self.verbose = true,
                Short('t') => self.include.push(parser.value()?.string()?),
                Short('x') => self.exclude.push(parser.value()?.string()?),
                Short('o') => self.logs = Some(parser.value()?.into()),
                Long("seed") => {
                    let text = parser.value()?.string()?;
                    let seed = parse_seed(&text)
                        .ok_or_else(|| format!("--seed {text}: not a decimal or 0x number"))?;
                    self.seed = Some(seed);
                }
                Long("timeout-scale") => {
                    let text = parser.value()?.string()?;
                    self.scale = match &*text {
                        "auto" => None,
                        _ => Some(parse_scale(&text).ok_or_else(|| {
                            format!("--timeout-scale {text}: neither a positive number nor auto")
                        })?),
                    };
                }
                Value(name) => self.names.push(name.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(())
    }

    /// The tests that were asked for, in the order of the file.
    pub fn select<'t>(&self, tests: &'t [Test]) -> Result<Vec<&'t Test>, String> {
        if let Some(name) = self
            .names
            .iter()
            .find(|n| tests.iter().all(|t| t.name != **n))
        {
            return Err(format!("no test is called {name} (-l lists them)"));
        }
        let all = self.names.is_empty() && self.include.is_empty();
        let chosen: Vec<&Test> = tests
            .iter()
            .filter(|t| {
                all || self.names.iter().any(|n| n == t.name)
                    || self.include.iter().any(|p| glob(p, t.name))
            })
            .filter(|t| !self.exclude.iter().any(|p| glob(p, t.name)))
            .collect();
        if chosen.is_empty() {
            return Err("no test matches (-l lists them)".to_owned());
        }
        Ok(chosen)
    }
}

fn parse_seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Up to a million: what is larger would overflow a Duration and means nothing.
fn parse_scale(text: &str) -> Option<f64> {
    text.parse().ok().filter(|s| *s > 0.0 && *s <= 1e6)
}

/// Shell-like match of the whole name: `*` any text, `?` any one character.
fn glob(pattern: &str, name: &str) -> bool {
    let (p, n) = (pattern.as_bytes(), name.as_bytes());
    let (mut i, mut j) = (0, 0);
    // Where to go on after the last star: it takes one character more each time.
    let mut star: Option<(usize, usize)> = None;
    while j < n.len() {
        if i < p.len() && p[i] == b'*' {
            star = Some((i + 1, j));
            i += 1;
        } else if i < p.len() && (p[i] == b'?' || p[i] == n[j]) {
            (i, j) = (i + 1, j + 1);
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            (i, j) = (after, from + 1);
        } else {
            return false;
        }
    }
    p[i..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(
            std::iter::once("x")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn globs() {
        for (p, n) in [
            ("*", ""),
            ("a*c", "abbc"),
            ("?b", "ab"),
            ("a*b*c", "aXbXbc"),
            ("a", "a"),
        ] {
            assert!(glob(p, n), "{p} {n}");
        }
        for (p, n) in [
            ("a", "ab"),
            ("?", ""),
            ("a*b", "abc"),
            ("", "a"),
            ("a?", "a"),
        ] {
            assert!(!glob(p, n), "{p} {n}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(parse(&["--seed", "0xff"]).unwrap().seed, Some(255));
        assert_eq!(parse(&["--seed=12"]).unwrap().seed, Some(12));
        for bad in ["", "0x", "-1", "1x", "18446744073709551616"] {
            assert!(parse(&["--seed", bad]).is_err(), "{bad}");
        }
        assert_eq!(parse(&["--timeout-scale", "0.5"]).unwrap().scale, Some(0.5));
        assert_eq!(parse(&["--timeout-scale", "auto"]).unwrap().scale, None);
        for bad in ["0", "-1", "inf", "nan", "x", "1e9"] {
            assert!(parse(&["--timeout-scale", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn selection() {
        const A: Test = Test {
            name: "a.one",
            ..Test::DEFAULT
        };
        const B: Test = Test {
            name: "b.two",
            ..Test::DEFAULT
        };
        let tests = [A, B];
        let names = |args: &[&str]| -> Result<Vec<&str>, String> {
            Ok(parse(args)?
                .select(&tests)?
                .iter()
                .map(|t| t.name)
                .collect())
        };
        assert_eq!(names(&[]).unwrap(), ["a.one", "b.two"]);
        assert_eq!(names(&["b.two", "-t", "a*"]).unwrap(), ["a.one", "b.two"]);
        assert_eq!(names(&["-x", "*o"]).unwrap(), ["a.one"]);
        assert!(names(&["-t", "c*"]).is_err());
        assert!(names(&["a.on"]).is_err());
        assert!(names(&["--no-such-option"]).is_err());
        assert!(names(&["-t"]).is_err());
    }
}
