// SPDX-License-Identifier: GPL-2.0-or-later
//! `/proc/vmstat`: how often things have happened on this machine since it was booted.

use super::sysfs;
use std::io;

/// What puts another page where one was without its process doing it: migration by whoever asks for it (migrate_pages()), huge
/// pages put together (khugepaged), pages that go to swap and come back.
pub const MOVES: &[&str] = &[
    "pgmigrate_success",
    "thp_collapse_alloc",
    "pswpout",
    "pswpin",
];

/// The sum of these counters, of all CPUs. `None` where the kernel shows none of them (CONFIG_VM_EVENT_COUNTERS).
///
/// # Errors
/// Those of reading the file.
pub fn sum(names: &[&str]) -> io::Result<Option<u64>> {
    Ok(sum_of(&sysfs::read("/proc/vmstat")?, names))
}

fn sum_of(text: &str, names: &[&str]) -> Option<u64> {
    let value = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        names.contains(&name).then(|| value.parse::<u64>().ok())?
    };
    let mut found = text.lines().filter_map(value);
    found.next().map(|first| first + found.sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let text = "nr_free_pages 7\npswpin 2\npswpin_x 5\npgmigrate_success 40\n";
        assert_eq!(sum_of(text, MOVES), Some(42));
        assert_eq!(sum_of("nr_free_pages 7\n", MOVES), None);
        assert!(sum(&["no_such_thing"]).unwrap().is_none());
    }
}
