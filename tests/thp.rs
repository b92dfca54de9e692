// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios whose mappers see different parts.
//!
//! A folio has one anon_vma, one index and one place in a list, but an entry for each page in each process. So a walk asks every
//! VMA for a range (vma_address(), vma_address_end()), which may begin before the VMA and end behind it, may lie in two page tables,
//! and may have holes (page_vma_mapped_walk()); and what is true of the folio is summed up from what happens to its pages, one by one or in
//! batches. Each topology here is made anew for each kind of walk, since the first split or swap-out ends it.
//!
//! Where the kernel has folios of other sizes (mTHP) the parts are those of a small one; else of a huge page mapped by PTEs.

#[path = "thp/alone.rs"]
mod alone;
#[path = "thp/borders.rs"]
mod borders;
#[path = "thp/kept.rs"]
mod kept;
#[path = "thp/lazyfree.rs"]
mod lazyfree;
#[path = "thp/parted.rs"]
mod parted;
#[path = "thp/stats.rs"]
mod stats;
#[path = "thp/stats_split.rs"]
mod stats_split;
#[path = "thp/tables.rs"]
mod tables;
#[path = "thp/waited.rs"]
mod waited;

use helpers::supervise::{Ctx, Fix, Knob, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, R, RW};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// P has a folio, all of it.
fn folio<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let n = w.folio_size()?;
    let a = w.place_aligned(n, n);
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map_folio(a)?;
    Ok((p, a))
}

/// P has a huge page, mapped by a PMD.
fn huge<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area)> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let p = w.actor("P")?;
    p.map_folio(a)?;
    Ok((p, a))
}

/// Every second page of a small folio; as many of a large one.
fn apart(n: usize) -> usize {
    (n / 8).max(2)
}

fn place(w: &World, name: &'static str, pages: usize) -> Area {
    let area = w.place(pages);
    w.name(area, name);
    area
}

///   P  [0 1 2 3 ... n-2]       C  [n/2 ... n-1]       D  [0   2   4 ...]
fn unmapped(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    c.unmap(a.sub(0..n / 2))?;
    for i in (1..n).step_by(apart(n)) {
        d.unmap(a.page(i))?;
    }
    p.unmap(a.page(n - 1))
}

///   P  [0 .................. n-1]
///   F  [0]     M  [n/2]    L  [n-1]
fn one_page_each(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    keep_one_each(p, a)
}

fn keep_one_each(p: Actor, a: Area) -> TestResult {
    let n = a.pages;
    for (name, i) in [("F", 0), ("M", n / 2), ("L", n - 1)] {
        let c = p.fork(name)?;
        for rest in [a.sub(0..i), a.sub(i + 1..n)] {
            if rest.pages > 0 {
                c.unmap(rest)?;
            }
        }
    }
    Ok(())
}

/// The same, and P has exited: the folio has three pages left, each in another process.
fn one_page_left_each(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    keep_one_each(p, a)?;
    p.exit()
}

///   P  |rw 0 ..|r n/4 .. n/2 |rw n/2 ..|       C  every second page r       D  0 .. n/2 rw again, written
fn protected(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    p.protect(a.sub(n / 4..n / 2), R)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    for i in (1..n).step_by(apart(n)) {
        c.protect(a.page(i), R)?;
    }
    d.protect(a.sub(0..n / 2), RW)?;
    d.write(a.sub(n / 4..n / 4 + 2))?;
    p.protect(a.sub(n - 2..n), R)
}

///   P  [0 ......... n-1]     C  [n/2 ... n-1]      D  [0   2   4 ...]      E  all
fn dontfork(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    w.clear_soft_dirty()?;
    p.write(a.sub(1..3))?;
    let half = a.sub(0..n / 2);
    p.advise(half, advice::DONTFORK)?;
    p.fork("C")?;
    p.advise(half, advice::DOFORK)?;
    for i in (1..n).step_by(apart(n)) {
        p.advise(a.page(i), advice::DONTFORK)?;
    }
    p.fork("D")?;
    p.advise(a, advice::DOFORK)?;
    p.fork("E").map(drop)
}

///   P  [. . . . n/4 ........ n-2 .]        C  [. 1 . 3 . 5 ...]        1 filled anew
fn holes(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    let c = p.fork("C")?;
    for i in (0..n).step_by(apart(n)) {
        c.advise(a.page(i), advice::DONTNEED)?;
    }
    p.fork("D")?;
    p.advise(a.sub(0..n / 4), advice::DONTNEED)?;
    p.advise(a.page(n - 1), advice::DONTNEED)?;
    p.write(a.page(1))?;
    c.write(a.page(2))
}

///   P  |0 .. n/2|      |n/2 .. n| elsewhere
///   C  as P; the first half in quarters that have changed places
///   D  the last page alone, moved on
fn moved(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let n = a.pages;
    let tail = place(w, "tail", n / 2);
    p.move_to(a.sub(n / 2..n), tail)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    let (q, away) = (n / 4, place(w, "away", n / 4));
    c.move_to(a.sub(0..q), away)?;
    c.move_to(a.sub(q..2 * q), a.sub(0..q))?;
    c.move_to(away, a.sub(q..2 * q))?;
    d.unmap(a.sub(0..n / 2))?;
    d.move_to(tail.page(n / 2 - 1), place(w, "last", 1))?;
    d.unmap(tail.sub(0..n / 2 - 1))
}

/// Some pages copied by one, some by the other, before and after a grandchild.
///
///   P  [0 1 2 3 4 5 6 7 ...]     C  own 1 5 9 ...     P  own 2 6 ...     G  as C, own 3 7 ...
fn copied(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    w.clear_soft_dirty()?;
    let c = p.fork("C")?;
    let every_fourth = |who: Actor, first: usize| -> TestResult {
        (first..a.pages)
            .step_by(2 * apart(a.pages))
            .try_for_each(|i| who.write(a.page(i)))
    };
    every_fourth(c, 1)?;
    every_fourth(p, 2)?;
    let g = c.fork("G")?;
    every_fourth(g, 3)
}

/// A huge page that was split to smaller folios, not to pages: each of them is found in whoever maps a part of it (__folio_split()).
///
///   P  [======== PMD ========]   ->   [0 1 2 3][4 5 6 7] ...        C  [. 1 2 3 4 5 . ...]        D  [======== PMD ========], moved
fn split_to(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    c.unmap(a.page(0))?;
    c.advise(a.page(6), advice::DONTNEED)?;
    d.move_to(a, w.place_huge(1)?)?;
    let (control, own) = (w.actor("control")?, w.place_huge(1)?);
    control.map_folio(own)?;
    p.split_to(a, 4, (control, own))?;
    w.check()?;
    p.fork("E")?.write(a.sub(2..9))
}

/// A folio of every size on offer, each with a hole in the child, a part protected, and once more moved out of alignment.
fn sizes(ctx: &mut Ctx) -> TestResult {
    walk::afresh(ctx, |w| {
        let p = w.actor("P")?;
        let mut areas = Vec::new();
        let sizes = w.folio_sizes()?;
        let (_, small) = sizes.split_last().expect("never empty");
        for &n in small {
            let a = w.place_aligned(n, n);
            p.map_folio(a)?;
            areas.push(a);
        }
        if areas.is_empty() {
            return Err(Stop::Skip("needs large folios of other sizes (mTHP)"));
        }
        let c = p.fork("C")?;
        for a in areas {
            let n = a.pages;
            c.unmap(a.page(1))?;
            c.protect(a.sub(n / 2..n), R)?;
            let b = w.place(n + 1).sub(1..n + 1);
            p.move_to(a, b)?;
            p.advise(b.page(n - 1), advice::DONTNEED)?;
        }
        Ok(())
    })
}

///   P, C, D  [======== one PMD each ========]
fn pmd_shared(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    w.clear_soft_dirty()?;
    p.write(a.sub(3..5))?;
    p.fork("C")?.fork("D").map(drop)
}

///   P  [======== PMD ========]     C  PTEs, one written     D  PTEs, one protected     E  PTEs, one given back
fn pmd_split(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    let n = a.pages;
    let (c, d, e) = (p.fork("C")?, p.fork("D")?, p.fork("E")?);
    c.write(a.page(n / 2))?;
    d.protect(a.page(n - 1), R)?;
    e.advise(a.page(0), advice::DONTNEED)
}

/// Never shared: what the split of a PMD leaves must be writable at once, and known to be P's alone.
///
///   P  |rw 0 .. n/2-1|r n/2 ... n-1|
fn pmd_split_alone(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    w.clear_soft_dirty()?;
    p.write(a.page(0))?;
    p.protect(a.sub(a.pages / 2..a.pages), R)?;
    w.check()
}

/// The page table of one mapper is moved as a whole, that of the other entry by entry to where it lies in two.
///
///   P  PMD at another huge page's place     C  PTEs in two tables     D  a quarter of P's, where P has it
fn pmd_moved(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    let c = p.fork("C")?;
    w.clear_soft_dirty()?;
    tables::across(w, c, a)?;
    let to = w.place_huge(1)?;
    w.name(to, "to");
    p.move_to(a, to)?;
    let d = p.fork("D")?;
    d.unmap(to.sub(a.pages / 4..a.pages))
}

///   P  [======== PMD ========]     F [0]     M [n/2]     L [n-1]
fn pmd_one_page_each(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    keep_one_each(p, a)
}

/// Folios of a size for the VMAs that ask for huge pages.
macro_rules! madvise {
    ($kb:literal) => {
        Knob::set(
            concat!(
                "/sys/kernel/mm/transparent_hugepage/hugepages-",
                $kb,
                "kB/enabled"
            ),
            "madvise",
        )
    };
}

const KNOBS: &[Knob] = &[
    madvise!("16"),
    madvise!("32"),
    madvise!("64"),
    madvise!("128"),
    madvise!("256"),
    madvise!("512"),
    madvise!("1024"),
];

const PARTS: Test = Test {
    about: "Each part of a large folio is found in exactly the processes that map this part.",
    needs: Grain::HUGE_NEEDS,
    knobs: KNOBS,
    guards: &[
        Fix {
            commit: "494334e43c16",
            subject: "mm/thp: fix vma_address() if virtual address below file offset",
        },
        Fix {
            commit: "a9a7504d9bea",
            subject: "mm/thp: fix page_vma_mapped_walk() if THP mapped by ptes",
        },
    ],
    ..Test::DEFAULT
};

macro_rules! parts {
    ($name:literal, $build:path) => {
        Test {
            name: $name,
            run: |c| walk::afresh(c, $build),
            ..PARTS
        }
    };
}

macro_rules! locked_half {
    ($name:literal, $pmd:literal, $how:ident) => {
        Test {
            name: $name,
            about: "A locked part of a large folio stays in memory.",
            run: |c| kept::locked_half(c, $pmd, Lock::$how),
            needs: &[Need::Pfn, Need::Reclaim],
            ..PARTS
        }
    };
}

const TESTS: &[Test] = &[
    parts!("unmapped", unmapped),
    parts!("one_page_each", one_page_each),
    parts!("one_page_left_each", one_page_left_each),
    parts!("protected", protected),
    parts!("dontfork", dontfork),
    parts!("holes", holes),
    parts!("moved", moved),
    parts!("two_tables", tables::two),
    parts!("two_tables.child", tables::in_child),
    parts!("two_tables.wiped", tables::wiped),
    parts!("two_tables.one_missing", tables::one_missing),
    Test {
        name: "two_tables.huge_beside",
        guards: &[],
        run: tables::beside_where_mended,
        ..PARTS
    },
    parts!("borders", borders::across),
    parts!("borders.child", borders::in_child),
    parts!("borders.no_table", borders::missing),
    parts!("lazyfree", lazyfree::own),
    parts!("lazyfree.shared", lazyfree::shared),
    Test {
        name: "lazyfree.soft_dirty",
        about: "A large folio that reclaim may not have is left as it was, each entry with its marks.",
        needs: &[Need::Thp, Need::Pfn, Need::Reclaim],
        run: lazyfree::soft_dirty,
        ..PARTS
    },
    Test {
        name: "lazyfree.locked",
        about: "A locked part of a large folio stays in memory.",
        needs: &[Need::Thp, Need::Pfn, Need::Reclaim],
        run: lazyfree::locked,
        guards: &[],
        ..PARTS
    },
    parts!("pmd.lazyfree", lazyfree::pmd),
    parts!("pmd.lazyfree.moved", lazyfree::pmd_moved),
    parts!("copied", copied),
    parts!("pmd.shared", pmd_shared),
    parts!("pmd.split", pmd_split),
    parts!("pmd.split_alone", pmd_split_alone),
    Test {
        name: "alone",
        about: "A large folio that nobody else maps stays writable, exclusive and soft-dirty.",
        run: alone::alone,
        ..PARTS
    },
    Test {
        name: "alone.touched",
        run: alone::touched,
        ..PARTS
    },
    Test {
        name: "alone.from_swap",
        needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: alone::from_swap,
        ..PARTS
    },
    Test {
        name: "parted.swapped",
        about: "What comes back from swap as a large folio does not reach beyond the VMA of the fault.",
        needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
        guards: &[],
        run: parted::swapped,
        ..PARTS
    },
    Test {
        name: "alone.in_place",
        about: "What nobody else has ever mapped is not copied when it is written again.",
        run: alone::in_place,
        ..PARTS
    },
    parts!("pmd.split_to", split_to),
    parts!("pmd.moved", pmd_moved),
    parts!("pmd.one_page_each", pmd_one_page_each),
    parts!("pmd.borders", kept::borders),
    parts!("pmd.read_only", kept::read_only),
    parts!("pmd.read_write", kept::read_write),
    parts!("mixed", kept::mixed),
    parts!("mixed.forked", kept::mixed_forked),
    parts!("part_writable", kept::part_writable),
    Test {
        name: "marked",
        about: "A page of a large folio is soft-dirty when it was written, whatever may be done to it and its neighbours.",
        run: kept::marked,
        ..PARTS
    },
    parts!("pmd.locked", kept::locked),
    parts!("pmd.unlocked", kept::unlocked),
    Test {
        name: "pmd.locked.zeroes",
        about: "A locked area keeps its pages, also those that hold zeroes only.",
        run: |c| walk::afresh(c, kept::zeroes),
        ..PARTS
    },
    locked_half!("locked_half", false, Full),
    locked_half!("locked_half.onfault", false, OnFault),
    locked_half!("pmd.locked_half", true, Full),
    locked_half!("pmd.locked_half.onfault", true, OnFault),
    Test {
        name: "stats.moved",
        about: "The kernel counts an anonymous folio once, wherever it moves.",
        run: |c| stats::moved(c, false),
        guards: &[],
        ..PARTS
    },
    Test {
        name: "stats.moved.cached",
        about: "A large folio in the swap cache is counted where it has moved to.",
        needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: |c| stats::moved(c, true),
        guards: &[],
        ..PARTS
    },
    Test {
        name: "stats.split_to",
        about: "The kernel counts the anonymous folios of each size that a huge page is split to.",
        run: stats_split::split_to,
        guards: &[],
        ..PARTS
    },
    Test {
        name: "stats.partial",
        about: "The kernel counts an anonymous folio of any size as mapped in part when nobody maps some of its pages.",
        run: stats::partial,
        guards: &[],
        ..PARTS
    },
    Test {
        name: "stats.partial.out",
        about: "A folio that is split when its rest goes to swap is not counted as mapped in part any more.",
        needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
        run: stats::partial_out,
        guards: &[],
        ..PARTS
    },
    Test {
        name: "stats.partial.in_child",
        about: "The kernel counts an anonymous folio that somebody maps as a whole as mapped, all of it.",
        run: stats::partial_in_child,
        guards: &[],
        ..PARTS
    },
    Test {
        name: "sizes",
        about: "What is true of huge pages is true of large folios of every size.",
        run: sizes,
        ..PARTS
    },
    waited::WAITED_FOR,
];

pub fn main() {
    run(
        "thp",
        "large folios whose mappers see different parts",
        TESTS,
    )
}
