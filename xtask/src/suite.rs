// SPDX-License-Identifier: GPL-2.0-or-later
//! The suite as boards and guests get it: run_tests.sh, one static program that
//! is all tests, a link to it by the name of each, and what reports them.

use crate::plant;
use crate::sys::{self, Arch};
use crate::target::Target;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "rmap-selftests";
/// The program that is all programs (tests/main.rs).
const ALL: &str = "rmap_selftests";
/// What `cargo xtask quick` writes.
pub const LIST: &str = "tests/quick.list";

/// What a name in the suite's directory stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// a file of the host
    File(PathBuf),
    /// a symbolic link to this
    Link(String),
}

/// What the suite's directory has, by the name below it.
pub type Files = Vec<(String, Source)>;

/// The names of the root package's programs that are made from files in the
/// directory `sources`.
fn programs(root: &Path, sources: &str) -> Result<Vec<String>> {
    let json = sys::output_text(
        sys::command(&cargo(), ["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root),
    )?;
    let metadata: serde_json::Value = serde_json::from_str(&json).context("cargo metadata")?;
    let dir = root.join(sources);
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut names = Vec::new();
    for package in list(&metadata["packages"]) {
        if package["name"] != PACKAGE {
            continue;
        }
        for target in list(&package["targets"]) {
            let source = target["src_path"].as_str().unwrap_or_default();
            let is_bin = list(&target["kind"]).iter().any(|kind| kind == "bin");
            if is_bin && Path::new(source).starts_with(dir.as_path()) && target["name"] != ALL {
                names.extend(target["name"].as_str().map(String::from));
            }
        }
    }
    if names.is_empty() {
        bail!("the package {PACKAGE} has no programs");
    }
    names.sort();
    Ok(names)
}

/// The cargo that runs us, else the one in PATH.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Builds the suite for `arch` and tells its files.
pub fn build(arch: Arch) -> Result<Files> {
    let root = sys::root()?;
    let out = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => root.join("target"),
    };
    build_with(&root, &Target::of(arch)?, &out, &[])
}

/// Builds the suite below `root` for `target` in the directory `out`, with more
/// flags for rustc, and tells its files.
pub fn build_with(root: &Path, target: &Target, out: &Path, flags: &[String]) -> Result<Files> {
    let programs = programs(root, "tests")?;
    let mut built = self::programs(root, "report")?;
    built.push(ALL.into());
    let mut cargo = sys::command(&cargo(), ["build", "--quiet", "--release", "--locked"]);
    cargo.args(["--package", PACKAGE]);
    for name in &built {
        cargo.args(["--bin", name]);
    }
    cargo.arg("--target-dir").arg(out).current_dir(root);
    target.configure(&mut cargo, flags);
    sys::output(&mut cargo)
        .with_context(|| format!("the suite does not build for {}", target.triple))?;
    let release = out.join(target.triple).join("release");
    let mut files = Files::new();
    for name in built {
        files.push((format!("bin/{name}"), Source::File(release.join(name))));
    }
    for name in programs {
        files.push((format!("bin/{name}"), Source::Link(ALL.into())));
    }
    for name in ["run_tests.sh", "settings", "config", LIST] {
        let path = Path::new(name);
        let own = path.file_name().and_then(OsStr::to_str).unwrap_or(name);
        files.push((own.into(), Source::File(root.join(path))));
    }
    files.sort();
    Ok(files)
}

/// The files of a suite that was built before for `arch`, as in a release's directory.
pub fn from_dir(dir: &Path, arch: Arch) -> Result<Files> {
    if !dir.join("run_tests.sh").is_file() {
        bail!("{}: no run_tests.sh in it", dir.display());
    }
    let mut files = Files::new();
    for name in ["run_tests.sh", "settings", "config", "quick.list"] {
        let path = dir.join(name);
        if path.is_file() {
            files.push((name.into(), Source::File(path)));
        }
    }
    let bins = std::fs::read_dir(dir.join("bin"))
        .with_context(|| format!("{}: no bin directory in it", dir.display()))?;
    for entry in bins {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(OsStr::to_str) else {
            continue;
        };
        let source = match std::fs::read_link(&path).ok().and_then(|to| beside(&to)) {
            Some(to) => Source::Link(to),
            None => {
                // A release has kselftest's settings there too.
                let program = mode(&path)? & 0o111 != 0;
                if program && !is_for(&path, arch)? {
                    bail!("{}: no program for {}", path.display(), arch.name());
                }
                Source::File(path.clone())
            }
        };
        files.push((format!("bin/{name}"), source));
    }
    files.sort();
    Ok(files)
}

/// Whether a file can run there: scripts can, and programs of that machine.
fn is_for(path: &Path, arch: Arch) -> Result<bool> {
    let head = sys::read(path)?;
    Ok(match head.strip_prefix(b"\x7fELF") {
        Some(rest) => rest.get(14..16) == Some(&arch.elf_machine().to_le_bytes()),
        None => head.starts_with(b"#!"),
    })
}

/// The name when a link leads to a file beside itself. Others are followed.
fn beside(to: &Path) -> Option<String> {
    (to.file_name() == Some(to.as_os_str())).then(|| to.to_str().map(String::from))?
}

/// A file's permissions.
pub fn mode(path: &Path) -> Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    let data = std::fs::metadata(path).with_context(|| format!("no {}", path.display()))?;
    Ok(data.permissions().mode() & 0o7777)
}

/// What tells a suite and its arguments apart from others.
pub fn key(files: &Files, arguments: &[String]) -> Result<String> {
    let mut texts: Vec<Vec<u8>> = arguments.iter().map(|w| w.clone().into_bytes()).collect();
    for (name, source) in files {
        texts.push(name.clone().into_bytes());
        texts.push(match source {
            Source::File(path) => sys::read(path)?,
            Source::Link(to) => to.clone().into_bytes(),
        });
    }
    let hash = plant::fingerprint(texts.iter().map(Vec::as_slice));
    Ok(format!("{hash:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of `text` between two marks.
    fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
        let text = text.split_once(begin).expect(begin).1;
        text.split_once(end).expect(end).0
    }

    #[test]
    fn every_program_is_in_all_lists() {
        let root = sys::root().unwrap();
        let programs = programs(&root, "tests").unwrap();
        let main = sys::read_text(&root.join("tests/main.rs")).unwrap();
        let mut linked: Vec<&str> = between(&main, "\nprograms! {", "}")
            .split_whitespace()
            .collect();
        linked.sort_unstable();
        assert_eq!(linked, programs, "programs! in tests/main.rs");
        let script = sys::read_text(&root.join("run_tests.sh")).unwrap();
        let mut run: Vec<&str> = between(&script, "\nTESTS='\n", "\n'\n")
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        run.sort_unstable();
        assert_eq!(run, programs, "TESTS in run_tests.sh");
    }

    #[test]
    fn programs_are_for_one_machine() {
        let own = std::env::current_exe().unwrap();
        for arch in Arch::ALL {
            assert_eq!(is_for(&own, arch).unwrap(), arch.is_host(), "{arch:?}");
        }
    }

    #[test]
    fn links_lead_to_a_file_beside() {
        assert_eq!(beside(Path::new("all")).as_deref(), Some("all"));
        for other in ["../all", "/bin/all", "a/b", "..", ""] {
            assert_eq!(beside(Path::new(other)), None, "{other}");
        }
    }
}
