// SPDX-License-Identifier: GPL-2.0-or-later
//! KSM pages unmerged: by a write, a move, an madvise, a prctl, a knob.
//!
//! break_ksm() copies a KSM page for the one mapper that asked, and ksmd forgets the rmap_item at its next scan. What is left merged
//! must still be found in all its mappers, and what was unmerged merges again at its new place.

use helpers::kernel::features::Features;
use helpers::kernel::ksm;
use helpers::supervise::{Ctx, Fix, Knob, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, R, RW, filled, like};
use helpers::walk::merge::{self, expect_merging, expect_zero_pages, merge};
use helpers::world::model::Lock;
use helpers::world::{Actor, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

#[path = "ksm_unmerge/part.rs"]
mod part;

/// Every walk, then every sharer writes.
fn walks(w: World) -> TestResult {
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// An advice changes the flag that it is for and no other: what is sealed is so after MADV_UNMERGEABLE, in the child too.
///
///   P [0 1 2 3] sealed    C, its child, the same    Q equal
fn sealed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, (p, a))?;
    merge(&w, &[(p, a), q])?;
    p.seal(a)?;
    let c = p.fork("C")?;
    let to = w.place(4);
    w.name(to, "to");
    p.check_sealed(a, to)?;
    p.advise(a, advice::UNMERGEABLE)?;
    w.check()?;
    p.check_sealed(a, to)?;
    c.check_sealed(a, to)?;
    c.advise(a, advice::UNMERGEABLE)?;
    c.check_sealed(a, to)?;
    walks(w)
}

/// Pages written since the soft-dirty bits were cleared, merged, and given back.
///
///   P [0 1 2 3]  C, its child  [0 1 2 3]  Q [0 1 2 3]     0 to 2 written again
fn soft_dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs CONFIG_MEM_SOFT_DIRTY"));
    }
    let (p, a) = filled(&w, "P", 4)?;
    let (q, b) = like(&w, "Q", 4, (p, a))?;
    w.clear_soft_dirty()?;
    p.write(a.sub(0..3))?;
    q.write_like(b.sub(0..3), p, a.sub(0..3))?;
    merge(&w, &[(p, a), (q, b)])?;
    let c = p.fork("C")?;
    let mut had = p.unmerge_soft_dirty(a)?;
    w.check()?;
    had += q.unmerge_soft_dirty(b)?;
    c.advise(a, advice::UNMERGEABLE)?;
    if had == 0 {
        return Err(Stop::Skip(
            "needs a merged page that has kept its soft-dirty bit",
        ));
    }
    w.check()?;
    walks(w)
}

/// How a merged area is moved.
#[derive(Clone, Copy, PartialEq)]
enum Move {
    Whole,
    Part,
    Over,
    Dontunmap,
}

/// Moving unmerges: an rmap_item knows one address only. The moved pages are their process' own, and merge again.
fn moved_after(ctx: &mut Ctx, how: Move) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, (p, a))?;
    let b = w.place(4);
    w.name(b, "b");
    p.map(b)?;
    p.write_like(b, p, a)?;
    merge(&w, &[(p, a), (p, b), q])?;
    let c = p.fork("C")?;
    let to = w.place(4);
    w.name(to, "to");
    let at = match how {
        Move::Whole => {
            p.move_to(a, to)?;
            to
        }
        Move::Part => {
            p.move_to(a.sub(1..3), to.sub(1..3))?;
            to.sub(1..3)
        }
        Move::Over => {
            p.move_to(a.sub(0..2), b.sub(2..4))?;
            b.sub(2..4)
        }
        Move::Dontunmap => {
            p.move_dontunmap(a, to)?;
            to
        }
    };
    w.check()?;
    // The child's are as they were, until it moves its own.
    let there = w.place(4);
    w.name(there, "there");
    c.move_to(a, there)?;
    w.check()?;
    merge(&w, &[(p, at), (c, there), (c, b), q])?;
    p.fork("late")?;
    walks(w)
}

/// What is unmerged, and in which order.
#[derive(Clone, Copy, PartialEq)]
enum Unmerge {
    Whole,
    Parts,
    OneByOne,
    All,
}

///   P [0 1 2 3 4]  C (a child) [0 1 2 3 4]  Q [0 1 2 3 4]
///
/// MADV_UNMERGEABLE gives every page of the area back to its process, the last one too; nobody else's.
fn unmerge(ctx: &mut Ctx, how: Unmerge) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 5)?;
    let q = like(&w, "Q", 5, p)?;
    let r = like(&w, "R", 5, p)?;
    merge(&w, &[p, q, r])?;
    let (c, a) = (p.0.fork("C")?, p.1);
    match how {
        Unmerge::Whole => {
            p.0.advise(a, advice::UNMERGEABLE)?;
            w.check()?;
            q.0.advise(q.1, advice::UNMERGEABLE)?;
            w.check()?;
            c.advise(a, advice::UNMERGEABLE)?;
        }
        Unmerge::Parts => {
            p.0.advise(a.sub(3..5), advice::UNMERGEABLE)?;
            w.check()?;
            c.advise(a.sub(0..2), advice::UNMERGEABLE)?;
            w.check()?;
            q.0.advise(q.1.sub(1..4), advice::UNMERGEABLE)?;
            w.check()?;
            p.0.advise(a, advice::UNMERGEABLE)?;
        }
        Unmerge::OneByOne => {
            for i in [4, 0, 2, 1] {
                p.0.advise(a.page(i), advice::UNMERGEABLE)?;
                w.check()?;
                c.advise(a.page(4 - i), advice::UNMERGEABLE)?;
            }
        }
        Unmerge::All => merge::unmerge_all(&w)?,
    }
    w.check()?;
    walk::every_on_offer(&w)?;
    merge(&w, &[p, (c, a), q, r])?;
    w.check()?;
    walks(w)
}

/// Who has merged pages unmerged that are not writable at the moment.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Madvise,
    Prctl,
    All,
}

/// An unmerge breaks no promise of mprotect, and asks nobody's leave: whatever the rights are at the moment, the page is given back
/// (break_ksm()).
///
///   P  |0 1|r 2 3|- 4 5|r 6 locked|r 7|      C  P's child  |r 0 .. 3|- 4 5|r 6 7|      Q  |r 0 .. 7|     D  Q's child, |- 0 .. 7|
fn rights(ctx: &mut Ctx, by: By) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 8)?;
    let q = like(&w, "Q", 8, p)?;
    merge(&w, &[p, q])?;
    let a = p.1;
    // Linux 6.1 looks for the pages as for its own accesses, which find none without a right ("mm/ksm: convert break_ksm() to use
    // walk_page_range_vma()", Linux 6.2).
    let none = match w.features().version() > (6, 1) {
        true => NONE,
        false => R,
    };
    p.0.protect(a.sub(2..4), R)?;
    p.0.protect(a.sub(4..6), none)?;
    p.0.protect(a.sub(6..8), R)?;
    p.0.lock(a.page(6), Lock::Full)?;
    let c = p.0.fork("C")?;
    c.protect(a.sub(0..2), R)?;
    q.0.protect(q.1, R)?;
    let d = q.0.fork("D")?;
    d.protect(q.1, none)?;
    w.check()?;
    let places = [p, (c, a), q, (d, q.1)];
    match by {
        By::Madvise => {
            for (actor, area) in places {
                actor.advise(area, advice::UNMERGEABLE)?;
                w.check()?;
            }
        }
        By::Prctl => {
            for (actor, _) in places {
                actor.memory_merge(true)?;
                actor.memory_merge(false)?;
                w.check()?;
            }
        }
        By::All => merge::unmerge_all(&w)?,
    }
    w.check()?;
    for (actor, area) in places {
        actor.protect(area, RW)?;
    }
    w.check()?;
    walks(w)
}

/// Each sharer in turn writes, and those that are left are found.
fn cow(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    let r = like(&w, "R", 4, p)?;
    merge(&w, &[p, q, r])?;
    let c = p.0.fork("C")?;
    let base = merge::merging_at_fork(c)?;
    p.0.write(p.1.page(0))?;
    q.0.write(q.1.page(1))?;
    r.0.write(r.1.page(2))?;
    c.write(p.1.page(3))?;
    w.check()?;
    c.write(p.1.page(0))?;
    p.0.write(p.1.page(1))?;
    q.0.write(q.1.page(2))?;
    r.0.write(r.1.page(3))?;
    // The child stays with one page that P and Q have left, and ksmd meets it now.
    expect_merging(&w, true, &[(p.0, 2), (q.0, 2), (r.0, 2), (c, base + 2)])?;
    walks(w)
}

/// What PR_GET_MEMORY_MERGE says.
#[track_caller]
fn expect_any(w: &World, expected: &[(Actor, bool)]) -> TestResult {
    for (actor, on) in expected {
        if actor.merges_memory()? != *on {
            let name = actor.name();
            w.diag(format_args!("{name}: PR_GET_MEMORY_MERGE is not {on}"));
            return Err(Stop::fail(
                "PR_SET_MEMORY_MERGE is inherited, and switched off for one process alone",
            ));
        }
    }
    Ok(())
}

/// PR_SET_MEMORY_MERGE goes to a child, and over an exec: what they map later merges without an madvise.
fn merge_any(ctx: &mut Ctx, exec: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(4);
    w.name(a, "a");
    p.memory_merge(true)?;
    p.map(a)?;
    p.write(a)?;
    let c = p.fork("C")?;
    let b = w.place(8);
    w.name(b, "b");
    if exec {
        c.exec()?;
        c.map_if_free(b)?;
    } else {
        c.map(b)?;
    }
    expect_any(&w, &[(p, true), (c, true)])?;
    c.write_like(b, p, a)?;
    merge::run(&w, &[(p, a), (c, b)])?;
    walk::every_on_offer(&w)?;
    merge::run(&w, &[(p, a), (c, b)])?;
    let g = c.fork("G")?;
    // Switched off in one: its own pages are unmerged, nobody else's.
    c.memory_merge(false)?;
    expect_any(&w, &[(p, true), (c, false), (g, true)])?;
    w.check()?;
    walks(w)
}

/// What a child has from its parent merges as well, without anything that it maps itself (ksm_fork()).
///
///   P  [a]  [b]       C  [a]  [b'], written like a       both by PR_SET_MEMORY_MERGE of P
fn merge_any_inherited(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place(4), w.place(4));
    w.name(a, "a");
    w.name(b, "b");
    p.memory_merge(true)?;
    p.map(a)?;
    p.map(b)?;
    p.write(a)?;
    p.write(b)?;
    let c = p.fork("C")?;
    c.write_like(b, p, a)?;
    merge::run(&w, &[(p, a), (c, b)])?;
    walks(w)
}

/// What a process maps and grows when it wants all of its memory merged: private copies of a file's pages, and its heap
/// (ksm_vma_flags(), do_brk_flags()).
///
///   P  [a]  [file, private: written like a]  |heap|grown, written like a|
fn merge_any_kinds(ctx: &mut Ctx, heap: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, room) = (w.place(4), w.place(12));
    w.name(a, "a");
    w.name(room, "room");
    p.memory_merge(true)?;
    p.map(a)?;
    p.write(a)?;
    let late = if heap {
        let old = room.sub(0..4);
        p.map_heap(old)?;
        p.make_room(room.sub(4..12))?;
        p.heap(old)?;
        p.brk(old, 8)?.sub(4..8)
    } else {
        let file = w.object(Kind::Memfd, 4)?;
        p.map_object(room.sub(0..4), &file, 0, RW, Share::Private)?;
        room.sub(0..4)
    };
    let q = w.actor("Q")?;
    q.memory_merge(true)?;
    q.map(a)?;
    q.write_like(a, p, a)?;
    p.write_like(late, p, a)?;
    merge::run(&w, &[(p, a), (q, a), (p, late)])?;
    p.fork("C")?;
    walks(w)
}

/// How pages of zeroes are unmerged.
#[derive(Clone, Copy, PartialEq)]
enum Zeroes {
    Madvise,
    Prctl,
    All,
}

///   P [x 0 x 0]  Q [0 0]       pages of zeroes
fn zeroes(ctx: &mut Ctx, how: Zeroes) -> TestResult {
    let w = World::new(ctx)?;
    if how == Zeroes::All {
        merge::forget_others(&w)?;
    }
    let (p, a) = filled(&w, "P", 4)?;
    p.write_zeroes(a.page(1))?;
    p.write_zeroes(a.page(3))?;
    let q = w.actor("Q")?;
    let b = w.place(2);
    w.name(b, "b");
    q.map(b)?;
    q.write_zeroes(b)?;
    merge::merge_zeroes(&w, &[(p, a.page(1)), (p, a.page(3)), (q, b)])?;
    expect_zero_pages(&w, &[(p, 2), (q, 2)])?;
    let c = p.fork("C")?;
    w.check()?;
    expect_zero_pages(&w, &[(p, 2), (c, 2)])?;
    c.write(a.page(1))?;
    q.write(b.page(1))?;
    expect_zero_pages(&w, &[(p, 2), (c, 1), (q, 1)])?;
    match how {
        Zeroes::Madvise => {
            q.advise(b, advice::UNMERGEABLE)?;
            p.advise(a, advice::UNMERGEABLE)?;
        }
        Zeroes::Prctl => {
            for actor in [p, q] {
                actor.memory_merge(true)?;
                actor.memory_merge(false)?;
            }
        }
        Zeroes::All => merge::unmerge_all(&w)?,
    }
    w.check()?;
    let of_child = u64::from(how != Zeroes::All);
    expect_zero_pages(&w, &[(p, 0), (c, of_child), (q, 0)])?;
    p.write(a.page(3))?;
    walks(w)
}

/// Many kernels as they were released do not count for the machine what a child inherits (4d6fc29f3634, "mm/ksm: fix incorrect KSM counter handling in
/// mm_struct during fork"). Seen to: 6.12.118, 6.18.44, 7.3.4.
fn counted_at_fork(features: &Features) -> bool {
    match features.version() {
        (6, 12) => features.sublevel() >= 118,
        version => version >= (6, 18),
    }
}

/// Zero pages that go in each way but a write: each is no longer counted, for the process that had it and for the machine.
///
///   P  a [x 0 0 0 0 0 0 - - ... x]  ->  [======== PMD ========]      b |0 0 0 0 0 0|      C  the same, from before
fn zeroes_gone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place_huge(1)?, w.place(6));
    w.name(a, "a");
    w.name(b, "b");
    for area in [a, b] {
        p.map(area)?;
        // As a whole: a collapse is of one VMA.
        p.advise(area, advice::MERGEABLE)?;
    }
    let of_a = a.sub(1..7);
    p.write(a.page(0))?;
    p.write(a.page(a.pages - 1))?;
    p.write_zeroes(of_a)?;
    p.write_zeroes(b)?;
    merge::merge_zeroes(&w, &[(p, of_a), (p, b)])?;
    let machine = ksm::all_zero_pages().filter(|_| counted_at_fork(w.features()));
    let wrong = |due: i64, seen: i64| {
        Err(Stop::fail(format_args!(
            "the machine's ksm_zero_pages is the sum of its processes': expected {due}, seen {seen}"
        )))
    };
    // Others may give up theirs at any time, but do not have less than none.
    let ours = match machine {
        Some(seen) if seen < 12 => return wrong(12, seen),
        seen => seen == Some(12),
    };
    if !ours {
        w.diag("the machine's ksm_zero_pages is not judged: others have some, there is none, or forks are not counted (before Linux 6.12.118, 6.18)");
    }
    let expect = |all: &[(Actor, u64)]| -> TestResult {
        expect_zero_pages(&w, all)?;
        let due: i64 = all.iter().map(|(_, n)| *n as i64).sum();
        match ksm::all_zero_pages() {
            Some(seen) if ours && seen != due => wrong(due, seen),
            _ => Ok(()),
        }
    };
    expect(&[(p, 12)])?;
    let c = p.fork("C")?;
    p.advise(b.page(1), advice::DONTNEED)?;
    p.unmap(b.page(2))?;
    p.map(b.page(3))?;
    w.check()?;
    expect(&[(p, 9), (c, 12)])?;
    c.unmap(b)?;
    expect(&[(p, 9), (c, 6)])?;
    // A collapse needs a page that may be written.
    p.write(a.page(0))?;
    p.collapse(a)?;
    w.check()?;
    expect(&[(p, 3), (c, 6)])?;
    c.write(a.page(0))?;
    c.collapse(a)?;
    w.check()?;
    expect(&[(p, 3), (c, 0)])?;
    walks(w)
}

const KSM: Test = Test {
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm],
    ..Test::DEFAULT
};

const MOVED: Test = Test {
    about: "A page that mremap moved is merged and found at its new place; moving unmerges.",
    guards: &[Fix {
        commit: "1ff829957316",
        subject: "ksm: prevent mremap move poisoning",
    }],
    ..KSM
};

const UNMERGE: Test = Test {
    about: "Unmerging gives every page of the area to its process, and no other.",
    ..KSM
};

const RIGHTS: Test = Test {
    about: "Unmerging gives back pages that may not be written or read at the moment, too.",
    ..KSM
};

const ANY: Test = Test {
    about: "PR_SET_MEMORY_MERGE is inherited over fork and exec, and switched off for one process alone.",
    guards: &[
        Fix {
            commit: "3c6f33b7273a",
            subject: "mm/ksm: support fork/exec for prctl",
        },
        Fix {
            commit: "3a9e567ca45f",
            subject: "mm/ksm: fix ksm exec support for prctl",
        },
    ],
    ..KSM
};

const ZEROES: Test = Test {
    about: "With use_zero_pages pages of zeroes become the zero page, and a write is the writer's own.",
    knobs: &[Knob::set("/sys/kernel/mm/ksm/use_zero_pages", "1")],
    ..KSM
};

const TESTS: &[Test] = &[
    part::PART,
    Test {
        name: "moved_after.whole",
        run: |c| moved_after(c, Move::Whole),
        ..MOVED
    },
    Test {
        name: "moved_after.part",
        run: |c| moved_after(c, Move::Part),
        ..MOVED
    },
    Test {
        name: "moved_after.over",
        run: |c| moved_after(c, Move::Over),
        ..MOVED
    },
    Test {
        name: "moved_after.dontunmap",
        run: |c| moved_after(c, Move::Dontunmap),
        ..MOVED
    },
    Test {
        name: "unmerge.whole",
        run: |c| unmerge(c, Unmerge::Whole),
        ..UNMERGE
    },
    Test {
        name: "unmerge.parts",
        run: |c| unmerge(c, Unmerge::Parts),
        ..UNMERGE
    },
    Test {
        name: "unmerge.one_by_one",
        run: |c| unmerge(c, Unmerge::OneByOne),
        ..UNMERGE
    },
    Test {
        name: "unmerge.all",
        run: |c| unmerge(c, Unmerge::All),
        ..UNMERGE
    },
    Test {
        name: "unmerge.rights",
        run: |c| rights(c, By::Madvise),
        ..RIGHTS
    },
    Test {
        name: "unmerge.rights.prctl",
        run: |c| rights(c, By::Prctl),
        ..RIGHTS
    },
    Test {
        name: "unmerge.rights.all",
        run: |c| rights(c, By::All),
        ..RIGHTS
    },
    Test {
        name: "cow",
        run: cow,
        about: "Each write to a KSM page is the writer's own; the others stay merged.",
        ..KSM
    },
    Test {
        name: "sealed",
        run: sealed,
        about: "MADV_UNMERGEABLE of a sealed area gives its pages back, and it stays sealed.",
        guards: &[Fix {
            commit: "f04aad36a07c",
            subject: "mm/ksm: fix flag-dropping behavior in ksm_madvise",
        }],
        ..KSM
    },
    Test {
        name: "soft_dirty",
        run: soft_dirty,
        about: "MADV_UNMERGEABLE leaves soft-dirty what was soft-dirty.",
        ..KSM
    },
    Test {
        name: "merge_any.fork",
        run: |c| merge_any(c, false),
        ..ANY
    },
    Test {
        name: "merge_any.inherited",
        run: merge_any_inherited,
        ..ANY
    },
    Test {
        name: "merge_any.file",
        run: |c| merge_any_kinds(c, false),
        ..ANY
    },
    Test {
        name: "merge_any.heap",
        run: |c| merge_any_kinds(c, true),
        ..ANY
    },
    Test {
        name: "merge_any.exec",
        run: |c| merge_any(c, true),
        ..ANY
    },
    Test {
        name: "zeroes",
        run: |c| zeroes(c, Zeroes::Madvise),
        ..ZEROES
    },
    Test {
        name: "zeroes.prctl",
        run: |c| zeroes(c, Zeroes::Prctl),
        ..ZEROES
    },
    Test {
        name: "zeroes.all",
        run: |c| zeroes(c, Zeroes::All),
        ..ZEROES
    },
    Test {
        name: "zeroes.gone",
        about: "A zero page that KSM placed is counted as long as it is mapped.",
        needs: &[
            Need::Pfn,
            Need::KpageFlags,
            Need::Ksm,
            Need::Thp,
            Need::MemMib(64),
        ],
        run: zeroes_gone,
        ..ZEROES
    },
];

pub fn main() {
    run(
        "ksm_unmerge",
        "KSM pages unmerged by writes, moves, madvise, prctl and knobs",
        TESTS,
    )
}
