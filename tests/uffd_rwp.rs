// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that userfaultfd protects from any access (UFFDIO_RWPROTECT, "Read-Write Protection" of Documentation/admin-guide/mm/userfaultfd.rst): they
//! stay in memory, and who touches one waits. The mark and the missing permissions are in the page-table entry of one mapper, and each walk that takes
//! the entry away has to put both back with the page: remove_migration_pte(), do_swap_page(), __split_huge_pmd_locked().
//!
//! Nobody reads such a page but where the test, which holds the userfaultfd, answers. That the kernel cannot read it either every check tries.

#[path = "uffd_rwp/around.rs"]
mod around;
#[path = "uffd_rwp/huge.rs"]
mod huge;
#[path = "uffd_rwp/hugetlb.rs"]
mod hugetlb;
#[path = "uffd_rwp/moved.rs"]
mod moved;

use helpers::actor::pin::Way;
use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_EVENT_FORK, FEATURE_RWP, FEATURE_RWP_ASYNC, RWP};
use helpers::topology::{self, Grain, NONE, R, RW};
use helpers::walk::migrate::MIGRATE;
use helpers::walk::reclaim::swap_off;
use helpers::world::{Actor, Area, Keeper, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each mapping.
const N: usize = 8;

/// A process with pages that are all there, and registered.
fn kept<'w, 'c>(
    w: &'w World<'c>,
    features: u64,
) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let (p, a) = topology::filled(w, "P", N)?;
    let k = p.keeper(FEATURE_RWP | features)?;
    k.register(a, RWP)?;
    Ok((p, k, a))
}

/// What tests end with: every walk that leaves pages what they are, then who touches a protected page still waits, for each page once. KSM puts another
/// page in the place of a protected one, and nothing is promised of that.
fn end(w: &World, p: Actor, k: Keeper, shut: Area) -> TestResult {
    w.check_kept()?;
    walk::plain(w)?;
    w.check_kept()?;
    let half = shut.pages / 2;
    p.read_shut(shut.sub(0..half), &k)?;
    p.write_shut(shut.sub(half..shut.pages), &k)?;
    w.check()?;
    k.close()?;
    w.check_kept()?;
    walk::plain(w)?;
    topology::write_by_each(w)
}

/// Migration, where there is another node: the one walk that all these pages take and keep their marks.
fn migrate(w: &World) -> TestResult {
    match walk::only(w, &MIGRATE) {
        Err(Stop::Skip(why)) => {
            w.diag(why);
            w.check()
        }
        other => other,
    }
}

/// All pages of a VMA.
fn all(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    k.shut(a)?;
    end(&w, p, k, a)?;
    w.finish()
}

/// Every second page, one of them in a read-only VMA, one never written.
///
///   P |0 1 z 3|4|5 6 7|
///      .   .   .   .
fn scattered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..2))?;
    p.read(a.page(2))?;
    p.write(a.sub(3..N))?;
    let k = p.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    for i in (0..N).step_by(2) {
        k.shut(a.page(i))?;
    }
    p.protect(a.page(4), R)?;
    w.check()?;
    walk::plain(&w)?;
    k.open(a.page(0))?;
    p.read_shut(a.page(4), &k)?;
    p.write_shut(a.page(2), &k)?;
    end(&w, p, k, a.page(6))?;
    w.finish()
}

/// A part that is not registered keeps the whole from being protected, and from being let go.
///
///   P |0 1 2 3 4 5 6 7|0 1 2 3 4 5 6 7|0 1 2 3 4 5 6 7|      b not registered; of c some protected
///          a               b               c  . . . .
fn in_part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, all) = topology::filled(&w, "P", 3 * N)?;
    let (a, b, c) = (all.sub(0..N), all.sub(N..2 * N), all.sub(2 * N..3 * N));
    let k = p.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    k.register(c, RWP)?;
    let shut = c.sub(2..6);
    k.shut(shut)?;
    // Before anybody reads, who would wait for ever.
    let unchanged = |expected: usize| match w.marked(p, all)? {
        shown if shown == expected => w.check(),
        shown => Err(Stop::fail(format_args!(
            "what is refused changes nothing: {shown} pages are protected, not {expected}"
        ))),
    };
    for whole in [all, all.sub(0..2 * N), all.sub(N..3 * N)] {
        for on in [true, false] {
            k.shut_refused(whole, on)?;
            unchanged(shut.pages)?;
        }
    }
    k.shut(a.sub(0..2))?;
    k.shut_refused(all.sub(0..2 * N), false)?;
    unchanged(shut.pages + 2)?;
    k.open(a.sub(0..2))?;
    p.write(a)?;
    p.write(b)?;
    end(&w, p, k, shut)?;
    w.finish()
}

/// The child shares the pages and has none of them protected: a walk that takes one mapper's mark for all shows here.
///
///   P |0 1 2 3 4 5 6 7|      C  P's child  |0 1 2'3'4'5 6 7|
///        . . . . . .
fn child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    let shut = a.sub(1..N - 1);
    k.shut(shut)?;
    let c = p.fork("C")?;
    w.check()?;
    walk::plain(&w)?;
    c.write(a.sub(2..5))?;
    end(&w, p, k, shut)?;
    w.finish()
}

/// The child has protected what it shares, the parent has not.
fn by_child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    let c = p.fork("C")?;
    let k = c.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    k.shut(a.sub(2..N))?;
    w.check()?;
    walk::plain(&w)?;
    p.write(a.sub(0..4))?;
    end(&w, c, k, a.sub(2..N))?;
    w.finish()
}

/// The child has a userfaultfd of its own, which the fork's event brings, and the same pages protected. What one lets go stays protected in the other.
fn inherited(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, FEATURE_EVENT_FORK)?;
    k.shut(a.sub(1..N))?;
    let (c, kc) = p.fork_kept("C", &k)?;
    w.check()?;
    kc.open(a.sub(1..3))?;
    k.open(a.sub(2..4))?;
    w.check()?;
    walk::plain(&w)?;
    c.write(a.sub(0..2))?;
    c.read_shut(a.page(4), &kc)?;
    c.write_shut(a.page(5), &kc)?;
    w.check()?;
    kc.close()?;
    end(&w, p, k, a.sub(4..N))?;
    w.finish()
}

/// What is protected no other process reads either (process_vm_readv(2), /proc/PID/mem): the kernel looks at the page by itself then, and not by a fault
/// (gup_can_follow_protnone()).
///
///   P |0 1 2 3 4 5 6 7|      X reads them       Q  P's child, which may be read
///        . . . . . .
fn peeked(ctx: &mut Ctx, way: Way) -> TestResult {
    let w = World::new(ctx)?;
    let x = w.actor("X")?;
    let (p, k, a) = kept(&w, 0)?;
    let shut = a.sub(1..N - 1);
    k.shut(shut)?;
    x.peek_refused(p, shut, way)?;
    x.peek(p, a.page(0), way)?;
    let q = p.fork("Q")?;
    x.peek(q, a, way)?;
    w.check()?;
    walk::plain(&w)?;
    x.peek_refused(p, shut, way)?;
    k.open(a.page(2))?;
    x.peek(p, a.page(2), way)?;
    end(&w, p, k, a.sub(3..6))?;
    w.finish()
}

/// Pages of an area that is registered and not protected are copied at a fork as any others: each writes its own (__copy_present_ptes()).
///
///   P |0 1 2 3 4 5 6 7|  registered      C  P's child
fn plain(ctx: &mut Ctx, features: u64) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, features)?;
    let (c, kc) = if features == 0 {
        (p.fork("C")?, None)
    } else {
        let (c, kc) = p.fork_kept("C", &k)?;
        (c, Some(kc))
    };
    p.write(a.sub(0..3))?;
    w.check()?;
    c.write(a.sub(2..5))?;
    w.check()?;
    if let Some(kc) = kc {
        kc.close()?;
    }
    k.shut(a.page(0))?;
    end(&w, p, k, a.page(0))?;
    w.finish()
}

/// mprotect to read-only and back leaves the pages protected (change_present_ptes()), other advice too.
fn protected_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    k.shut(a.sub(1..4))?;
    p.protect(a, R)?;
    w.check()?;
    p.protect(a.sub(2..N), RW)?;
    w.check()?;
    p.protect(a, RW)?;
    p.advise(a.sub(0..3), advice::DONTDUMP)?;
    p.advise(a.sub(0..3), advice::DODUMP)?;
    w.check()?;
    // Protected while nobody may access it anyway.
    k.open(a.page(1))?;
    p.protect(a.sub(0..3), NONE)?;
    k.shut(a.page(1))?;
    w.check()?;
    p.protect(a.sub(0..3), RW)?;
    w.check()?;
    p.write(a.sub(4..N))?;
    end(&w, p, k, a.sub(1..4))?;
    w.finish()
}

/// Pages that are in swap when they are let go, and pages that swapoff(2) brings back.
///
///   P |0 1 2 3 4 5 6 7|
///        . . . . . .
fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    k.shut(a.sub(1..N - 1))?;
    p.page_out(a)?;
    k.open(a.page(1))?;
    let off = swap_off(&w)?;
    w.check()?;
    p.write(a.sub(0..2))?;
    p.write_shut(a.page(2), &k)?;
    drop(off);
    end(&w, p, k, a.sub(3..N - 1))?;
    w.finish()
}

/// Pages of an object, which others have mapped plain. They move; reclaim would take the mark with the entry.
///
///   object      0 1 2 3 4 5 6 7
///   P  shared   0 . . . . . . 7         C  P's child
///   Q  shared       2 3 4 5
fn memfd(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(4));
    w.name(a, "a");
    w.name(b, "b");
    q.map_object(b, &file, 2, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, share)?;
    p.write(a.sub(0..4))?;
    p.read(a.sub(4..N))?;
    let k = p.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    k.shut(a.sub(1..N - 1))?;
    w.check()?;
    let c = p.fork("C")?;
    migrate(&w)?;
    c.write(a.sub(1..3))?;
    q.write(b.sub(1..4))?;
    w.check()?;
    migrate(&w)?;
    p.read_shut(a.page(1), &k)?;
    p.write_shut(a.sub(2..4), &k)?;
    w.check()?;
    k.close()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Who gives up a part of what is registered ends the protection of this part, and of nothing else (userfaultfd_clear_vma()).
///
///   P |0 1 2 3 4 5 6 7|      0 1, then 4, then 7 no more registered
///          . .   . .
fn unregistered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    k.shut(a)?;
    for part in [a.sub(0..2), a.page(4), a.page(N - 1)] {
        k.unregister(part)?;
        w.check()?;
        w.check_kept()?;
        p.write(part)?;
    }
    w.check()?;
    p.read_shut(a.page(5), &k)?;
    end(&w, p, k, a.sub(2..4))?;
    w.finish()
}

/// The userfaultfd is closed: nothing is protected any more.
fn let_go(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    k.shut(a.sub(1..N - 1))?;
    let c = p.fork("C")?;
    w.check()?;
    k.close()?;
    w.check()?;
    walk::every(&w)?;
    c.exit()?;
    p.write(a)?;
    w.finish()
}

/// Whoever touches a page takes its protection off and waits for nobody (UFFD_FEATURE_RWP_ASYNC): of this page alone, also when it was in swap. So
/// nothing is read here but what the script says, until all are let go.
///
///   P |0 1 2 3 4 5 6 7|      1 2 read, 3 written
///      . . . . . . . .
fn nobody_waits(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, FEATURE_RWP_ASYNC)?;
    let touched = a.sub(1..4);
    let left = |touched_left: usize, all_left: usize, when| {
        w.check_kept()?;
        let now = (w.marked(p, touched)?, w.marked(p, a)?);
        if now == (touched_left, all_left) {
            return Ok(());
        }
        Err(Stop::fail(format_args!(
            "who touches a protected page ends its protection, and no other page's: {} of the three are protected {when}, {} of all {N}",
            now.0, now.1
        )))
    };
    for out in [false, true] {
        k.shut(a)?;
        if out {
            p.page_out(a)?;
        }
        left(touched.pages, N, "before")?;
        p.read(touched.sub(0..2))?;
        p.write(touched.page(2))?;
        left(0, N - touched.pages, "after it")?;
        k.open(a)?;
        left(0, 0, "in the end")?;
        w.check()?;
    }
    k.close()?;
    walk::plain(&w)?;
    w.finish()
}

/// The same for a huge page that a fork shares: who has ended its protection may write to it no more than before (do_huge_pmd_uffd_rwp()).
///
///   P |======== PMD ========|      read at 3, then written       C  the same, not protected
fn nobody_waits_thp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 0)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    let k = p.keeper(FEATURE_RWP | FEATURE_RWP_ASYNC)?;
    k.register(a, RWP)?;
    let c = p.fork("C")?;
    k.shut(a)?;
    w.check_kept()?;
    p.read(a.page(3))?;
    p.write(a.page(3))?;
    w.check_kept()?;
    k.open(a)?;
    w.check()?;
    c.write(a.page(4))?;
    w.check()?;
    k.close()?;
    walk::plain(&w)?;
    w.finish()
}

/// A range of several VMAs, of several kinds, protected by one call and let go by another: each page of it is.
///
///   P |0 1|2 3|4 5|6 7|       2 3 read only, 4 5 not dumped
///        . . . . . .
fn several(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w, 0)?;
    p.protect(a.sub(2..4), R)?;
    p.advise(a.sub(4..6), advice::DONTDUMP)?;
    k.shut(a.sub(1..N - 1))?;
    w.check()?;
    k.open(a.sub(3..5))?;
    w.check()?;
    p.write(a.page(4))?;
    p.protect(a.sub(2..4), RW)?;
    w.check()?;
    p.write(a.page(3))?;
    k.open(a.page(N - 2))?;
    end(&w, p, k, a.sub(1..3))?;
    w.finish()
}

const MARK: Test = Test {
    about: "A page that userfaultfd protects from any access stays so for the mapper that asked for it, and for nobody else, whatever walk takes it.",
    ..Test::DEFAULT
};
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..MARK
};
const OFF: Test = Test {
    needs: &[Need::Pfn, Need::Reclaim, Need::MemMib(300)],
    ..MARK
};
const TESTS: &[Test] = &[
    Test {
        name: "all",
        run: all,
        ..MARK
    },
    Test {
        name: "scattered",
        run: scattered,
        ..MARK
    },
    Test {
        name: "in_part",
        run: in_part,
        ..MARK
    },
    Test {
        name: "child",
        run: child,
        ..MARK
    },
    Test {
        name: "by_child",
        run: by_child,
        ..MARK
    },
    Test {
        name: "inherited",
        run: inherited,
        ..MARK
    },
    Test {
        name: "peeked.vm",
        run: |c| peeked(c, Way::Vm),
        ..MARK
    },
    Test {
        name: "peeked.mem",
        run: |c| peeked(c, Way::Mem),
        ..MARK
    },
    Test {
        name: "plain",
        run: |c| plain(c, 0),
        ..MARK
    },
    Test {
        name: "plain.inherited",
        run: |c| plain(c, FEATURE_EVENT_FORK),
        ..MARK
    },
    around::SHARED,
    around::PRIVATE,
    hugetlb::SHARED,
    hugetlb::PRIVATE,
    Test {
        name: "protected_again",
        run: protected_again,
        ..MARK
    },
    Test {
        name: "swapped",
        run: swapped,
        ..OFF
    },
    Test {
        name: "memfd",
        run: |c| memfd(c, Share::Shared),
        ..MARK
    },
    Test {
        name: "memfd.private",
        run: |c| memfd(c, Share::Private),
        ..MARK
    },
    Test {
        name: "unregistered",
        run: unregistered,
        ..MARK
    },
    Test {
        name: "let_go",
        run: let_go,
        ..MARK
    },
    Test {
        name: "nobody_waits",
        run: nobody_waits,
        ..MARK
    },
    Test {
        name: "nobody_waits.thp",
        run: nobody_waits_thp,
        ..HUGE
    },
    Test {
        name: "several",
        run: several,
        ..MARK
    },
    Test {
        name: "moved",
        run: |c| moved::small(c, false),
        ..HUGE
    },
    Test {
        name: "moved.told",
        run: |c| moved::small(c, true),
        ..HUGE
    },
    Test {
        name: "moved.huge",
        run: |c| moved::huge(c, false),
        ..HUGE
    },
    Test {
        name: "moved.huge.told",
        run: |c| moved::huge(c, true),
        ..HUGE
    },
    Test {
        name: "brought",
        run: moved::brought,
        ..OFF
    },
    Test {
        name: "brought.huge",
        run: moved::brought_huge,
        ..HUGE
    },
    Test {
        name: "taken",
        run: moved::taken,
        ..MARK
    },
    Test {
        name: "thp",
        run: huge::whole,
        ..HUGE
    },
    Test {
        name: "thp.child",
        run: huge::child,
        ..HUGE
    },
    Test {
        name: "thp.part",
        run: huge::part,
        ..HUGE
    },
    Test {
        name: "thp.part_read_only",
        run: |c| huge::cut(c, |p, _, part| p.protect(part, R)),
        ..HUGE
    },
    Test {
        name: "thp.part_gone",
        run: |c| huge::cut(c, |p, _, part| p.unmap(part)),
        ..HUGE
    },
    Test {
        name: "thp.part_let_go",
        run: |c| huge::cut(c, |_, k, part| k.open(part)),
        ..HUGE
    },
];

pub fn main() {
    run(
        "uffd_rwp",
        "pages protected by userfaultfd from any access: they stay so for the one mapper",
        TESTS,
    )
}
