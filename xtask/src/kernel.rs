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
        if let Some(wanted) = spec.strip_prefix("debian:") {
            return debian(&Wanted::parse(wanted, arch)?, arch);
        }
        let image = PathBuf::from(spec);
        if image.is_dir() {
            return unpacked(spec, &image);
        }
        if !image.is_file() {
            bail!(
                "no kernel image: {spec} (debian:VERSION, a bzImage, or a directory with unpacked packages)"
            );
        }
        Ok(Kernel {
            name: spec.into(),
            image,
            modules: Vec::new(),
        })
    }
}

/// Debian has no kernel package of that name. That is no fault of the host, the mirror or the network.
#[derive(Debug)]
pub struct NoSuch(pub String);

impl std::fmt::Display for NoSuch {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Debian has no kernel {}", self.0)
    }
}

impl std::error::Error for NoSuch {}

/// The numbers in a package's name, by which versions are ordered.
pub fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect()
}

/// A Debian kernel: `6.12`, or `7-16k` with a flavour.
struct Wanted {
    version: String,
    /// What a package's name ends with
    end: String,
}

impl Wanted {
    fn parse(text: &str, arch: Arch) -> Result<Wanted> {
        let (version, flavour) = match text.split_once('-') {
            Some((version, flavour)) => (version, Some(flavour)),
            None => (text, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !version.split('.').all(digits) || !flavour.is_none_or(word) {
            bail!("no kernel version: {text:?} (as in debian:6.12 or debian:7-16k)");
        }
        let debian = arch.debian();
        let end = match (flavour, arch) {
            (Some("cloud" | "rt"), _) => format!("-{}-{debian}", flavour.unwrap_or_default()),
            (Some("generic"), _) => format!("-{debian}"),
            (Some(flavour), _) => format!("-{debian}-{flavour}"),
            // Small, and enough for a guest.
            (None, Arch::X86_64 | Arch::Aarch64) => format!("-cloud-{debian}"),
            (None, Arch::Riscv64) => format!("-{debian}"),
        };
        Ok(Wanted {
            version: version.into(),
            end,
        })
    }
}

/// Picks the newest kernel package of that kind.
fn newest(names: Vec<String>, wanted: &Wanted) -> Option<String> {
    let begin = format!("linux-image-{}", wanted.version);
    names
        .into_iter()
        .filter(|name| {
            name.strip_prefix(&begin)
                .and_then(|rest| rest.strip_suffix(&wanted.end))
                // Meta-packages have no digit after the version; other flavours have
                // theirs in front of this one's end.
                .is_some_and(|rest| rest.starts_with('.') && rest.len() > 1 && !flavoured(rest))
        })
        .max_by_key(|name| numbers(name))
}

/// Has the rest of a version a flavour in it (`.0-9-cloud`)?
fn flavoured(rest: &str) -> bool {
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    rest.rsplit('-').next().is_some_and(letters)
}

/// The package for a version; looked up once, then kept in the cache.
fn package(wanted: &Wanted, arch: Arch, dir: &Path) -> Result<String> {
    let Wanted { version, end } = wanted;
    let known = dir.join(format!("newest-{version}{end}"));
    if let Ok(name) = std::fs::read_to_string(&known) {
        return Ok(name.trim().into());
    }
    let apt = Apt::new(arch)?;
    let names = apt.names(&format!("linux-image-{version}"))?;
    let name =
        newest(names, wanted).ok_or_else(|| NoSuch(format!("linux-image-{version}.*{end}")))?;
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

fn debian(wanted: &Wanted, arch: Arch) -> Result<Kernel> {
    let dir = sys::cache()?.join("debian").join(arch.debian());
    sys::make_dir(&dir)?;
    let name = package(wanted, arch, &dir)?;
    let tree = dir.join(&name);
    if !tree.is_dir() {
        let apt = Apt::new(arch)?;
        apt.unpack(&packages(&apt, &name)?, &tree)?;
    }
    unpacked(&name, &tree)
}

/// The kernel and the modules of a distribution's packages, unpacked in one directory.
fn unpacked(name: &str, tree: &Path) -> Result<Kernel> {
    let files = sys::files_below(tree)?;
    let image = files
        .iter()
        .find(|path| {
            path.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with("vmlinuz") || n.starts_with("vmlinux-"))
        })
        .with_context(|| format!("{}: no vmlinuz in it", tree.display()))?
        .clone();
    Ok(Kernel {
        name: name.into(),
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
        let pick = |version| newest(names(), &Wanted::parse(version, Arch::X86_64).unwrap());
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

    #[test]
    fn flavours() {
        let names = [
            "linux-image-7.1.2-arm64",
            "linux-image-7.1.2-arm64-16k",
            "linux-image-7.1.2-cloud-arm64",
            "linux-image-7.1.2-rt-arm64",
            "linux-image-7.1.2-riscv64",
        ];
        for (text, arch, expected) in [
            ("7", Arch::Aarch64, 2),
            ("7-16k", Arch::Aarch64, 1),
            ("7-rt", Arch::Aarch64, 3),
            ("7-generic", Arch::Aarch64, 0),
            ("7.1", Arch::Riscv64, 4),
        ] {
            let all = names.map(String::from).to_vec();
            let found = newest(all, &Wanted::parse(text, arch).unwrap());
            assert_eq!(found.as_deref(), Some(names[expected]), "{text}");
        }
        for bad in ["", "7-", "-16k", "7-16k-", "7..1", "x"] {
            assert!(Wanted::parse(bad, Arch::Aarch64).is_err(), "{bad}");
        }
    }
}
