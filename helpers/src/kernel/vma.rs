// SPDX-License-Identifier: GPL-2.0-or-later
//! The VMAs of a process, from `/proc/PID/maps` and smaps (procfs crate) and PROCMAP_QUERY
//! (Documentation/filesystems/proc.rst, fs/proc/task_mmu.c).
//!
//! procfs parses maps. smaps and status are read as text here: procfs folds the VmFlags it does not
//! know to nothing, and a failure report wants what the kernel wrote, not what a parser kept.
//!
//! `pid` 0 means the caller everywhere.

use super::proc_path;
use nix::errno::Errno;
use procfs::ProcError;
use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::os::fd::AsRawFd;

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
///
/// # Errors
/// ENOENT when the process is gone, EACCES.
pub fn in_range(pid: i32, start: usize, end: usize) -> io::Result<Vec<Vma>> {
    let process = match pid {
        0 => Process::myself(),
        pid => Process::new(pid),
    };
    let maps = process.and_then(|p| p.maps()).map_err(io_error)?;
    Ok(maps
        .iter()
        .map(from_maps)
        .filter(|v| v.start < end && start < v.end)
        .collect())
}

/// What the oracle that looks at whole address spaces, hundreds of times per test, wants of a VMA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// PROT_READ, PROT_WRITE, PROT_EXEC bits.
    pub prot: i32,
    /// Shared mapping.
    pub shared: bool,
}

/// [`in_range`] without offsets and names: an emulated machine takes ten times as long to make values of those.
///
/// # Errors
/// As [`in_range`]; `InvalidData` for a line that is not as Documentation/filesystems/proc.rst has it.
pub fn extents(pid: i32, start: usize, end: usize) -> io::Result<Vec<Extent>> {
    let text = fs::read(proc_path(pid, "maps"))?;
    let mut all = Vec::new();
    for line in text.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        let extent = extent(line).ok_or_else(|| {
            let line = String::from_utf8_lossy(line).into_owned();
            io::Error::new(io::ErrorKind::InvalidData, line)
        })?;
        if extent.start >= end {
            break;
        }
        if start < extent.end {
            all.push(extent);
        }
    }
    Ok(all)
}

/// First address, end and name of each VMA in a range of addresses, in bytes: the name that PR_SET_VMA_ANON_NAME has given it, if any.
///
/// # Errors
/// Of reading maps; `InvalidData` as [`extents`].
pub fn names(
    pid: i32,
    start: usize,
    end: usize,
) -> io::Result<Vec<(usize, usize, Option<String>)>> {
    // Names of files may be anything.
    let bytes = fs::read(proc_path(pid, "maps"))?;
    let mut all = Vec::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, line);
        let range = extent(line.as_bytes()).ok_or_else(bad)?;
        if range.start < end && start < range.end {
            let name = line
                .split_once("[anon:")
                .and_then(|(_, n)| n.strip_suffix(']'));
            all.push((range.start, range.end, name.map(str::to_owned)));
        }
    }
    Ok(all)
}

/// The first two fields of a line of maps: "7f00-7f10 rw-p".
fn extent(line: &[u8]) -> Option<Extent> {
    let mut hex = [0usize; 2];
    let mut rest = line;
    for (value, ends_at) in hex.iter_mut().zip(*b"- ") {
        let digits = rest.iter().position(|&b| b == ends_at)?;
        for &b in &rest[..digits] {
            *value = *value << 4 | (b as char).to_digit(16)? as usize;
        }
        rest = &rest[digits + 1..];
    }
    let bit = |i: usize, letter, prot| if rest[i] == letter { prot } else { 0 };
    (rest.len() >= 4).then(|| Extent {
        start: hex[0],
        end: hex[1],
        prot: bit(0, b'r', libc::PROT_READ)
            | bit(1, b'w', libc::PROT_WRITE)
            | bit(2, b'x', libc::PROT_EXEC),
        shared: rest[3] == b's',
    })
}

fn io_error(e: ProcError) -> io::Error {
    match e {
        ProcError::PermissionDenied(_) => Errno::EACCES.into(),
        ProcError::NotFound(_) => Errno::ENOENT.into(),
        ProcError::Io(e, _) => e,
        e => io::Error::new(io::ErrorKind::InvalidData, e.to_string()),
    }
}

fn from_maps(map: &MemoryMap) -> Vma {
    let bit = |p, prot| if map.perms.contains(p) { prot } else { 0 };
    Vma {
        start: map.address.0 as usize,
        end: map.address.1 as usize,
        prot: bit(MMPermissions::READ, libc::PROT_READ)
            | bit(MMPermissions::WRITE, libc::PROT_WRITE)
            | bit(MMPermissions::EXECUTE, libc::PROT_EXEC),
        shared: map.perms.contains(MMPermissions::SHARED),
        offset: map.offset,
        name: match &map.pathname {
            // procfs sorts the names it knows; back to what maps shows.
            MMapPath::Anonymous => String::new(),
            MMapPath::Path(p) => p.to_string_lossy().into_owned(),
            MMapPath::Heap => "[heap]".into(),
            MMapPath::Stack => "[stack]".into(),
            MMapPath::TStack(tid) => format!("[stack:{tid}]"),
            MMapPath::Vdso => "[vdso]".into(),
            MMapPath::Vvar => "[vvar]".into(),
            MMapPath::Vsyscall => "[vsyscall]".into(),
            MMapPath::Rollup => "[rollup]".into(),
            MMapPath::Vsys(key) => format!("/SYSV{key:08x} (deleted)"),
            MMapPath::Other(name) => format!("[{name}]"),
        },
    }
}

/// struct procmap_query of uapi/linux/fs.h (6.11).
#[repr(C)]
#[derive(Default)]
struct ProcmapQuery {
    size: u64,
    query_flags: u64,
    query_addr: u64,
    vma_start: u64,
    vma_end: u64,
    vma_flags: u64,
    vma_page_size: u64,
    vma_offset: u64,
    inode: u64,
    dev_major: u32,
    dev_minor: u32,
    vma_name_size: u32,
    build_id_size: u32,
    vma_name_addr: u64,
    build_id_addr: u64,
}
const _: () = assert!(size_of::<ProcmapQuery>() == 104);

mod ioctl {
    // PROCMAP_QUERY. The macro knows that the request's type and encoding differ between targets.
    nix::ioctl_readwrite!(procmap_query, b'f', 17, super::ProcmapQuery);
}

/// The VMA that holds `addr`, by PROCMAP_QUERY where the kernel has it (6.11), else from maps.
///
/// # Errors
/// ENOENT or ESRCH when the process is gone, EACCES.
pub fn at(pid: i32, addr: usize) -> io::Result<Option<Vma>> {
    match query(pid, addr) {
        // No such ioctl; or one that finds this name too long or this process too odd.
        Err(e) if e.raw_os_error() != Some(libc::ESRCH) => {
            Ok(in_range(pid, addr, addr.saturating_add(1))?.pop())
        }
        r => r,
    }
}

/// `None` when no VMA holds `addr`.
fn query(pid: i32, addr: usize) -> io::Result<Option<Vma>> {
    let file = File::open(proc_path(pid, "maps"))?;
    let mut name = vec![0u8; libc::PATH_MAX as usize];
    let mut q = ProcmapQuery {
        size: size_of::<ProcmapQuery>() as u64,
        query_addr: addr as u64,
        vma_name_size: name.len() as u32,
        vma_name_addr: name.as_mut_ptr().expose_provenance() as u64,
        ..Default::default()
    };
    // SAFETY: `q` is what the ioctl expects and says its size; the one buffer that it points to has
    // `vma_name_size` bytes and outlives the call.
    match unsafe { ioctl::procmap_query(file.as_raw_fd(), &mut q) } {
        Ok(_) => {}
        Err(Errno::ENOENT) => return Ok(None),
        Err(e) => return Err(e.into()),
    }
    // The size that comes back includes the final NUL; 0 without a name.
    name.truncate((q.vma_name_size as usize).saturating_sub(1));
    let bit = |flag, prot| if q.vma_flags & flag != 0 { prot } else { 0 };
    Ok(Some(Vma {
        start: q.vma_start as usize,
        end: q.vma_end as usize,
        prot: bit(1, libc::PROT_READ) | bit(2, libc::PROT_WRITE) | bit(4, libc::PROT_EXEC),
        shared: q.vma_flags & 8 != 0,
        offset: q.vma_offset,
        name: String::from_utf8_lossy(&name).into_owned(),
    }))
}

/// The smaps entry (header line and all fields, one string with newlines) of the VMA that holds `addr`: for failure reports.
///
/// # Errors
/// ENOENT when the process is gone or the kernel has no smaps (CONFIG_PROC_PAGE_MONITOR), EACCES.
pub fn smaps_text(pid: i32, addr: usize) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(File::open(proc_path(pid, "smaps"))?);
    let mut line = Vec::new();
    let mut text: Option<String> = None;
    while reader.read_until(b'\n', &mut line)? > 0 {
        let s = String::from_utf8_lossy(&line);
        if let Some((start, end)) = header(&s) {
            if text.is_some() {
                break;
            }
            if (start..end).contains(&addr) {
                text = Some(String::new());
            }
        }
        if let Some(text) = &mut text {
            text.push_str(&s);
        }
        line.clear();
    }
    Ok(text)
}

/// `(start, end)` when the line is the first of a VMA. Fields start with a name and a colon; a
/// header's first word has neither.
fn header(line: &str) -> Option<(usize, usize)> {
    // Most lines are fields, and no hexadecimal number here has capitals.
    if line.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some((
        usize::from_str_radix(start, 16).ok()?,
        usize::from_str_radix(end, 16).ok()?,
    ))
}

/// The value of `name:` in lines of that form.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|l| l.strip_prefix(name).and_then(|l| l.strip_prefix(':')))
        .map(str::trim)
}

fn kb(value: &str) -> Option<u64> {
    value.strip_suffix("kB")?.trim().parse().ok()
}

/// The two-letter codes of the VmFlags line in smaps of the VMA that holds `addr` (e.g. "lo", "dc", "wf", "mg").
///
/// # Errors
/// As [`smaps_text`].
pub fn vm_flags(pid: i32, addr: usize) -> io::Result<Option<Vec<String>>> {
    let text = smaps_text(pid, addr)?;
    Ok(text
        .as_deref()
        .and_then(|t| field(t, "VmFlags"))
        .map(|v| v.split_whitespace().map(str::to_owned).collect()))
}

/// The VmFlags of one VMA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flagged {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    flags: String,
}

impl Flagged {
    /// Whether a two-letter code is among them.
    pub fn has(&self, code: &str) -> bool {
        self.flags.split_whitespace().any(|f| f == code)
    }
}

/// `/proc/PID/smaps` as it was at one time: for many fields of many VMAs, each of which would be another walk of all page tables.
#[derive(Clone, Debug)]
pub struct Smaps {
    text: String,
    /// By the first byte of each VMA.
    entries: BTreeMap<usize, Entry>,
}

/// One VMA, and where in the text its fields are.
#[derive(Clone, Debug)]
struct Entry {
    end: usize,
    /// A page of the kernel's own, which maps shows as well (get_gate_vma()).
    is_gate: bool,
    fields: Range<usize>,
}

impl Smaps {
    /// Reads it.
    ///
    /// # Errors
    /// As [`smaps_text`].
    pub fn read(pid: i32) -> io::Result<Smaps> {
        let bytes = fs::read(proc_path(pid, "smaps"))?;
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        let mut entries = BTreeMap::new();
        let mut last = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            at += line.len();
            if let Some((start, end)) = header(line) {
                let name = line.trim_end();
                let entry = Entry {
                    end,
                    is_gate: name.ends_with("[vsyscall]") || name.ends_with("[vectors]"),
                    fields: at..at,
                };
                entries.insert(start, entry);
                last = Some(start);
            } else if let Some(entry) = last.and_then(|start| entries.get_mut(&start)) {
                entry.fields.end = at;
            }
        }
        Ok(Smaps { text, entries })
    }

    /// One field in kB of the VMA that begins at `start`. `None` without such a VMA or such a field.
    pub fn kb(&self, start: usize, name: &str) -> Option<u64> {
        self.field(self.entries.get(&start)?, name).and_then(kb)
    }

    fn field(&self, entry: &Entry, name: &str) -> Option<&str> {
        field(&self.text[entry.fields.clone()], name)
    }
}

/// The VmFlags of every VMA of a process; not of the pages of the kernel's own that maps shows as well (get_gate_vma()).
///
/// # Errors
/// As [`smaps_text`].
pub fn all_flags(pid: i32) -> io::Result<Vec<Flagged>> {
    let smaps = Smaps::read(pid)?;
    let own = smaps.entries.iter().filter(|(_, entry)| !entry.is_gate);
    let flagged = own.filter_map(|(&start, entry)| {
        Some(Flagged {
            start,
            end: entry.end,
            flags: smaps.field(entry, "VmFlags")?.to_owned(),
        })
    });
    Ok(flagged.collect())
}

/// One field of the smaps entry of the VMA that holds `addr`, in kB ("AnonHugePages", "Locked", ...).
/// `None` without such a VMA or such a field.
///
/// # Errors
/// As [`smaps_text`].
pub fn smaps_kb(pid: i32, addr: usize, name: &str) -> io::Result<Option<u64>> {
    Ok(smaps_text(pid, addr)?
        .as_deref()
        .and_then(|t| field(t, name))
        .and_then(kb))
}

/// One field in kB of `/proc/PID/status` ("VmLck", ...). `None` when there is no such field (as for
/// a zombie, which has no memory).
///
/// # Errors
/// ENOENT when the process is gone.
pub fn status_kb(pid: i32, name: &str) -> io::Result<Option<u64>> {
    Ok(status(pid)?.kb(name))
}

/// `/proc/PID/status` as it was at one time.
pub struct Status {
    text: String,
}

impl Status {
    /// One field in kB. `None` when there is no such field.
    pub fn kb(&self, name: &str) -> Option<u64> {
        field(&self.text, name).and_then(kb)
    }
}

/// Reads it.
///
/// # Errors
/// ENOENT when the process is gone.
pub fn status(pid: i32) -> io::Result<Status> {
    let text = fs::read(proc_path(pid, "status"))?;
    // The first line has the process' name, any bytes.
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Status { text })
}

/// One field in kB of `/proc/PID/smaps_rollup`, what a walk of all page tables finds. `None` when there is no such field.
///
/// # Errors
/// ENOENT when the process is gone, or before Linux 4.14.
pub fn rollup_kb(pid: i32, name: &str) -> io::Result<Option<u64>> {
    let text = fs::read(proc_path(pid, "smaps_rollup"))?;
    Ok(field(&String::from_utf8_lossy(&text), name).and_then(kb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mem;

    #[test]
    fn three_vmas_in_a_carve_out() {
        let page = mem::page_size();
        let anon = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let a = mem::mmap(0, 5 * page, libc::PROT_NONE, anon, -1, 0).unwrap();
        // | none | r | rw | r | none |
        mem::mprotect(a + page, 3 * page, libc::PROT_READ).unwrap();
        mem::mprotect(a + 2 * page, page, libc::PROT_READ | libc::PROT_WRITE).unwrap();
        mem::fill(a + 2 * page, page, 1);
        let v = in_range(0, a + page, a + 4 * page).unwrap();
        let shape: Vec<_> = v.iter().map(|v| ((v.start - a) / page, v.prot)).collect();
        assert_eq!(
            shape,
            [
                (1, libc::PROT_READ),
                (2, libc::PROT_READ | libc::PROT_WRITE),
                (3, 1)
            ]
        );
        assert!(v.iter().all(|v| !v.shared && v.name.is_empty()));
        for addr in [a + page, a + 2 * page, a + 3 * page - 1, a + 4 * page - 1] {
            let one = at(0, addr).unwrap().unwrap();
            assert!(v.contains(&one), "{one:?}");
        }
        let other = at(std::process::id() as i32, a + 2 * page).unwrap();
        assert_eq!(other.as_ref(), Some(&v[1]));
        mem::munmap(a, 5 * page).unwrap();
        assert_eq!(at(0, 0).unwrap(), None, "nothing is ever mapped at 0 here");
        assert!(at(i32::MAX, a).is_err() && in_range(i32::MAX, 0, 1).is_err());
    }

    #[test]
    fn both_ways_give_the_same_names() {
        for vma in in_range(0, 0, usize::MAX).unwrap() {
            match query(0, vma.start) {
                Ok(Some(q)) => {
                    // Memory of the test's other threads comes and goes, and other memory to its place.
                    let now = in_range(0, vma.start, vma.end).unwrap();
                    if (q.start, q.end) == (vma.start, vma.end) && now == [vma.clone()] {
                        assert_eq!(q, vma);
                    }
                }
                Ok(None) => {}
                Err(e) => return eprintln!("skipped: PROCMAP_QUERY: {e}"),
            }
        }
    }

    #[test]
    fn extents_are_what_the_parser_of_whole_lines_sees() {
        let page = mem::page_size();
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let a = mem::mmap(0, 3 * page, libc::PROT_READ, flags, -1, 0).unwrap();
        mem::mprotect(a + page, page, libc::PROT_READ | libc::PROT_WRITE).unwrap();
        let whole = in_range(0, a, a + 3 * page).unwrap();
        let whole: Vec<Extent> = whole
            .iter()
            .map(|v| Extent {
                start: v.start,
                end: v.end,
                prot: v.prot,
                shared: v.shared,
            })
            .collect();
        assert_eq!(whole.len(), 3);
        assert_eq!(extents(0, a, a + 3 * page).unwrap(), whole);
        assert_eq!(extents(0, a + page, a + 2 * page).unwrap(), whole[1..2]);
        mem::munmap(a, 3 * page).unwrap();
        assert!(extents(i32::MAX, 0, 1).is_err());
        for bad in ["", "7f00", "7f00-7f10", "7f00-7f10 rw", "7x00-7f10 rw-p 0"] {
            assert_eq!(extent(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn names_of_files_and_of_shared_memory() {
        let page = mem::page_size();
        let shared = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let a = mem::mmap(0, page, libc::PROT_READ, shared, -1, 0).unwrap();
        let v = at(0, a).unwrap().unwrap();
        assert!(v.shared);
        assert_eq!(v.name, "/dev/zero (deleted)");
        assert_eq!(in_range(0, a, a + page).unwrap(), [v]);
        mem::munmap(a, page).unwrap();
    }

    #[test]
    fn smaps_and_status() {
        let page = mem::page_size();
        let anon = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let a = mem::mmap(0, 3 * page, libc::PROT_NONE, anon, -1, 0).unwrap();
        mem::mprotect(a + page, page, libc::PROT_READ | libc::PROT_WRITE).unwrap();
        mem::madvise(a + page, page, mem::advice::DONTFORK).unwrap();
        mem::mlock(a + page, page, 0).unwrap();
        let kb = (page / 1024) as u64;
        if let Ok(text) = smaps_text(0, a + page) {
            let text = text.unwrap();
            assert_eq!(header(&text), Some((a + page, a + 2 * page)), "{text}");
            assert_eq!(
                text.lines().filter(|l| header(l).is_some()).count(),
                1,
                "{text}"
            );
            let flags = vm_flags(0, a + page).unwrap().unwrap();
            assert!(flags.iter().any(|f| f == "dc") && flags.iter().any(|f| f == "lo"));
            let all = all_flags(0).unwrap();
            let one = all.iter().find(|v| v.start == a + page).unwrap();
            assert!(one.end == a + 2 * page && one.has("dc") && one.has("lo") && !one.has("wf"));
            assert_eq!(smaps_kb(0, a + page, "Rss").unwrap(), Some(kb));
            assert_eq!(smaps_kb(0, a + page, "NoSuchField").unwrap(), None);
            let whole = Smaps::read(0).unwrap();
            assert_eq!(whole.kb(a + page, "Rss"), Some(kb));
            assert_eq!(whole.kb(a, "Rss"), Some(0));
            assert_eq!(whole.kb(a + page, "NoSuchField"), None);
            assert_eq!(whole.kb(a + page + 1, "Rss"), None);
        } else {
            eprintln!("skipped: no smaps");
        }
        assert!(status_kb(0, "VmLck").unwrap().unwrap() >= kb);
        assert_eq!(status_kb(0, "Name").unwrap(), None);
        mem::munmap(a, 3 * page).unwrap();
        assert_eq!(smaps_text(0, 0).ok().flatten(), None);
    }
}
