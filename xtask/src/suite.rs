// SPDX-License-Identifier: GPL-2.0-or-later
//! The suite as a guest gets it: run_tests.sh and static test binaries.

use crate::plant;
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PACKAGE: &str = "rmap-selftests";

/// Files by their name below the suite's directory.
pub type Files = Vec<(String, PathBuf)>;

/// What the programs of the suite are made from: the tests, and what reports them.
const SOURCES: [&str; 2] = ["tests", "report"];

/// The names of the suite's programs, which are in the root package.
fn binaries(root: &Path) -> Result<Vec<String>> {
    let json = sys::output_text(
        sys::command(&cargo(), ["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root),
    )?;
    let metadata: serde_json::Value = serde_json::from_str(&json).context("cargo metadata")?;
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut names = Vec::new();
    for package in list(&metadata["packages"]) {
        if package["name"] != PACKAGE {
            continue;
        }
        for target in list(&package["targets"]) {
            let source = target["src_path"].as_str().unwrap_or_default();
            let is_bin = list(&target["kind"]).iter().any(|kind| kind == "bin");
            let is_ours = |dir| Path::new(source).starts_with(root.join(dir));
            if is_bin && SOURCES.iter().any(is_ours) {
                names.extend(target["name"].as_str().map(String::from));
            }
        }
    }
    if names.is_empty() {
        bail!("the package {PACKAGE} has no test binaries");
    }
    names.sort();
    Ok(names)
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Builds the suite for `arch` and tells its files.
pub fn build(arch: Arch) -> Result<Files> {
    let root = sys::root()?;
    let names = binaries(&root)?;
    let status = Command::new(cargo())
        .args(["build", "--quiet", "--release", "--target", arch.target()])
        .args(["--package", PACKAGE, "--bins"])
        .current_dir(&root)
        .stdin(Stdio::null())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!(
            "the suite does not build for {} (rustup target add {}?)",
            arch.target(),
            arch.target()
        );
    }
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => root.join("target"),
    };
    let out = target.join(arch.target()).join("release");
    let mut files: Files = names
        .into_iter()
        .map(|name| (format!("bin/{name}"), out.join(name)))
        .collect();
    for name in ["run_tests.sh", "settings", "config"] {
        if root.join(name).is_file() {
            files.push((name.into(), root.join(name)));
        }
    }
    Ok(files)
}

/// The files of a suite that was built before, as in a release's directory.
pub fn from_dir(dir: &Path) -> Result<Files> {
    if !dir.join("run_tests.sh").is_file() {
        bail!("{}: no run_tests.sh in it", dir.display());
    }
    let mut files: Files = vec![("run_tests.sh".into(), dir.join("run_tests.sh"))];
    let bins = std::fs::read_dir(dir.join("bin"))
        .with_context(|| format!("{}: no bin directory in it", dir.display()))?;
    for entry in bins {
        let path = entry?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
            files.push((format!("bin/{name}"), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// What tells a suite and its arguments apart from others.
pub fn key(files: &Files, arguments: &[String]) -> Result<String> {
    let mut texts: Vec<Vec<u8>> = arguments.iter().map(|w| w.clone().into_bytes()).collect();
    for (name, path) in files {
        texts.push(name.clone().into_bytes());
        texts.push(sys::read(path)?);
    }
    let hash = plant::fingerprint(texts.iter().map(Vec::as_slice));
    Ok(format!("{hash:016x}"))
}
