// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that are put together (MADV_COLLAPSE), taken apart, and given back in part.
//!
//! A collapse makes a new folio of pages that others may map as well (collapse_huge_page()): it needs an index that fits the VMA,
//! and its old pages must lose one mapper each, not more. What loses its mappers page by page must be counted page by page
//! (__folio_remove_rmap()), and be split when memory is short (deferred_split_folio()).

use helpers::actor::Cmd;
use helpers::counters::Counters;
use helpers::supervise::{Ctx, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, R, RW};
use helpers::walk::reclaim;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

#[path = "thp_collapse/node.rs"]
mod node;
#[path = "thp_collapse/short.rs"]
mod short;
#[path = "thp_collapse/underused.rs"]
mod underused;
#[path = "thp_collapse/waited.rs"]
mod waited;

use short::Then;

/// Pages that are there before a collapse, in `n`: the rest of a huge page is zeroes then, and quick to check.
fn few(a: Area) -> [Area; 4] {
    let n = a.pages;
    [
        a.sub(0..3),
        a.sub(n / 4..n / 4 + 4),
        a.sub(n / 2 - 2..n / 2 + 2),
        a.sub(n - 5..n),
    ]
}

/// P has some base pages where a huge page fits.
fn sparse<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map(a)?;
    p.write_all(&few(a))?;
    Ok((p, a))
}

///   P  [0 1 2 - - n/4 .. - - - ...]  ->  [======== PMD ========]     C  the same
fn holes(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    p.collapse(a)?;
    p.write(a.sub(n_4(a)..n_4(a) + 8))?;
    p.fork("C").map(drop)
}

fn n_4(a: Area) -> usize {
    a.pages / 4
}

/// The collapser gets copies of what is shared, the others keep theirs: sharers before and after, pages copied on both sides.
fn shared(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    c.write(few(a)[1])?;
    p.write(few(a)[2].page(0))?;
    p.write(few(a)[3])?;
    c.collapse(a)?;
    let g = c.fork("G")?;
    g.unmap(a.sub(0..2))?;
    d.write(few(a)[1].page(1))?;
    p.collapse(a)
}

/// The VMA was moved, so the index of its pages is not their address.
///
///   P  a [pages]  ->  b [========]     C forked before, at a     D after, at b
fn moved(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    p.fork("C")?;
    let b = w.place_huge(1)?;
    w.name(b, "b");
    p.move_to(a, b)?;
    p.write(few(b)[1])?;
    p.collapse(b)?;
    let d = p.fork("D")?;
    d.unmap(b.sub(0..b.pages / 2))
}

/// The VMA is longer than the huge page and was moved by less than one.
///
///   P  around [x|a ........|x]  by one huge page and 8 pages  ->  its middle collapsed
fn moved_unaligned(w: &World) -> TestResult {
    let from = w.place_huge(2)?;
    let (n, p) = (from.pages / 2, w.actor("P")?);
    let a = from.sub(8..n + 24);
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..4))?;
    p.write(a.sub(n..n + 8))?;
    let around = w.place_huge(3)?;
    let to = around.sub(n - 4..2 * n + 12);
    w.name(to, "to");
    p.move_to(a, to)?;
    p.write(to.page(6))?;
    let whole = around.sub(n..2 * n);
    p.collapse(whole)?;
    let c = p.fork("C")?;
    c.protect(whole.page(1), R)
}

/// Some pages are in swap, those that the child has as well.
fn swapped(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    let c = p.fork("C")?;
    reclaim::pass(w)?;
    p.write(few(a)[0])?;
    c.write(few(a)[1].page(0))?;
    p.collapse(a)?;
    p.fork("D").map(drop)
}

/// A huge page cut to PTEs, parts of it copied and given back, and made one again, twice. The child has the first one.
fn again(w: &World) -> TestResult {
    let (p, a) = sparse(w)?;
    p.collapse(a)?;
    p.write_all(&few(a))?;
    let c = p.fork("C")?;
    for round in 0..2 {
        p.advise(a.page(1), advice::DONTNEED)?;
        p.write(few(a)[1 + round])?;
        p.protect(few(a)[3], R)?;
        p.protect(few(a)[3], RW)?;
        p.collapse(a)?;
        w.check()?;
    }
    c.unmap(a.sub(0..n_4(a)))?;
    p.fork("D").map(drop)
}

/// Pages written since the soft-dirty bits were cleared, made a huge page; a huge page of which one was, cut, copied in part, and made one
/// again. Who looks for changes must find them after it, and after whatever comes next.
///
///   P  [. w . - w w ...]  ->  [======== PMD ========]    D  a child since      C  from before, at its own place: [. . w - ...]
fn soft_dirty(w: &World, huge_before: bool) -> TestResult {
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let (p, a) = sparse(w)?;
    let [head, .., tail] = few(a);
    if huge_before {
        p.collapse(a)?;
    }
    let c = p.fork("C")?;
    // From here on it is the pages' bits that count: a new VMA is soft-dirty as a whole.
    w.clear_soft_dirty()?;
    p.write_all(&[head.page(1), tail.sub(2..4)])?;
    c.write(head.page(2))?;
    if huge_before {
        p.protect(tail, R)?;
        p.protect(tail, RW)?;
        p.advise(a.page(1), advice::DONTNEED)?;
        p.write(few(a)[1].page(0))?;
        w.check()?;
    }
    p.collapse(a)?;
    w.check()?;
    p.fork("D").map(drop)
}

/// Folios of `n` pages in a row, mapped and given back in parts: after each step so many pages are mapped.
fn counted(ctx: &mut Ctx, pmd: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let whole = w.place_huge(1)?.pages;
    let n = if pmd { whole } else { w.folio_size()? };
    // One page too few or too many of each small folio must be seen.
    let (count, pmd) = if n == whole { (4, true) } else { (160, false) };
    // Small ones apart from each other: where a huge page fits the kernel would take one.
    let stride = if pmd { n } else { 2 * n };
    let a = w.place_aligned(count * stride, n);
    w.name(a, "a");
    let size = w.page_size();
    let advise = |from: usize, to: usize, advice: i32| -> Vec<Cmd> {
        let part = |i: usize| Cmd::Advise {
            addr: (a.vpn + i * stride + from) * size,
            len: (to - from) * size,
            advice,
        };
        (0..count).map(part).collect()
    };
    let counters = Counters::open(&w)?;
    let at = |i: usize| (a.vpn + i * stride) * size;
    let mut map: Vec<Cmd> = (0..count).map(|i| Cmd::map(at(i), n * size, RW)).collect();
    map.extend(advise(0, n, advice::HUGEPAGE));
    // One write brings a whole folio.
    let pages = (0..count).map(|i| (at(i) + (n - 1) * size, 1)).collect();
    map.push(Cmd::Fill { page: size, pages });
    p.unmodelled("mmap, one write to each folio", &map)?;
    for folio in (0..count).map(|i| a.page(i * stride)) {
        if w.folio_pages(p.id(), folio.vpn)? != n {
            return Err(Stop::Skip("needs a free huge page"));
        }
    }
    let all = count * n;
    counters.expect("mapped", all, if pmd { all } else { 0 })?;
    w.check_rss()?;
    let cut = advise(0, n / 2, advice::DONTDUMP);
    p.unmodelled("each folio in two VMAs", &cut)?;
    counters.expect("each in two VMAs", all, 0)?;
    let c = p.fork("C")?;
    let halves = advise(0, n / 2, advice::DONTNEED);
    p.unmodelled("first halves given back", &halves)?;
    c.unmodelled("the same", &halves)?;
    c.exit()?;
    counters.expect("half of each given back", all / 2, 0)?;
    w.check_rss()?;
    let odd = (n / 2..n - 1).step_by(2);
    let given = odd.clone().count();
    let singly: Vec<Cmd> = odd
        .flat_map(|i| advise(i, i + 1, advice::DONTNEED))
        .collect();
    p.unmodelled("every second page given back", &singly)?;
    let left = n / 2 - given;
    counters.expect("every second page of the rest given back", count * left, 0)?;
    let (addr, len) = (a.vpn * size, a.pages * size);
    p.unmodelled("munmap", &[Cmd::Unmap { addr, len }])?;
    counters.expect("all unmapped", 0, 0)?;
    w.finish()
}

/// Some huge pages mapped by PMDs and by PTEs at a time: what the last PMD takes with it depends on what PTEs still map.
///
///   P  PMDs, unmapped first     C  PTEs, the first halves given back     D  PMDs, unmapped last     E  from D, PTEs
///   G  from C, made huge pages of its own
fn counted_shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place_huge(4)?;
    w.name(a, "a");
    let (size, n) = (w.page_size(), a.pages / 4);
    let (addr, len) = (a.vpn * size, a.pages * size);
    let each = |from: usize, to: usize, advice: i32| -> Vec<Cmd> {
        let part = |i: usize| Cmd::Advise {
            addr: addr + (i * n + from) * size,
            len: (to - from) * size,
            advice,
        };
        (0..4).map(part).collect()
    };
    let write = |page: usize| Cmd::Fill {
        page: size,
        pages: (0..4).map(|i| (addr + (i * n + page) * size, 1)).collect(),
    };
    let unmap = [Cmd::Unmap { addr, len }];
    let counters = Counters::open(&w)?;
    let mut map = vec![Cmd::map(addr, len, RW)];
    map.extend(each(0, n, advice::HUGEPAGE));
    map.push(write(0));
    p.unmodelled("mmap, one write to each huge page", &map)?;
    for i in 0..4 {
        if w.folio_pages(p.id(), a.vpn + i * n)? != n {
            return Err(Stop::Skip("needs a free huge page"));
        }
    }
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    p.needs_pmds(a)?;
    d.needs_pmds(a)?;
    let (all, half) = (a.pages, a.pages / 2);
    c.unmodelled("each in two VMAs", &each(0, n / 2, advice::DONTDUMP))?;
    c.unmodelled("first halves given back", &each(0, n / 2, advice::DONTNEED))?;
    counters.expect("two PMDs and half of the PTEs each", all, all)?;
    p.unmodelled("munmap", &unmap)?;
    counters.expect("one PMD left each", all, all)?;
    w.check_rss()?;
    let e = d.fork("E")?;
    e.unmodelled("one page cut off", &each(1, 2, advice::DONTDUMP))?;
    e.unmodelled("two pages given back", &each(0, 2, advice::DONTNEED))?;
    counters.expect("a PMD and PTEs each", all, all)?;
    d.unmodelled("munmap", &unmap)?;
    counters.expect("no PMD left", all - 8, 0)?;
    e.unmodelled("munmap", &unmap)?;
    counters.expect("half of the PTEs left", half, 0)?;
    // Here, where all have the anon_vma that they had when they were one.
    c.unmodelled("one VMA again", &each(0, n / 2, advice::DODUMP))?;
    let g = c.fork("G")?;
    g.unmodelled("one page copied", &[write(n - 1)])?;
    for i in 0..4 {
        g.collapse(a.sub(i * n..(i + 1) * n))?;
    }
    counters.expect("huge pages of another, too", half + all, all)?;
    w.check_rss()?;
    g.exit()?;
    c.unmodelled("munmap", &unmap)?;
    counters.expect("all unmapped", 0, 0)?;
    w.finish()
}

/// Small pages of which some are pinned, or in a pipe: a copy would take them from whoever holds them (hpage_collapse_scan_pmd()).
fn held(ctx: &mut Ctx, pinned: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::small(&w, "P")?;
    if pinned {
        p.pin(a.sub(2..4))?;
        p.collapse_refused(a, "pinned pages")?;
        w.check()?;
        p.unpin()?;
    } else {
        p.splice(a.sub(2..4))?;
        p.collapse_refused(a, "pages that a pipe holds")?;
        w.check()?;
        p.drain()?;
    }
    p.collapse(a)?;
    walk::every(&w)?;
    w.finish()
}

const COLLAPSED: Test = Test {
    about: "A huge page made of pages that others map too is found by every walk, and so are theirs.",
    needs: Grain::HUGE_NEEDS,
    ..Test::DEFAULT
};
const SOFT_DIRTY: Test = Test {
    about: "What was written since the soft-dirty bits were cleared is soft-dirty in the huge page that it becomes.",
    ..COLLAPSED
};
const SHORT: Test = Test {
    about: "A huge page of which little is mapped is split when memory is short.",
    needs: &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::Reclaim,
        Need::MemMib(64),
    ],
    ..Test::DEFAULT
};
const UNDERUSED: Test = Test {
    about: "A huge page that nearly nothing was written to is split when memory is short, and nobody loses what was.",
    needs: underused::NEEDS,
    knobs: underused::KNOBS,
    ..Test::DEFAULT
};
const COUNTED: Test = Test {
    about: "The counters of anonymous memory follow what is mapped of large folios, page by page.",
    needs: &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::Reclaim,
        Need::MemMib(64),
        Need::PageMapcount,
    ],
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "holes",
        run: |c| walk::afresh(c, holes),
        ..COLLAPSED
    },
    Test {
        name: "shared",
        run: |c| walk::afresh(c, shared),
        ..COLLAPSED
    },
    Test {
        name: "moved",
        run: |c| walk::afresh(c, moved),
        ..COLLAPSED
    },
    Test {
        name: "moved.unaligned",
        run: |c| walk::afresh(c, moved_unaligned),
        ..COLLAPSED
    },
    Test {
        name: "swapped",
        run: |c| walk::afresh(c, swapped),
        needs: SHORT.needs,
        ..COLLAPSED
    },
    Test {
        name: "again",
        run: |c| walk::afresh(c, again),
        ..COLLAPSED
    },
    Test {
        name: "soft_dirty",
        run: |c| walk::afresh(c, |w| soft_dirty(w, false)),
        ..SOFT_DIRTY
    },
    Test {
        name: "soft_dirty.again",
        run: |c| walk::afresh(c, |w| soft_dirty(w, true)),
        ..SOFT_DIRTY
    },
    Test {
        name: "held.pinned",
        run: |c| held(c, true),
        ..COLLAPSED
    },
    Test {
        name: "held.spliced",
        run: |c| held(c, false),
        ..COLLAPSED
    },
    waited::WAITED_FOR,
    node::MAJORITY,
    Test {
        name: "counted.huge",
        run: |c| counted(c, true),
        ..COUNTED
    },
    Test {
        name: "counted.small",
        run: |c| counted(c, false),
        knobs: walk::FOLIO_KNOBS,
        ..COUNTED
    },
    Test {
        name: "counted.shared",
        run: counted_shared,
        ..COUNTED
    },
    Test {
        name: "split_when_short",
        run: |c| short::split_when_short(c, true, Then::Nothing),
        ..SHORT
    },
    Test {
        name: "split_when_short.small",
        run: |c| short::split_when_short(c, false, Then::Nothing),
        knobs: walk::FOLIO_KNOBS,
        ..SHORT
    },
    Test {
        name: "split_when_short.moved",
        run: |c| short::split_when_short(c, true, Then::Moved),
        guards: short::MOVED,
        ..SHORT
    },
    Test {
        name: "split_when_short.moved.small",
        run: |c| short::split_when_short(c, false, Then::Moved),
        guards: short::MOVED,
        knobs: walk::FOLIO_KNOBS,
        ..SHORT
    },
    Test {
        name: "underused",
        run: |c| underused::underused(c, Then::Nothing, false),
        ..UNDERUSED
    },
    Test {
        name: "underused.shared",
        run: |c| underused::underused(c, Then::Nothing, true),
        ..UNDERUSED
    },
    Test {
        name: "underused.moved",
        run: |c| underused::underused(c, Then::Moved, false),
        ..UNDERUSED
    },
    Test {
        name: "split_when_short.later",
        run: |c| short::split_later(c, true),
        ..SHORT
    },
    Test {
        name: "split_when_short.later.small",
        run: |c| short::split_later(c, false),
        knobs: walk::FOLIO_KNOBS,
        ..SHORT
    },
];

pub fn main() {
    run(
        "thp_collapse",
        "huge pages collapsed, split and given back in part",
        TESTS,
    )
}
