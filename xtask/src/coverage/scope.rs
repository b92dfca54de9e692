// SPDX-License-Identifier: GPL-2.0-or-later
//! Which files and functions of the kernel are judged: lab/coverage/functions.

use crate::sys;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// A source file and the functions in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// its path in the kernel's source
    pub path: String,
    /// names, with * for any text
    functions: Vec<String>,
}

impl File {
    /// Is the function of that name judged?
    pub fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|p| matches(p, function))
    }
}

/// Does the name fit the pattern, with * for any text?
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name.strip_prefix(begin).is_some_and(|name| {
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .any(|at| matches(rest, &name[at..]))
        }),
    }
}

pub fn parse(text: &str) -> Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if !line.starts_with(' ')
            && let Some(path) = words.next()
        {
            if files.iter().any(|file| file.path == path) {
                bail!("twice: {path}");
            }
            files.push(File {
                path: path.into(),
                functions: Vec::new(),
            });
        }
        let mut words = words.peekable();
        if words.peek().is_some() {
            let file = files
                .last_mut()
                .with_context(|| format!("of no file: {line}"))?;
            file.functions.extend(words.map(String::from));
        }
    }
    match files.iter().find(|file| file.functions.is_empty()) {
        Some(file) => bail!("no functions: {}", file.path),
        None => Ok(files),
    }
}

/// The files, in the order of the list.
pub fn read() -> Result<Vec<File>> {
    let path = sys::root()?.join("lab/coverage/functions");
    parse(&sys::read_text(&path)?).with_context(|| path.display().to_string())
}

/// What CFLAGS_GCOV of the kernel's Makefile has, and that functions are counted before they are inlined: what is
/// folded into one caller is seen as one line more or less.
pub const FLAGS: &str =
    "CFLAGS_GCOV=-fprofile-arcs -ftest-coverage -fno-tree-loop-im -fno-early-inlining";

/// What the makefiles of these files' directories get at their end, so that these files are counted and no others. (As variables of
/// make they would be for all objects of that name, the boot loader's memory.o too.)
pub fn makefiles(files: &[File]) -> BTreeMap<String, String> {
    let mut added: BTreeMap<String, String> = BTreeMap::new();
    for path in files.iter().map(|file| Path::new(&file.path)) {
        // What is in a header is counted where it is included.
        if path.extension().is_some_and(|e| e == "c")
            && let (Some(dir), Some(stem)) = (path.parent(), path.file_stem())
        {
            *added
                .entry(format!("{}/Makefile", dir.display()))
                .or_default() += &format!("GCOV_PROFILE_{}.o := y\n", stem.display());
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        for (pattern, name, fits) in [
            ("copy", "copy", true),
            ("copy", "copy_", false),
            ("copy_*", "copy_page", true),
            ("*_one", "try_to_unmap_one", true),
            ("*_one", "one", false),
            ("*", "", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_list() {
        let files = parse("# x\nmm/a.c one two_* # y\n  three\n\nb.h *\n").unwrap();
        assert_eq!(files.len(), 2);
        assert!(files[0].has("three") && files[0].has("two_x") && !files[0].has("x"));
        assert!(files[1].has("x"));
        let added = [("mm/Makefile".into(), "GCOV_PROFILE_a.o := y\n".into())];
        assert_eq!(makefiles(&files), added.into());
        for bad in ["  one\n", "mm/a.c\n", "mm/a.c x\nmm/a.c y\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(read().unwrap().iter().any(|f| f.has("rmap_walk_anon")));
    }
}
