// SPDX-License-Identifier: GPL-2.0-or-later
//! Swap on a zram device made for it (Documentation/admin-guide/blockdev/zram.rst).
//!
//! A machine may have zram devices of its own. Those that hot_add gave us are ours, and the swap
//! header that [`start`] writes has a label by which [`stop`] knows them again: a number from the
//! journal of a run before a reboot may be somebody else's device by now.

use super::{disk, sysfs};
use crate::pace::Wait;
use crate::sys::swap;
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{AccessFlags, access};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const CONTROL: &str = "/sys/class/zram-control";
/// sws_volume of the swap header, 16 bytes.
const LABEL: &[u8; 16] = b"rmap-selftests\0\0";
const LABEL_AT: usize = 1052;
/// How long others (udev's blkid, a last writeback) may keep the device open.
const PATIENCE: Duration = Duration::from_secs(2);

/// A zram device with active swap on it, ours alone.
#[derive(Debug, Clone)]
pub struct ZramSwap {
    /// N of zramN.
    pub id: u32,
    /// Block device node.
    pub device: PathBuf,
}

impl ZramSwap {
    /// What is free in it, bytes, by /proc/swaps. `None` when it does not tell.
    pub fn free(&self) -> Option<u64> {
        free_in(
            &sysfs::read("/proc/swaps").ok()?,
            self.device.file_name()?.to_str()?,
        )
    }
}

/// The lines are: name, type, size and used in KiB, priority.
fn free_in(swaps: &str, name: &str) -> Option<u64> {
    let words = swaps
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| {
            words
                .first()
                .is_some_and(|w| w.rsplit('/').next() == Some(name))
        })?;
    let kib = |i: usize| words.get(i)?.parse::<u64>().ok();
    Some(kib(2)?.saturating_sub(kib(3)?) << 10)
}

/// What stands between this machine and a zram swap: probed without creating a device (reading hot_add creates one).
///
/// # Errors
/// A constant reason for a skip. That of a missing driver may be cured with [`load_module`].
pub fn available() -> Result<(), &'static str> {
    if !Path::new("/proc/swaps").exists() {
        return Err("no swap (CONFIG_SWAP)");
    }
    if !Path::new(CONTROL).exists() {
        return Err("no zram (CONFIG_ZRAM)");
    }
    if !nix::unistd::geteuid().is_root() {
        return Err("zram needs root");
    }
    // Root may write everything, but not to a read-only sysfs.
    access(format!("{CONTROL}/hot_remove").as_str(), AccessFlags::W_OK)
        .map_err(|_| "zram cannot be controlled (read-only sysfs)")
}

/// Loads zram with modprobe where it is a module. Whether it was loaded by this call: then
/// [`unload_module`] undoes it.
///
/// # Errors
/// Those of starting modprobe; a modprobe that fails is `Ok(false)`.
pub fn load_module() -> io::Result<bool> {
    if Path::new(CONTROL).exists() {
        return Ok(false);
    }
    // No device that nobody asked for.
    modprobe(&["zram", "num_devices=0"])?;
    Ok(Path::new(CONTROL).exists())
}

/// Unloads zram. Only after [`load_module`] returned true.
///
/// # Errors
/// Those of starting modprobe; EBUSY when the module is still there afterwards.
pub fn unload_module() -> io::Result<()> {
    modprobe(&["-r", "zram"])?;
    if Path::new(CONTROL).exists() {
        Err(Errno::EBUSY.into())
    } else {
        Ok(())
    }
}

fn modprobe(args: &[&str]) -> io::Result<()> {
    // Root's PATH need not have sbin.
    let program = [
        "/sbin/modprobe",
        "/usr/sbin/modprobe",
        "/bin/modprobe",
        "/usr/bin/modprobe",
    ]
    .into_iter()
    .find(|p| Path::new(p).exists())
    .ok_or(io::ErrorKind::NotFound)?;
    let quiet = Stdio::null;
    // The result shows in sysfs.
    Command::new(program)
        .args(args)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .status()?;
    Ok(())
}

/// hot_add; the number of the new device.
///
/// # Errors
/// Those of reading the file; ENOMEM.
pub fn hot_add() -> io::Result<u32> {
    sysfs::read_u64(format!("{CONTROL}/hot_add"))?
        .try_into()
        .map_err(|_| io::ErrorKind::InvalidData.into())
}

fn sys_dir(id: u32) -> PathBuf {
    format!("/sys/block/zram{id}").into()
}

/// Sets disksize (bytes), makes sure a device node exists (mknod in `scratch` where /dev has none), writes a swap header for this
/// machine's page size and calls swapon with the highest priority.
///
/// # Errors
/// InvalidInput for fewer than two pages; those of the steps. Whatever it left, [`stop`] undoes.
pub fn start(id: u32, bytes: u64, scratch: &Path) -> io::Result<ZramSwap> {
    let page = crate::sys::mem::page_size();
    let pages = bytes / page as u64;
    if pages < 2 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sysfs::write(
        sys_dir(id).join("disksize"),
        &(pages * page as u64).to_string(),
    )?;
    let device = node(id, scratch)?;
    let disk = OpenOptions::new().write(true).open(&device)?;
    disk.write_all_at(&swap_header(page, pages), 0)?;
    disk.sync_all()?;
    drop(disk);
    swap::swapon(&device, i16::MAX as u16)?;
    Ok(ZramSwap { id, device })
}

/// Sets disksize, makes sure a device node exists, and puts an empty file system on it. Whatever it left, [`stop`] undoes.
///
/// # Errors
/// Those of the steps.
pub fn start_disk(id: u32, scratch: &Path) -> io::Result<PathBuf> {
    sysfs::write(sys_dir(id).join("disksize"), &disk::BYTES.to_string())?;
    let device = node(id, scratch)?;
    let file = OpenOptions::new().write(true).open(&device)?;
    file.write_all_at(&disk::ext2(), 0)?;
    file.sync_all()?;
    Ok(device)
}

/// The first page of a swap area: union swap_header of include/linux/swap.h, in this machine's byte
/// order, with the magic at the end of the page.
fn swap_header(page: usize, pages: u64) -> Vec<u8> {
    let mut header = vec![0; page];
    let last_page = u32::try_from(pages - 1).unwrap_or(u32::MAX);
    header[1024..1028].copy_from_slice(&1u32.to_ne_bytes()); // version
    header[1028..1032].copy_from_slice(&last_page.to_ne_bytes());
    // nr_badpages at 1032 and sws_uuid at 1036 stay 0.
    header[LABEL_AT..LABEL_AT + LABEL.len()].copy_from_slice(LABEL);
    header[page - 10..].copy_from_slice(b"SWAPSPACE2");
    header
}

/// The device's node: /dev/zramN when it is one, else one made in `dir`.
fn node(id: u32, dir: &Path) -> io::Result<PathBuf> {
    let text = sysfs::read(sys_dir(id).join("dev"))?;
    let (major, minor) = text
        .split_once(':')
        .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
        .ok_or(io::ErrorKind::InvalidData)?;
    let number = makedev(major, minor);
    let is_it = |path: &Path| {
        fs::metadata(path).is_ok_and(|m| m.file_type().is_block_device() && m.rdev() == number)
    };
    let dev = PathBuf::from(format!("/dev/zram{id}"));
    let own = dir.join(format!("zram{id}"));
    for path in [dev, own.clone()] {
        if is_it(&path) {
            return Ok(path);
        }
    }
    mknod(&own, SFlag::S_IFBLK, Mode::S_IRUSR | Mode::S_IWUSR, number)?;
    Ok(own)
}

/// Calls `f` with a node of the device: /dev's, or one made for it in the first directory that takes it.
fn with_node<T>(id: u32, f: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for dir in ["/run", "/dev/shm", "/tmp"] {
        match node(id, Path::new(dir)) {
            Ok(device) if device == Path::new("/dev").join(format!("zram{id}")) => {
                return f(&device);
            }
            Ok(device) => {
                let result = f(&device);
                let _ = fs::remove_file(&device);
                return result;
            }
            Err(e) => last = e,
        }
    }
    Err(last)
}

/// Whether the device may be taken down: it holds nothing, or our swap header.
fn ours(id: u32, device: &Path) -> io::Result<bool> {
    if sysfs::read_u64(sys_dir(id).join("disksize"))? == 0 {
        return Ok(true);
    }
    // The first field: bytes stored, before compression. 0 when start() did not get to its header.
    let stored = sysfs::read(sys_dir(id).join("mm_stat"))?;
    if stored.split_whitespace().next() == Some("0") {
        return Ok(true);
    }
    let mut start = [0; 2048];
    File::open(device)?.read_exact(&mut start)?;
    Ok(start[LABEL_AT..].starts_with(LABEL) || start[disk::LABEL_AT..].starts_with(disk::LABEL))
}

/// swapoff if it is on, reset, hot_remove. Every step is tried; a device that is not there any more is success. Bounded wait.
///
/// # Errors
/// PermissionDenied for a device that holds what [`start`] did not write: it is left alone. EBUSY
/// when somebody kept it open for more than 2 s; ENOMEM when what is swapped out does not fit into memory.
pub fn stop(id: u32) -> io::Result<()> {
    let dir = sys_dir(id);
    if !dir.exists() {
        return Ok(());
    }
    // Where the node of start() was is not known here (its mount namespace may be gone): one is made where
    // /dev has none, and removed before anything is done that takes time.
    let result = with_node(id, |device| {
        if !ours(id, device)? {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("zram{id} holds what this suite did not write"),
            ));
        }
        take_down(id, device)
    });
    // Gone at some point on the way.
    if dir.exists() { result } else { Ok(()) }
}

fn take_down(id: u32, device: &Path) -> io::Result<()> {
    // The node only names the device: the kernel compares block devices, not paths.
    let off = match swap::swapoff(device) {
        // Not on.
        Err(Errno::EINVAL) => Ok(()),
        r => r,
    };
    let reset = patiently(|| sysfs::write(sys_dir(id).join("reset"), "1"));
    let remove = patiently(|| sysfs::write(format!("{CONTROL}/hot_remove"), &id.to_string()));
    // The first step that failed is the cause, unless the last one worked all the same.
    match remove {
        Ok(()) => Ok(()),
        Err(e) => Err(off.map_err(io::Error::from).and(reset).err().unwrap_or(e)),
    }
}

/// Repeats what the kernel refuses with EBUSY for [`PATIENCE`].
fn patiently(step: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let mut until = Wait::new(PATIENCE);
    loop {
        match step() {
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) && !until.over() => {
                sleep(Duration::from_millis(10));
            }
            r => return r,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_of_any_page_size() {
        for page in [4 << 10, 16 << 10, 64 << 10] {
            let h = swap_header(page, 100);
            assert_eq!(h.len(), page);
            assert_eq!(&h[page - 10..], b"SWAPSPACE2");
            assert_eq!(h[1028..1032], 99u32.to_ne_bytes());
        }
    }

    #[test]
    fn lines_of_swaps() {
        let text = "Filename Type Size Used Priority\n/dev/zram1 partition 262140 140 32767\n/dev/zram10 partition 8 8 1\n";
        assert_eq!(free_in(text, "zram1"), Some(262_000 << 10));
        assert_eq!(free_in(text, "zram10"), Some(0));
        assert_eq!(free_in(text, "zram"), None);
    }

    struct Stop(u32);
    impl Drop for Stop {
        fn drop(&mut self) {
            stop(self.0).unwrap();
        }
    }

    fn swaps() -> String {
        sysfs::read("/proc/swaps").unwrap()
    }

    #[test]
    fn a_device_comes_and_goes() {
        let _alone = crate::supervise::alone();
        if let Err(why) = available() {
            return eprintln!("skipped: {why}");
        }
        let scratch = std::env::temp_dir().join(format!("rmap-zram-test-{}", std::process::id()));
        fs::create_dir(&scratch).unwrap();
        let id = hot_add().unwrap();
        let guard = Stop(id);
        let swap = start(id, 16 << 20, &scratch).unwrap();
        let name = format!("zram{id}");
        assert!(
            swaps()
                .lines()
                .any(|l| l.contains(&name) && l.ends_with("32767")),
            "{}",
            swaps()
        );
        assert!(start(id, 16 << 20, &scratch).is_err(), "it is in use");
        // Even while somebody has it open for a moment.
        let held = File::open(&swap.device).unwrap();
        let release = std::thread::spawn(move || {
            sleep(Duration::from_millis(100));
            drop(held);
        });
        stop(id).unwrap();
        release.join().unwrap();
        assert!(!swaps().contains(&name), "{}", swaps());
        assert!(!sys_dir(id).exists());
        drop(guard); // Once more: nothing to do.

        // Somebody else's data stays.
        let id = hot_add().unwrap();
        sysfs::write(sys_dir(id).join("disksize"), "1048576").unwrap();
        let device = node(id, &scratch).unwrap();
        let disk = OpenOptions::new().write(true).open(&device).unwrap();
        let data: Vec<u8> = (0..8192).map(|i| i as u8).collect();
        disk.write_all_at(&data, 0).unwrap();
        disk.sync_all().unwrap();
        drop(disk);
        assert_eq!(
            stop(id).unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        take_down(id, &device).unwrap();
        assert!(!sys_dir(id).exists());
        fs::remove_dir_all(&scratch).unwrap();
    }
}
