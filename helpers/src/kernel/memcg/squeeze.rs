// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim of a part of a memory cgroup.

use super::{Memcg, Version};
use crate::kernel::sysfs;
use std::io;
use std::path::PathBuf;

impl Memcg {
    /// Reclaim in small bites, see [`Squeeze`].
    ///
    /// # Errors
    /// Those of reading the files.
    pub fn squeeze(&self) -> io::Result<Squeeze> {
        let limit = match self.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.high",
        };
        let reclaim = self.dir.join("memory.reclaim");
        if self.version == Version::V2 && reclaim.exists() {
            return Ok(Squeeze::Asked(reclaim));
        }
        let file = self.dir.join(limit);
        Ok(Squeeze::Limit {
            before: sysfs::read(&file)?,
            now: self.usage()?,
            file,
        })
    }
}

/// Reclaim of a cgroup bite by bite: the kernel takes what it finds first, and stops soon after.
///
/// Where there is no memory.reclaim (v1, v2 before 5.19) the limit is lowered from bite to bite, and put back in the end: what each CPU has
/// charged in advance (MEMCG_CHARGE_BATCH) would satisfy one that begins anew each time.
pub enum Squeeze {
    /// memory.reclaim.
    Asked(PathBuf),
    /// memory.limit_in_bytes or memory.high.
    Limit {
        /// The file.
        file: PathBuf,
        /// What it said.
        before: String,
        /// What it says, bytes.
        now: u64,
    },
}

impl Squeeze {
    /// The next `bytes`.
    ///
    /// # Errors
    /// EBUSY (v1) or EAGAIN (v2) when there was not so much to be had.
    pub fn more(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Squeeze::Asked(file) => {
                // v2 has no memory.swappiness; the argument came with 6.9.
                match sysfs::write(&*file, &format!("{bytes} swappiness=100")) {
                    Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
                        sysfs::write(&*file, &bytes.to_string())
                    }
                    r => r,
                }
            }
            Squeeze::Limit { file, now, .. } => {
                *now = now.saturating_sub(bytes);
                sysfs::write(&*file, &now.to_string())
            }
        }
    }
}

impl Drop for Squeeze {
    fn drop(&mut self) {
        if let Squeeze::Limit { file, before, .. } = self {
            // The cgroup is this program's own, and goes with it.
            let _ = sysfs::write(&*file, before);
        }
    }
}
