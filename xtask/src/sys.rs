// SPDX-License-Identifier: GPL-2.0-or-later
//! Where things are, and running other programs.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The processor architectures that guests are made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    /// 64-bit x86
    X86_64,
    /// 64-bit Arm
    Aarch64,
    /// 64-bit RISC-V
    Riscv64,
}

impl Arch {
    /// All of them.
    pub const ALL: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64];

    /// The architecture of that name, as `uname -m` has it.
    pub fn named(name: &str) -> Result<Arch> {
        match name {
            "x86_64" => Ok(Arch::X86_64),
            "aarch64" => Ok(Arch::Aarch64),
            "riscv64" => Ok(Arch::Riscv64),
            _ => bail!("no such architecture: {name} (x86_64, aarch64 or riscv64)"),
        }
    }

    /// The name as `uname -m` has it.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
            Arch::Riscv64 => "riscv64",
        }
    }

    /// Debian's name for it.
    pub fn debian(self) -> &'static str {
        match self {
            Arch::X86_64 => "amd64",
            Arch::Aarch64 => "arm64",
            Arch::Riscv64 => "riscv64",
        }
    }

    /// The machine that an ELF file for it names, `e_machine` of elf(5).
    pub fn elf_machine(self) -> u16 {
        match self {
            Arch::X86_64 => 62,
            Arch::Aarch64 => 183,
            Arch::Riscv64 => 243,
        }
    }

    /// The guest's console.
    pub fn console(self) -> &'static str {
        match self {
            Arch::X86_64 | Arch::Riscv64 => "ttyS0",
            Arch::Aarch64 => "ttyAMA0",
        }
    }

    /// The guest's serial port that the command's output goes to.
    pub fn output_port(self) -> &'static str {
        match self {
            Arch::X86_64 => "ttyS1",
            // The console is no 8250 there, or the second one.
            Arch::Aarch64 | Arch::Riscv64 => "ttyS0",
        }
    }

    /// Is it the host's own?
    pub fn is_host(self) -> bool {
        std::env::consts::ARCH == self.name()
    }
}

/// The project's root directory.
pub fn root() -> Result<PathBuf> {
    let here = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_dir()?,
    };
    here.ancestors()
        .find(|dir| dir.join("xtask/Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("{}: not inside the project", here.display()))
}

/// Where kernels, packages and builds are kept: `RMAP_CACHE`, or
/// `rmap-selftests` in the user's cache directory.
pub fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty());
    let dir = if let Some(dir) = set("RMAP_CACHE") {
        PathBuf::from(dir)
    } else if let Some(dir) = set("XDG_CACHE_HOME") {
        PathBuf::from(dir).join("rmap-selftests")
    } else if let Some(home) = set("HOME") {
        PathBuf::from(home).join(".cache/rmap-selftests")
    } else {
        bail!("no place for a cache: set RMAP_CACHE or HOME")
    };
    make_dir(&dir)?;
    Ok(dir)
}

/// Makes a directory and its parents.
pub fn make_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

/// A file's content, with its name in the error.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A text file's content, with its name in the error.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file, with its name in the error.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// All files below a directory, in order of their names.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        let entries =
            std::fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Is there such a program in PATH?
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

/// A command with these arguments.
pub fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// A command that gets this signal when we end, whatever ends us, where the host has setpriv(1).
pub fn mortal(program: &str, signal: &str) -> Command {
    if has_program("setpriv") {
        command("setpriv", ["--pdeathsig", signal, program])
    } else {
        Command::new(program)
    }
}

/// Runs a command to its end and returns what it printed; an error tells the
/// last lines of what it said.
pub fn output(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(if out.stderr.is_empty() {
            &out.stdout
        } else {
            &out.stderr
        })
        .into_owned();
        let lines: Vec<&str> = said.trim().lines().collect();
        let tail = lines[lines.len().saturating_sub(12)..].join("\n  ");
        bail!("{name} failed ({}):\n  {tail}", out.status);
    }
    Ok(out)
}

/// As [`output`], for what it printed as text.
pub fn output_text(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&output(command)?.stdout).into_owned())
}

/// Removes what an xtask that was killed left behind: the middle of a scratch
/// directory's name is its process.
fn sweep(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.split('-').nth(1).and_then(|n| n.parse::<u32>().ok());
        if process.is_some_and(|n| !Path::new(&format!("/proc/{n}")).is_dir()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory that is removed again with all that is in it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new one in the cache.
    pub fn new(purpose: &str) -> Result<Scratch> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let all = cache()?.join("scratch");
        make_dir(&all)?;
        if n == 0 {
            sweep(&all);
        }
        let dir = all.join(format!("{purpose}-{}-{n}", std::process::id()));
        make_dir(&dir)?;
        Ok(Scratch(dir))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
/// This word of the command line and all after it, none of which is an option of ours.
pub fn words(first: std::ffi::OsString, parser: &mut lexopt::Parser) -> Result<Vec<String>> {
    use lexopt::ValueExt;
    let mut words = vec![first.string()?];
    for word in parser.raw_args()? {
        words.push(word.string()?);
    }
    Ok(words)
}
