// SPDX-License-Identifier: GPL-2.0-or-later
//! Swap on a zram device made for it (Documentation/admin-guide/blockdev/zram.rst).

use std::io;
use std::path::{Path, PathBuf};

/// A zram device with active swap on it, ours alone.
#[derive(Debug, Clone)]
pub struct ZramSwap {
    /// N of zramN.
    pub id: u32,
    /// Block device node.
    pub device: PathBuf,
}

/// What stands between this machine and a zram swap: probed without creating a device (reading hot_add creates one).
pub fn available() -> Result<(), &'static str> {
    unimplemented!()
}
/// hot_add; the number of the new device.
pub fn hot_add() -> io::Result<u32> {
    unimplemented!()
}
/// Sets disksize (bytes), makes sure a device node exists (mknod in `scratch` where /dev has none), writes a swap header for this
/// machine's page size and calls swapon with the highest priority.
pub fn start(_id: u32, _bytes: u64, _scratch: &Path) -> io::Result<ZramSwap> {
    unimplemented!()
}
/// swapoff if it is on, reset, hot_remove. Every step is tried; a device that is not there any more is success. Bounded wait.
pub fn stop(_id: u32) -> io::Result<()> {
    unimplemented!()
}
