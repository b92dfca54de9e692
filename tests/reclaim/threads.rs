// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that one thread has paged out while another one, on another CPU, knows where they were.
//!
//! Reclaim unmaps many pages and has other CPUs forget all of them at once (TTU_BATCH_FLUSH, try_to_unmap_flush()), before anybody else can have
//! what it frees. A page that it forgets to put down for that is read by the other thread as it was, when it has long come back elsewhere and was
//! written anew.

use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::RW;
use helpers::walk::reclaim::press;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};

/// Pages of each area.
const N: usize = 8;
/// It is done again and again: the CPU that shall remember may have had other things to do.
const ROUNDS: usize = 16;
/// Rounds in which a page went and came back somewhere else, at least, for a verdict over several.
const ENOUGH: usize = 4;

/// What becomes of the pages before they are known to the other CPU.
type Before = fn(Actor, Area) -> TestResult;

/// Written: their entries are dirty.
fn written(p: Actor, a: Area) -> TestResult {
    p.write(a)
}

/// Read back from swap: their entries are clean.
fn read_back(p: Actor, a: Area) -> TestResult {
    p.write(a)?;
    p.page_out(a)?;
    p.read(a)
}

/// Given up: reclaim throws them away.
fn given_up(p: Actor, a: Area) -> TestResult {
    p.write(a)?;
    p.free(a)
}

///   P's first thread     |0 1 2 3 4 5 6 7|.|    |new|    pages out, writes anew; the last page is for flushes
///   P's other thread     |0 1 2 3 4 5 6 7|.|    |new|    has read it before, and reads it again
///
/// What is new gets what was freed, or a page may come back where it was.
fn paged_out(ctx: &mut Ctx, kind: Option<Kind>, before: Before) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let t = p.thread()?;
    let all = w.place(N + 1);
    w.name(all, "a");
    match kind {
        None => p.map(all)?,
        Some(kind) => {
            let file = w.object(kind, N + 1)?;
            p.map_object(all, &file, 0, RW, Share::Shared)?;
        }
    }
    let (a, other) = (all.sub(0..N), all.page(N));
    let new = w.place(2 * N);
    w.name(new, "new");
    p.map(new)?;
    let (mut told, mut open, mut stale) = (0, 0, 0);
    for round in 0..ROUNDS {
        before(p, a)?;
        p.advise(new, advice::DONTNEED)?;
        // It would be done now.
        t.flush_pending(other)?;
        let known = t.know(a)?;
        p.advise(a, advice::PAGEOUT)?;
        // Where nothing is left that somebody else could take just now, there is no more to be flushed afterwards.
        let surely = round % 2 == 0 && t.gone(a)?;
        p.write(new)?;
        if surely {
            t.flush_pending(other)?;
            p.write(a)?;
            t.check(a)?;
            told += usize::from(!t.elsewhere(&known)?.is_empty());
            continue;
        }
        p.write(a)?;
        let old = t.stale(a)?;
        if !t.elsewhere(&known)?.is_empty() {
            told += 1;
            open += 1;
            stale += usize::from(old > 0);
        }
    }
    w.diag(format_args!(
        "{told} of {ROUNDS} rounds had pages that went, and came back elsewhere"
    ));
    // Somebody else's reclaim may be about to flush just then, but not each time.
    if stale >= ENOUGH && 2 * stale > open {
        return Err(Stop::fail(format_args!(
            "no thread reads a page where it was before reclaim took it: one did so in {stale} of {open} rounds"
        )));
    }
    if told < ENOUGH {
        return Err(Stop::Skip("needs pages that come back elsewhere"));
    }
    t.end()?;
    w.check()?;
    w.finish()
}

/// Given up, and written by a thread on another CPU right afterwards, which has written it before: that CPU has to forget that the page is dirty
/// already, or reclaim throws it away (madvise_free_pte_range()).
///
///   P's first thread     |f f f f f f f f|
///   P's other thread     |w w w w - - - -|       4 to 7 may be lost
fn written_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    let t = p.thread()?;
    let (kept, lost) = (a.sub(0..N / 2), a.sub(N / 2..N));
    for _ in 0..4 {
        t.write(a)?;
        p.free(a)?;
        t.write(kept)?;
        press(&w)?;
        p.settle_freed(lost)?;
        w.check()?;
    }
    t.end()?;
    w.finish()
}

const THREADS: Test = Test {
    about: "No thread reads a page where it was before reclaim took it, whatever its CPU remembers.",
    ..super::FREE
};
/// Dirty entries.
pub const WRITTEN: Test = Test {
    name: "threads.written",
    run: |c| paged_out(c, None, written),
    ..THREADS
};
/// Clean ones.
pub const READ_BACK: Test = Test {
    name: "threads.read_back",
    run: |c| paged_out(c, None, read_back),
    ..THREADS
};
/// Clean ones of pages that are lost.
pub const GIVEN_UP: Test = Test {
    name: "threads.given_up",
    run: |c| paged_out(c, None, given_up),
    ..THREADS
};
/// Written again right after they were given up.
pub const WRITTEN_AGAIN: Test = Test {
    name: "threads.written_again",
    about: "What a thread writes after the page was given up is kept.",
    run: written_again,
    ..super::FREE
};
/// Shared memory.
pub const MEMFD: Test = Test {
    name: "threads.memfd",
    run: |c| paged_out(c, Some(Kind::Memfd), written),
    ..THREADS
};
