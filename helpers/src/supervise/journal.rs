// SPDX-License-Identifier: GPL-2.0-or-later
//! What was changed on the machine, and how it was before: in memory to undo it at the end, and in
//! a file for the next run, should this one be killed. The file is also the lock: one run at a time.
//!
//! A line of the file is written before the change is made, so undoing what was never done must be harmless.

use super::undo;
use crate::pace::Wait;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One change that has to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file with one value.
    Knob {
        /// The file.
        path: PathBuf,
        /// What it held.
        old: String,
    },
    /// A zram device is about to be made; these existed before.
    ZramBefore(Vec<u32>),
    /// zramN is ours.
    Zram(u32),
    /// A cgroup of ours.
    Cgroup(PathBuf),
    /// The memory controller was switched on for the children of this cgroup.
    Enabled(PathBuf),
    /// The zram module was not loaded, and is going to be.
    ZramModule,
    /// KSM is going to merge pages of ours; so many were shared before.
    KsmPages(u64),
    /// A directory of ours; in the run that made it, something is mounted there.
    Scratch(PathBuf),
}

/// Where the file is put: the first directory that can be written. All of them are emptied by a reboot or, like /tmp,
/// hold a file whose boot ID tells.
const DIRS: &[&str] = &["/run", "/var/run", "/dev/shm", "/tmp", "/dev"];

/// The file, locked.
pub struct Journal {
    file: Flock<File>,
    path: PathBuf,
}

/// Outcome of [`Journal::open`].
pub enum Opened {
    /// Ours; and what an earlier run left undone.
    Ready(Journal, Vec<Change>),
    /// Another run holds it, or it cannot be where it was to be: why.
    Refused(String),
    /// There is no place for it.
    Nowhere,
}

impl Journal {
    /// Finds, locks and reads the file.
    pub fn open() -> Opened {
        let given = std::env::var_os("RMAP_STATE_DIR").filter(|dir| !dir.is_empty());
        // Who names a directory wants that one.
        let dirs: Vec<PathBuf> = match &given {
            Some(dir) => vec![dir.into()],
            None => DIRS.iter().map(PathBuf::from).collect(),
        };
        for path in dirs.iter().map(|d| d.join(file_name())) {
            match Journal::open_at(&path) {
                Ok(Ok(mut journal)) => {
                    let left = journal.start().unwrap_or_default();
                    return Opened::Ready(journal, left);
                }
                Ok(Err(busy)) => return Opened::Refused(busy),
                Err(e) if given.is_some() => {
                    return Opened::Refused(format!("RMAP_STATE_DIR: {}: {e}", path.display()));
                }
                Err(_) => {}
            }
        }
        Opened::Nowhere
    }

    /// The inner error says who holds it.
    fn open_at(path: &Path) -> io::Result<Result<Journal, String>> {
        let mut patience = Wait::new(Duration::from_secs(2));
        loop {
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(0o600)
                // In a directory that all may write, nobody else may tell us what to restore.
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(path)?;
            let meta = file.metadata()?;
            let euid = nix::unistd::geteuid().as_raw();
            if !meta.is_file() || meta.uid() != euid || meta.mode() & 0o022 != 0 {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => {
                    // Removed by the run that held it just now: the lock is on nothing.
                    if std::fs::metadata(path).is_ok_and(|m| m.ino() == meta.ino()) {
                        return Ok(Ok(Journal {
                            file,
                            path: path.to_owned(),
                        }));
                    }
                }
                Err((mut file, Errno::EWOULDBLOCK)) => {
                    let mut text = String::new();
                    let _ = file.read_to_string(&mut text);
                    // The last to sign it.
                    let pid = text.lines().rev().find_map(|l| l.strip_prefix("pid "));
                    let dead = pid.is_none_or(|pid| !Path::new("/proc").join(pid).exists());
                    if dead && !patience.over() {
                        // Just made, or just killed: a child that was forked a moment ago dies with it.
                        std::thread::sleep(Duration::from_millis(10));
                        continue;
                    }
                    let pid = pid.unwrap_or("unknown");
                    let path = path.display();
                    return Ok(Err(format!("another run (pid {pid}) holds {path}")));
                }
                Err((_, e)) => return Err(e.into()),
            }
        }
    }

    /// Reads what an earlier run left, and signs the file. What is left stays in it until it is
    /// undone: no moment of a kill may lose it, so nothing is ever rewritten.
    fn start(&mut self) -> io::Result<Vec<Change>> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        let boot = boot_id();
        let left = parse(&String::from_utf8_lossy(&bytes), &boot);
        if left.is_empty() {
            self.file.set_len(0)?;
            self.file.write_all(format!("boot {boot}\n").as_bytes())?;
        } else {
            // A last line without its newline must not get one from us.
            let whole = bytes
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1);
            self.file.set_len(whole as u64)?;
        }
        self.file
            .write_all(format!("pid {}\n", std::process::id()).as_bytes())?;
        Ok(left)
    }

    /// Removes the file; the lock goes with the descriptor.
    fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// The directory that it is in: one that can be written.
    pub fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// The lock of a run, for a unit test that makes devices and cgroups as a run does: a run beside it would find them
/// left over, and this test would find the run's.
#[cfg(test)]
pub(crate) struct Alone(Option<(Journal, Vec<Change>)>);

#[cfg(test)]
impl Drop for Alone {
    fn drop(&mut self) {
        if let Some((journal, left)) = self.0.take()
            && left.is_empty()
        {
            journal.remove();
        }
    }
}

/// Waits for the lock. What a killed run left stays for the next.
#[cfg(test)]
pub(crate) fn alone() -> Alone {
    let mut patience = Wait::new(Duration::from_secs(300));
    loop {
        match Journal::open() {
            Opened::Ready(journal, left) => return Alone(Some((journal, left))),
            Opened::Refused(who) if patience.over() => panic!("{who}"),
            Opened::Refused(_) => std::thread::sleep(Duration::from_millis(10)),
            Opened::Nowhere => return Alone(None),
        }
    }
}

fn file_name() -> String {
    match nix::unistd::geteuid().as_raw() {
        0 => "rmap_selftests.journal".to_owned(),
        // /tmp is sticky: the file of one user cannot be the lock of another.
        uid => format!("rmap_selftests.journal.{uid}"),
    }
}

fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

impl Change {
    fn line(&self) -> String {
        match self {
            Change::Knob { path, old } => format!("knob {} {old}\n", path.display()),
            Change::ZramBefore(ids) => {
                let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
                format!("zram-before {}\n", ids.join(","))
            }
            Change::Zram(id) => format!("zram {id}\n"),
            Change::Cgroup(dir) => format!("cgroup {}\n", dir.display()),
            Change::Enabled(dir) => format!("enabled {}\n", dir.display()),
            Change::ZramModule => "module zram\n".to_owned(),
            Change::KsmPages(shared) => format!("ksm-pages {shared}\n"),
            Change::Scratch(dir) => format!("scratch {}\n", dir.display()),
        }
    }

    fn parse(line: &str) -> Option<Change> {
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            "knob" => {
                let (path, old) = rest.split_once(' ')?;
                Change::Knob {
                    path: path.into(),
                    old: old.to_owned(),
                }
            }
            "zram-before" => {
                let ids = rest.split(',').filter(|s| !s.is_empty()).map(str::parse);
                Change::ZramBefore(ids.collect::<Result<_, _>>().ok()?)
            }
            "zram" => Change::Zram(rest.parse().ok()?),
            "cgroup" => Change::Cgroup(rest.into()),
            "enabled" => Change::Enabled(rest.into()),
            "module" if rest == "zram" => Change::ZramModule,
            "ksm-pages" => Change::KsmPages(rest.parse().ok()?),
            "scratch" => Change::Scratch(rest.into()),
            _ => return None,
        })
    }
}

/// What a journal says is still to be undone. Another boot's changes went with that boot; a last line without its
/// newline was never acted upon.
fn parse(text: &str, boot: &str) -> Vec<Change> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let mut lines = whole.lines();
    if boot.is_empty() || lines.next().and_then(|l| l.strip_prefix("boot ")) != Some(boot) {
        return Vec::new();
    }
    let mut stack = Vec::new();
    for line in lines {
        if line == "done" {
            stack.clear();
        } else if let Some(n) = line.strip_prefix("keep ").and_then(|n| n.parse().ok()) {
            stack.truncate(n);
        } else if let Some(n) = line
            .strip_prefix("drop ")
            .and_then(|n| n.parse::<usize>().ok())
        {
            stack.drain(..n.min(stack.len()));
        } else if let Some(change) = Change::parse(line) {
            push(&mut stack, change);
        }
    }
    stack
}

/// The number of a new zram device takes the place of the wait for it.
fn push(stack: &mut Vec<Change>, change: Change) {
    if matches!(
        (stack.last(), &change),
        (Some(Change::ZramBefore(_)), Change::Zram(_))
    ) {
        stack.pop();
    }
    stack.push(change);
}

/// All changes that are not undone yet, the last one last.
#[derive(Default)]
pub struct Changes {
    journal: Option<Journal>,
    stack: Vec<Change>,
}

impl Changes {
    /// With `None` a kill of this run cannot be repaired by the next.
    pub fn new(journal: Option<Journal>, left: Vec<Change>) -> Changes {
        Changes {
            journal,
            stack: left,
        }
    }

    /// How many there are: a mark for [`Changes::undo_to`].
    pub fn len(&self) -> usize {
        self.stack.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// A directory that can be written.
    pub fn dir(&self) -> Option<&Path> {
        self.journal.as_ref().map(Journal::dir)
    }

    /// Notes a change that is about to be made.
    pub fn record(&mut self, change: Change) -> io::Result<()> {
        self.append(&change.line())?;
        push(&mut self.stack, change);
        Ok(())
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        match &mut self.journal {
            Some(journal) => journal.file.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    /// The last change was not made after all.
    pub fn forget_last(&mut self) -> io::Result<()> {
        self.stack.pop();
        self.append(&format!("keep {}\n", self.stack.len()))
    }

    /// Undoes everything after the mark, the last change first. Returns what could not be undone.
    pub fn undo_to(&mut self, mark: usize) -> Vec<String> {
        let mut left = Vec::new();
        let count = self.stack.len();
        while self.stack.len() > mark {
            if let Some(change) = self.stack.pop()
                && let Err(text) = undo::undo(&change)
            {
                left.push(text);
            }
        }
        if count > mark {
            let _ = self.append(&format!("keep {mark}\n"));
        }
        left
    }

    /// Undoes the first `count` changes, which an earlier run left; returns each in words.
    pub fn repair(&mut self, count: usize, scratch: Option<&Path>) -> Vec<String> {
        let mut done = Vec::new();
        for change in self.stack.drain(..count).rev() {
            let what = change.line().trim_end().to_owned();
            match undo::undo_of_the_dead(&change, scratch) {
                Ok(true) => done.push(format!("repaired: {what}")),
                Ok(false) => {}
                Err(text) => done.push(format!("not repaired: {text}")),
            }
        }
        if count > 0 {
            let _ = self.append(&format!("drop {count}\n"));
        }
        done
    }

    /// The clean end.
    pub fn close(self) {
        if let Some(journal) = self.journal {
            journal.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(old: &str) -> Change {
        Change::Knob {
            path: "/sys/a".into(),
            old: old.to_owned(),
        }
    }

    #[test]
    fn lines_come_back() {
        let all = [
            knob("always madvise"),
            Change::ZramBefore(vec![0, 3]),
            Change::ZramBefore(vec![]),
            Change::Zram(7),
            Change::Cgroup("/c/rmap_selftests.1".into()),
            Change::Enabled("/c".into()),
            Change::ZramModule,
            Change::KsmPages(12),
            Change::Scratch("/run/rmap_selftests.mnt".into()),
        ];
        for change in all {
            let line = change.line();
            assert_eq!(
                Change::parse(line.strip_suffix('\n').unwrap()),
                Some(change)
            );
        }
    }

    #[test]
    fn what_is_left() {
        let text = "boot b\npid 1\nknob /sys/a 0\nknob /sys/a 1\ndrop 1\nknob /sys/a 2\nkeep 1\n\
                    zram-before 0\nzram 1\nknob /sys/a 3";
        assert_eq!(parse(text, "b"), [knob("1"), Change::Zram(1)]);
        assert!(parse(text, "another boot").is_empty());
        assert!(parse("", "b").is_empty());
        assert!(parse("boot b\nknob /sys/a 1\ndone\n", "b").is_empty());
    }

    #[test]
    fn a_waiting_zram_is_kept() {
        assert_eq!(
            parse("boot b\nzram-before 0\n", "b"),
            [Change::ZramBefore(vec![0])]
        );
    }
}
