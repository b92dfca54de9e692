// SPDX-License-Identifier: GPL-2.0-or-later
//! A kernel's tree with the suite in it, and the ways to build it.

use crate::sys;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where selftests are in a kernel's tree.
const SELFTESTS: &str = "tools/testing/selftests";

/// A tree: links to all of a kernel's source, but for the selftests, which are copied.
pub struct Tree {
    dir: PathBuf,
    /// where results go
    out: PathBuf,
    quick: bool,
}

/// What the ways to build have made.
pub struct Built {
    /// the collection's directory, as installed
    pub installed: PathBuf,
    /// what gen_tar made
    pub tarball: PathBuf,
    /// how far each way came
    done: Vec<String>,
    /// what is not as it should be
    pub problems: Vec<String>,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.done.join("\n"))?;
        for problem in &self.problems {
            write!(f, "\nwrong: {problem}")?;
        }
        Ok(())
    }
}

/// Links in `to` to what is in `from`, except for `but`, which is made as a directory.
fn link_all(from: &Path, to: &Path, but: &str) -> Result<()> {
    sys::make_dir(&to.join(but))?;
    let entries =
        std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_name() != but {
            let at = to.join(entry.file_name());
            symlink(entry.path(), &at).with_context(|| format!("cannot make {}", at.display()))?;
        }
    }
    Ok(())
}

/// Names of all files below a directory.
fn names(dir: &Path) -> Result<BTreeSet<String>> {
    let files = sys::files_below(dir)?;
    let name = |p: &PathBuf| p.strip_prefix(dir).ok()?.to_str().map(String::from);
    Ok(files.iter().filter_map(name).collect())
}

/// What only one of two sets has.
fn difference(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Vec<String> {
    a.symmetric_difference(b).take(8).cloned().collect()
}

impl Tree {
    /// Makes the tree in `out`.
    pub fn new(source: &Path, out: &Path, quick: bool) -> Result<Tree> {
        if !source.join(SELFTESTS).join("lib.mk").is_file() {
            bail!("{}: not a kernel's source", source.display());
        }
        let dir = out.join("tree");
        // Of an earlier run with the same --keep.
        for old in ["tree", "install", "tar", "build", "linked", "elsewhere"] {
            let _ = std::fs::remove_dir_all(out.join(old));
        }
        link_all(source, &dir, "tools")?;
        link_all(&source.join("tools"), &dir.join("tools"), "testing")?;
        let testing = Path::new("tools/testing");
        link_all(&source.join(testing), &dir.join(testing), "selftests")?;
        let mut copy = sys::command("rsync", ["-a"]);
        copy.arg(format!("{}/", source.join(SELFTESTS).display()));
        sys::output(copy.arg(dir.join(SELFTESTS)))?;
        let tree = Tree {
            dir,
            out: out.into(),
            quick,
        };
        sys::make_dir(&tree.ours())?;
        let archive = out.join("suite.tar");
        let mut git = sys::command("git", ["archive", "--output"]);
        git.arg(&archive).arg("HEAD").current_dir(sys::root()?);
        sys::output(&mut git)?;
        let mut tar = sys::command("tar", ["-xf"]);
        sys::output(tar.arg(&archive).arg("-C").arg(tree.ours()))?;
        Ok(tree)
    }

    fn ours(&self) -> PathBuf {
        self.dir.join(SELFTESTS).join("rmap")
    }

    /// make, of the selftests.
    fn make(&self, words: &[&str]) -> Command {
        let mut make = Command::new("make");
        make.arg("-C").arg(self.dir.join(SELFTESTS));
        make.args(["TARGETS=rmap", "FORCE_TARGETS=1"]).args(words);
        // No network: what cargo has fetched for this build is all that is needed.
        make.env("CARGO_NET_OFFLINE", "true");
        // Not those of a cargo that runs us.
        make.env_remove("CARGO_TARGET_DIR");
        make.env_remove("CARGO");
        if self.quick {
            make.env("CARGO_PROFILE_RELEASE_LTO", "off");
            make.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
            make.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        }
        make
    }

    fn path(&self, name: &str) -> String {
        self.out.join(name).display().to_string()
    }

    /// Builds in every way.
    pub fn build(&self) -> Result<Built> {
        let before = names(&self.ours())?;
        let mut built = Built {
            installed: self.out.join("install/rmap"),
            tarball: self.out.join("tar/kselftest-packages/kselftest.tar.gz"),
            done: Vec::new(),
            problems: Vec::new(),
        };
        self.no_cargo(&mut built)?;
        eprintln!("xtask: make gen_tar O=");
        let build = format!("O={}", self.path("build"));
        let tar = format!("INSTALL_PATH={}", self.path("tar"));
        sys::make_dir(&self.out.join("build"))?;
        sys::output(&mut self.make(&[&build, &tar, "gen_tar"]))?;
        let after = names(&self.ours())?;
        if after != before {
            let left = difference(&before, &after).join(" ");
            built
                .problems
                .push(format!("O= changes the source: {left}"));
        }
        eprintln!("xtask: make install");
        let install = format!("INSTALL_PATH={}", self.path("install"));
        sys::output(&mut self.make(&[&install, "install"]))?;
        let (one, other) = (names(&built.installed)?, names(&self.out.join("tar/rmap"))?);
        let mut same = |a: &BTreeSet<String>, b: &BTreeSet<String>, what: &str| {
            if a != b {
                let differ = difference(a, b).join(" ");
                built.problems.push(format!("{what}: {differ}"));
            }
        };
        same(&one, &other, "only in one of install and gen_tar");
        let packed = sys::output_text(sys::command("tar", ["-tzf"]).arg(&built.tarball))?;
        let packed: BTreeSet<String> = packed
            .lines()
            .filter_map(|l| l.trim_start_matches("./").strip_prefix("rmap/"))
            .filter(|l| !l.is_empty() && !l.ends_with('/'))
            .map(String::from)
            .collect();
        same(&packed, &other, "not in the tarball as made");
        self.listed(&mut built)?;
        self.linked(&one, &mut built)?;
        sys::output(&mut self.make(&["clean"]))?;
        let after = names(&self.ours())?;
        if after != before {
            let left = difference(&before, &after).join(" ");
            built.problems.push(format!("clean leaves: {left}"));
        }
        built
            .done
            .push(format!("clean: {} files, as before", after.len()));
        self.merge(&mut built)?;
        Ok(built)
    }

    /// Are just our programs in the list that the runner reads?
    fn listed(&self, built: &mut Built) -> Result<()> {
        let list = sys::read_text(&self.out.join("install/kselftest-list.txt"))?;
        let listed: BTreeSet<String> = list
            .lines()
            .filter_map(|l| l.strip_prefix("rmap:"))
            .map(String::from)
            .collect();
        let script = sys::read_text(&self.ours().join("run_tests.sh"))?;
        let ours: BTreeSet<String> = script
            .lines()
            .skip_while(|l| !l.starts_with("TESTS='"))
            .skip(1)
            .take_while(|l| !l.starts_with('\''))
            .filter_map(|l| l.split_whitespace().next().map(String::from))
            .collect();
        if listed != ours || ours.is_empty() {
            let differ = difference(&listed, &ours).join(" ");
            built
                .problems
                .push(format!("not listed as in run_tests.sh: {differ}"));
        }
        let missing: Vec<&String> = listed
            .iter()
            .filter(|name| !built.installed.join(name).is_file())
            .collect();
        if !missing.is_empty() {
            built
                .problems
                .push(format!("listed and not installed: {missing:?}"));
        }
        built.done.push(format!(
            "install: programs {}, listed {}",
            ours.len(),
            listed.len()
        ));
        Ok(())
    }

    /// The suite elsewhere, and a link to it in the tree: installs the same.
    fn linked(&self, copied: &BTreeSet<String>, built: &mut Built) -> Result<()> {
        eprintln!("xtask: make install, of a link");
        let (ours, elsewhere) = (self.ours(), self.out.join("elsewhere"));
        let moved = |from: &Path, to: &Path| {
            std::fs::rename(from, to).with_context(|| format!("cannot move {}", from.display()))
        };
        moved(&ours, &elsewhere)?;
        symlink(&elsewhere, &ours).with_context(|| format!("cannot make {}", ours.display()))?;
        let install = format!("INSTALL_PATH={}", self.path("linked"));
        sys::output(&mut self.make(&[&install, "install"]))?;
        let linked = names(&self.out.join("linked/rmap"))?;
        if linked != *copied {
            let differ = difference(&linked, copied).join(" ");
            built
                .problems
                .push(format!("only in one of copy and link: {differ}"));
        }
        built
            .done
            .push(format!("install of a link: {} files", linked.len()));
        std::fs::remove_file(&ours).with_context(|| format!("cannot remove {}", ours.display()))?;
        moved(&elsewhere, &ours)
    }

    /// make run_tests: what it prints goes to `log`. It runs on this machine's kernel.
    pub fn run_tests(&self, log: &Path) -> Result<()> {
        eprintln!("xtask: make run_tests");
        let file = std::fs::File::create(log).context("cannot write the log")?;
        let mut make = self.make(&["run_tests"]);
        make.stdout(file).stdin(Stdio::null());
        // Its status tells of building alone: the runner passes none on.
        let status = make.status().context("cannot run make")?;
        if !status.success() {
            bail!("make run_tests: {status}");
        }
        sys::output(&mut self.make(&["clean"]))?;
        Ok(())
    }

    /// A collection that cannot be built must be missed by somebody.
    fn no_cargo(&self, built: &mut Built) -> Result<()> {
        let install = format!("INSTALL_PATH={}", self.path("none"));
        let out = self
            .make(&[&install, "CARGO=no-cargo-here", "install"])
            .output()
            .context("cannot run make")?;
        let said = String::from_utf8_lossy(&out.stderr);
        match (
            out.status.success(),
            said.contains("rmap: NOT built: no no-cargo-here"),
        ) {
            (false, true) => built.done.push("no cargo: an error, and told".into()),
            _ => built
                .problems
                .push(format!("without a cargo make says {}: {said}", out.status)),
        }
        Ok(())
    }

    /// kselftest-merge must put all options of `config` into the kernel's configuration.
    fn merge(&self, built: &mut Built) -> Result<()> {
        eprintln!("xtask: make kselftest-merge");
        let dir = self.path("merge");
        let _ = std::fs::remove_dir_all(&dir);
        sys::make_dir(Path::new(&dir))?;
        for target in ["defconfig", "kselftest-merge"] {
            let mut make = sys::command("make", ["-s", "-C"]);
            make.arg(&self.dir).arg(format!("O={dir}"));
            sys::output(make.args(["ARCH=x86_64", target]))?;
        }
        let merged = sys::read_text(&Path::new(&dir).join(".config"))?;
        let config = sys::read_text(&self.ours().join("config"))?;
        let wanted: Vec<&str> = config
            .lines()
            .filter(|l| l.starts_with("CONFIG_"))
            .collect();
        // A module asked for may be built in, by another collection's wish.
        let set = |line: &&str| {
            let name = line.split('=').next().unwrap_or_default();
            let is = |value: &str| merged.lines().any(|l| l == format!("{name}={value}"));
            merged.lines().any(|l| l == *line) || is("y") || is("m")
        };
        let (mut refused, mut unknown) = (Vec::new(), Vec::new());
        for line in wanted.iter().filter(|l| !set(l)) {
            match self.has_option(line)? {
                true => refused.push(*line),
                false => unknown.push(*line),
            }
        }
        let mut done = format!(
            "kselftest-merge: options {}, set {}",
            wanted.len(),
            wanted.len() - refused.len() - unknown.len()
        );
        if !unknown.is_empty() {
            done += &format!(", not in this kernel {}", unknown.join(" "));
        }
        built.done.push(done);
        if !refused.is_empty() {
            let refused = refused.join(" ");
            built
                .problems
                .push(format!("kselftest-merge leaves out {refused}"));
        }
        Ok(())
    }

    /// Has the kernel an option of the name that this line sets?
    fn has_option(&self, line: &str) -> Result<bool> {
        let name = line.split('=').next().unwrap_or_default();
        let name = name.trim_start_matches("CONFIG_");
        // What is linked to is followed (-R).
        let mut grep = sys::command("grep", ["-RqsE", "--include=Kconfig*"]);
        grep.arg(format!("^[[:space:]]*(menu)?config {name}$"));
        let status = grep
            .args(["arch", "drivers", "fs", "init", "kernel", "lib", "mm"])
            .current_dir(&self.dir)
            .status()
            .context("cannot run grep")?;
        Ok(status.success())
    }
}
