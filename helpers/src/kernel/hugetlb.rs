// SPDX-License-Identifier: GPL-2.0-or-later
//! The pool of huge pages of the default size.

use super::sysfs;
use std::io;

/// How many pages there may be beyond those that the pool is to have.
pub const OVERCOMMIT: &str = "/proc/sys/vm/nr_overcommit_hugepages";

/// How many pages the pool has: read and written.
pub const POOL: &str = "/proc/sys/vm/nr_hugepages";

/// The default size of huge pages, bytes. `None` without hugetlb.
pub fn default_size() -> Option<usize> {
    meminfo("Hugepagesize").map(|kib| kib << 10)
}

/// Pages of the pool that are neither used nor promised.
pub fn free() -> usize {
    let reserved = meminfo("HugePages_Rsvd").unwrap_or(0);
    meminfo("HugePages_Free")
        .unwrap_or(0)
        .saturating_sub(reserved)
}

/// What is taken from the pool.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    /// More is promised than there is: a count that has come below 0.
    pub below_zero: bool,
    /// Pages in use.
    pub used: usize,
    /// Promised to mappings that have not touched them yet.
    pub reserved: usize,
    /// Beyond what the pool is to have.
    pub surplus: usize,
}

/// `None` without hugetlb.
pub fn taken() -> Option<Taken> {
    let (total, reserved) = (meminfo("HugePages_Total")?, meminfo("HugePages_Rsvd")?);
    Some(Taken {
        below_zero: reserved > total,
        used: total.saturating_sub(meminfo("HugePages_Free")?),
        reserved,
        surplus: meminfo("HugePages_Surp")?,
    })
}

/// Unused pages of the default size on one node.
pub fn free_on(node: i32) -> usize {
    on_node(node, "free_hugepages").unwrap_or_else(free)
}

/// Pages of the default size on one node beyond what the pool is to have, which go when they are free (surplus_huge_pages_node). `None` where the
/// kernel has no numbers of nodes.
pub fn surplus_on(node: i32) -> Option<usize> {
    on_node(node, "surplus_hugepages")
}

fn on_node(node: i32, name: &str) -> Option<usize> {
    let kib = default_size().unwrap_or(0) >> 10;
    let file = format!("/sys/devices/system/node/node{node}/hugepages/hugepages-{kib}kB/{name}");
    sysfs::read_u64(file).ok().map(|n| n as usize)
}

/// Adds pages to the pool until `n` of them are free on each node, and as many of all as that makes not promised to others. Less when
/// there is no memory for them.
///
/// # Errors
/// When the pool cannot be changed.
pub fn enlarge(n: usize, nodes: &[i32]) -> io::Result<()> {
    // New pages are spread evenly over the nodes.
    let least = nodes.iter().map(|&node| free_on(node)).min().unwrap_or(0);
    let each = free() / nodes.len().max(1);
    let missing = n.saturating_sub(least.min(each)) * nodes.len().max(1);
    if missing == 0 {
        return Ok(());
    }
    // The number that is written counts surplus pages, the one that is read does not (set_max_huge_pages()).
    let now = (sysfs::read_u64(POOL)? as usize).max(meminfo("HugePages_Total").unwrap_or(0));
    sysfs::write(POOL, &(now + missing).to_string())
}

/// Takes all pages out of the pool that are neither used nor promised.
///
/// # Errors
/// When the pool cannot be changed.
pub fn empty() -> io::Result<()> {
    let kept = taken().map_or(0, |t| t.used + t.reserved);
    sysfs::write(POOL, &kept.to_string())
}

/// A number of /proc/meminfo, in its own unit.
fn meminfo(field: &str) -> Option<usize> {
    let text = sysfs::read("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
