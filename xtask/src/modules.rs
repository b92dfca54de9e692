// SPDX-License-Identifier: GPL-2.0-or-later
//! Taking kernel modules along: a board with busybox alone has no modprobe
//! data, so they are uncompressed and put in the order of their needs here.

use crate::sys;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the suite can make use of when the kernel has it as a module: swap on
/// zram with each of its compressors, and poison by PFN.
const WANTED: [&str; 10] = [
    "lzo",
    "lzo_rle",
    "lz4",
    "lz4hc",
    "zstd",
    "842",
    "deflate",
    "zsmalloc",
    "zram",
    "hwpoison_inject",
];

fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let (name, rest) = file.split_once(".ko")?;
    matches!(rest, "" | ".xz" | ".zst" | ".gz").then(|| name.replace('-', "_"))
}

fn content(path: &Path) -> Result<Vec<u8>> {
    let unpack = match path.extension().and_then(|e| e.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        _ => return sys::read(path),
    };
    let out = sys::output(Command::new(unpack).arg("-dc").arg(path));
    Ok(out
        .with_context(|| format!("cannot unpack {}", path.display()))?
        .stdout)
}

/// The names after `depends=` in a module's information section.
fn needs(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|w| w == key) else {
        return Vec::new();
    };
    let value = &module[at + key.len()..];
    let end = value.iter().position(|&b| b == 0).unwrap_or(0);
    String::from_utf8_lossy(&value[..end])
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

/// The wanted modules among those files, each after what it needs, as name and
/// uncompressed content.
pub fn collect(files: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>> {
    fn add(
        name: &str,
        files: &mut BTreeMap<String, PathBuf>,
        done: &mut Vec<(String, Vec<u8>)>,
    ) -> Result<()> {
        // Taken out, so each is added once, and a circle of needs ends.
        let Some(path) = files.remove(name) else {
            return Ok(());
        };
        let module = content(&path)?;
        for need in needs(&module) {
            add(&need, files, done)?;
        }
        done.push((name.into(), module));
        Ok(())
    }
    let mut files: BTreeMap<String, PathBuf> = files
        .iter()
        .filter_map(|path| Some((name_of(path)?, path.clone())))
        .collect();
    let mut done = Vec::new();
    for name in WANTED {
        add(name, &mut files, &mut done)?;
    }
    Ok(done)
}
