// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel to boot: a file of the host, or one of Debian's packages.

use crate::apt::Apt;
use crate::modules;
use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// A kernel and the modules to load in it, in that order.
pub struct Kernel {
    /// What to call it
    pub name: String,
    /// bzImage, vmlinuz or Image
    pub image: PathBuf,
    /// names and uncompressed contents
    pub modules: Vec<(String, Vec<u8>)>,
}

impl Kernel {
    /// The kernel that `--kernel SPEC` asks for.
    pub fn find(spec: &str, arch: Arch) -> Result<Kernel> {
        if let Some(version) = spec.strip_prefix("debian:") {
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !version.split('.').all(digits) {
                bail!("no kernel version: {version:?} (as in debian:6.12)");
            }
            return debian(version, arch);
        }
        let image = PathBuf::from(spec);
        if !image.is_file() {
            bail!("no kernel image: {spec} (debian:VERSION or a bzImage)");
        }
        Ok(Kernel {
            name: spec.into(),
            image,
            modules: Vec::new(),
        })
    }
}

/// The numbers in a package's name, by which versions are ordered.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect()
}

/// Picks the newest kernel package of that version.
fn newest(names: Vec<String>, version: &str, arch: Arch) -> Option<String> {
    let begin = format!("linux-image-{version}");
    let end = format!("-cloud-{}", arch.debian());
    names
        .into_iter()
        .filter(|name| {
            name.strip_prefix(&begin)
                .and_then(|rest| rest.strip_suffix(&end))
                // Meta-packages have no digit after the version.
                .is_some_and(|rest| rest.starts_with('.') && rest.len() > 1)
        })
        .max_by_key(|name| numbers(name))
}

/// The package for a version; looked up once, then kept in the cache.
fn package(version: &str, arch: Arch, dir: &Path) -> Result<String> {
    let known = dir.join(format!("newest-{version}"));
    if let Ok(name) = std::fs::read_to_string(&known) {
        return Ok(name.trim().into());
    }
    let apt = Apt::new(arch)?;
    let names = apt.names(&format!("linux-image-{version}"))?;
    let name = newest(names, version, arch)
        .with_context(|| format!("Debian has no {} cloud kernel {version}", arch.debian()))?;
    sys::write(&known, format!("{name}\n"))?;
    Ok(name)
}

/// A kernel's packages: since 7.2 or so Debian ships the image and the modules
/// apart, and the package of old only ties them together.
fn packages(apt: &Apt, image: &str) -> Result<Vec<String>> {
    let mut packages = vec![image.to_string()];
    for part in ["linux-binary", "linux-modules"] {
        let name = image.replacen("linux-image", part, 1);
        if apt.names(&name)?.contains(&name) {
            packages.push(name);
        }
    }
    Ok(packages)
}

fn debian(version: &str, arch: Arch) -> Result<Kernel> {
    let dir = sys::cache()?.join("debian").join(arch.debian());
    sys::make_dir(&dir)?;
    let name = package(version, arch, &dir)?;
    let tree = dir.join(&name);
    if !tree.is_dir() {
        let apt = Apt::new(arch)?;
        apt.unpack(&packages(&apt, &name)?, &tree)?;
    }
    let files = sys::files_below(&tree)?;
    let image = files
        .iter()
        .find(|path| {
            path.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with("vmlinuz"))
        })
        .with_context(|| format!("{}: no vmlinuz in it", tree.display()))?
        .clone();
    Ok(Kernel {
        name,
        image,
        modules: modules::collect(&files)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_version_is_picked() {
        let names = || {
            [
                "linux-image-6.1.0-9-cloud-amd64",
                "linux-image-6.1.0-56-cloud-amd64",
                "linux-image-6.1.0-56-cloud-amd64-dbg",
                "linux-image-6.12-cloud-amd64",
                "linux-image-6.12.9+deb12-cloud-amd64",
                "linux-image-6.12.117+deb12-cloud-amd64",
                "linux-image-6.12.117+deb12-cloud-arm64",
            ]
            .map(String::from)
            .to_vec()
        };
        let pick = |version| newest(names(), version, Arch::X86_64);
        assert_eq!(
            pick("6.1").as_deref(),
            Some("linux-image-6.1.0-56-cloud-amd64")
        );
        assert_eq!(
            pick("6.12").as_deref(),
            Some("linux-image-6.12.117+deb12-cloud-amd64")
        );
        assert_eq!(
            pick("6").as_deref(),
            Some("linux-image-6.12.117+deb12-cloud-amd64")
        );
        assert_eq!(pick("7"), None);
    }
}
