// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel with all planted bugs in it: fetch the source, apply the
//! semantic patches, build. Everything is kept in the cache; a changed bug
//! costs the rebuild of the files it touches.

use crate::bugs::{Bug, Catalogue};
use crate::source::{self, Lock};
use crate::sys;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian's package of the source.
const SOURCE: &str = "linux-source-6.12";
/// The switch, and where it goes in the kernel's tree.
const SWITCH: [(&str, &str); 2] = [
    ("rmap_bug.h", "include/linux/rmap_bug.h"),
    ("rmap_bug.c", "mm/rmap_bug.c"),
];
const INCLUDED_BY: &str = "include/linux/mm.h";
const MAKEFILE: &str = "mm/Makefile";

/// A built kernel.
pub struct Planted {
    /// the bzImage
    pub image: PathBuf,
    /// tells source, configuration and bugs apart
    pub key: String,
    /// the kernel's version
    pub version: String,
}

/// A kernel as its source has it, with the tree that it was built from.
pub struct Plain {
    /// the bzImage
    pub image: PathBuf,
    /// where its objects are
    pub build: PathBuf,
    /// where its source is
    pub src: PathBuf,
    /// tells source and configuration apart
    pub key: String,
    /// the kernel's version
    pub version: String,
}

/// A number that tells texts apart (64-bit FNV-1a).
pub fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in texts {
        for byte in text.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash
}

/// Puts a file in place unless it is there already, so that make sees as
/// changed only what did change.
fn place(path: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|now| now == content) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        sys::make_dir(dir)?;
    }
    sys::write(path, content)
}

/// The file as the archive has it; kept aside before it is first changed.
fn original(dir: &Path, file: &Path) -> Result<Vec<u8>> {
    let kept = dir.join("orig").join(file);
    if !kept.is_file() {
        place(&kept, &sys::read(&dir.join("src").join(file))?)?;
    }
    sys::read(&kept)
}

/// `text` with a line put before the first line that begins with `before`.
fn with_line(text: &str, before: &str, line: &str) -> Result<String> {
    let at = text
        .lines()
        .position(|l| l.starts_with(before))
        .with_context(|| format!("no line {before} in it"))?;
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

/// What a bug's file does to the kernel: all but its header, which may say it in better words without a new kernel.
fn patch(path: &Path) -> Result<Vec<u8>> {
    let text = sys::read_text(path)?;
    let lines = text.split_inclusive('\n').filter(|l| !l.starts_with("//"));
    Ok(lines.collect::<String>().into_bytes())
}

/// Applies every bug to the tree in `dir`, unless it has just these already.
fn plant(dir: &Path, bugs: &[Bug]) -> Result<()> {
    let kernels = sys::root()?.join("lab/kernels");
    let mut texts = Vec::new();
    for bug in bugs {
        texts.push(patch(&bug.path)?);
    }
    for (name, _) in SWITCH {
        texts.push(sys::read(&kernels.join(name))?);
    }
    let hash = fingerprint(texts.iter().map(Vec::as_slice));
    let (mark, hash) = (dir.join("planted"), format!("{hash:016x}"));
    if std::fs::read_to_string(&mark).is_ok_and(|known| known == hash) {
        return Ok(());
    }
    let _ = std::fs::remove_file(&mark);
    let scratch = sys::Scratch::new("plant")?;
    let work = scratch.path();
    let mut files: Vec<PathBuf> = bugs.iter().map(|bug| bug.file.clone()).collect();
    files.extend([INCLUDED_BY, MAKEFILE].map(PathBuf::from));
    let kept = dir.join("orig");
    if kept.is_dir() {
        // What a bug of old changed and none of today does goes back.
        for path in sys::files_below(&kept)? {
            files.extend(path.strip_prefix(&kept).ok().map(Path::to_path_buf));
        }
    }
    files.sort();
    files.dedup();
    for file in &files {
        place(&work.join(file), &original(dir, file)?)?;
    }
    eprintln!("xtask: planting {} bugs", bugs.len());
    for bug in bugs {
        let file = work.join(&bug.file);
        let mark = format!("rmap_bug_is({})", bug.number);
        let count = |path: &Path| -> Result<usize> {
            Ok(String::from_utf8_lossy(&sys::read(path)?)
                .matches(&mark)
                .count())
        };
        let mut spatch = Command::new("spatch");
        spatch.args(["--no-includes", "--very-quiet", "--in-place", "--sp-file"]);
        sys::output(spatch.arg(&bug.path).arg(&file))
            .with_context(|| format!("bug {} ({}) does not apply", bug.number, bug.name))?;
        if count(&file)? < count(&bug.path)? {
            bail!("bug {} ({}) matches nothing", bug.number, bug.name);
        }
    }
    let header = sys::read_text(&work.join(INCLUDED_BY))?;
    let header = with_line(&header, "#include <", "#include <linux/rmap_bug.h>")
        .with_context(|| INCLUDED_BY.to_string())?;
    sys::write(&work.join(INCLUDED_BY), header)?;
    // At its end: further up the list is still assigned anew.
    let makefile = sys::read_text(&work.join(MAKEFILE))? + "obj-y += rmap_bug.o\n";
    sys::write(&work.join(MAKEFILE), makefile)?;
    for (name, file) in SWITCH {
        place(
            &dir.join("src").join(file),
            &sys::read(&kernels.join(name))?,
        )?;
    }
    for file in &files {
        place(&dir.join("src").join(file), &sys::read(&work.join(file))?)?;
    }
    sys::write(&mark, hash)
}

/// The name of the option that a line of a configuration sets, or unsets.
fn option(line: &str) -> Option<&str> {
    match line.strip_prefix("# ") {
        Some(rest) => rest.strip_suffix(" is not set"),
        None => line.split_once('=').map(|(name, _)| name),
    }
    .filter(|name| name.starts_with("CONFIG_"))
}

/// Configures and builds, with these variables of make; what make says goes to a log.
fn make(dir: &Path, build: &Path, fragments: &[PathBuf], variables: &[String]) -> Result<()> {
    let src = dir.join("src");
    sys::make_dir(build)?;
    // What an option does not change is compiled once for all configurations.
    let ccache = fragments.len() > 1 && variables.is_empty() && sys::has_program("ccache");
    let store = sys::cache()?.join("ccache");
    let make = |target: &str| {
        // One that we leave behind would build in the same directory as the next.
        let mut make = sys::mortal("nice", "TERM");
        make.args(["-n", "10", "make", "--silent", "-C"]).arg(&src);
        make.arg(format!("O={}", build.display())).arg(target);
        make.args(variables);
        if ccache {
            make.arg("CC=ccache gcc").env("CCACHE_DIR", &store);
        }
        make
    };
    sys::output(&mut make("tinyconfig"))?;
    let mut config = sys::read_text(&build.join(".config"))?;
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for fragment in fragments {
        // What comes later wins.
        for line in sys::read_text(fragment)?.lines() {
            wanted.extend(option(line).map(|name| (name.to_string(), line.to_string())));
        }
    }
    for line in wanted.values() {
        config += &format!("{line}\n");
    }
    sys::write(&build.join(".config"), &config)?;
    sys::output(&mut make("olddefconfig"))?;
    let config = sys::read_text(&build.join(".config"))?;
    for (name, line) in &wanted {
        let now = config.lines().find(|l| option(l) == Some(name));
        // What cannot even be asked for is not set.
        if now != Some(line) && (now.is_some() || !line.starts_with('#')) {
            bail!("the kernel's configuration refuses {line}");
        }
    }
    let log = build.join("log");
    eprintln!("xtask: building the kernel (log: {})", log.display());
    let file = std::fs::File::create(&log)?;
    let jobs = std::thread::available_parallelism().map_or(2, usize::from);
    let status = make("bzImage")
        .arg(format!("-j{jobs}"))
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .context("cannot run make")?;
    if !status.success() {
        bail!("the kernel does not build: see {}", log.display());
    }
    Ok(())
}

/// What a build needs of the host.
fn check_host() -> Result<()> {
    for (program, package) in [
        ("make", "make"),
        ("gcc", "gcc"),
        ("flex", "flex"),
        ("bison", "bison"),
        ("bc", "bc"),
        ("xz", "xz-utils"),
    ] {
        if !sys::has_program(program) {
            bail!("no {program} on this host (Debian's package {package})");
        }
    }
    Ok(())
}

/// Keeps what make left in `build`.
fn keep(dir: &Path, build: &Path, image: &Path) -> Result<()> {
    let partial = dir.join("bzImage.new");
    std::fs::copy(build.join("arch/x86/boot/bzImage"), &partial).context("make left no bzImage")?;
    std::fs::rename(&partial, image)?;
    Ok(())
}

/// The kernel of the source itself, without bugs and without the switch, so that
/// its lines are the source's own; in a tree of its own. With the configuration
/// rmap.config, that of lab/kernels/NAME.config on top, lines added to makefiles, and
/// variables of make.
pub fn plain(name: &str, added: &BTreeMap<String, String>, variables: &[String]) -> Result<Plain> {
    check_host()?;
    let (dir, version) = source::tree(SOURCE, &format!("{SOURCE}-{name}"))?;
    let kernels = sys::root()?.join("lab/kernels");
    let fragments = ["rmap", name].map(|name| kernels.join(format!("{name}.config")));
    let mut texts = vec![version.clone().into_bytes()];
    for path in &fragments {
        texts.push(sys::read(path)?);
    }
    let strings = added.iter().flat_map(|(file, lines)| [file, lines]);
    texts.extend(strings.chain(variables).map(|s| s.clone().into_bytes()));
    let hash = fingerprint(texts.iter().map(Vec::as_slice));
    let key = format!("{hash:016x}");
    // What an image has of the compiler's notes lies in the tree: only the last one is whole.
    let (build, image) = (dir.join("build"), dir.join(format!("bzImage-{key}")));
    if !image.is_file() {
        let _lock = Lock::take(&dir)?;
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("bzImage-") {
                std::fs::remove_file(entry.path())?;
            }
        }
        for (file, lines) in added {
            let text = original(&dir, Path::new(file))?;
            let text = [&text, lines.as_bytes()].concat();
            place(&dir.join("src").join(file), &text)?;
        }
        make(&dir, &build, &fragments, variables)?;
        keep(&dir, &build, &image)?;
    }
    Ok(Plain {
        image,
        build,
        src: dir.join("src"),
        key,
        version,
    })
}

/// The kernel with the catalogue's bugs, built when it is not in the cache: with the
/// configuration rmap.config, and that of lab/kernels/NAME.config on top.
pub fn build(catalogue: &Catalogue, name: Option<&str>) -> Result<Planted> {
    let bugs = &catalogue.bugs()?;
    check_host()?;
    if !sys::has_program("spatch") {
        bail!("no spatch on this host (Debian's package coccinelle)");
    }
    let package = source::package(catalogue.version)?;
    let tree = match package == SOURCE {
        true => package.clone(),
        // The one of that name is left as it was unpacked (source::find).
        false => format!("{package}{}", source::PLANTED),
    };
    let (dir, version) = source::tree(&package, &tree)?;
    let kernels = sys::root()?.join("lab/kernels");
    let mut inputs = vec![kernels.join("rmap.config")];
    inputs.extend(
        catalogue
            .config
            .map(|name| kernels.join(format!("{name}.config"))),
    );
    inputs.extend(name.map(|name| kernels.join(format!("{name}.config"))));
    let fragments = inputs.clone();
    inputs.extend(SWITCH.map(|(name, _)| kernels.join(name)));
    let mut texts = vec![version.clone().into_bytes()];
    for path in &inputs {
        texts.push(sys::read(path)?);
    }
    for bug in bugs {
        texts.push(patch(&bug.path)?);
    }
    let hash = fingerprint(texts.iter().map(Vec::as_slice));
    let key = format!("{hash:016x}");
    let image = dir.join(format!("bzImage-{key}"));
    // A kernel that is there needs no lock: another may be building just now.
    if !image.is_file() {
        let _lock = Lock::take(&dir)?;
        plant(&dir, bugs)?;
        // The planted kernel has a tree of its own, where a changed bug costs
        // the files it touches; an option of mm_types.h costs them all.
        let build = dir.join(match name {
            None => "build".to_string(),
            Some(name) => format!("build-{}", name.split('/').next().unwrap_or(name)),
        });
        make(&dir, &build, &fragments, &[])?;
        keep(&dir, &build, &image)?;
    }
    Ok(Planted {
        image,
        key,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_texts_apart() {
        let of = |texts: &[&str]| fingerprint(texts.iter().map(|t| t.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["a", "b"]), of(&["b", "a"]));
    }

    #[test]
    fn options_of_a_configuration() {
        assert_eq!(option("CONFIG_KSM=y"), Some("CONFIG_KSM"));
        assert_eq!(option("# CONFIG_KSM is not set"), Some("CONFIG_KSM"));
        assert_eq!(option("# CONFIG_KSM would be nice"), None);
        assert_eq!(option(""), None);
    }

    #[test]
    fn a_line_goes_before_the_first_that_fits() {
        let text = "a\n#include <x>\n#include <y>\n";
        let out = with_line(text, "#include <", "#include <z>").unwrap();
        assert_eq!(out, "a\n#include <z>\n#include <x>\n#include <y>\n");
        assert!(with_line(text, "nothing", "z").is_err());
    }
}
