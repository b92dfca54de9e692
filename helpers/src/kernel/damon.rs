// SPDX-License-Identifier: GPL-2.0-or-later
//! DAMON's look at physical memory, through `/sys/kernel/mm/damon/admin` (Documentation/admin-guide/mm/damon/usage.rst).
//!
//! It belongs to the whole machine and has one user at a time: only where there is no kdamond is one made here, and it is gone again
//! when its [`Monitor`] is.

use super::sysfs;
use crate::pace::Wait;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many kdamonds there are; 0 means that nobody uses DAMON. The only file to be restored: with the kdamonds all that they were told goes.
pub const KDAMONDS: &str = "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds";
/// Whether the kernel itself keeps statistics by DAMON (CONFIG_DAMON_STAT, Linux 6.17), which nobody else can use meanwhile. To be declared too, and
/// before [`KDAMONDS`], since it cannot be switched on again while there is another.
pub const STAT: &str = "/sys/module/damon_stat/parameters/enabled";

const KDAMOND: &str = "/sys/kernel/mm/damon/admin/kdamonds/0";
const CONTEXT: &str = "/sys/kernel/mm/damon/admin/kdamonds/0/contexts/0";
const UPDATE: &str = "monitoring_attrs/intervals/update_us";
/// Our interval between updates of the ranges, which physical memory has none of: it tells our kdamond from another's.
const OURS: &str = "3600000377";
/// How long files are tried that somebody else is just using (EBUSY).
const PATIENCE: Duration = Duration::from_millis(100);
/// How long it is asked for what it has counted.
const LATE: Duration = Duration::from_secs(3);

/// Whether there is such an interface, and nobody has a kdamond.
///
/// # Errors
/// A constant reason.
pub fn available() -> Result<(), &'static str> {
    match sysfs::read_u64(KDAMONDS) {
        Ok(0) => Ok(()),
        Ok(_) => Err("needs DAMON for itself"),
        Err(_) => Err("needs DAMON (CONFIG_DAMON_SYSFS)"),
    }
}

/// A kdamond that counts in how many looks each of some pages has been accessed since the one before.
pub struct Monitor {
    pages: Vec<u64>,
    page_size: u64,
}

impl Monitor {
    /// Has it begin with these pages (PFNs, ascending): a look each `sample`, and a new count after every `looks`. The kernel's statistics are switched
    /// off for it.
    ///
    /// # Errors
    /// EBUSY when somebody else has DAMON (damon_start()), or a kdamond; EINVAL and ENOENT of what this kernel does not know.
    pub fn start(
        pages: Vec<u64>,
        page_size: usize,
        sample: Duration,
        looks: u32,
    ) -> io::Result<Monitor> {
        if sysfs::read_u64(KDAMONDS)? != 0 {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        order(KDAMONDS, "1")?;
        // From here on it is given back.
        let monitor = Monitor {
            pages,
            page_size: page_size as u64,
        };
        monitor.tell(sample, looks)?;
        let on = || order(Path::new(KDAMOND).join("state"), "on");
        match on() {
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy => {
                order(STAT, "N").map_err(|_| e)?;
                on()?;
            }
            result => result?,
        }
        Ok(monitor)
    }

    fn tell(&self, sample: Duration, looks: u32) -> io::Result<()> {
        order(Path::new(KDAMOND).join("contexts/nr_contexts"), "1")?;
        let context = Path::new(CONTEXT);
        let set = |file: &str, value: &str| order(context.join(file), value);
        set(UPDATE, OURS)?;
        set("operations", "paddr")?;
        let micros = |d: Duration| d.as_micros().to_string();
        set("monitoring_attrs/intervals/sample_us", &micros(sample))?;
        set(
            "monitoring_attrs/intervals/aggr_us",
            &micros(sample * looks),
        )?;
        // As many as there are, so none may grow by another (damon_region_sz_limit()). DAMON wants three at least.
        let n = self.pages.len().max(3);
        set("monitoring_attrs/nr_regions/max", &(10 * n).to_string())?;
        set("monitoring_attrs/nr_regions/min", &n.to_string())?;
        set("targets/nr_targets", "1")?;
        let n = self.pages.len();
        set("targets/0/regions/nr_regions", &n.to_string())?;
        for (i, pfn) in self.pages.iter().enumerate() {
            let (start, end) = (pfn * self.page_size, (pfn + 1) * self.page_size);
            set(&format!("targets/0/regions/{i}/start"), &start.to_string())?;
            set(&format!("targets/0/regions/{i}/end"), &end.to_string())?;
        }
        // One that does nothing, to all: what it was offered is shown.
        set("schemes/nr_schemes", "1")?;
        set("schemes/0/action", "stat")?;
        for range in ["sz", "nr_accesses", "age"] {
            let file = format!("schemes/0/access_pattern/{range}/max");
            set(&file, &i32::MAX.to_string())?;
        }
        Ok(())
    }

    /// Waits for the end of the looks that are being taken: each page with its count. Pages are left out that DAMON has other ideas of.
    ///
    /// A kdamond that comes to its work too late shows nothing (damos_sysfs_mark_finished_regions_updates()), and is asked again.
    ///
    /// # Errors
    /// EINVAL before Linux 6.2, and when the kdamond has ended.
    pub fn counts(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut until = Wait::new(LATE);
        loop {
            let state = Path::new(KDAMOND).join("state");
            order(state, "update_schemes_tried_regions")?;
            let counts = self.shown()?;
            if !counts.is_empty() || until.over() {
                return Ok(counts);
            }
        }
    }

    fn shown(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut counts = Vec::new();
        for entry in std::fs::read_dir(Path::new(CONTEXT).join("schemes/0/tried_regions"))? {
            let dir: PathBuf = entry?.path();
            if !dir.is_dir() {
                continue;
            }
            let number = |file: &str| sysfs::read_u64(dir.join(file));
            let (start, end) = (number("start")?, number("end")?);
            let pfn = start / self.page_size;
            if end - start == self.page_size && self.pages.contains(&pfn) {
                counts.push((pfn, number("nr_accesses")?));
            }
        }
        Ok(counts)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // What is left is seen by whoever has declared the file.
        let _ = end();
    }
}

/// Gives DAMON back, for whoever has declared [`KDAMONDS`] when it held `old`: a kdamond of another user, then or now, stays.
///
/// # Errors
/// What stopping ours gives.
pub fn give_back(old: &str) -> io::Result<()> {
    if old == "0" && is_ours() {
        end()
    } else {
        Ok(())
    }
}

/// Whether there is one kdamond, and it is ours: or was told nothing yet.
fn is_ours() -> bool {
    let is = |file: PathBuf, value: &str| sysfs::read(file).is_ok_and(|now| now == value);
    is(KDAMONDS.into(), "1")
        && (is(Path::new(KDAMOND).join("contexts/nr_contexts"), "0")
            || is(Path::new(CONTEXT).join(UPDATE), OURS))
}

fn end() -> io::Result<()> {
    // Refused to one that does not run (yet, or any more).
    let _ = order(Path::new(KDAMOND).join("state"), "off");
    order(KDAMONDS, "0")
}

/// Writes one value. All files have one lock, and who does not get it at once is refused (damon_sysfs_lock).
fn order(path: impl AsRef<Path>, value: &str) -> io::Result<()> {
    let mut until = Wait::new(PATIENCE);
    loop {
        match sysfs::write(&path, value) {
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) && !until.over() => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_left_alone() {
        let _alone = crate::supervise::alone();
        let before = sysfs::read(KDAMONDS).ok();
        // Not ours then, so not ours now.
        give_back("1").unwrap();
        assert!(before.as_deref() != Some("1") || !is_ours());
        assert_eq!(available().is_ok(), before.as_deref() == Some("0"));
        assert_eq!(sysfs::read(KDAMONDS).ok(), before);
    }
}
