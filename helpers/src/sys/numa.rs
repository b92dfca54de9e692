// SPDX-License-Identifier: GPL-2.0-or-later
//! NUMA system calls: move_pages(2), mbind(2), migrate_pages(2).

use super::mem::Sys;

/// move_pages(2) flag: also pages mapped by several processes (CAP_SYS_NICE).
pub const MPOL_MF_MOVE_ALL: i32 = 1 << 2;
/// move_pages(2) flag: only pages that the process maps alone.
pub const MPOL_MF_MOVE: i32 = 1 << 1;

/// move_pages(2): asks that page `addrs[i]` of process `pid` (0: self) go to node `node`. Returns the status of each page: a node number,
/// or a negative errno. `Err` when the call as a whole failed; a positive return value (pages not migrated) is not an error here, the
/// statuses tell.
pub fn move_pages(_pid: i32, _addrs: &[usize], _node: i32, _flags: i32) -> Sys<Vec<i32>> {
    unimplemented!()
}
/// move_pages(2) as a query: the node of each page, or a negative errno.
pub fn page_nodes(_pid: i32, _addrs: &[usize]) -> Sys<Vec<i32>> {
    unimplemented!()
}
/// mbind(2) of this process' range to one node, `flags` MPOL_MF_*; mode MPOL_BIND.
pub fn mbind(_addr: usize, _len: usize, _node: i32, _flags: i32) -> Sys<()> {
    unimplemented!()
}
/// migrate_pages(2) of process `pid` from one node to another; returns pages not moved.
pub fn migrate_pages(_pid: i32, _from: i32, _to: i32) -> Sys<i64> {
    unimplemented!()
}
