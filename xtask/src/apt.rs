// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian packages of suites and architectures that the host has not
//! configured: apt with a configuration of our own, from the host's mirror.

use crate::sys::{self, Arch};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SUITES: [&str; 4] = ["bookworm", "trixie", "trixie-backports", "sid"];
const SECURITY_SUITES: [&str; 2] = ["bookworm-security", "trixie-security"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// How long lists that some are missing of are used before all are asked for again.
const RETRY: Duration = Duration::from_secs(3600);

/// An apt of our own for one architecture.
pub struct Apt {
    dir: PathBuf,
    arch: Arch,
}

/// The base addresses of the host's mirror: the archive's, the security one's.
fn mirrors() -> Result<(String, Option<String>)> {
    let targets = sys::output_text(&mut sys::command(
        "apt-get",
        ["indextargets", "--format", "$(REPO_URI) $(ORIGIN)"],
    ))?;
    let find = |end: &str, origin: bool| {
        targets.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let uri = words.next()?.trim_end_matches('/');
            let known = words.next() == Some("Debian");
            (uri.ends_with(end) && (known || !origin)).then(|| uri.to_string())
        })
    };
    let archive = find("debian", true)
        .or_else(|| find("debian", false))
        .context("no Debian mirror among the host's apt sources")?;
    Ok((archive, find("debian-security", false)))
}

impl Apt {
    /// The one for `arch`, its package lists fetched when there are none yet.
    pub fn new(arch: Arch) -> Result<Apt> {
        if !sys::has_program("apt-get") {
            bail!("debian: kernels come by apt-get, which this host has not; give --kernel PATH");
        }
        let dir = sys::cache()?.join("apt").join(arch.debian());
        let apt = Apt { dir, arch };
        if !apt.dir.join("complete").is_file() && !apt.tried() {
            apt.update()?;
        }
        Ok(apt)
    }

    /// Have the lists been fetched in the last hour, without some of them? So soon the mirror lacks the same.
    fn tried(&self) -> bool {
        let age = std::fs::metadata(self.dir.join("partial"))
            .and_then(|file| file.modified())
            .map(|time| time.elapsed().unwrap_or_default());
        let tried = age.is_ok_and(|age| age < RETRY);
        if tried {
            eprintln!("xtask: some package lists are missing, and are asked for again in an hour");
        }
        tried
    }

    fn command(&self, program: &str) -> Command {
        let dir = self.dir.display();
        let mut command = Command::new(program);
        for option in [
            format!("Dir::Etc::sourcelist={dir}/sources.list"),
            "Dir::Etc::sourceparts=/dev/null".into(),
            "Dir::Etc::preferences=/dev/null".into(),
            "Dir::Etc::preferencesparts=/dev/null".into(),
            format!("Dir::State::lists={dir}/lists"),
            format!("Dir::Cache={dir}/cache"),
            "Dir::State::status=/dev/null".into(),
            "Acquire::Languages=none".into(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".into(),
            "APT::Sandbox::User=root".into(),
            format!("APT::Architecture={}", self.arch.debian()),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }

    /// Fetches the package lists anew.
    pub fn update(&self) -> Result<()> {
        let (archive, security) = mirrors()?;
        let mut options = format!("arch={}", self.arch.debian());
        if Path::new(KEYRING).is_file() {
            options += &format!(" signed-by={KEYRING}");
        }
        let mut list = String::new();
        for suite in SUITES {
            list += &format!("deb [{options}] {archive} {suite} main\n");
        }
        for suite in SECURITY_SUITES.iter().filter(|_| security.is_some()) {
            let uri = security.as_deref().unwrap_or_default();
            list += &format!("deb [{options}] {uri} {suite} main\n");
        }
        sys::make_dir(&self.dir.join("lists/partial"))?;
        sys::make_dir(&self.dir.join("cache/archives/partial"))?;
        sys::write(&self.dir.join("sources.list"), list)?;
        eprintln!("xtask: fetching package lists ({})", self.arch.debian());
        match sys::output(self.command("apt-get").args(["-q", "update"])) {
            Ok(_) => sys::write(&self.dir.join("complete"), ""),
            // A mirror may be at odds with itself for one suite; the others will do.
            Err(error) if !self.names("linux-image")?.is_empty() => {
                eprintln!("xtask: some package lists are missing: {error:#}");
                sys::write(&self.dir.join("partial"), "")
            }
            Err(error) => Err(error).context("cannot fetch Debian's package lists"),
        }
    }

    /// The names of the packages that begin so.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let names = sys::output_text(self.command("apt-cache").args(["pkgnames", prefix]))?;
        Ok(names.lines().map(str::to_string).collect())
    }

    /// Fetches packages and unpacks them together in `dest`, which must not
    /// exist.
    pub fn unpack(&self, packages: &[String], dest: &Path) -> Result<()> {
        let scratch = sys::Scratch::new("deb")?;
        let tree = scratch.path().join("tree");
        eprintln!("xtask: fetching {}", packages.join(" "));
        let fetch = || {
            let mut apt = self.command("apt-get");
            apt.args(["-q", "download"]).args(packages);
            sys::output(apt.current_dir(scratch.path()))
        };
        if fetch().is_err() {
            // Lists that are out of date name files that the mirror dropped.
            self.update()?;
            fetch()?;
        }
        for entry in std::fs::read_dir(scratch.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "deb") {
                sys::output(Command::new("dpkg-deb").arg("-x").arg(path).arg(&tree))?;
            }
        }
        if let Some(above) = dest.parent() {
            sys::make_dir(above)?;
        }
        match std::fs::rename(&tree, dest) {
            // Another xtask may have come first.
            Err(_) if dest.is_dir() => Ok(()),
            done => done.with_context(|| format!("cannot make {}", dest.display())),
        }
    }
}
