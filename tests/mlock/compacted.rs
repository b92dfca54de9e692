// SPDX-License-Identifier: GPL-2.0-or-later
//! Compaction where locked pages have to stay (vm.compact_unevictable_allowed, isolate_migratepages_block()): real-time programs lock theirs lest
//! a migration entry has them wait.

use super::MLOCK;
use helpers::kernel::lru;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology;
use helpers::walk::{compact, mlocked};
use helpers::world::model::Lock;
use helpers::world::{Area, World};
use helpers::{Stop, TestResult};

const ALLOWED: &str = "/proc/sys/vm/compact_unevictable_allowed";
/// Pages in a run of one kind.
const RUN: usize = 32;
/// Runs.
const RUNS: usize = 32;
/// Compaction moves what it likes, mostly from one end of memory to the other: so many are asked for until it has moved one that is not locked. Each
/// takes pages elsewhere, as the others keep theirs.
const OWNERS: [&str; 6] = ["P", "Q", "R", "S", "T", "U"];

///   P, Q, ..  |locked|others, every second page gone|locked|others ...|      and a child of each: nothing of it is locked
fn compacted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (compact::COMPACT.offered)(&w).map_err(Stop::Skip)?;
    mlocked::shown(&w)?;
    let nodes = &w.features().nodes;
    let mut moved = 0;
    for (i, name) in OWNERS.into_iter().enumerate() {
        let (p, a) = (w.actor(name)?, w.place(RUNS * RUN));
        w.name(a, "a");
        p.map(a)?;
        if nodes.len() > 1 {
            p.bind(a, Some(nodes[i % nodes.len()]))?;
        }
        p.write(a)?;
        let runs = (0..RUNS).map(|i| a.sub(i * RUN..(i + 1) * RUN));
        let (locked, others): (Vec<_>, Vec<_>) = runs.enumerate().partition(|(i, _)| i % 2 == 0);
        let [locked, others] = [locked, others]
            .map(|runs| runs.into_iter().map(|(_, run)| run).collect::<Vec<Area>>());
        for &run in &locked {
            p.lock(run, Lock::Full)?;
        }
        for run in &others {
            // Room for what moves.
            for page in (0..RUN).step_by(2) {
                p.advise(run.page(page), advice::DONTNEED)?;
            }
        }
        p.fork(&format!("{name}.C"))?;
        lru::drain().doing("drain the LRU batches")?;
        for &run in &locked {
            mlocked::expect(&w, p, run, true)?;
        }
        moved += compact::leaves(&w, p, &locked, &others)?;
        if moved > 0 && i > 0 {
            break;
        }
    }
    if moved == 0 {
        return Err(Stop::Skip("needs a page that this walk can take now"));
    }
    w.diag(format_args!("{moved} pages moved that are not locked"));
    topology::write_by_each(&w)?;
    w.finish()
}

pub const COMPACTED: Test = Test {
    name: "compacted",
    about: "Compaction does not move a locked page where it may not.",
    needs: &[
        Need::Pfn,
        Need::KpageFlags,
        Need::File(ALLOWED, "needs CONFIG_COMPACTION"),
    ],
    knobs: &[
        Knob::set(ALLOWED, "0"),
        // It would move pages by itself.
        Knob::set("/proc/sys/kernel/numa_balancing", "0"),
    ],
    run: compacted,
    ..MLOCK
};
