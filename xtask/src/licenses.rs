// SPDX-License-Identifier: GPL-2.0-or-later
//! What others' licenses ask to be told along with a program that has their code in it.

use crate::suite::cargo;
use crate::sys;
use crate::target::Target;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const HEAD: &str = "\
The programs are GPL-2.0-or-later (GPL-2.0 beside this file); one of the crates in them is
Apache-2.0 only, so that together they are distributed under version 3 of the GPL.

In them is also the Rust standard library (MIT OR Apache-2.0, The Rust Project contributors),
";
const MUSL: &str =
    "and musl (MIT, Copyright (c) 2005-2020 Rich Felker, et al.), and these crates:\n\n";
const GLIBC: &str = "and the GNU C library (LGPL-2.1-or-later), and these crates:\n\n";

/// The license file of a crate: of several that one may choose from, the MIT one.
fn file(dir: &Path) -> Result<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("LICENSE") && path.is_file()
        })
        .collect();
    files.sort();
    let mit = files
        .iter()
        .find(|path| path.to_string_lossy().contains("MIT"));
    match mit.or(files.first()) {
        Some(path) => Ok(path.clone()),
        None => bail!("{}: no license in it", dir.display()),
    }
}

/// The crates that are linked into the suite's programs, and their licenses' texts.
pub fn of_crates(root: &Path, target: &Target) -> Result<String> {
    let cargo = |args: &[&str]| {
        let mut cargo = sys::command(&cargo(), args);
        sys::output_text(cargo.arg("--locked").current_dir(root))
    };
    let tree = cargo(&[
        "tree",
        "--package=rmap-selftests",
        "--edges=normal,no-proc-macro",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}",
        "--target",
        target.triple,
    ])?;
    let metadata = cargo(&["metadata", "--format-version=1"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let mut names = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let field = |name: &str| package[name].as_str().unwrap_or_default();
        let (name, version) = (field("name"), field("version"));
        let line = format!("{name} v{version}");
        // Our own have no source.
        if package["source"].is_null() || !tree.lines().any(|used| used == line) {
            continue;
        }
        names += &format!("  {name} {version}: {}\n", field("license"));
        let dir = Path::new(field("manifest_path")).parent();
        let text = sys::read_text(&file(dir.context("no manifest_path")?)?)?;
        texts.entry(text).or_default().push(name.into());
    }
    let libc = if target.triple.ends_with("musl") {
        MUSL
    } else {
        GLIBC
    };
    let mut all = format!("{HEAD}{libc}{names}");
    for (text, users) in texts {
        all += &format!("\n---- {}\n\n{}\n", users.join(" "), text.trim_end());
    }
    Ok(all)
}
