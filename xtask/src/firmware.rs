// SPDX-License-Identifier: GPL-2.0-or-later
//! Firmware for guests that cannot do with what QEMU brings.
//!
//! The OpenSBI of QEMU 7.2 (1.1) marks a second processor as started before it
//! has written where that one is to go. When the processor happens to look in
//! between, it boots the kernel for a second time, over the first one: now and
//! then a riscv64 guest never got to init. Later versions write first.

use crate::apt::Apt;
use crate::sys::{self, Arch};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::Mutex;

const FILE: &str = "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin";

/// Two guests at a time would fetch it twice.
static FETCH: Mutex<()> = Mutex::new(());

/// Debian's newest, kept in the cache.
fn debian(arch: Arch) -> Result<PathBuf> {
    let tree = sys::cache()?
        .join("debian")
        .join(arch.debian())
        .join("opensbi");
    let _one = FETCH.lock().expect("no panic in between");
    if !tree.is_dir() {
        Apt::new(arch)?.unpack(&["opensbi".into()], &tree)?;
    }
    let file = tree.join(FILE);
    sys::read(&file).map(|_| file)
}

/// What to give to QEMU's `-bios`; `None` where its own will do, or is all
/// there is.
pub fn find(arch: Arch) -> Option<PathBuf> {
    if arch != Arch::Riscv64 {
        return None;
    }
    let found = debian(arch).context("no OpenSBI from Debian");
    found
        .inspect_err(|error| {
            eprintln!(
                "xtask: {error:#}\nxtask: with an old one of QEMU's, a guest may hang at boot"
            );
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_what_they_need() {
        assert_eq!(find(Arch::X86_64), None);
        assert_eq!(find(Arch::Aarch64), None);
    }
}
