// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that wait for a NUMA hinting fault: mapped, with their access rights taken away for the moment.
//!
//! Walks find such a page behind every entry, and whoever touches it gets back what the entry allowed before: what a fork shares stays
//! shared, what is write-protected stays so. See walk/hint.rs for how pages come to be marked.

use helpers::supervise::{Ctx, Fix, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, R, RW, filled};
use helpers::walk::hint::{self, far, mark, near};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each mapping.
const N: usize = 8;

///   P  [0 1 .. 7]      each a page of its own
fn alone(w: &World) -> TestResult {
    let (p, a) = filled(w, "P", N)?;
    far(w, p, a)?;
    mark(w, p, a)
}

/// The child's entries are copies of marked ones. Whoever runs near the pages then has a fault that moves nothing.
///
///   P  [0 1 .. 7]      C  [0 1 .. 7]      G  [4 .. 7]
fn forked(w: &World, moves: bool) -> TestResult {
    let (p, a) = filled(w, "P", N)?;
    far(w, p, a)?;
    mark(w, p, a)?;
    if !moves {
        near(w, p)?;
    }
    let c = p.fork("C")?;
    c.fork("G")?.unmap(a.sub(0..4))
}

/// Some entries of a VMA are marked, and those that were touched since are not.
fn scattered(w: &World) -> TestResult {
    let (p, a) = filled(w, "P", N)?;
    far(w, p, a)?;
    mark(w, p, a)?;
    for i in (0..N).step_by(3) {
        p.read(a.page(i))?;
    }
    p.fork("C").map(drop)
}

/// What is done to a VMA takes its marked entries along.
///
///   P  |0 1|r 2 3|moved 4 5|6 7 gone|
fn reshaped(w: &World) -> TestResult {
    let (p, a) = filled(w, "P", N)?;
    let to = w.place(2);
    w.name(to, "to");
    far(w, p, a)?;
    mark(w, p, a)?;
    p.protect(a.sub(2..4), R)?;
    p.move_to(a.sub(4..6), to)?;
    p.unmap(a.sub(6..8))?;
    p.fork("C").map(drop)
}

/// An object's pages, each process' entries marked: the scanner passes over mappings of files that are only read.
///
///   object   0 1 .. 7       P  shared  0 .. 7       Q  shared  2 .. 7
fn object(w: &World) -> TestResult {
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (all, some) = (w.place(N), w.place(N - 2));
    w.name(all, "all");
    w.name(some, "some");
    p.map_object(all, &file, 0, RW, Share::Shared)?;
    p.write(all)?;
    q.map_object(some, &file, 2, RW, Share::Shared)?;
    q.read(some)?;
    far(w, p, all)?;
    far(w, q, some)?;
    mark(w, p, all)?;
    mark(w, q, some)
}

/// Huge pages, by their PMDs.
fn huge(w: &World) -> TestResult {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    far(w, p, a)?;
    mark(w, p, a)
}

/// A huge page that a fork shares, and both entries marked. The fault of who runs near it leaves it where it is.
fn huge_forked(w: &World, moves: bool) -> TestResult {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    far(w, p, a)?;
    mark(w, p, a)?;
    if !moves {
        near(w, p)?;
    }
    p.fork("C").map(drop)
}

/// The PMD is split while it is marked: each part is, then. Or the fault of who runs near it leaves it where it is, and takes the marks off
/// what is around as well (numa_rebuild_large_mapping()), which a fork shares by then.
///
///   P  |0 1 .. 99|r 100 ... 199|200 ...|
fn huge_cut(w: &World, moves: bool) -> TestResult {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    far(w, p, a)?;
    mark(w, p, a)?;
    p.protect(a.sub(a.pages / 8..a.pages / 4), R)?;
    if !moves {
        near(w, p)?;
    }
    p.fork("C").map(drop)
}

/// Write protection by userfaultfd is not the hint's to lift.
///
///   P  [0 1 .. 7]      2 .. 5 write-protected
fn guarded(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", N)?;
    far(&w, p, a)?;
    p.guard(a.sub(2..6))?;
    mark(&w, p, a)?;
    walk::every(&w)?;
    w.finish()
}

/// What a fork shares is nobody's own: one process' faults say nothing of where the others use it.
///
///   P  own |0 1 .. 7|   shared |0 1 .. 7|       C  shared |0 1 .. 7|
fn shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (5, 18) {
        return Err(Stop::Skip(
            "needs NUMA balancing that tells shared pages apart (Linux 5.18)",
        ));
    }
    let (p, own) = filled(&w, "P", N)?;
    let a = w.place(N);
    w.name(a, "shared");
    p.map(a)?;
    p.write(a)?;
    p.advise(own, advice::DONTFORK)?;
    p.fork("C")?;
    far(&w, p, own)?;
    far(&w, p, a)?;
    hint::follow(&w, p, own, a)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const MARKED: Test = Test {
    about: "A page whose entries wait for a NUMA hinting fault is found by every walk, and every mapper gets back what it had.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Nodes(2)],
    knobs: hint::KNOBS,
    ..Test::DEFAULT
};

const HUGE: Test = Test {
    needs: Grain::HUGE_NODES_NEEDS,
    ..MARKED
};

const TESTS: &[Test] = &[
    Test {
        name: "alone",
        run: |c| hint::met(c, alone),
        ..MARKED
    },
    Test {
        name: "forked",
        run: |c| hint::met(c, |w| forked(w, true)),
        ..MARKED
    },
    Test {
        name: "forked.near",
        run: |c| hint::met(c, |w| forked(w, false)),
        ..MARKED
    },
    Test {
        name: "scattered",
        run: |c| hint::met(c, scattered),
        ..MARKED
    },
    Test {
        name: "reshaped",
        run: |c| hint::met(c, reshaped),
        ..MARKED
    },
    Test {
        name: "object",
        run: |c| hint::met(c, object),
        ..MARKED
    },
    Test {
        name: "shared",
        about: "NUMA balancing moves what a process has to itself, and nothing that a fork shares.",
        run: shared,
        guards: &[Fix {
            commit: "80d47f5de5e3",
            subject: "mm: don't try to NUMA-migrate COW pages that have other uses",
        }],
        ..MARKED
    },
    Test {
        name: "guarded",
        run: guarded,
        ..MARKED
    },
    Test {
        name: "huge",
        run: |c| hint::met(c, huge),
        ..HUGE
    },
    Test {
        name: "huge.forked",
        run: |c| hint::met(c, |w| huge_forked(w, true)),
        ..HUGE
    },
    Test {
        name: "huge.forked.near",
        run: |c| hint::met(c, |w| huge_forked(w, false)),
        ..HUGE
    },
    Test {
        name: "huge.cut",
        run: |c| hint::met(c, |w| huge_cut(w, true)),
        ..HUGE
    },
    Test {
        name: "huge.cut.near",
        run: |c| hint::met(c, |w| huge_cut(w, false)),
        ..HUGE
    },
];

pub fn main() {
    run(
        "numa_hint",
        "pages that wait for a NUMA hinting fault: found by every walk, given back as they were",
        TESTS,
    )
}
