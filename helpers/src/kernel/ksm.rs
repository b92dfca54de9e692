// SPDX-License-Identifier: GPL-2.0-or-later
//! `/sys/kernel/mm/ksm` (Documentation/admin-guide/mm/ksm.rst).

use std::io;

/// Directory of the knobs.
pub const DIR: &str = "/sys/kernel/mm/ksm";
/// CONFIG_KSM is there and the knobs can be written.
pub fn usable() -> bool {
    unimplemented!()
}
/// full_scans.
pub fn full_scans() -> io::Result<u64> {
    unimplemented!()
}
/// Writes `run`: 0 stop, 1 run, 2 stop and unmerge all.
pub fn set_run(_value: u8) -> io::Result<()> {
    unimplemented!()
}
