// SPDX-License-Identifier: GPL-2.0-or-later
//! KSM pages: merged, shared on, walked and unmerged.
//!
//! A KSM page is not found through one anon_vma but through its stable node: a list of rmap_items, each an address in a process that
//! ksmd has scanned, with the anon_vma to look in (rmap_walk_ksm()). Processes forked since the merge have no rmap_item; they are found by a
//! second pass over the same anon_vmas. ksmd runs only inside of merge() and its kin, so a script knows whom ksmd has seen.

#[path = "ksm/counts.rs"]
mod counts;
#[path = "ksm/huge.rs"]
mod huge;
#[path = "ksm/places.rs"]
mod places;
#[path = "ksm/room.rs"]
mod room;
#[path = "ksm/scanned.rs"]
mod scanned;

use helpers::supervise::{Ctx, Fix, Knob, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW, filled, like};
use helpers::walk::merge::{self, expect_merging, merge};
use helpers::walk::reclaim::swap_out;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Every walk, then every sharer writes.
fn walks(w: World) -> TestResult {
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P   [0 1 2 3]      Q   [0 1 2 3]      R   [0 1 2 3 0 1]
///
/// R has two mappers of a page in one VMA.
fn processes(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    let r = like(&w, "R", 6, p)?;
    merge(&w, &[p, q, r])?;
    expect_merging(&w, false, &[(p.0, 4), (q.0, 4), (r.0, 6)])?;
    walk::every_on_offer(&w)?;
    // From swap each came back with pages of its own; merged again, and found again.
    merge(&w, &[p, q, r])?;
    expect_merging(&w, true, &[(p.0, 4), (q.0, 4), (r.0, 6)])?;
    walks(w)
}

/// Pages of zeroes but for one word, each twice: no two of different content are merged, wherever the word is (memcmp_pages()).
///
///   P   [first first second second ... last last]      Q   the same
fn nearly_equal(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let last = w.page_size() / size_of::<u64>() - 1;
    let words = [0, 1, last / 2, last - 1, last].map(|word| [word, word]);
    let words = words.as_flattened();
    let (p, a) = (w.actor("P")?, w.place(words.len()));
    w.name(a, "a");
    p.map(a)?;
    p.write_words(a, words)?;
    let q = like(&w, "Q", words.len(), (p, a))?;
    merge(&w, &[(p, a), q])?;
    let pages = merge::distinct(&w, &[(p, a), q])?.len();
    if pages != words.len() {
        return Err(Stop::fail(format_args!(
            "{} contents are in {pages} merged pages",
            words.len()
        )));
    }
    walks(w)
}

/// A process that had nothing mergeable any more, so that ksmd has forgotten it, is met again when it has (scan_get_next_rmap_item(),
/// __ksm_enter()).
///
///   P   [0 1 2 3]  merged, unmapped, ... [0 1 2 3] elsewhere       Q R   [0 1 2 3], written and merged in between
fn forgotten(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let (q, r) = (like(&w, "Q", 4, p)?, like(&w, "R", 4, p)?);
    merge(&w, &[p, q, r])?;
    p.0.unmap(p.1)?;
    expect_merging(&w, true, &[(p.0, 0), (q.0, 4), (r.0, 4)])?;
    // Rounds that find nothing in P.
    for _ in 0..2 {
        q.0.write(q.1)?;
        r.0.write_like(r.1, q.0, q.1)?;
        merge(&w, &[q, r])?;
    }
    let again = w.place(4);
    w.name(again, "again");
    p.0.map(again)?;
    p.0.write_like(again, q.0, q.1)?;
    merge(&w, &[(p.0, again), q, r])?;
    expect_merging(&w, false, &[(p.0, 4), (q.0, 4), (r.0, 4)])?;
    walks(w)
}

///   P   |rw 0 0|r 0 0|rw 0 0| . . |0 0|      all pages equal: one page, in four VMAs
fn one_process(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place(6), w.place(2));
    w.name(a, "a");
    w.name(b, "b");
    p.map(a)?;
    p.write_equal(a)?;
    p.map(b)?;
    p.write_like(b, p, a)?;
    p.protect(a.sub(2..4), R)?;
    merge(&w, &[(p, a), (p, b)])?;
    expect_merging(&w, false, &[(p, 8)])?;
    walk::every_on_offer(&w)?;
    merge(&w, &[(p, a), (p, b)])?;
    p.protect(a.sub(2..4), RW)?;
    p.unmap(a.sub(5..6))?;
    p.unmap(a.sub(0..1))?;
    expect_merging(&w, true, &[(p, 6)])?;
    walks(w)
}

///   P [0 1 2]  Q [0 1 2]      merged, ksmd stopped
///     \__ C1 .. Cn            forked afterwards: no rmap_item, and of some only the addresses of P's
///          \__ G
fn forked_after(ctx: &mut Ctx, children: usize, parent_exits: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 3)?;
    let q = like(&w, "Q", 3, p)?;
    merge(&w, &[p, q])?;
    let mut last = p.0;
    for i in 0..children {
        let from = if i % 2 == 0 { p.0 } else { last };
        last = from.fork(&format!("C{i}"))?;
    }
    last.fork("G")?;
    let d = q.0.fork("D")?;
    d.write(q.1.page(1))?;
    if parent_exits {
        p.0.exit()?;
    }
    walks(w)
}

///   P [0 1 2 3]  Q [0 1]        P and C share pages 0 to 3 when ksmd comes: an rmap_item each, in one anon_vma tree
///     \__ C [0 1 x 3]           and 3 is equal to x
fn forked_before(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let c = (p.0.fork("C")?, p.1);
    let g = (c.0.fork("G")?, p.1);
    c.0.write_like(p.1.page(2), p.0, p.1.page(3))?;
    let q = like(&w, "Q", 4, p)?;
    merge(&w, &[p, c, g, q])?;
    expect_merging(&w, true, &[(p.0, 4), (c.0, 4), (g.0, 4), (q.0, 4)])?;
    // And some more that ksmd does not know.
    g.0.fork("late")?;
    walk::every_on_offer(&w)?;
    c.0.exit()?;
    merge(&w, &[p, g, q])?;
    walks(w)
}

///   P   |r|0 . . . . . 6|r|      first and last page of a VMA, with and without neighbours, and of one cut to a single page
fn ends(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 9)?;
    let q = like(&w, "Q", 9, p)?;
    let a = p.1;
    p.0.protect(a.page(0), R)?;
    p.0.protect(a.page(8), R)?;
    p.0.protect(a.page(4), R)?;
    q.0.unmap(q.1.sub(4..5))?;
    let halves = [(q.0, q.1.sub(0..4)), (q.0, q.1.sub(5..9))];
    merge(
        &w,
        &[(p.0, a.sub(0..4)), (p.0, a.sub(5..9)), halves[0], halves[1]],
    )?;
    p.0.fork("C")?;
    p.0.protect(a.page(0), RW)?;
    walks(w)
}

/// The VMAs of a page that moved before ksmd saw it: the address is one thing, the page offset (vm_pgoff) another.
///
///   P   a: [0 1 2 3 4 5]    b: [moved 0 1 2][hole]      then 4 on top of 5: pages 3 and 4 equal, in one anon_vma, out of place
fn moved_before(ctx: &mut Ctx, forked: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 6)?;
    let (p, a) = p;
    p.write_like(a.page(4), p, a.page(3))?;
    let b = w.place(3);
    w.name(b, "b");
    let q = like(&w, "Q", 3, (p, a))?;
    let c = if forked { Some(p.fork("C")?) } else { None };
    p.move_to(a.sub(0..3), b)?;
    p.move_to(a.page(4), a.page(5))?;
    let mut places = vec![(p, b), (p, a.page(3)), (p, a.page(5)), q];
    if let Some(c) = c {
        c.move_to(a.page(0), a.page(2))?;
        places.push((c, a.sub(1..5)));
    }
    merge(&w, &places)?;
    p.fork("late")?;
    walks(w)
}

/// What happens to a KSM page before another process joins it.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Migrate,
    Compact,
    SharersLeave,
    Cow,
    /// It comes back as an ordinary page, of whoever came first; ksmd finds its stable node stale.
    Swap,
}

///   P [0 1]  Q [0 1]   merged;   then R [0 1] comes to the same stable node
fn joined_late(ctx: &mut Ctx, before: Before) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 3)?;
    let q = like(&w, "Q", 3, p)?;
    merge(&w, &[p, q])?;
    let c = (p.0.fork("C")?, p.1);
    match before {
        Before::Migrate => walk::only(&w, &walk::migrate::MIGRATE)?,
        Before::Compact => match walk::only(&w, &walk::compact::COMPACT) {
            // Best effort.
            Ok(()) | Err(Stop::Skip(_)) => {}
            Err(e) => return Err(e),
        },
        Before::SharersLeave => q.0.exit()?,
        Before::Swap => {
            swap_out(&w)?;
            c.0.read(p.1.sub(0..2))?;
            q.0.read(q.1)?;
            w.check()?;
        }
        Before::Cow => {
            p.0.write(p.1.page(0))?;
            c.0.write(p.1.page(1))?;
        }
    }
    let from = if before == Before::Cow {
        (p.0, p.1.sub(1..3))
    } else {
        p
    };
    let r = like(&w, "R", 3, from)?;
    merge(&w, &[from, r])?;
    r.0.fork("D")?;
    walks(w)
}

/// Copies in a private mapping of a file: their VMA's page offset is the file's, which the address does not tell.
///
///   object        0 1 2 3 4 5 6 7
///   P  private        2'3'4'5'6 7       C  P's child        Q  [2' 3' 4' 5'] anonymous, equal
fn private_file(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let object = w.object(Kind::Memfd, 8)?;
    let p = w.actor("P")?;
    let a = w.place(6);
    w.name(a, "private");
    p.map_object(a, &object, 2, RW, Share::Private)?;
    let copies = (p, a.sub(0..4));
    p.write(copies.1)?;
    let q = like(&w, "Q", 4, copies)?;
    merge(&w, &[copies, q])?;
    let c = p.fork("C")?;
    c.unmap(a.page(0))?;
    walk::plain(&w)?;
    // Given back, the file's page shows again.
    p.advise(a.page(3), advice::DONTNEED)?;
    merge(&w, &[(p, a.sub(0..3)), (c, a.sub(1..4)), q])?;
    p.unmap(a.page(1))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

///   P [mergeable]
///     \__ C   new equal pages, without an madvise of its own
fn child_is_scanned(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 6)?;
    p.advise(a, advice::MERGEABLE)?;
    let c = p.fork("C")?;
    c.write_equal(a.sub(0..2))?;
    let g = c.fork("G")?;
    p.exit()?;
    g.write_equal(a.sub(2..5))?;
    merge::run(&w, &[(c, a.sub(0..2)), (g, a.sub(2..5))])?;
    expect_merging(&w, true, &[(c, 2), (g, 5)])?;
    walks(w)
}

const KSM: Test = Test {
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm],
    ..Test::DEFAULT
};

const MERGED: Test = Test {
    about: "Every mapper of a KSM page is found by every walk, in every process and VMA.",
    ..KSM
};

const FORKED: Test = Test {
    about: "Processes forked after a merge, which ksmd has never seen, are found by every walk.",
    ..KSM
};

const MOVED: Test = Test {
    about: "A page that mremap moved before it was merged is found at its new place.",
    guards: &[Fix {
        commit: "1ff829957316",
        subject: "ksm: prevent mremap move poisoning",
    }],
    ..KSM
};

const CHAIN: Test = Test {
    about: "A content with more mappers than max_page_sharing has several KSM pages, each found in all its mappers.",
    knobs: &[Knob::keep("/sys/kernel/mm/ksm/max_page_sharing")],
    ..KSM
};

const JOIN: Test = Test {
    about: "A page joins a KSM page that has moved or lost mappers since it was made.",
    ..KSM
};

const NODES: Test = Test {
    about: "KSM pages are of one node each without merge_across_nodes, and follow their pages.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm, Need::Nodes(2)],
    knobs: &[
        Knob::keep("/sys/kernel/mm/ksm/merge_across_nodes"),
        // It would move pages between the script's steps.
        Knob::set("/proc/sys/kernel/numa_balancing", "0"),
    ],
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "processes",
        run: processes,
        ..MERGED
    },
    Test {
        name: "nearly_equal",
        about: "Pages that differ in one word are not merged.",
        run: nearly_equal,
        ..MERGED
    },
    Test {
        name: "from_swap",
        about: "Who writes to a KSM page gets a copy, whatever the page was to him before.",
        run: places::from_swap,
        ..MERGED
    },
    Test {
        name: "soft_dirty",
        about: "Who wrote a page since the soft-dirty bits were cleared has written it, also when ksmd has taken it away for an equal one.",
        run: places::soft_dirty,
        ..MERGED
    },
    Test {
        name: "behind",
        about: "Pages of equal content are merged, whatever is before them in their area.",
        run: places::behind,
        ..MERGED
    },
    Test {
        name: "forgotten",
        about: "Pages of equal content are merged, also those of a process that has had nothing mergeable for a while.",
        run: forgotten,
        ..MERGED
    },
    Test {
        name: "one_process",
        run: one_process,
        ..MERGED
    },
    Test {
        name: "ends",
        run: ends,
        ..MERGED
    },
    Test {
        name: "forked_before",
        run: forked_before,
        ..FORKED
    },
    Test {
        name: "forked_after.1",
        run: |c| forked_after(c, 1, false),
        ..FORKED
    },
    Test {
        name: "forked_after.1.parent_exits",
        run: |c| forked_after(c, 1, true),
        ..FORKED
    },
    Test {
        name: "forked_after.5",
        run: |c| forked_after(c, 5, false),
        ..FORKED
    },
    Test {
        name: "child_is_scanned",
        run: child_is_scanned,
        about: "ksmd scans the child of a mergeable process.",
        ..KSM
    },
    Test {
        name: "moved_before",
        run: |c| moved_before(c, false),
        ..MOVED
    },
    Test {
        name: "moved_before.forked",
        run: |c| moved_before(c, true),
        ..MOVED
    },
    Test {
        name: "chain.left",
        about: "Who has left a KSM page does not count against max_page_sharing any more.",
        run: counts::left,
        ..CHAIN
    },
    Test {
        name: "chain.2",
        run: |c| counts::chain(c, 2, 6),
        ..CHAIN
    },
    Test {
        name: "chain.3",
        run: |c| counts::chain(c, 3, 9),
        ..CHAIN
    },
    Test {
        name: "chain.4",
        run: |c| counts::chain(c, 4, 8),
        ..CHAIN
    },
    Test {
        name: "chain.room.2",
        about: "A page is merged with any KSM page of its content that has room (max_page_sharing).",
        run: |c| room::room(c, 2),
        ..CHAIN
    },
    Test {
        name: "chain.room.3",
        about: "A page is merged with any KSM page of its content that has room (max_page_sharing).",
        run: |c| room::room(c, 3),
        ..CHAIN
    },
    Test {
        name: "joined_late.migrated",
        run: |c| joined_late(c, Before::Migrate),
        ..JOIN
    },
    Test {
        name: "joined_late.compacted",
        run: |c| joined_late(c, Before::Compact),
        ..JOIN
    },
    Test {
        name: "joined_late.sharers_left",
        run: |c| joined_late(c, Before::SharersLeave),
        ..JOIN
    },
    Test {
        name: "joined_late.written",
        run: |c| joined_late(c, Before::Cow),
        ..JOIN
    },
    Test {
        name: "joined_late.swapped",
        needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm, Need::Reclaim],
        run: |c| joined_late(c, Before::Swap),
        ..JOIN
    },
    huge::SHARED,
    huge::WITHIN,
    huge::GIVEN_UP,
    Test {
        name: "private_file",
        run: private_file,
        ..MERGED
    },
    Test {
        name: "same_address",
        run: places::same_address,
        ..MERGED
    },
    Test {
        name: "beside",
        run: places::beside,
        ..MERGED
    },
    Test {
        name: "objects",
        about: "KSM lets go of the anon_vma of every page that is not merged any more.",
        timeout: std::time::Duration::from_secs(60),
        run: places::objects,
        ..KSM
    },
    Test {
        name: "counters",
        about: "KSM's counts, of the machine and of each process, follow its pages and mappers.",
        run: counts::counters,
        ..KSM
    },
    Test {
        name: "nodes.across",
        run: |c| counts::nodes(c, true),
        ..NODES
    },
    Test {
        name: "nodes.apart",
        run: |c| counts::nodes(c, false),
        ..NODES
    },
    Test {
        name: "nodes.left",
        run: counts::node_left,
        ..NODES
    },
    scanned::AGAIN,
];

pub fn main() {
    run("ksm", "KSM pages and their reverse map", TESTS)
}
