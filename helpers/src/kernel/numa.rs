// SPDX-License-Identifier: GPL-2.0-or-later
//! NUMA nodes.

/// Nodes with memory, from /sys/devices/system/node/has_memory (or has_normal_memory); node 0 alone when there is no such file.
pub fn nodes_with_memory() -> Vec<i32> {
    unimplemented!()
}
/// Free bytes of a node.
pub fn free_bytes(_node: i32) -> std::io::Result<u64> {
    unimplemented!()
}
/// Parses a kernel list such as "0-1,3".
pub fn parse_list(_s: &str) -> Option<Vec<i32>> {
    unimplemented!()
}
