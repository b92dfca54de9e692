// SPDX-License-Identifier: GPL-2.0-or-later
//! Sources of kernels: Debian's packages, unpacked in the cache.

use crate::apt::Apt;
use crate::kernel::{NoSuch, numbers};
use crate::sys::{self, Arch};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the package of a source is called, up to the version.
const PACKAGE: &str = "linux-source-";

/// Keeps other xtasks away from the tree while it exists.
pub struct Lock(PathBuf);

impl Lock {
    /// Takes the tree in `dir`.
    ///
    /// # Errors
    /// When another xtask has it.
    pub fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join("lock");
        if let Ok(pid) = std::fs::read_to_string(&path) {
            if Path::new("/proc").join(pid.trim()).is_dir() {
                bail!("process {} works on {}", pid.trim(), dir.display());
            }
            let _ = std::fs::remove_file(&path);
        }
        sys::write(&path, std::process::id().to_string())?;
        Ok(Lock(path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The source's archive: the host's, else Debian's.
fn archive(package: &str) -> Result<PathBuf> {
    let name = format!("{package}.tar.xz");
    let host = Path::new("/usr/src").join(&name);
    if host.is_file() {
        return Ok(host);
    }
    let tree = sys::cache()?.join("debian").join(package);
    if !tree.is_dir() {
        Apt::new(Arch::X86_64)?.unpack(&[package.into()], &tree)?;
    }
    Ok(tree.join("usr/src").join(name))
}

/// Unpacks the source in `dir`/src, once.
fn unpack(package: &str, dir: &Path) -> Result<()> {
    let mark = dir.join("version");
    if mark.is_file() {
        return Ok(());
    }
    let archive = archive(package)?;
    eprintln!("xtask: unpacking {}", archive.display());
    let src = dir.join("src");
    let _ = std::fs::remove_dir_all(&src);
    let _ = std::fs::remove_dir_all(dir.join("orig"));
    let _ = std::fs::remove_file(dir.join("planted"));
    sys::make_dir(&src)?;
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(&src);
    sys::output(tar.arg("--strip-components=1"))?;
    let text = sys::read_text(&src.join("Makefile"))?;
    let part = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='))
            .map_or("", str::trim)
            .to_string()
    };
    let version = format!(
        "{}.{}.{}",
        part("VERSION"),
        part("PATCHLEVEL"),
        part("SUBLEVEL")
    );
    sys::write(&mark, version)
}

/// A tree of that name with the source of a package, and the kernel's version.
pub fn tree(package: &str, name: &str) -> Result<(PathBuf, String)> {
    let dir = sys::cache()?.join("kernels").join(name);
    sys::make_dir(&dir)?;
    if !dir.join("version").is_file() {
        let _lock = Lock::take(&dir)?;
        unpack(package, &dir)?;
    }
    let version = sys::read_text(&dir.join("version"))?.trim().to_string();
    Ok((dir, version))
}

/// What the name of a tree ends with that is not as it was unpacked.
pub const PLANTED: &str = "-planted";

/// The package of a version's source: the one that there is a planted tree of, or Debian's newest.
pub fn package(version: &str) -> Result<String> {
    if version.contains('.') {
        return Ok(format!("{PACKAGE}{version}"));
    }
    let kernels = sys::cache()?.join("kernels");
    let mut names = Vec::new();
    if kernels.is_dir() {
        for entry in std::fs::read_dir(&kernels)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if kernels.join(&name).join("version").is_file() {
                names.extend(name.strip_suffix(PLANTED).map(String::from));
            }
        }
    }
    match newest(names, version) {
        Some(package) => Ok(package),
        None => {
            let names = Apt::new(Arch::X86_64)?.names(PACKAGE)?;
            Ok(newest(names, version).ok_or(NoSuch(format!("{PACKAGE}{version}")))?)
        }
    }
}

/// The newest package of a version's source: `linux-source-7.3` for 7.
fn newest(names: Vec<String>, version: &str) -> Option<String> {
    let begin = format!("{PACKAGE}{version}");
    let of = |name: &String| {
        name.strip_prefix(&begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    names.into_iter().filter(of).max_by_key(|n| numbers(n))
}

/// Where a source is: that of Debian's package for `debian:VERSION`, unpacked when it is not yet, or the directory given.
pub fn find(spec: &str) -> Result<PathBuf> {
    let Some(version) = spec.strip_prefix("debian:") else {
        let dir = std::path::absolute(spec)?;
        if !dir.join("Makefile").is_file() {
            bail!("no kernel source: {spec} (debian:VERSION or a directory)");
        }
        return Ok(dir);
    };
    let exact = format!("{PACKAGE}{version}");
    let kept = sys::cache()?.join("kernels").join(&exact).join("version");
    let package = if kept.is_file() {
        exact
    } else {
        let names = Apt::new(Arch::X86_64)?.names(PACKAGE)?;
        newest(names, version).ok_or(NoSuch(exact))?
    };
    Ok(tree(&package, &package)?.0.join("src"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_source_of_a_version() {
        let names = || {
            [
                "linux-source",
                "linux-source-6.1",
                "linux-source-6.12",
                "linux-source-7.2",
                "linux-source-7.10",
            ]
            .map(String::from)
            .to_vec()
        };
        assert_eq!(newest(names(), "7").as_deref(), Some("linux-source-7.10"));
        assert_eq!(newest(names(), "6.1").as_deref(), Some("linux-source-6.1"));
        assert_eq!(newest(names(), "5"), None);
    }
}
