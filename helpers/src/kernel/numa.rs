// SPDX-License-Identifier: GPL-2.0-or-later
//! NUMA nodes (Documentation/ABI/stable/sysfs-devices-node).

use super::sysfs;
use crate::sys::proc;
use std::io;

const DIR: &str = "/sys/devices/system/node";
const ONLINE: &str = "/sys/devices/system/cpu/online";

/// Nodes with memory, from /sys/devices/system/node/has_memory (or has_normal_memory); node 0 alone when there is no such file.
pub fn nodes_with_memory() -> Vec<i32> {
    ["has_memory", "has_normal_memory"]
        .iter()
        .find_map(|file| parse_list(&sysfs::read(format!("{DIR}/{file}")).ok()?))
        .filter(|nodes| !nodes.is_empty())
        .unwrap_or_else(|| vec![0])
}

/// CPUs of a node (nodeN/cpulist); none where the kernel does not show it.
pub fn cpus_of(node: i32) -> Vec<usize> {
    cpus(&format!("{DIR}/node{node}/cpulist"))
}

/// How many CPUs are online, whichever of them this process may use.
pub fn online_cpus() -> usize {
    match cpus(ONLINE).len() {
        0 => proc::allowed_cpus().map_or(1, |cpus| cpus.len()),
        n => n,
    }
}

/// Online CPUs that are not of this node.
pub fn cpus_not_of(node: i32) -> Vec<usize> {
    let its = cpus_of(node);
    let mut all = cpus(ONLINE);
    all.retain(|cpu| !its.contains(cpu));
    all
}

fn cpus(path: &str) -> Vec<usize> {
    let list = sysfs::read(path).ok().and_then(|text| parse_list(&text));
    let numbers = list.unwrap_or_default().into_iter();
    numbers.filter_map(|cpu| cpu.try_into().ok()).collect()
}

/// Free bytes of a node.
///
/// # Errors
/// ENOENT without such a node; without CONFIG_NUMA node 0 is all memory.
pub fn free_bytes(node: i32) -> io::Result<u64> {
    let text = match sysfs::read(format!("{DIR}/node{node}/meminfo")) {
        Err(e) if node == 0 && e.kind() == io::ErrorKind::NotFound => sysfs::read("/proc/meminfo")?,
        r => r?,
    };
    mem_free(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no MemFree"))
}

/// The memory policy of an area and the pages in it, as /proc/PID/numa_maps shows them.
pub struct Policy {
    /// Where the area begins, an address.
    pub start: usize,
    /// "default", "bind:0", ...
    pub policy: String,
    /// Whether it is the process' stack.
    pub stack: bool,
    /// Pages of it in memory, of any node; of the zero page none.
    pub pages: u64,
    /// Those of them that are anonymous.
    pub anon: u64,
    /// How often the one that is mapped most is mapped; at least 1.
    pub mapmax: u64,
}

/// The policies of all areas of a process, by address (show_numa_map()).
///
/// # Errors
/// ENOENT without CONFIG_NUMA, or when the process is gone.
pub fn policies(pid: i32) -> io::Result<Vec<Policy>> {
    let text = sysfs::read(format!("/proc/{pid}/numa_maps"))?;
    Ok(text.lines().filter_map(policy).collect())
}

fn policy(line: &str) -> Option<Policy> {
    let mut words = line.split(' ');
    let mut all = Policy {
        start: usize::from_str_radix(words.next()?, 16).ok()?,
        policy: words.next()?.to_owned(),
        stack: false,
        pages: 0,
        anon: 0,
        mapmax: 1,
    };
    for word in words {
        all.stack |= word == "stack";
        let Some((name, Ok(n))) = word.split_once('=').map(|(k, v)| (k, v.parse::<u64>())) else {
            continue;
        };
        match name {
            "anon" => all.anon = n,
            "mapmax" => all.mapmax = n,
            _ if name.starts_with('N') => all.pages += n,
            _ => {}
        }
    }
    Some(all)
}

/// Bytes of the MemFree line, of a node's meminfo ("Node 0 MemFree: 12 kB") or the machine's
/// ("MemFree: 12 kB").
fn mem_free(text: &str) -> Option<u64> {
    let mut words = text
        .lines()
        .find(|l| l.contains("MemFree:"))?
        .split_whitespace();
    words.find(|w| *w == "MemFree:")?;
    words.next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Parses a kernel list such as "0-1,3". Nothing is the empty list; `None` for what is no list.
pub fn parse_list(s: &str) -> Option<Vec<i32>> {
    let mut all = Vec::new();
    for range in s.trim().split(',').filter(|_| !s.trim().is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        if first > last {
            return None;
        }
        all.extend((first..=last).map(i32::from));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        let p = policy("7ffd1000 bind:1 stack anon=3 dirty=3 N1=3 kernelpagesize_kB=4").unwrap();
        assert_eq!(
            (p.start, p.policy.as_str(), p.stack),
            (0x7ffd_1000, "bind:1", true)
        );
        assert_eq!((p.pages, p.anon, p.mapmax), (3, 3, 1));
        let p = policy("7ffd1000 default anon=3 dirty=3 mapmax=2 N0=1 N1=2").unwrap();
        assert_eq!((p.pages, p.anon, p.mapmax), (3, 3, 2));
        let p = policy("55d3c2000000 default file=/bin/stack/x mapped=2").unwrap();
        assert!(p.policy == "default" && !p.stack);
        assert!(policy("").is_none() && policy("zz default").is_none());
    }

    #[test]
    fn lists() {
        assert_eq!(parse_list("0-1,3\n"), Some(vec![0, 1, 3]));
        assert_eq!(parse_list("7"), Some(vec![7]));
        assert_eq!(parse_list("\n"), Some(vec![]));
        for bad in ["1-0", "a", "1,", "-1", "0-", "0 1"] {
            assert_eq!(parse_list(bad), None, "{bad}");
        }
    }

    #[test]
    fn free_memory() {
        let node = "Node 1 MemTotal:  8 kB\nNode 1 MemFree:  5 kB\nNode 1 MemUsed: 3 kB\n";
        assert_eq!(mem_free(node), Some(5 * 1024));
        assert_eq!(mem_free("MemTotal: 8 kB\nMemFree: 6 kB\n"), Some(6 * 1024));
        assert_eq!(mem_free("MemTotal: 8 kB\n"), None);
        for node in nodes_with_memory() {
            assert!(free_bytes(node).unwrap() > 0);
        }
        assert!(free_bytes(4242).is_err());
    }
}
