// SPDX-License-Identifier: GPL-2.0-or-later
//! Files with a disk behind them, and a small file system for a machine that has none.

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::sys::statfs;
use std::fs::File;
use std::path::{Path, PathBuf};

/// An unlinked file where TMPDIR, /var/tmp, /tmp, the working directory or `own` is a file system on a disk.
pub fn temporary(own: Option<&Path>) -> Option<File> {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from);
    let usual = ["/var/tmp", "/tmp", "."].map(PathBuf::from);
    let own = own.map(Path::to_path_buf);
    let dirs = named.into_iter().chain(usual).chain(own);
    dirs.filter(|dir| on_disk(dir)).find_map(|dir| {
        let how = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o600);
        Some(nix::fcntl::open(&dir, how, mode).ok()?.into())
    })
}

/// File systems whose page cache is an ordinary one over a device.
fn on_disk(dir: &Path) -> bool {
    const XFS: u32 = 0x5846_5342;
    const F2FS: u32 = 0xf2f5_2010;
    statfs::statfs(dir).is_ok_and(|s| {
        let kind = s.filesystem_type();
        // The type of the number differs between C libraries. ext2 and ext3 have ext4's.
        kind == statfs::EXT4_SUPER_MAGIC || [XFS, F2FS].contains(&(kind.0 as u32))
    })
}

/// Name of the file system, so that nobody else's is ever taken for ours, and where it is in the image.
pub const LABEL: &[u8] = b"rmap_selftests";
/// s_volume_name.
pub const LABEL_AT: usize = 1024 + 120;
/// Bytes of the file system.
pub const BYTES: u64 = (BLOCKS * BLOCK) as u64;

const BLOCK: usize = 4096;
const BLOCKS: usize = 1024;
const INODES: usize = 64;
/// Superblock, group descriptor, the bitmaps, two blocks of inodes, the root directory.
const USED: usize = 7;
/// Inodes that no file gets.
const RESERVED: usize = 10;

/// The blocks in use of an empty ext2 of the first revision, one group: struct ext2_super_block, ext2_group_desc, ext2_inode,
/// ext2_dir_entry of the kernel.
pub fn ext2() -> Vec<u8> {
    let mut image = vec![0u8; USED * BLOCK];
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    let (free_blocks, free_inodes) = ((BLOCKS - USED) as u32, (INODES - RESERVED) as u32);
    let per_group = (8 * BLOCK) as u32;
    let superblock = [
        (0, INODES as u32),
        (4, BLOCKS as u32),
        (12, free_blocks),
        (16, free_inodes),
        (24, 2), // 1024 << 2 bytes a block
        (28, 2),
        (32, per_group),
        (36, per_group),
        (40, INODES as u32),
        (52, 0xffff << 16),     // no check after so many mounts
        (56, 0xef53 | 1 << 16), // the magic; clean
        (60, 1),                // go on after errors
    ];
    for (at, value) in superblock {
        put(1024 + at, &value.to_le_bytes());
    }
    put(LABEL_AT, LABEL);
    // The group: where its bitmaps and inodes are, what is free in it, one directory.
    for (i, value) in [2, 3, 4, free_blocks | free_inodes << 16, 1]
        .into_iter()
        .enumerate()
    {
        put(BLOCK + 4 * i, &value.to_le_bytes());
    }
    // Bits past the end are set, as for what is in use.
    for (block, used, end) in [(2, USED, BLOCKS), (3, RESERVED, INODES)] {
        for bit in (0..used).chain(end..8 * BLOCK) {
            image[block * BLOCK + bit / 8] |= 1 << (bit % 8);
        }
    }
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    // Inode 2, the root: a directory, its size, two links, sectors, its first block.
    let root = 4 * BLOCK + 128;
    put(root, &0o040_700u16.to_le_bytes());
    put(root + 4, &(BLOCK as u32).to_le_bytes());
    put(root + 26, &2u16.to_le_bytes());
    put(root + 28, &(BLOCK as u32 / 512).to_le_bytes());
    put(root + 40, &(USED as u32 - 1).to_le_bytes());
    // "." and "..": inode, length of the entry, length of the name, name.
    let dir = (USED - 1) * BLOCK;
    for (at, len, name) in [(0, 12, "."), (12, BLOCK - 12, "..")] {
        put(dir + at, &2u32.to_le_bytes());
        put(dir + at + 4, &(len as u16).to_le_bytes());
        put(dir + at + 6, &(name.len() as u16).to_le_bytes());
        put(dir + at + 8, name.as_bytes());
    }
    image
}
