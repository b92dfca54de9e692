// SPDX-License-Identifier: GPL-2.0-or-later
//! Live objects of a slab cache (mm/slub.c).
//!
//! No count is exact. Both /sys/kernel/slab/CACHE/objects and /proc/slabinfo take all objects and
//! deduct the free ones of the slabs on the nodes' partial lists; slabs (and, from 6.18 on, sheaves)
//! that a CPU keeps count as full. slabinfo moreover estimates where a partial list is long. [`shrink`]
//! takes the slabs from the CPUs, so right after it `objects` is exact, but for what other processes
//! did meanwhile. [`slack`] bounds the rest: compare differences much larger than that.

use super::sysfs;
use std::fs;
use std::path::PathBuf;

/// Caches that SLUB never merges: those with a constructor.
const UNMERGEABLE: [&str; 1] = ["anon_vma"];

enum Place {
    /// Its directory in sysfs.
    Dir(PathBuf),
    /// No sysfs for slabs (CONFIG_SLUB_TINY, old kernels' CONFIG_SLAB).
    NoSysfs,
    /// It shares its slabs with another cache, or there is none of this name.
    Unusable,
}

/// A cache that could be merged is a symlink to a directory of a made-up name (":A-0000064", see
/// sysfs_slab_add()); `aliases` there says how many others are.
fn place(cache: &str) -> Place {
    let root = PathBuf::from("/sys/kernel/slab");
    if !root.exists() {
        return Place::NoSysfs;
    }
    let dir = root.join(cache);
    match fs::symlink_metadata(&dir) {
        Ok(m) if !m.is_symlink() || sysfs::read_u64(dir.join("aliases")).is_ok_and(|n| n == 0) => {
            Place::Dir(dir)
        }
        _ => Place::Unusable,
    }
}

/// The numbers of the cache's line in /proc/slabinfo: active objects, all objects, object size, ...
fn slabinfo(cache: &str) -> Option<Vec<u64>> {
    slabinfo_line(&sysfs::read("/proc/slabinfo").ok()?, cache)
}

fn slabinfo_line(text: &str, cache: &str) -> Option<Vec<u64>> {
    let line = text.lines().find(|l| l.split(' ').next() == Some(cache))?;
    Some(
        line.split_whitespace()
            .skip(1)
            .map_while(|w| w.parse().ok())
            .collect(),
    )
}

/// The first word of a file as a number: counts are followed by those of each node.
fn number(dir: &std::path::Path, file: &str) -> Option<u64> {
    sysfs::read(dir.join(file))
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// How many objects of `cache` are in use, from /sys/kernel/slab or /proc/slabinfo; `None` when neither shows it, or when the cache is merged with another
/// (then the number would count strangers). See the module on how exact it is.
pub fn objects(cache: &str) -> Option<u64> {
    match place(cache) {
        // No such file without CONFIG_SLUB_DEBUG; no slabinfo then either.
        Place::Dir(dir) => number(&dir, "objects"),
        // slabinfo has a line for merged caches, under the name of the first, and does not say so.
        Place::NoSysfs if UNMERGEABLE.contains(&cache) => slabinfo(cache)?.first().copied(),
        Place::NoSysfs | Place::Unusable => None,
    }
}

/// Object size in bytes; where only slabinfo has it with the allocator's own data.
pub fn object_size(cache: &str) -> Option<u64> {
    match place(cache) {
        Place::Dir(dir) => number(&dir, "object_size"),
        Place::NoSysfs => slabinfo(cache)?.get(2).copied(),
        // The caches that share slabs differ in nothing but the name and this size.
        Place::Unusable => None,
    }
}

/// Asks the kernel to give back empty slabs so that counts become exact (/sys/kernel/slab/CACHE/shrink); false when not possible.
pub fn shrink(cache: &str) -> bool {
    matches!(place(cache), Place::Dir(dir) if sysfs::write(dir.join("shrink"), "1").is_ok())
}

/// How many free objects [`objects`] may count as in use: per CPU one slab in use, its list of partial
/// slabs, and three sheaves (main, spare, one that waits for RCU). `None` when it cannot be known.
pub fn slack(cache: &str) -> Option<u64> {
    let Place::Dir(dir) = place(cache) else {
        return None;
    };
    let per_slab = number(&dir, "objs_per_slab")?;
    // `cpu_partial` objects are kept in slabs taken to be half full: slub_set_cpu_partial().
    let partial_slabs = (2 * number(&dir, "cpu_partial").unwrap_or(0)).div_ceil(per_slab.max(1));
    let sheaves = 3 * number(&dir, "sheaf_capacity").unwrap_or(0);
    let cpus = sysfs::read("/sys/devices/system/cpu/online").ok()?;
    let cpus = super::numa::parse_list(&cpus)?.len() as u64;
    Some(cpus * (per_slab * (1 + partial_slabs) + sheaves))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mem;

    #[test]
    fn slabinfo_lines() {
        let text = "slabinfo - version: 2.1\n# name <active_objs>\n\
                    anon_vma_chain  619 896 64 64 1 : tunables 0 0 0\n\
                    anon_vma   518 585 104 39 1 : tunables 0 0 0\n";
        assert_eq!(
            slabinfo_line(text, "anon_vma"),
            Some(vec![518, 585, 104, 39, 1])
        );
        assert_eq!(slabinfo_line(text, "anon"), None);
    }

    #[test]
    fn anon_vmas_are_counted() {
        let page = mem::page_size();
        let Some(slack) = slack("anon_vma").filter(|_| shrink("anon_vma")) else {
            return eprintln!("skipped: no /sys/kernel/slab, or not root");
        };
        // One anon_vma for each page: PROT_NONE between them, so that none can be shared with a
        // neighbour that it could merge with.
        let n = 8 * slack as usize;
        let anon = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let Ok(a) = mem::mmap(0, 2 * n * page, libc::PROT_NONE, anon, -1, 0) else {
            return eprintln!("skipped: no address space");
        };
        let before = objects("anon_vma").unwrap();
        let mut made = 0;
        for i in 0..n {
            let at = a + 2 * i * page;
            if mem::mprotect(at, page, libc::PROT_READ | libc::PROT_WRITE).is_err() {
                break; // vm.max_map_count
            }
            mem::fill(at, 8, 1);
            made += 1;
        }
        shrink("anon_vma");
        let most = objects("anon_vma").unwrap();
        mem::munmap(a, 2 * n * page).unwrap();
        shrink("anon_vma");
        let after = objects("anon_vma").unwrap();
        // Twice the slack: other processes come and go meanwhile.
        let near = |x: u64, y: u64| x.abs_diff(y) <= 2 * slack;
        assert!(
            near(most, before + made),
            "{before} + {made}, saw {most}, slack {slack}"
        );
        assert!(
            near(after, before),
            "{before} before, {after} after, slack {slack}"
        );
        assert!(object_size("anon_vma").unwrap() >= 32);
    }

    #[test]
    fn merged_and_unknown_caches_have_no_count() {
        assert_eq!(objects("no_such_cache"), None);
        assert!(!shrink("no_such_cache"));
        // Very likely merged; a kernel booted with slab_nomerge says so.
        if let Ok(aliases) = sysfs::read_u64("/sys/kernel/slab/anon_vma_chain/aliases") {
            assert_eq!(objects("anon_vma_chain").is_none(), aliases > 0);
        }
    }
}
