// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that have moved while a thread, on another CPU than its process's first, knows where they were.
//!
//! Migration unmaps many pages and has other CPUs forget all of them at once (TTU_BATCH_FLUSH, try_to_unmap_flush()), before it copies any. A page that
//! it forgets to put down for that is read by the other thread in its former place, whatever was written to the new one.

use helpers::supervise::{Ctx, Test};
use helpers::topology::{Grain, RW};
use helpers::walk::{self, Taken, migrate};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// Pages of the area.
const N: usize = 8;
/// It is done again and again: the CPU that shall remember may have had other things to do.
const ROUNDS: usize = 12;
/// Rounds in which the thread has read what was no longer there, at least, for a verdict over several.
const ENOUGH: usize = 4;

/// In every third round the pages have come back from swap and their entries are clean, else all were written.
///
///   P's first thread     |0 1 2 3 4 5 6 7|  |.|    writes when the pages have moved; the last one is for flushes
///   P's other thread     |0 1 2 3 4 5 6 7|  |.|    has read them before, and reads them again
fn moved(ctx: &mut Ctx, memfd: bool) -> TestResult {
    let w = World::new(ctx)?;
    (migrate::MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let p = w.actor("P")?;
    let t = p.thread()?;
    let other = Grain::Base.map(&w, p, 1)?;
    let a = w.place(N);
    w.name(other, "other");
    w.name(a, "a");
    if memfd {
        let file = w.object(Kind::Memfd, N)?;
        p.map_object(a, &file, 0, RW, Share::Shared)?;
    } else {
        p.map(a)?;
    }
    p.write(a)?;
    w.control()?;
    let (mut told, mut open, mut stale) = (0, 0, 0);
    for round in 0..ROUNDS {
        if round % 3 == 2 {
            walk::leave_in_swap(&w)?;
            p.read(a)?;
        }
        // It would be done now.
        t.flush_pending(other)?;
        let known = t.know(a)?;
        let taken = (migrate::MIGRATE.take)(&w)?;
        let moved = t.elsewhere(&known)?;
        // If it was somebody else's reclaim that has taken them.
        let surely = round % 2 == 0;
        if surely {
            t.flush_pending(other)?;
        }
        p.write_all(&moved)?;
        let mut old = 0;
        for &run in &moved {
            if surely {
                t.check(run)?;
            } else {
                old += t.stale(run)?;
            }
        }
        if matches!(taken, Taken::Yes(_)) && !moved.is_empty() {
            told += 1;
            open += usize::from(!surely);
            stale += usize::from(old > 0);
        }
        w.check()?;
        p.write(a)?;
    }
    w.diag(format_args!("{told} of {ROUNDS} rounds moved pages"));
    // It may be about to flush just then, but not each time.
    if stale >= ENOUGH && 2 * stale > open {
        return Err(Stop::fail(format_args!(
            "no thread reads a page where it was before it moved: one did so in {stale} of {open} rounds"
        )));
    }
    if told == 0 {
        return Err(Stop::Skip("needs pages that move"));
    }
    t.end()?;
    w.check()?;
    w.finish()
}

const THREADS: Test = Test {
    about: "No thread reads a page where it was before it moved, whatever its CPU remembers.",
    ..Test::DEFAULT
};
/// move_pages(2).
pub const MIGRATE: Test = Test {
    name: "migrate.threads",
    run: |c| moved(c, false),
    ..THREADS
};
/// The same of shared memory.
pub const MIGRATE_MEMFD: Test = Test {
    name: "migrate.threads.memfd",
    run: |c| moved(c, true),
    ..THREADS
};
