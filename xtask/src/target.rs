// SPDX-License-Identifier: GPL-2.0-or-later
//! The Rust target that makes static programs for an architecture.

use crate::dist;
use crate::sys::{self, Arch};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// A target, and what it needs said to cargo.
pub struct Target {
    /// its name
    pub triple: &'static str,
    /// its linker, where neither rustc nor .cargo/config.toml knows it
    linker: Option<&'static str>,
}

const RISCV64_GNU: Target = Target {
    triple: "riscv64gc-unknown-linux-gnu",
    linker: Some("riscv64-linux-gnu-gcc"),
};

/// Is its standard library there, or can rustup add it?
fn available(triple: &str) -> bool {
    let rustc = || sys::command("rustc", ["--print", "target-libdir", "--target", triple]);
    let there = || sys::output_text(&mut rustc()).is_ok_and(|d| Path::new(d.trim()).is_dir());
    there()
        || (sys::output(&mut sys::command("rustup", ["target", "add", triple])).is_ok() && there())
}

impl Target {
    /// The target for `arch`: musl, which is static and needs no other compiler;
    /// a static glibc where Rust has no musl.
    pub fn of(arch: Arch) -> Result<Target> {
        let triple = match arch {
            Arch::X86_64 => "x86_64-unknown-linux-musl",
            Arch::Aarch64 => "aarch64-unknown-linux-musl",
            Arch::Riscv64 => "riscv64gc-unknown-linux-musl",
        };
        if available(triple) {
            return Ok(Target {
                triple,
                linker: None,
            });
        }
        if arch != Arch::Riscv64 {
            bail!("no Rust target {triple}, and rustup cannot add it");
        }
        let gnu = RISCV64_GNU;
        if !available(gnu.triple) {
            bail!(
                "no Rust target {triple} nor {}: rustup can add neither",
                gnu.triple
            );
        }
        let linker = gnu.linker.unwrap_or_default();
        if !sys::has_program(linker) {
            bail!(
                "no {linker} to link for {} (Debian: gcc-riscv64-linux-gnu libc6-dev-riscv64-cross)",
                gnu.triple
            );
        }
        Ok(gnu)
    }

    /// What else is in its programs than rustc and its own libraries, a line each for a manifest: with a linker of its own, the C library
    /// that this has.
    pub fn libc(&self) -> Result<String> {
        let Some(linker) = self.linker else {
            return Ok(String::new());
        };
        let ask = |option: &str| sys::output_text(&mut sys::command(linker, [option]));
        let version = ask("--version")?;
        let libc = sys::read(Path::new(ask("-print-file-name=libc.a")?.trim()))?;
        Ok(format!(
            "cc: {}\nlibc.a: sha256 {}\n",
            version.lines().next().unwrap_or_default(),
            dist::sha256(&libc)
        ))
    }

    /// Has cargo build for it, with more flags for rustc.
    pub fn configure(&self, cargo: &mut Command, flags: &[String]) {
        let key = self.triple.to_ascii_uppercase().replace('-', "_");
        cargo.args(["--target", self.triple]);
        if let Some(linker) = self.linker {
            cargo.env(format!("CARGO_TARGET_{key}_LINKER"), linker);
        }
        let mut all = vec!["-Ctarget-feature=+crt-static".to_string()];
        all.extend_from_slice(flags);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", all.join("\x1f"));
    }
}
