// SPDX-License-Identifier: GPL-2.0-or-later
//! swapon(2), swapoff(2).

use super::mem::Sys;

/// swapon(2) with SWAP_FLAG_PREFER and the given priority (0 to 32767).
pub fn swapon(_path: &std::path::Path, _priority: u16) -> Sys<()> {
    unimplemented!()
}
/// swapoff(2).
pub fn swapoff(_path: &std::path::Path) -> Sys<()> {
    unimplemented!()
}
