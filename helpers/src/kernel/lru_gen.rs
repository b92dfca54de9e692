// SPDX-License-Identifier: GPL-2.0-or-later
//! The multi-generational LRU, and what its debugfs file is told (Documentation/admin-guide/mm/multigen_lru.rst).
//!
//! It takes the oldest generation first, and a generation is only old once two younger ones have been begun; that needs a look at
//! all page tables, which reclaim takes when it likes. Through the file both are done when asked for, and apart.

use super::sysfs;
use std::io;
use std::path::{Path, PathBuf};

/// Generations that there can be besides the oldest (MAX_NR_GENS - 1). When one more begins, the oldest joins the next.
const OTHERS: u64 = 3;

/// The generations of one memory cgroup on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Generations {
    node: u32,
    oldest: u64,
    youngest: u64,
}

/// Whether reclaim goes by generations. False where the kernel has no such thing.
pub fn enabled() -> bool {
    let mask = sysfs::read("/sys/kernel/mm/lru_gen/enabled").unwrap_or_default();
    let digits = mask.trim_start_matches("0x");
    u64::from_str_radix(digits, 16).is_ok_and(|mask| mask & 1 != 0)
}

/// The pages of one memory cgroup that were there when this was made: all of them in the oldest generation.
pub struct Old {
    file: PathBuf,
    memcg: String,
    nodes: Vec<Generations>,
}

impl Old {
    /// Begins generations until all pages of the cgroup are in the oldest, but for those that have an accessed bit set: clear
    /// these first. `None` where the file, or the cgroup in it, is missing, where the kernel keeps more generations, and when another one
    /// begins at the same time (EEXIST).
    ///
    /// In one and the same: what is spared goes to the next one, and would be met again there.
    pub fn make(debugfs: &Path, memcg: &Path) -> Option<Old> {
        let file = debugfs.join("lru_gen");
        let name = memcg.file_name().unwrap_or_default().to_string_lossy();
        let now = || find(&sysfs::read(&file).unwrap_or_default(), &name);
        let (memcg, before) = now()?;
        for node in &before {
            for step in 0..OTHERS {
                // The last word: look at all page tables, not only at those that had much to show before.
                let order = format!("+ {memcg} {} {} 1 1", node.node, node.youngest + step);
                sysfs::write(&file, &order).ok()?;
            }
        }
        let (_, nodes) = now()?;
        let mut both = before.iter().zip(&nodes);
        let all = before.len() == nodes.len() && both.all(|(b, n)| n.oldest >= b.youngest);
        all.then_some(Old { file, memcg, nodes })
    }

    /// Takes what nobody has touched since.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn take(&self) -> io::Result<()> {
        for node in &self.nodes {
            let all = u32::MAX;
            let order = format!("- {} {} {} 200 {all}", self.memcg, node.node, node.oldest);
            sysfs::write(&self.file, &order)?;
        }
        Ok(())
    }
}

/// The number of the cgroup whose path ends in `name`, and its generations.
///
/// "memcg ID PATH", then for each node " node N", then a line for each generation that begins with its number.
fn find(text: &str, name: &str) -> Option<(String, Vec<Generations>)> {
    let mut lines = text.lines().skip_while(|line| {
        let mut words = line.split_whitespace();
        words.next() != Some("memcg") || !words.nth(1).is_some_and(|p| Path::new(p).ends_with(name))
    });
    let id = lines.next()?.split_whitespace().nth(1)?.to_owned();
    let mut all: Vec<Generations> = Vec::new();
    for line in lines.take_while(|line| !line.starts_with("memcg")) {
        let mut words = line.split_whitespace();
        match (words.next()?, words.next()) {
            ("node", Some(node)) => all.push(Generations {
                node: node.parse().ok()?,
                oldest: u64::MAX,
                youngest: 0,
            }),
            (number, _) => {
                let number = number.parse().ok()?;
                let node = all.last_mut()?;
                node.oldest = node.oldest.min(number);
                node.youngest = node.youngest.max(number);
            }
        }
    }
    Some((id, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let text = "memcg     1 /\n node     0\n          0       1         2          3\nmemcg    12 /a/rmap.7\n \
            node     0\n          3      52016          0           0 \n          4      40000          5           6 \n \
            node     1\n          0       1         2          3\nmemcg    13 /a/rmap.77\n node     0\n          9   1   2   3\n";
        let generations = |node, oldest, youngest| Generations {
            node,
            oldest,
            youngest,
        };
        let (id, all) = find(text, "rmap.7").unwrap();
        assert_eq!(id, "12");
        assert_eq!(all, [generations(0, 3, 4), generations(1, 0, 0)]);
        assert_eq!(find(text, "rmap.77").unwrap().1, [generations(0, 9, 9)]);
        assert_eq!(find(text, "rmap"), None);
    }
}
