// SPDX-License-Identifier: GPL-2.0-or-later
//! Reclaim to a zram swap in a cgroup of its own.

use super::*;
use crate::kernel::pagemap::{Pagemap, State};
use crate::kernel::zram;
use crate::sys::mem;
use crate::sys::proc::{Forked, fork_child};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, pipe, read, write};
use std::os::fd::AsFd;

const PAGES: usize = 64;

/// Undoes all, also when a check fails.
struct Bench {
    memcg: Memcg,
    root: Root,
    child: i32,
    zram: u32,
    scratch: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let child = Pid::from_raw(self.child);
        kill(child, Signal::SIGKILL).unwrap();
        waitpid(child, None).unwrap();
        self.memcg.remove().unwrap();
        self.memcg.remove().unwrap(); // Gone is success.
        self.root.release().unwrap();
        zram::stop(self.zram).unwrap();
        unmount(&self.scratch);
        fs::remove_dir_all(&self.scratch).unwrap();
    }
}

#[test]
fn reclaim_swaps_out() {
    let _alone = crate::supervise::alone();
    if let Err(why) = zram::available() {
        return eprintln!("skipped: {why}");
    }
    // A mount of our own goes with this thread.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    let scratch = std::env::temp_dir().join(format!("rmap-memcg-{}", std::process::id()));
    fs::create_dir(&scratch).unwrap();
    let root = match find(&scratch) {
        Ok(root) => root,
        Err(why) => {
            fs::remove_dir_all(&scratch).unwrap();
            return eprintln!("skipped: {why}");
        }
    };
    let memcg = Memcg::create(&root, &format!("rmap-{}", std::process::id())).unwrap();
    assert!(Memcg::create(&root, memcg.dir.file_name().unwrap().to_str().unwrap()).is_err());
    let page = mem::page_size();
    let rw = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let a = mem::mmap(0, PAGES * page, rw, flags, -1, 0).unwrap();
    let (go, went) = (pipe().unwrap(), pipe().unwrap());
    let step = |r: &dyn AsFd, w: &dyn AsFd| {
        let mut byte = [0];
        read(r.as_fd(), &mut byte).is_ok_and(|n| n == 1) && write(w.as_fd(), &byte).is_ok()
    };
    let child = match fork_child().unwrap() {
        Forked::Child => {
            let mut byte = [0];
            let _ = read(&go.0, &mut byte);
            for i in 0..PAGES {
                mem::fill(a + i * page, page, i as u64 + 1);
            }
            let _ = write(&went.1, &[1]);
            let _ = step(&go.0, &went.1);
            let same = (0..PAGES).all(|i| mem::compare(a + i * page, page, i as u64 + 1).is_none());
            let _ = write(&went.1, &[if same { 2 } else { 3 }]);
            loop {
                nix::unistd::pause();
            }
        }
        Forked::Parent(pid) => pid,
    };
    let zram = zram::hot_add().unwrap();
    let bench = Bench {
        memcg: memcg.clone(),
        root,
        child,
        zram,
        scratch,
    };
    zram::start(zram, 64 << 20, &bench.scratch).unwrap();
    memcg.add(child).unwrap();
    write(&go.1, &[1]).unwrap();
    let mut byte = [0];
    read(&went.0, &mut byte).unwrap();

    let map = Pagemap::open(child).unwrap();
    let swapped = || {
        let entries = map.read(a, PAGES).unwrap();
        entries
            .iter()
            .filter(|e| matches!(e.state(), State::Swapped(_)))
            .count()
    };
    assert_eq!(swapped(), 0);
    memcg.reclaim().unwrap();
    assert!(
        swapped() > PAGES / 2,
        "{} of {PAGES} swapped out",
        swapped()
    );
    assert!(memcg.stat("anon").unwrap().is_some());
    assert_eq!(memcg.stat("no_such_field").unwrap(), None);
    write(&go.1, &[1]).unwrap();
    read(&went.0, &mut byte).unwrap();
    read(&went.0, &mut byte).unwrap();
    assert_eq!(byte, [2], "the content came back");
    let dir = memcg.dir.clone();
    drop(bench);
    assert!(!dir.exists());
    mem::munmap(a, PAGES * page).unwrap();
}

#[test]
fn what_a_killed_reclaim_left_goes_along() {
    let above = std::env::temp_dir().join(format!("rmap-memcg-left-{}", std::process::id()));
    let dir = above.join("rmap-1");
    let left = outside::beside(&dir);
    fs::create_dir_all(&dir).unwrap();
    fs::create_dir(&left).unwrap();
    let memcg = Memcg {
        dir: dir.clone(),
        version: Version::V2,
    };
    memcg.remove().unwrap();
    assert!(!dir.exists() && !left.exists());
    // So is empty what is around them.
    fs::remove_dir(&above).unwrap();
}
