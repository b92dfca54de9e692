// SPDX-License-Identifier: GPL-2.0-or-later
//! swapon(2), swapoff(2).

use super::mem::Sys;
use nix::NixPath;
use nix::errno::Errno;

// uapi: include/linux/swap.h. Not in libc.
const SWAP_FLAG_PREFER: i32 = 0x8000;

/// swapon(2) with SWAP_FLAG_PREFER and the given priority (0 to 32767).
///
/// # Errors
/// The errno of swapon(2): EPERM, EBUSY when it is on already, EINVAL without a swap header for
/// this page size (or for a priority above 32767), ENOSYS without CONFIG_SWAP.
pub fn swapon(path: &std::path::Path, priority: u16) -> Sys<()> {
    if priority > i16::MAX as u16 {
        return Err(Errno::EINVAL);
    }
    let flags = SWAP_FLAG_PREFER | i32::from(priority);
    // SAFETY: the kernel reads a C string that lives during the call.
    let r = path.with_nix_path(|p| unsafe { libc::swapon(p.as_ptr(), flags) })?;
    Errno::result(r).map(drop)
}

/// swapoff(2).
///
/// # Errors
/// The errno of swapoff(2): EINVAL when it is not on, ENOMEM when what is on it does not fit into
/// memory.
pub fn swapoff(path: &std::path::Path) -> Sys<()> {
    // SAFETY: the kernel reads a C string that lives during the call.
    let r = path.with_nix_path(|p| unsafe { libc::swapoff(p.as_ptr()) })?;
    Errno::result(r).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_swap_is_refused() {
        let path = std::path::Path::new("/proc/self/nothing-here");
        let expected = [Errno::ENOENT, Errno::EPERM, Errno::ENOSYS];
        assert!(expected.contains(&swapon(path, 1).unwrap_err()));
        assert!(expected.contains(&swapoff(path).unwrap_err()));
        assert_eq!(swapon(path, 40_000), Err(Errno::EINVAL));
    }
}
