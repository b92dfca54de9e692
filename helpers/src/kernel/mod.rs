// SPDX-License-Identifier: GPL-2.0-or-later
//! One module per kernel facility that shows or changes memory state.

pub mod damon;
pub mod disk;
pub mod features;
pub mod hugetlb;
pub mod hwpoison;
pub mod kpage;
pub mod ksm;
pub mod lru;
pub mod lru_gen;
pub mod memcg;
pub mod numa;
pub mod pagemap;
pub mod slab;
pub mod sysfs;
pub mod thp;
pub mod vma;
pub mod vmstat;
pub mod zram;

/// A file of process `pid`; 0 means the caller, as in system calls.
fn proc_path(pid: i32, file: &str) -> std::path::PathBuf {
    match pid {
        0 => format!("/proc/self/{file}").into(),
        pid => format!("/proc/{pid}/{file}").into(),
    }
}
