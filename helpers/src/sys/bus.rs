// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGBUS for poisoned memory: a handler that remembers what it was told and goes on.

use super::mem::{self, Sys};
use nix::errno::Errno;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};

/// si_code: an access hit poison (action required).
pub const BUS_MCEERR_AR: i32 = 4;
/// si_code: a page has been poisoned (action optional).
pub const BUS_MCEERR_AO: i32 = 5;

/// How soon a process wants to be told (PR_MCE_KILL).
pub const MCE_KILL_LATE: i32 = 0;
/// At once, not at the first access.
pub const MCE_KILL_EARLY: i32 = 1;
/// As vm.memory_failure_early_kill says.
pub const MCE_KILL_DEFAULT: i32 = 2;

const PR_MCE_KILL: i32 = 33;
const PR_MCE_KILL_SET: libc::c_ulong = 1;

/// More signals than this before anybody asks are an access that faults over and over.
const MOST: usize = 64;
/// Words of one record: code, address, lsb, and whether it was the process' first thread that was told.
const WORDS: usize = 4;

/// A ring of records.
static SEEN: [AtomicI64; MOST * WORDS] = [const { AtomicI64::new(0) }; MOST * WORDS];
/// Which records are whole: another thread may be told while this one asks.
static WHOLE: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
/// Signals since ever, and how many of them were asked for.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Where the handler may put a fresh page, so that the access that faulted can go on. 0: nowhere.
static REPAIR: AtomicUsize = AtomicUsize::new(0);

/// Only atomics and system calls: it may interrupt anything.
extern "C" fn on_bus(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // si_addr_lsb follows si_addr (struct siginfo in uapi/asm-generic/siginfo.h); libc does not name it.
    const LSB: usize = if size_of::<usize>() == 8 { 24 } else { 16 };
    // SAFETY: the kernel hands a whole siginfo_t to a handler with SA_SIGINFO, and for SIGBUS it has an address. Both offsets
    // lie inside of it, and the short is aligned.
    let (code, addr, lsb) = unsafe {
        let lsb = info.cast::<u8>().add(LSB).cast::<i16>();
        ((*info).si_code, (*info).si_addr() as usize, lsb.read())
    };
    let count = COUNT.fetch_add(1, SeqCst);
    if count - TAKEN.load(SeqCst) >= MOST {
        super::proc::exit_now(9);
    }
    let at = count % MOST;
    let first = nix::unistd::gettid() == nix::unistd::getpid();
    let record = [
        i64::from(code),
        addr as i64,
        i64::from(lsb),
        i64::from(first),
    ];
    for (i, word) in record.into_iter().enumerate() {
        SEEN[at * WORDS + i].store(word, SeqCst);
    }
    WHOLE[at].store(true, SeqCst);
    let page = mem::page_size();
    let repair = REPAIR.load(SeqCst);
    if repair != 0 && repair == addr / page * page {
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let _ = mem::mmap(repair, page, rw, flags, -1, 0);
    }
}

/// Installs the handler, and says how soon this process wants to be told.
///
/// # Errors
/// EINVAL without CONFIG_MEMORY_FAILURE.
pub fn catch(policy: i32) -> Sys<()> {
    // The handler asks for it, and must not be the first.
    mem::page_size();
    // SAFETY: all zeroes is a sigaction with an empty mask; the handler does only what may be done in one.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut())
    };
    Errno::result(done)?;
    let (policy, zero): (libc::c_ulong, libc::c_ulong) = (policy as libc::c_ulong, 0);
    // SAFETY: numbers only.
    Errno::result(unsafe { libc::prctl(PR_MCE_KILL, PR_MCE_KILL_SET, policy, zero, zero) })
        .map(drop)
}

/// The same, but it is another thread than the first that wants to be told early, and hears of it: one made for that, which does nothing
/// else. The first one wants to be told late.
///
/// # Errors
/// As [`catch`]; that of the thread's making.
pub fn catch_by_thread() -> Sys<()> {
    catch(MCE_KILL_LATE)?;
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(64 << 10);
    let made = thread.spawn(move || {
        let _ = tell.send(catch(MCE_KILL_EARLY));
        loop {
            nix::unistd::pause();
        }
    });
    made.map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    told.recv().unwrap_or(Err(Errno::EIO))
}

/// Makes a page fail (MADV_HWPOISON) in another thread than the first, which is over when this returns.
///
/// # Errors
/// The errno of the call; that of the thread's making.
pub fn poison_by_thread(addr: usize, len: usize) -> Sys<()> {
    let thread = std::thread::Builder::new().stack_size(64 << 10);
    let made = thread.spawn(move || mem::madvise(addr, len, mem::advice::HWPOISON));
    let made = made.map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    made.join().unwrap_or(Err(Errno::EIO))
}

/// A child was told nothing yet; nor does the thread go on that was at a record when it was made.
pub fn begin_as_child() {
    TAKEN.store(COUNT.load(SeqCst), SeqCst);
    for whole in &WHOLE {
        whole.store(false, SeqCst);
    }
}

/// What came since the last call: code, address and lsb of each signal, and whether the first thread was told.
pub fn take() -> Vec<i64> {
    let mut all = Vec::new();
    for n in TAKEN.load(SeqCst)..COUNT.load(SeqCst) {
        let at = n % MOST;
        // Another thread is at it. One of this thread has ended before this goes on.
        while !WHOLE[at].swap(false, SeqCst) {
            std::thread::yield_now();
        }
        let record = &SEEN[at * WORDS..(at + 1) * WORDS];
        all.extend(record.iter().map(|w| w.load(SeqCst)));
        TAKEN.store(n + 1, SeqCst);
    }
    all
}

/// Reads or writes a byte of a page that may be poisoned: then a fresh page of zeroes takes its place.
pub fn access(addr: usize, write: bool) {
    let page = mem::page_size();
    REPAIR.store(addr / page * page, SeqCst);
    if write {
        mem::touch_write(addr);
    } else {
        mem::touch_read(addr);
    }
    REPAIR.store(0, SeqCst);
}
