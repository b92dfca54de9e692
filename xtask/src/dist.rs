// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask dist`: a release tarball for boards. Whoever builds the same
//! commit with the same toolchain gets the same bytes, wherever the sources are.

use crate::licenses;
use crate::suite::{self, Source};
use crate::sys::{self, Arch};
use crate::target::Target;
use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use lexopt::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask dist [OPTIONS]

Builds static programs and packs them with run_tests.sh: what a board needs
that has a shell and nothing else. Prints the tarball's path.

  --arch ARCH   x86_64, aarch64 or riscv64; repeatable (x86_64)
  -o DIR        where the tarball goes (dist)

SOURCE_DATE_EPOCH is the time of all files in it (the commit's). The same
commit and the same rustc make the same tarball, byte for byte.";

/// Where paths of this host lead in messages of the programs.
const REMAPPED: &str = "/rmap-selftests";

/// A member of the tarball.
#[derive(Debug)]
enum Member {
    File { mode: u32, content: Vec<u8> },
    Link(String),
}

/// Members by name, in the order of the tarball.
type Members = std::collections::BTreeMap<String, Member>;

/// What the sources are.
struct Origin {
    commit: String,
    /// Seconds since 1970.
    time: u64,
}

impl Origin {
    fn find(root: &Path) -> Result<Origin> {
        let git = |args: &[&str]| {
            let mut git = sys::command("git", args);
            sys::output_text(git.current_dir(root)).map(|text| text.trim().to_string())
        };
        // Not the commit of a repository that these sources merely lie in.
        let ours = git(&["rev-parse", "--show-toplevel"])
            .is_ok_and(|top| Path::new(&top).canonicalize().ok() == root.canonicalize().ok());
        let (mut commit, mut time) = ("unknown".to_string(), None);
        if ours {
            commit = git(&["rev-parse", "HEAD"])?;
            time = Some(git(&["log", "-1", "--format=%ct"])?);
            if !git(&["status", "--porcelain"])?.is_empty() {
                commit += "-dirty";
            }
        }
        if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
            time = Some(set);
        }
        let time = time.context("no commit to take the time from: set SOURCE_DATE_EPOCH")?;
        let seconds = time.trim().parse();
        Ok(Origin {
            commit,
            time: seconds.with_context(|| format!("SOURCE_DATE_EPOCH: no number: {time:?}"))?,
        })
    }
}

/// Flags that keep this host's paths out of the programs.
fn remap(root: &Path) -> Result<Vec<String>> {
    let sysroot = sys::output_text(&mut sys::command("rustc", ["--print", "sysroot"]))?;
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").context("no HOME")?).join(".cargo"),
    };
    // rustc takes the last that fits.
    let places = [
        (home, "cargo"),
        (PathBuf::from(sysroot.trim()), "rust"),
        (root.to_path_buf(), ""),
    ];
    Ok(places
        .iter()
        .map(|(from, to)| {
            let to = Path::new(REMAPPED).join(to);
            format!("--remap-path-prefix={}={}", from.display(), to.display())
        })
        .collect())
}

/// In hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Files of the project that are in it as they are: what its texts speak of.
const OTHERS: &[&str] = &[
    "LICENSES/GPL-2.0",
    "README.md",
    "rmap-selftests.7",
    "lab/README.md",
    "lab/report.schema.json",
    "lab/lava/device-qemu.yaml",
    "lab/lava/job-board.yaml",
    "lab/lava/job-qemu.yaml",
    "lab/lava/rmap-selftests.yaml",
];

/// What the tarball has in it.
fn members(root: &Path, target: &Target, arch: Arch, origin: &Origin) -> Result<Members> {
    let out = root.join("target/dist");
    let mut members = Members::new();
    let mut list = String::new();
    let text = |content: String| Member::File {
        mode: 0o644,
        content: content.into_bytes(),
    };
    for (name, source) in suite::build_with(root, target, &out, &remap(root)?)? {
        let member = match source {
            Source::Link(to) => {
                if let Some(program) = name.strip_prefix("bin/") {
                    list += &format!("rmap:{program}\n");
                }
                Member::Link(to)
            }
            Source::File(path) => Member::File {
                mode: if suite::mode(&path)? & 0o100 == 0 {
                    0o644
                } else {
                    0o755
                },
                content: sys::read(&path)?,
            },
        };
        members.insert(name, member);
    }
    // A kernel's run_kselftest.sh and its kselftest directory, put beside them, find the collection and its settings so.
    members.insert("kselftest-list.txt".into(), text(list));
    members.insert("rmap".into(), Member::Link("bin".into()));
    members.insert("bin/settings".into(), Member::Link("../settings".into()));
    for name in OTHERS {
        let content = sys::read(&root.join(name))?;
        let mode = 0o644;
        members.insert((*name).into(), Member::File { mode, content });
    }
    let crates = licenses::of_crates(root, target)?;
    members.insert("LICENSES/CRATES".into(), text(crates));
    let rustc = sys::output_text(&mut sys::command("rustc", ["--version"]))?;
    let manifest = format!(
        "name: rmap-selftests\nversion: {}\ncommit: {}\narch: {}\ntarget: {}\nrustc: {}\nepoch: {}\n",
        env!("CARGO_PKG_VERSION"),
        origin.commit,
        arch.name(),
        target.triple,
        rustc.trim(),
        origin.time
    );
    members.insert("MANIFEST".into(), text(manifest + &target.libc()?));
    let mut sums = String::new();
    for (name, member) in &members {
        if let Member::File { content, .. } = member {
            sums += &format!("{}  {name}\n", sha256(content));
        }
    }
    members.insert("SHA256SUMS".into(), text(sums));
    Ok(members)
}

/// The tarball: gzip, since every busybox has it, and names below `top`.
fn pack(members: &Members, top: &str, time: u64) -> Result<Vec<u8>> {
    let gz = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gz);
    let header = |kind: tar::EntryType, mode: u32, size: u64| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    let mut dirs = std::collections::BTreeSet::new();
    for (name, member) in members {
        let name = format!("{top}/{name}");
        for (at, _) in name.match_indices('/') {
            let dir = &name[..=at];
            if dirs.insert(dir.to_string()) {
                let mut header = header(tar::EntryType::Directory, 0o755, 0);
                tar.append_data(&mut header, dir, std::io::empty())?;
            }
        }
        match member {
            Member::File { mode, content } => {
                let mut header = header(tar::EntryType::Regular, *mode, content.len() as u64);
                tar.append_data(&mut header, &name, content.as_slice())?;
            }
            Member::Link(to) => {
                let mut header = header(tar::EntryType::Symlink, 0o777, 0);
                tar.append_link(&mut header, &name, to)?;
            }
        }
    }
    Ok(tar.into_inner()?.finish()?)
}

/// Runs the command.
pub fn main(mut parser: lexopt::Parser) -> Result<ExitCode> {
    let mut arches = Vec::new();
    let mut dir = PathBuf::from("dist");
    while let Some(arg) = parser.next()? {
        match arg {
            Long("arch") => arches.push(Arch::named(&parser.value()?.string()?)?),
            Short('o') => dir = parser.value()?.into(),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    if arches.is_empty() {
        arches.push(Arch::X86_64);
    }
    let root = sys::root()?;
    let origin = Origin::find(&root)?;
    sys::make_dir(&dir)?;
    for arch in arches {
        let target = Target::of(arch)?;
        let members = members(&root, &target, arch, &origin)?;
        let top = format!(
            "rmap-selftests-{}-{}",
            env!("CARGO_PKG_VERSION"),
            arch.name()
        );
        let tarball = pack(&members, &top, origin.time)?;
        let path = dir.join(format!("{top}.tar.gz"));
        sys::write(&path, &tarball)?;
        let sum = format!("{}  {top}.tar.gz\n", sha256(&tarball));
        sys::write(&dir.join(format!("{top}.tar.gz.sha256")), sum)?;
        writeln!(std::io::stdout(), "{}", path.display())?;
        if origin.commit.ends_with("-dirty") {
            eprintln!(
                "xtask: {}: made of sources that are not committed",
                path.display()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
