// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas that are registered with userfaultfd, at fork: dup_userfaultfd() takes the registration from the child, or gives it one of
//! its own (UFFD_FEATURE_EVENT_FORK), and copy_present_ptes() and its like keep the write protection or not, after it.
//!
//! The test holds each userfaultfd and answers while the actor waits, in a fault or in the fork itself.

#[path = "uffd_fork/huge.rs"]
mod huge;
#[path = "uffd_fork/lost.rs"]
mod lost;
#[path = "uffd_fork/minor.rs"]
mod minor;
#[path = "uffd_fork/poison.rs"]
mod poison;
#[path = "uffd_fork/written_back.rs"]
mod written_back;

use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::sys::uffd::{
    FEATURE_EVENT_FORK as FORK, FEATURE_EVENT_REMAP as REMAP, FEATURE_EVENT_UNMAP as UNMAP,
    MISSING, WP,
};
use helpers::topology::{self, Grain};
use helpers::world::{Actor, Answer, Area, Keeper, Kind, Share, World};
use helpers::{TestResult, walk};
use huge::wp_huge;
use minor::minor;
use poison::{poisoned, poisoned_cached};

/// Pages of each mapping.
const N: usize = 8;

/// A process with half of its area filled, all of it registered.
///
///   P |0 1 2 3 . . . .|  registered for `modes`
fn half<'w, 'c>(
    w: &'w World<'c>,
    features: u64,
    modes: u64,
) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let p = w.actor("P")?;
    let a = Grain::Base.map(w, p, N)?;
    p.write(a.sub(0..N / 2))?;
    let k = p.keeper(features)?;
    k.register(a, modes)?;
    Ok((p, k, a))
}

/// What all tests end with: every walk over what is there, then a write by each sharer that waits for nobody.
fn end(w: &World, keepers: Vec<Keeper>) -> TestResult {
    w.check_kept()?;
    walk::every(w)?;
    w.check_kept()?;
    for k in keepers {
        k.close()?;
    }
    w.check_kept()?;
    topology::write_by_each(w)
}

/// Without the feature: the child's faults are answered by the kernel, the parent's by its userfaultfd as before.
///
///   P |0 1 2 3 4 z . .|  registered
///   C |0 1 2 3 z 5 6 .|  not
fn plain_missing(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, 0, MISSING)?;
    let c = p.fork("C")?;
    w.check_kept()?;
    c.read(a.page(4))?;
    c.write(a.sub(5..7))?;
    p.write_missing(a.page(4), &k, Answer::Copy)?;
    p.read_kept(a.page(5), &k, Answer::Zero)?;
    c.write(a.sub(2..4))?;
    w.check()?;
    end(&w, vec![k])?;
    w.finish()
}

/// Without the feature: the write protection stays in the parent's page-table entries, and is gone from the child's.
fn plain_wp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, 0, WP)?;
    k.protect(a.sub(1..N / 2))?;
    let c = p.fork("C")?;
    w.check_kept()?;
    w.check()?;
    c.write(a.sub(2..N))?;
    p.write_kept(a.sub(1..3), &k)?;
    w.check()?;
    end(&w, vec![k])?;
    w.finish()
}

/// The same for pages that are in swap at the fork (copy_nonpresent_pte()).
fn wp_swapped(ctx: &mut Ctx, features: u64) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, features, WP)?;
    k.protect(a.sub(0..N / 2))?;
    p.page_out(a.sub(0..N / 2))?;
    if features == 0 {
        let c = p.fork("C")?;
        w.check()?;
        c.write(a.page(1))?;
        p.write_kept(a.sub(1..3), &k)?;
        w.check()?;
        end(&w, vec![k])?;
    } else {
        let (c, kc) = p.fork_kept("C", &k)?;
        w.check()?;
        c.write_kept(a.page(1), &kc)?;
        p.write_kept(a.sub(1..3), &k)?;
        w.check()?;
        end(&w, vec![k, kc])?;
    }
    w.finish()
}

/// Pages of a memfd. Where its entries are shared ones a fork need not copy them for their pages, but has to for their marks
/// (vma_needs_copy()). Of a private mapping 1 and 2 are
/// copies.
///
///   memfd     0 1 2 3 4 5 6 7
///   P         0 1 2 3 4 5 6 7       C  P's child, G  C's, the same
///               . . .   .             5 since C
fn wp_memfd(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    p.map_object(a, &file, 0, topology::RW, share)?;
    p.write(a.sub(1..3))?;
    let k = p.keeper(FORK)?;
    k.register(a, WP)?;
    k.protect(a.sub(1..4))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check_kept()?;
    w.check()?;
    c.write_kept(a.page(1), &kc)?;
    kc.protect(a.page(5))?;
    let (g, kg) = c.fork_kept("G", &kc)?;
    w.check()?;
    g.write_kept(a.page(2), &kg)?;
    p.write_kept(a.page(2), &k)?;
    w.check()?;
    g.write(a.page(1))?;
    g.write_kept(a.page(5), &kg)?;
    p.write(a.page(5))?;
    walk::every(&w)?;
    end(&w, vec![k, kc, kg])?;
    w.finish()
}

/// A pinned page is copied for the child at the fork (copy_present_page()); the copy is write-protected as the page is.
fn wp_pinned(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, WP)?;
    p.pin(a.sub(0..2))?;
    k.protect(a.sub(1..N / 2))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check()?;
    c.write(a.page(0))?;
    c.write_kept(a.page(1), &kc)?;
    p.write_kept(a.page(2), &k)?;
    w.check()?;
    p.unpin()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// A child with a userfaultfd of its own: its faults arrive there, and what fills them is its own.
///
///   P |0 1 2 3 4 z 6 .|
///   C |0 1 2 3 4'5 z .|
fn missing(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING)?;
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check_kept()?;
    c.write_missing(a.page(4), &kc, Answer::Copy)?;
    c.read_kept(a.page(5), &kc, Answer::Copy)?;
    c.read_kept(a.page(6), &kc, Answer::Zero)?;
    w.check()?;
    p.read_kept(a.page(4), &k, Answer::Copy)?;
    p.write_missing(a.page(5), &k, Answer::Zero)?;
    k.fill(a.page(6), Answer::Copy)?;
    // Shared pages are there for both: nobody is asked.
    c.write(a.page(1))?;
    p.write(a.page(2))?;
    w.check()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// Write protection is inherited, and then each has its own.
fn wp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, WP)?;
    k.protect(a.sub(0..3))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check_kept()?;
    w.check()?;
    c.write_kept(a.page(0), &kc)?;
    w.check()?;
    kc.protect(a.page(3))?;
    kc.unprotect(a.page(1))?;
    w.check()?;
    c.write(a.page(1))?;
    p.write_kept(a.sub(1..3), &k)?;
    p.write(a.page(3))?;
    w.check()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// Both modes, and every walk before anybody writes.
fn both_walked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING | WP)?;
    k.protect(a.sub(1..3))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    walk::every(&w)?;
    // What ksmd has merged has lost its mark: the rest is let go.
    k.unprotect(a)?;
    kc.unprotect(a)?;
    c.write_missing(a.page(4), &kc, Answer::Copy)?;
    p.write_missing(a.page(4), &k, Answer::Zero)?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// A child of a child, each with what the one before has filled, and the oldest gone first or last.
///
///   P |0 1 2 3 . . . .|    C |0 1 2 3 4 . . .|    G |0 1 2 3 4 5 . .|
fn grandchild(ctx: &mut Ctx, oldest_first: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING | WP)?;
    k.protect(a.page(0))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    c.write_missing(a.page(4), &kc, Answer::Copy)?;
    kc.protect(a.page(4))?;
    let (g, kg) = c.fork_kept("G", &kc)?;
    w.check_kept()?;
    g.write_missing(a.page(5), &kg, Answer::Copy)?;
    g.write_kept(a.page(4), &kg)?;
    w.check()?;
    let (first, kf, left) = if oldest_first { (p, k, kc) } else { (c, kc, k) };
    first.exit()?;
    kf.close()?;
    w.check_kept()?;
    g.read_kept(a.page(6), &kg, Answer::Zero)?;
    g.write_kept(a.page(0), &kg)?;
    w.check()?;
    end(&w, vec![left, kg])?;
    w.finish()
}

/// The child unmaps a part, its parent goes on; then the child executes a program.
fn child_goes(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING)?;
    let (c, kc) = p.fork_kept("C", &k)?;
    let (d, kd) = p.fork_kept("D", &k)?;
    c.unmap(a.sub(1..6))?;
    w.check_kept()?;
    p.write_missing(a.page(5), &k, Answer::Copy)?;
    d.write_missing(a.page(4), &kd, Answer::Copy)?;
    w.check()?;
    c.read_kept(a.page(6), &kc, Answer::Copy)?;
    c.exec()?;
    kc.close()?;
    p.write_missing(a.page(6), &k, Answer::Copy)?;
    end(&w, vec![k, kd])?;
    w.finish()
}

/// The parent's userfaultfd is closed: the child's stays, and the other way round.
fn closed(ctx: &mut Ctx, parents: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING)?;
    let (c, kc) = p.fork_kept("C", &k)?;
    let (x, kx, y, ky) = if parents {
        (p, k, c, kc)
    } else {
        (c, kc, p, k)
    };
    kx.close()?;
    w.check_kept()?;
    x.write(a.sub(3..6))?;
    y.write_missing(a.page(5), &ky, Answer::Copy)?;
    w.check()?;
    end(&w, vec![ky])?;
    w.finish()
}

/// Closed while the fork waits for its event to be read: neither is registered afterwards (userfaultfd_event_wait_completion()).
fn unread(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING)?;
    let c = p.fork_unread("C", k)?;
    w.check_kept()?;
    p.write(a.sub(3..5))?;
    c.write(a.sub(2..6))?;
    end(&w, vec![])?;
    w.finish()
}

/// Parts that the child does not get, and gets empty.
///
///   P |0 1|2 3|4 5|. .|
///      dc      wf
///   C |   |2 3|4'.|. .|  registered where it is mapped
fn flags(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING | WP)?;
    k.fill(a.sub(4..6), Answer::Copy)?;
    p.advise(a.sub(0..2), advice::DONTFORK)?;
    p.advise(a.sub(4..6), advice::WIPEONFORK)?;
    // One VMA at a time: mwriteprotect_range() of 6.1 refuses more.
    for part in [1..2, 2..4, 4..6] {
        k.protect(a.sub(part))?;
    }
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check_kept()?;
    w.check()?;
    c.write_missing(a.page(4), &kc, Answer::Copy)?;
    c.write_kept(a.page(3), &kc)?;
    p.write_kept(a.page(4), &k)?;
    w.check()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// A registered area moves, in parent and child, and is registered where it is then; its pages are found there.
fn moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK | REMAP, MISSING | WP)?;
    k.protect(a.sub(1..3))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    let (b, part) = (w.place(N), w.place(4));
    w.name(b, "b");
    w.name(part, "part");
    c.move_kept(a, b)?;
    p.move_kept(a.sub(2..6), part)?;
    w.check_kept()?;
    w.check()?;
    c.write_missing(b.page(4), &kc, Answer::Copy)?;
    p.write_missing(part.page(2), &k, Answer::Copy)?;
    c.write_kept(b.page(1), &kc)?;
    p.write_kept(part.page(0), &k)?;
    let (g, kg) = c.fork_kept("G", &kc)?;
    g.write_kept(b.page(2), &kg)?;
    w.check()?;
    end(&w, vec![k, kc, kg])?;
    w.finish()
}

/// Without UFFD_FEATURE_EVENT_REMAP a moved area is registered no more.
fn moved_plain(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK, MISSING)?;
    let (c, kc) = p.fork_kept("C", &k)?;
    let part = w.place(4);
    w.name(part, "part");
    c.move_unkept(a.sub(2..6), part)?;
    w.check_kept()?;
    c.write(part)?;
    c.write_missing(a.page(6), &kc, Answer::Copy)?;
    p.write_missing(a.page(4), &k, Answer::Copy)?;
    w.check()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

/// munmap of a part tells, and ends the registration of that part only.
fn unmapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FORK | UNMAP, MISSING)?;
    let (c, kc) = p.fork_kept("C", &k)?;
    c.unmap_kept(a.sub(3..5))?;
    w.check_kept()?;
    p.write_missing(a.page(4), &k, Answer::Copy)?;
    c.write_missing(a.page(5), &kc, Answer::Copy)?;
    p.unmap_kept(a.sub(0..2))?;
    w.check()?;
    end(&w, vec![k, kc])?;
    w.finish()
}

const PLAIN: Test = Test {
    about: "Without UFFD_FEATURE_EVENT_FORK nothing of userfaultfd is left in a child, and all of it in the parent.",
    needs: &[Need::Pfn],
    ..Test::DEFAULT
};
const OWN: Test = Test {
    about: "With UFFD_FEATURE_EVENT_FORK a child has a userfaultfd of its own; its pages are its own and are found.",
    ..PLAIN
};
const POISONED: Test = Test {
    about: "What UFFDIO_POISON has marked is no page to be had, for the process and for its children, until it is given back.",
    ..PLAIN
};
const MOVED: Test = Test {
    about: "What UFFDIO_POISON has marked is lost in the place that it moves to, and nothing else is.",
    ..PLAIN
};
const CONTINUED: Test = Test {
    about: "A page that a file has is mapped by UFFDIO_CONTINUE as by a fault: a private mapping writes to its own.",
    ..PLAIN
};
const TESTS: &[Test] = &[
    Test {
        name: "plain.missing",
        run: plain_missing,
        ..PLAIN
    },
    Test {
        name: "plain.wp",
        run: plain_wp,
        ..PLAIN
    },
    Test {
        name: "plain.wp.swapped",
        run: |c| wp_swapped(c, 0),
        needs: &[Need::Pfn, Need::Reclaim],
        ..PLAIN
    },
    Test {
        name: "plain.wp.huge",
        run: |c| wp_huge(c, 0, false),
        needs: Grain::HUGE_NEEDS,
        ..PLAIN
    },
    Test {
        name: "plain.wp.huge_zero",
        run: |c| wp_huge(c, 0, true),
        needs: Grain::HUGE_NEEDS,
        ..PLAIN
    },
    Test {
        name: "wp.huge",
        run: |c| wp_huge(c, FORK, false),
        needs: Grain::HUGE_NEEDS,
        ..OWN
    },
    Test {
        name: "wp.huge_zero",
        run: |c| wp_huge(c, FORK, true),
        needs: Grain::HUGE_NEEDS,
        ..OWN
    },
    Test {
        name: "missing",
        run: missing,
        ..OWN
    },
    Test {
        name: "wp",
        run: wp,
        ..OWN
    },
    Test {
        name: "wp.swapped",
        run: |c| wp_swapped(c, FORK),
        needs: &[Need::Pfn, Need::Reclaim],
        ..OWN
    },
    Test {
        name: "wp.memfd.shared",
        run: |c| wp_memfd(c, Share::Shared),
        ..OWN
    },
    Test {
        name: "wp.memfd.private",
        run: |c| wp_memfd(c, Share::Private),
        ..OWN
    },
    written_back::PLAIN,
    written_back::WALKED,
    Test {
        name: "wp.pinned",
        run: wp_pinned,
        ..OWN
    },
    Test {
        name: "both.walked",
        run: both_walked,
        ..OWN
    },
    Test {
        name: "grandchild.oldest_exits",
        run: |c| grandchild(c, true),
        ..OWN
    },
    Test {
        name: "grandchild.middle_exits",
        run: |c| grandchild(c, false),
        ..OWN
    },
    Test {
        name: "child_goes",
        run: child_goes,
        ..OWN
    },
    Test {
        name: "closed.parent",
        run: |c| closed(c, true),
        ..OWN
    },
    Test {
        name: "closed.child",
        run: |c| closed(c, false),
        ..OWN
    },
    Test {
        name: "unread",
        run: unread,
        ..OWN
    },
    Test {
        name: "flags",
        run: flags,
        ..OWN
    },
    Test {
        name: "moved",
        run: moved,
        ..OWN
    },
    Test {
        name: "moved.plain",
        run: moved_plain,
        ..OWN
    },
    Test {
        name: "unmapped",
        run: unmapped,
        ..OWN
    },
    Test {
        name: "poisoned",
        run: |c| poisoned(c, FORK),
        ..POISONED
    },
    Test {
        name: "plain.poisoned",
        run: |c| poisoned(c, 0),
        ..POISONED
    },
    Test {
        name: "poisoned.memfd.shared",
        run: |c| poisoned_cached(c, Share::Shared, false),
        ..POISONED
    },
    Test {
        name: "poisoned.memfd.private",
        run: |c| poisoned_cached(c, Share::Private, false),
        ..POISONED
    },
    Test {
        name: "poisoned.memfd.huge",
        run: |c| poisoned_cached(c, Share::Shared, true),
        needs: Grain::HUGE_NEEDS,
        knobs: &[topology::SHARED_HUGE],
        ..POISONED
    },
    Test {
        name: "poisoned.moved",
        run: |c| lost::moved(c, true),
        ..MOVED
    },
    Test {
        name: "poisoned.moved.table",
        run: |c| lost::moved_table(c, true),
        ..MOVED
    },
    Test {
        name: "plain.poisoned.moved",
        run: |c| lost::moved(c, false),
        ..MOVED
    },
    Test {
        name: "plain.poisoned.moved.table",
        run: |c| lost::moved_table(c, false),
        ..MOVED
    },
    Test {
        name: "minor.private",
        run: |c| minor(c, Share::Private),
        ..CONTINUED
    },
    Test {
        name: "minor.shared",
        run: |c| minor(c, Share::Shared),
        ..CONTINUED
    },
];

pub fn main() {
    run(
        "uffd_fork",
        "areas registered with userfaultfd, at fork: given up, or with a userfaultfd of the child's own",
        TESTS,
    )
}
