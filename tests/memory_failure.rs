// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that fail (memory_failure()): the reverse map tells who has to be told, and takes the page from all who have it.
//!
//! Destructive: where the kernel cannot give poisoned pages back (CONFIG_HWPOISON_INJECT), each test costs some pages until the
//! next boot.

use helpers::TestResult;
use helpers::kernel::features::Features;
use helpers::kernel::hugetlb;
use helpers::kernel::hwpoison;
use helpers::supervise::{Ctx, Fix, Knob, Need, Test, main as run};
use helpers::topology::Grain::Base;
use helpers::topology::{self, Grain, R};
use helpers::walk::{self, ksm};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Cause, Signals, World};

#[path = "memory_failure/entries.rs"]
mod entries;
#[path = "memory_failure/held.rs"]
mod held;
#[path = "memory_failure/kept.rs"]
mod kept;
#[path = "memory_failure/object.rs"]
mod object;
#[path = "memory_failure/pooled.rs"]
mod pooled;
#[path = "memory_failure/threads.rs"]
mod threads;

/// Pages of each mapping.
const N: usize = 8;

/// What is poisoned is left by all, and given back.
fn end(w: &World, all: &[Actor]) -> TestResult {
    for actor in all {
        actor.exit()?;
    }
    w.unpoison()
}

/// Somebody with memory of its own who is never to be told of anything.
fn bystander<'w, 'c>(w: &'w World<'c>) -> TestResult<Actor<'w, 'c>> {
    let b = w.actor("B")?;
    let area = w.place(N);
    w.name(area, "other");
    b.map(area)?;
    b.write(area)?;
    b.catch(true)?;
    Ok(b)
}

fn from<'w, 'c>(outside: bool, actor: Actor<'w, 'c>) -> Cause<'w, 'c> {
    if outside {
        Cause::Outside
    } else {
        Cause::Access(actor)
    }
}

/// A family, some of whom want to be told at once.
///
///   P early   |0 1 2 3 4 5 6 7|       C early   |0 1' 2 3 4 5 6 7|
///   L late    |0 1 2 3'4 5 6 7|       G early   . . |2 3 4 5 6 7|  C's child
fn family(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    c.catch(true)?;
    let l = p.fork("L")?;
    l.catch(false)?;
    let g = c.fork("C.C")?;
    g.catch(true)?;
    c.write(a.page(1))?;
    l.write(a.page(3))?;
    g.unmap(a.sub(0..2))?;
    for i in [0, 2] {
        w.fail_page(p, a.page(i), from(outside, p), Signals::Mappers)?;
    }
    // Copies are other pages: those of one process only.
    w.fail_page(c, a.page(1), from(outside, c), Signals::Mappers)?;
    w.fail_page(l, a.page(3), from(outside, l), Signals::Mappers)?;
    // Found by who does not want to be told, and by who has not mapped it first.
    w.fail_page(l, a.page(4), from(outside, l), Signals::Mappers)?;
    w.fail_page(g, a.page(5), from(outside, g), Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    // Told when it looks.
    l.access_poison(a.page(0))?;
    g.access_poison(a.page(2))?;
    topology::write_by_each(&w)?;
    end(&w, &[p, c, l, g, b])?;
    w.finish()
}

/// The parent has exited, the child has moved its part, the grandchild has cut its own.
///
///   C       |0 1 2 3|..|4 5 6 7|       the second half at another place
///   G       |0 1 2 3 4|  |5|  |6 7|    5 read only
fn reshaped(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    let to = w.place(N / 2);
    w.name(to, "moved");
    p.write(a)?;
    let c = p.fork("C")?;
    c.catch(true)?;
    let g = c.fork("C.C")?;
    c.move_to(a.sub(N / 2..N), to)?;
    g.protect(a.page(5), R)?;
    p.exit()?;
    w.fail_page(c, to.page(1), from(outside, c), Signals::Mappers)?;
    w.fail_page(g, a.page(6), from(outside, g), Signals::Mappers)?;
    w.fail_page(g, a.page(0), from(outside, g), Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    // What says that a page is lost moves with its area, and is inherited.
    let there = w.place(N / 2);
    w.name(there, "again");
    c.move_to(to, there)?;
    let d = c.fork("C.D")?;
    d.catch(true)?;
    g.move_to(a.sub(0..2), to.sub(0..2))?;
    w.check()?;
    for actor in [c, d] {
        actor.access_poison(there.page(2))?;
        actor.access_poison(there.page(1))?;
    }
    g.access_poison(to.page(0))?;
    end(&w, &[c, d, g, b])?;
    w.finish()
}

/// Where the second half of an area was, there are other pages now, at the same offsets of one anon_vma: each process has two areas that may
/// have the page, and it is in the later one, or in the first.
///
///   P early  |0 1 2 3 n n n n|..|4 5 6 7|       C early  the same       L late  the same
fn refilled(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    let to = w.place(N / 2);
    w.name(to, "moved");
    p.write(a)?;
    p.catch(true)?;
    p.move_to(a.sub(N / 2..N), to)?;
    p.map(a.sub(N / 2..N))?;
    p.write(a.sub(N / 2..N))?;
    let c = p.fork("C")?;
    c.catch(true)?;
    let l = p.fork("L")?;
    l.catch(false)?;
    w.fail_page(p, to.page(1), from(outside, p), Signals::Mappers)?;
    w.fail_page(c, a.page(N / 2 + 2), from(outside, c), Signals::Mappers)?;
    w.fail_page(l, to.page(3), from(outside, l), Signals::Mappers)?;
    walk::every_on_offer(&w)?;
    l.access_poison(to.page(1))?;
    topology::write_by_each(&w)?;
    end(&w, &[p, c, l, b])?;
    w.finish()
}

/// A locked page is taken from all as any other.
fn locked(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    p.lock(a, Lock::Full)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    w.fail_page(p, a.page(1), from(outside, p), Signals::Mappers)?;
    w.fail_page(c, a.page(2), from(outside, c), Signals::Mappers)?;
    end(&w, &[p, c])?;
    w.finish()
}

///   P |=================|  one PMD        C only pages 5 and 6        D all but these
fn parts<'w, 'c>(w: &'w World<'c>) -> TestResult<([Actor<'w, 'c>; 3], Area)> {
    let p = w.actor("P")?;
    let a = Grain::Huge.map(w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    let d = p.fork("D")?;
    c.unmap(a.sub(0..5))?;
    c.unmap(a.sub(7..a.pages))?;
    d.unmap(a.sub(5..7))?;
    Ok(([p, c, d], a))
}

/// One part of a huge page: who maps the rest of it but not this part has nothing to be told of.
fn thp(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let ([p, c, d], a) = parts(&w)?;
    // Who has it by PTEs is not told: splitting it takes the entry of the page away before anybody is looked for (try_to_migrate_one()).
    p.needs_pmds(a)?;
    w.fail_page(p, a.page(6), from(outside, p), Signals::Mappers)?;
    w.fail_page(c, a.page(5), from(outside, c), Signals::Mappers)?;
    w.fail_page(d, a.page(a.pages - 1), from(outside, d), Signals::Mappers)?;
    end(&w, &[p, c, d, b])?;
    w.finish()
}

/// A huge page that somebody holds cannot be split; who maps the page that fails in it is told all the same, whichever of his areas has it
/// (page_mapped_in_vma()). A page of P's is in a pipe.
///
///   P |=================|  one PMD        C only pages 5 and 6        D all but these        E |0 1 2|3 ... n/2-1|n/2 ... n-1|, no PMD
fn thp_held(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let ([p, c, d], a) = parts(&w)?;
    let e = p.fork("E")?;
    e.catch(true)?;
    e.protect(a.sub(a.pages / 2..a.pages), R)?;
    e.protect(a.sub(0..3), R)?;
    p.splice(a.page(1))?;
    w.fail_held_page(p, a.page(6), from(outside, p))?;
    w.fail_held_page(d, a.page(a.pages - 1), from(outside, d))?;
    w.fail_held_page(c, a.page(5), from(outside, c))?;
    for actor in [p, c, d, e, b] {
        actor.exit()?;
    }
    w.finish()
}

/// A page that KSM has merged for a family, for a stranger and for its twin: each has a reverse map of its own.
fn merged(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, N)?;
    p.write(a)?;
    let (q, l) = (w.actor("Q")?, w.actor("L")?);
    let (there, late) = (w.place(N), w.place(N));
    w.name(there, "equal");
    w.name(late, "late");
    q.map(there)?;
    q.write_like(there, p, a)?;
    l.map(late)?;
    l.write_like(late, p, a)?;
    p.catch(true)?;
    q.catch(true)?;
    l.catch(false)?;
    let c = p.fork("C")?;
    c.catch(true)?;
    walk::only(&w, &ksm::KSM)?;
    // ksmd has never seen this one.
    let late_born = p.fork("D")?;
    late_born.catch(true)?;
    w.fail_page(q, there.page(1), from(outside, q), Signals::MappersAtLeast)?;
    w.fail_page(p, a.page(2), from(outside, p), Signals::MappersAtLeast)?;
    w.fail_page(l, late.page(3), from(outside, l), Signals::MappersAtLeast)?;
    w.fail_page(c, a.page(4), from(outside, c), Signals::MappersAtLeast)?;
    w.fail_page(p, a.page(5), from(outside, p), Signals::MappersAtLeast)?;
    end(&w, &[p, c, late_born, q, l, b])?;
    w.finish()
}

fn memory_failure(_: &Features) -> Result<(), &'static str> {
    hwpoison::corrupted()
        .map(drop)
        .ok_or("needs CONFIG_MEMORY_FAILURE")
}

fn from_outside(f: &Features) -> Result<(), &'static str> {
    let there = f.debugfs.as_deref().is_some_and(hwpoison::injectable);
    there
        .then_some(())
        .ok_or("needs hwpoison/corrupt-pfn in debugfs (CONFIG_HWPOISON_INJECT)")
}

const FAIL: Test = Test {
    about: "Who maps a poisoned page is told, nobody else is, and nobody has it any more.",
    needs: &[Need::Root, Need::Pfn, Need::Probe(memory_failure)],
    knobs: &[
        Knob::set("/proc/sys/vm/memory_failure_early_kill", "0"),
        Knob::set("/proc/sys/vm/memory_failure_recovery", "1"),
    ],
    destructive: true,
    ..Test::DEFAULT
};
const OUTSIDE: Test = Test {
    needs: &[
        Need::Root,
        Need::Pfn,
        Need::Probe(memory_failure),
        Need::Probe(from_outside),
    ],
    ..FAIL
};
const SWAPPED: &[Need] = &[
    Need::Root,
    Need::Pfn,
    Need::Probe(memory_failure),
    Need::Probe(from_outside),
    Need::Reclaim,
];
const HUGETLB: Test = Test {
    needs: &[
        Need::Root,
        Need::Pfn,
        Need::Probe(memory_failure),
        // Without it the pages would be lost to the pool.
        Need::Probe(from_outside),
        Need::Thp,
        Need::File(hugetlb::POOL, "needs CONFIG_HUGETLBFS"),
        Need::MemMib(128),
    ],
    knobs: &[
        Knob::set("/proc/sys/vm/memory_failure_early_kill", "0"),
        Knob::set("/proc/sys/vm/memory_failure_recovery", "1"),
        Knob::keep(hugetlb::POOL),
    ],
    ..FAIL
};
const HELD: Test = Test {
    about: "Nobody gets the part of a huge page of shared memory that has failed, also where it could not be split.",
    knobs: &[
        Knob::set("/proc/sys/vm/memory_failure_early_kill", "0"),
        Knob::set("/proc/sys/vm/memory_failure_recovery", "1"),
        topology::SHARED_HUGE,
    ],
    guards: &[Fix {
        commit: "eac96c3efdb5",
        subject: "mm: filemap: check if THP has hwpoisoned subpage for PMD page fault",
    }],
    ..FAIL
};
/// On arm64 a poisoned entry of a huge page that has been given up since was not set at all.
const ENTRY_GUARDS: &[Fix] = &[Fix {
    commit: "6f1bace9a9fb",
    subject: "arm64: hugetlb: fix set_huge_pte_at() to work with all swap entries",
}];
const TABLE_GUARDS: &[Fix] = &[Fix {
    commit: "ca1a47cd3f5f",
    subject: "mm/hugetlb: fix hugetlb_pmd_shared()",
}];
const HUGE_GUARDS: &[Fix] = &[Fix {
    commit: "c79c5a0a00a9",
    subject: "mm/memory-failure: check the mapcount of the precise page",
}];

const TESTS: &[Test] = &[
    Test {
        name: "rule.late",
        run: |c| threads::rule(c, false),
        ..OUTSIDE
    },
    Test {
        name: "rule.early",
        run: |c| threads::rule(c, true),
        knobs: &[
            Knob::set("/proc/sys/vm/memory_failure_early_kill", "1"),
            Knob::set("/proc/sys/vm/memory_failure_recovery", "1"),
        ],
        ..OUTSIDE
    },
    Test {
        name: "family",
        run: |c| family(c, false),
        ..FAIL
    },
    Test {
        name: "family.outside",
        run: |c| family(c, true),
        ..OUTSIDE
    },
    Test {
        name: "reshaped",
        run: |c| reshaped(c, false),
        ..FAIL
    },
    Test {
        name: "reshaped.outside",
        run: |c| reshaped(c, true),
        ..OUTSIDE
    },
    Test {
        name: "refilled",
        run: |c| refilled(c, false),
        ..FAIL
    },
    Test {
        name: "refilled.outside",
        run: |c| refilled(c, true),
        ..OUTSIDE
    },
    Test {
        name: "locked",
        run: |c| locked(c, false),
        ..FAIL
    },
    Test {
        name: "locked.outside",
        run: |c| locked(c, true),
        ..OUTSIDE
    },
    Test {
        name: "thp",
        run: |c| thp(c, false),
        guards: HUGE_GUARDS,
        ..FAIL
    },
    Test {
        name: "thp.outside",
        run: |c| thp(c, true),
        guards: HUGE_GUARDS,
        ..OUTSIDE
    },
    Test {
        name: "thp.zeroes",
        run: |c| kept::zeroes(c, false),
        ..FAIL
    },
    Test {
        name: "thp.zeroes.outside",
        run: |c| kept::zeroes(c, true),
        ..OUTSIDE
    },
    Test {
        name: "swap_cached",
        about: "Who maps a page that fails while it is in the swap cache does not get it back from there.",
        run: |c| kept::swap_cached(c, false),
        needs: SWAPPED,
        ..FAIL
    },
    Test {
        name: "swap_cached.outside",
        about: "Who maps a page that fails while it is in the swap cache does not get it back from there.",
        run: |c| kept::swap_cached(c, true),
        needs: SWAPPED,
        ..FAIL
    },
    Test {
        name: "swap_cached.clean",
        about: "A page that fails while swap has its content is read from there again.",
        run: kept::swap_cached_clean,
        needs: SWAPPED,
        ..FAIL
    },
    Test {
        name: "thp.held",
        run: |c| thp_held(c, false),
        ..FAIL
    },
    Test {
        name: "thp.held.outside",
        run: |c| thp_held(c, true),
        ..OUTSIDE
    },
    Test {
        name: "hugetlb",
        run: |c| pooled::hugetlb_page(c, false),
        ..HUGETLB
    },
    Test {
        name: "hugetlb.outside",
        run: |c| pooled::hugetlb_page(c, true),
        ..HUGETLB
    },
    Test {
        name: "hugetlb.private",
        about: "A child has no page where its parent's was poisoned.",
        run: |c| entries::hugetlb_private(c, false),
        guards: ENTRY_GUARDS,
        ..HUGETLB
    },
    Test {
        name: "hugetlb.private.outside",
        about: "A child has no page where its parent's was poisoned.",
        run: |c| entries::hugetlb_private(c, true),
        guards: ENTRY_GUARDS,
        ..HUGETLB
    },
    Test {
        name: "hugetlb.tables",
        run: |c| pooled::hugetlb_tables(c, false),
        guards: TABLE_GUARDS,
        ..HUGETLB
    },
    Test {
        name: "hugetlb.tables.outside",
        run: |c| pooled::hugetlb_tables(c, true),
        guards: TABLE_GUARDS,
        ..HUGETLB
    },
    Test {
        name: "copies",
        run: |c| entries::copies(c, false),
        ..FAIL
    },
    Test {
        name: "copies.outside",
        run: |c| entries::copies(c, true),
        ..OUTSIDE
    },
    Test {
        name: "given_up",
        about: "What says that a page was poisoned goes with the area, when its owner gives that up.",
        run: |c| entries::given_up(c, false),
        ..FAIL
    },
    Test {
        name: "given_up.outside",
        about: "What says that a page was poisoned goes with the area, when its owner gives that up.",
        run: |c| entries::given_up(c, true),
        ..OUTSIDE
    },
    Test {
        name: "threads",
        run: |c| threads::threads(c, false),
        ..FAIL
    },
    Test {
        name: "threads.outside",
        run: |c| threads::threads(c, true),
        ..OUTSIDE
    },
    Test {
        name: "threads.asking",
        about: "The thread that runs into poison is told, and as of its own access.",
        run: threads::asking,
        ..FAIL
    },
    Test {
        name: "memfd",
        run: |c| object::memfd(c, false),
        ..FAIL
    },
    Test {
        name: "memfd.outside",
        run: |c| object::memfd(c, true),
        ..OUTSIDE
    },
    Test {
        name: "memfd.later",
        run: |c| object::later(c, false),
        ..FAIL
    },
    Test {
        name: "memfd.later.outside",
        run: |c| object::later(c, true),
        ..OUTSIDE
    },
    Test {
        name: "memfd.asked_for",
        run: object::asked_for,
        ..FAIL
    },
    Test {
        name: "memfd.continued",
        run: object::continued,
        ..FAIL
    },
    Test {
        name: "memfd.held",
        run: |c| held::memfd(c, false),
        ..HELD
    },
    Test {
        name: "memfd.held.outside",
        run: |c| held::memfd(c, true),
        needs: OUTSIDE.needs,
        ..HELD
    },
    Test {
        name: "disk.clean",
        about: "A poisoned page that its file has too is read anew, and nobody is told.",
        needs: &[
            Need::Root,
            Need::Pfn,
            Need::KpageFlags,
            Need::Disk,
            Need::Probe(memory_failure),
            Need::Probe(from_outside),
        ],
        run: object::clean,
        ..OUTSIDE
    },
    Test {
        name: "disk.dirty",
        about: "What is lost with a poisoned page of a file is told to its mappers and to who writes it back.",
        needs: &[
            Need::Root,
            Need::Pfn,
            Need::KpageFlags,
            Need::Disk,
            Need::Probe(memory_failure),
        ],
        run: object::dirty,
        ..FAIL
    },
    Test {
        name: "merged",
        run: |c| merged(c, false),
        ..FAIL
    },
    Test {
        name: "merged.outside",
        run: |c| merged(c, true),
        ..OUTSIDE
    },
];

pub fn main() {
    run(
        "memory_failure",
        "poisoned pages: who is told, and that nobody has them",
        TESTS,
    )
}
