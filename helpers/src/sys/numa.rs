// SPDX-License-Identifier: GPL-2.0-or-later
//! NUMA system calls: move_pages(2), mbind(2), migrate_pages(2). By number: libnuma would be a C
//! library to link, and libc has no wrappers.

use super::mem::Sys;
use nix::errno::Errno;
use std::ptr;

/// move_pages(2) flag: also pages mapped by several processes (CAP_SYS_NICE).
pub const MPOL_MF_MOVE_ALL: i32 = 1 << 2;
/// move_pages(2) flag: only pages that the process maps alone.
pub const MPOL_MF_MOVE: i32 = 1 << 1;
/// mbind(2): EIO where a page is elsewhere and does not come.
pub const MPOL_MF_STRICT: i32 = 1;

/// The status of a page that the kernel gave none to (see [`move_pages`]). No errno that the kernel
/// itself gives to a page.
pub const NO_STATUS: i32 = -libc::ENODATA;

/// move_pages(2): asks that page `addrs[i]` of process `pid` (0: self) go to node `node`. Returns the status of each page: a node number,
/// or a negative errno. `Err` when the call as a whole failed; a positive return value (pages not migrated) is not an error here, the
/// statuses tell.
///
/// When a page of a batch cannot be migrated the kernel gives up and stores no status for the batch,
/// not even for the pages that did move (move_pages_and_store_status(), mm/migrate.c). Those are
/// looked up again: on `node` now counts as moved, else [`NO_STATUS`].
///
/// # Errors
/// The errno of move_pages(2): ENODEV no such node, EACCES not allowed by the cpuset, EPERM, ESRCH.
pub fn move_pages(pid: i32, addrs: &[usize], node: i32, flags: i32) -> Sys<Vec<i32>> {
    move_pages_each(pid, addrs, &vec![node; addrs.len()], flags)
}

/// [`move_pages`], page `addrs[i]` to node `nodes[i]`.
///
/// # Errors
/// As [`move_pages`].
pub fn move_pages_each(pid: i32, addrs: &[usize], nodes: &[i32], flags: i32) -> Sys<Vec<i32>> {
    let mut status = vec![NO_STATUS; addrs.len()];
    raw_move_pages(pid, addrs, Some(nodes), &mut status, flags)?;
    if status.contains(&NO_STATUS) {
        let now = page_nodes(pid, addrs)?;
        for ((s, now), &node) in status.iter_mut().zip(now).zip(nodes) {
            if *s == NO_STATUS && (now == node || now < 0) {
                *s = now;
            }
        }
    }
    Ok(status)
}

/// move_pages(2) as a query: the node of each page, or a negative errno (ENOENT: no page there).
///
/// # Errors
/// The errno of move_pages(2).
pub fn page_nodes(pid: i32, addrs: &[usize]) -> Sys<Vec<i32>> {
    let mut status = vec![NO_STATUS; addrs.len()];
    raw_move_pages(pid, addrs, None, &mut status, 0)?;
    Ok(status)
}

fn raw_move_pages(
    pid: i32,
    addrs: &[usize],
    nodes: Option<&[i32]>,
    status: &mut [i32],
    flags: i32,
) -> Sys<i64> {
    assert_eq!(addrs.len(), status.len());
    assert!(nodes.is_none_or(|n| n.len() == addrs.len()));
    // SAFETY: the three arrays have `addrs.len()` elements each, `usize` is as wide as the kernel's
    // `void *`. The kernel moves pages without a change of what is in them.
    let left = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            libc::c_long::from(pid),
            addrs.len(),
            addrs.as_ptr(),
            nodes.map_or(ptr::null(), <[i32]>::as_ptr),
            status.as_mut_ptr(),
            libc::c_long::from(flags),
        )
    })?;
    Ok(left as i64)
}

/// A node mask with one bit, and the `maxnode` that goes with it.
///
/// get_nodes() (mm/mempolicy.c) looks at `maxnode - 1` bits, hence the one more.
fn node_mask(node: i32) -> Sys<(Vec<libc::c_ulong>, usize)> {
    const WORD: usize = libc::c_ulong::BITS as usize;
    let node = usize::try_from(node).map_err(|_| Errno::EINVAL)?;
    let mut mask = vec![0; node / WORD + 1];
    mask[node / WORD] = 1 << (node % WORD);
    let bits = mask.len() * WORD;
    Ok((mask, bits + 1))
}

/// mbind(2) of this process' range to one node (MPOL_BIND), or to none (MPOL_DEFAULT); `flags` MPOL_MF_*. `len` in bytes.
///
/// # Errors
/// The errno of mbind(2): EINVAL no such node or a range that is not page aligned, EIO when pages
/// had to be moved and were not (MPOL_MF_STRICT), ENOSYS without CONFIG_NUMA.
pub fn mbind(addr: usize, len: usize, node: Option<i32>, flags: i32) -> Sys<()> {
    let (mode, mask) = match node {
        Some(node) => (libc::MPOL_BIND, Some(node_mask(node)?)),
        None => (libc::MPOL_DEFAULT, None),
    };
    let (mask, maxnode) = match &mask {
        Some((mask, maxnode)) => (mask.as_ptr(), *maxnode),
        None => (ptr::null(), 0),
    };
    // SAFETY: the kernel reads `maxnode - 1` bits of `mask`, none when it is null. The policy of a range changes no content.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_mbind,
            addr,
            len,
            libc::c_long::from(mode),
            mask,
            maxnode,
            libc::c_long::from(flags),
        )
    })
    .map(drop)
}

/// Has the calling thread allocate on the node that it runs on, as it does without a policy; but where it has one NUMA balancing leaves
/// its private memory alone (vma_policy_mof(): MPOL_F_MOF is of the policies that the kernel itself makes).
///
/// # Errors
/// The errno of set_mempolicy(2): ENOSYS without CONFIG_NUMA.
pub fn allocate_here() -> Sys<()> {
    // SAFETY: no memory is passed; preferring no node means the local one.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_set_mempolicy,
            libc::c_long::from(libc::MPOL_PREFERRED),
            ptr::null::<libc::c_ulong>(),
            0usize,
        )
    })
    .map(drop)
}

/// migrate_pages(2) of process `pid` from one node to another; returns pages not moved.
///
/// # Errors
/// The errno of migrate_pages(2).
pub fn migrate_pages(pid: i32, from: i32, to: i32) -> Sys<i64> {
    let (mut from, from_max) = node_mask(from)?;
    let (mut to, to_max) = node_mask(to)?;
    // One `maxnode` serves both masks.
    let len = from.len().max(to.len());
    from.resize(len, 0);
    to.resize(len, 0);
    // SAFETY: the kernel reads `maxnode - 1` bits of each mask, and both have that many.
    let left = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_migrate_pages,
            libc::c_long::from(pid),
            from_max.max(to_max),
            from.as_ptr(),
            to.as_ptr(),
        )
    })?;
    Ok(left as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mem;

    #[test]
    fn pages_are_where_they_were_put() {
        let page = mem::page_size();
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let a = mem::mmap(
            0,
            2 * page,
            rw,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
        .unwrap();
        mem::fill(a, page, 1);
        let nodes = match page_nodes(0, &[a, a + page]) {
            Err(Errno::ENOSYS) => return eprintln!("skipped: no move_pages(2)"),
            r => r.unwrap(),
        };
        assert!(nodes[0] >= 0, "{nodes:?}");
        assert_eq!(nodes[1], -libc::ENOENT);
        assert_eq!(
            move_pages(0, &[a], nodes[0], MPOL_MF_MOVE),
            Ok(vec![nodes[0]])
        );
        assert_eq!(mbind(a, page, Some(nodes[0]), MPOL_MF_MOVE), Ok(()));
        match crate::kernel::numa::nodes_with_memory()
            .iter()
            .find(|n| **n != nodes[0])
        {
            Some(&other) => {
                assert_eq!(move_pages(0, &[a], other, MPOL_MF_MOVE), Ok(vec![other]));
                assert_eq!(page_nodes(0, &[a]), Ok(vec![other]));
                assert_eq!(move_pages(0, &[a], 4242, MPOL_MF_MOVE), Err(Errno::ENODEV));
            }
            None => eprintln!("skipped in part: one node"),
        }
        assert_eq!(mem::compare(a, page, 1), None);
        assert_eq!(mbind(a, page, None, 0), Ok(()));
        assert_eq!(mbind(a, page, Some(-1), 0), Err(Errno::EINVAL));
        assert!(matches!(
            migrate_pages(0, nodes[0], nodes[0]),
            Ok(_) | Err(Errno::EPERM)
        ));
        mem::munmap(a, 2 * page).unwrap();
    }
}
