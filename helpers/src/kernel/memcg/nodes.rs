// SPDX-License-Identifier: GPL-2.0-or-later
//! What a memory cgroup has on each node.

use super::{Memcg, Version};
use crate::kernel::sysfs;
use std::collections::BTreeMap;
use std::io;

/// Bytes by field and node.
pub type NumaStat = BTreeMap<String, BTreeMap<i32, u64>>;

impl Memcg {
    /// memory.numa_stat of v2 (Linux 5.10). `None` where there is none; v1 has a file of this name with other figures, of LRU lists.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn numa_stat(&self) -> io::Result<Option<NumaStat>> {
        if self.version == Version::V1 {
            return Ok(None);
        }
        match sysfs::read(self.dir.join("memory.numa_stat")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            text => Ok(Some(parse(&text?))),
        }
    }
}

fn parse(text: &str) -> NumaStat {
    let of_node = |word: &str| {
        let (node, bytes) = word.strip_prefix('N')?.split_once('=')?;
        Some((node.parse().ok()?, bytes.parse().ok()?))
    };
    let line = |line: &str| {
        let mut words = line.split(' ');
        let field = words.next()?.to_owned();
        Some((field, words.filter_map(of_node).collect()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let all = parse("anon N0=4096 N1=0\nswapcached N0=0 N1=8192\n\n");
        assert_eq!(all["anon"], BTreeMap::from([(0, 4096), (1, 0)]));
        assert_eq!(all["swapcached"][&1], 8192);
        assert!(!all.contains_key("file"));
    }
}
