// SPDX-License-Identifier: GPL-2.0-or-later
//! The VMAs of a process, from `/proc/PID/maps` and smaps (procfs crate) and PROCMAP_QUERY.

use std::io;

/// One VMA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vma {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// PROT_READ, PROT_WRITE, PROT_EXEC bits.
    pub prot: i32,
    /// Shared mapping.
    pub shared: bool,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Name as maps shows it, empty for anonymous.
    pub name: String,
}

/// All VMAs of a process that intersect `[start, end)`, in order.
pub fn in_range(_pid: i32, _start: usize, _end: usize) -> io::Result<Vec<Vma>> {
    unimplemented!()
}
/// The VMA that holds `addr`, by PROCMAP_QUERY where the kernel has it (6.11), else from maps.
pub fn at(_pid: i32, _addr: usize) -> io::Result<Option<Vma>> {
    unimplemented!()
}
/// The smaps entry (header line and all fields, one string with newlines) of the VMA that holds `addr`: for failure reports.
pub fn smaps_text(_pid: i32, _addr: usize) -> io::Result<Option<String>> {
    unimplemented!()
}
/// The two-letter codes of the VmFlags line in smaps of the VMA that holds `addr` (e.g. "lo", "dc", "wf", "mg").
pub fn vm_flags(_pid: i32, _addr: usize) -> io::Result<Option<Vec<String>>> {
    unimplemented!()
}
/// One field of the smaps entry of the VMA that holds `addr`, in kB ("AnonHugePages", "Locked", ...).
pub fn smaps_kb(_pid: i32, _addr: usize, _field: &str) -> io::Result<Option<u64>> {
    unimplemented!()
}
/// One field in kB of `/proc/PID/status` ("VmLck", ...).
pub fn status_kb(_pid: i32, _field: &str) -> io::Result<Option<u64>> {
    unimplemented!()
}
