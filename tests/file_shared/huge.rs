// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of shared memory: one entry of a PMD here, single PTEs there, and VMAs that know only some pages from the middle.
//!
//! The walk of a large folio has to look for VMAs of every page of it, not of its first, and to begin in each VMA at
//! the page that this VMA has.

use super::bits::taken;
use super::large::written_and_gone;
use super::place;
use helpers::counters::{FileMapped, each_time};
use helpers::supervise::{Ctx, Fix, Need, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::WP;
use helpers::topology::{self, Grain, R, RW};
use helpers::walk::migrate::MIGRATE;
use helpers::walk::{self, reclaim};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Who maps what of the file.
struct Stage<'w, 'c> {
    file: Object,
    /// Maps the huge page with one entry.
    p: Actor<'w, 'c>,
    /// The same.
    q: Actor<'w, 'c>,
    /// Maps parts.
    r: Actor<'w, 'c>,
    /// Of P and of Q, the size of the huge page.
    a: Area,
    /// Of R: behind the start of the huge page.
    head: Area,
    /// Of R, private.
    middle: Area,
}

///   file        |0 ..... huge page ..... 511| 512 ..... 519
///   P Q         |0 ..................... 511|                 PMD
///   R           |0 1 2 3 4|
///   R             1 2 3 4 5 6 7                                an odd address
///   R private                300 .. 315                       303 its own copy
///   R read-only                       507 .. 511 512 .. 519   across the end
///   R                                        511              nothing but the last page
fn stage<'w, 'c>(w: &'w World<'c>, huge: bool) -> TestResult<Stage<'w, 'c>> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n + 8)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    for actor in [p, q] {
        // Asked for before the first access.
        actor.map_object(a, &file, 0, 0, Share::Shared)?;
        if huge {
            actor.advise(a, advice::HUGEPAGE)?;
        }
        actor.protect(a, RW)?;
        actor.write(a)?;
    }
    if huge && !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let (head, odd, middle, end, last) = (
        place(w, "head", 5),
        place(w, "odd", 7),
        place(w, "middle", 16),
        place(w, "end", 13),
        place(w, "last", 1),
    );
    r.map_object(head, &file, 0, RW, Share::Shared)?;
    r.map_object(odd, &file, 1, RW, Share::Shared)?;
    r.map_object(middle, &file, n / 2 + 44, RW, Share::Private)?;
    r.map_object(end, &file, n - 5, R, Share::Shared)?;
    r.map_object(last, &file, n - 1, RW, Share::Shared)?;
    r.write(middle.page(3))?;
    Ok(Stage {
        file,
        p,
        q,
        r,
        a,
        head,
        middle,
    })
}

fn parts(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    s.r.fork("C")?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The same, and one of those who map all of it has locked it: the huge page can be split all the same (unmap_folio()).
fn locked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    s.q.lock(s.a, Lock::Full)?;
    s.r.lock(s.head, Lock::Full)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Maps of a huge page that nobody has mapped, and what the counters say after each step: the first that they say wrong.
///
///   file        |0 ..... huge page ..... 511|
///   R C           5 .................. 506          then from the middle on
///   D           |========= PMD =============|
fn count(w: &World, file: &Object, odd: Area, all: Area) -> TestResult<Option<Stop>> {
    let n = odd.pages;
    let r = w.actor("R")?;
    let mut mapped = FileMapped::open(w)?;
    r.map_object(odd, file, 5, RW, Share::Shared)?;
    r.read(odd)?;
    mapped.expect("mapped by PTEs", n)?;
    let c = r.fork("C")?;
    c.read(odd)?;
    mapped.expect("mapped twice", n)?;
    let d = w.actor("D")?;
    d.map_huge_object(all, file)?;
    d.read(all)?;
    mapped.expect("by one process as a whole too", all.pages)?;
    d.exit()?;
    mapped.expect("which has gone", n)?;
    r.unmap(odd.sub(0..n / 2))?;
    mapped.expect("half of it unmapped by one", n)?;
    c.unmap(odd.sub(0..n / 2))?;
    mapped.expect("and by the other", n - n / 2)?;
    w.check()?;
    c.exit()?;
    r.unmap(odd.sub(n / 2..n))?;
    mapped.expect("all unmapped", 0)?;
    r.exit()?;
    Ok(mapped.wrong())
}

/// Mapped by PTEs alone, and each page counted once, whoever else maps it too.
fn counted(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    p.fill_huge_object(a, &file)?;
    p.exit()?;
    let (odd, all) = (place(&w, "odd", a.pages - 10), w.place_huge(1)?);
    w.name(all, "all");
    each_time(&w, || count(&w, &file, odd, all))?;
    w.finish()
}

/// Taken whole, not split before.
fn reclaimed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    let c = s.r.fork("C")?;
    s.q.exit()?;
    walk::only(&w, &reclaim::RECLAIM)?;
    c.unmap(s.head)?;
    walk::only(&w, &reclaim::RECLAIM)?;
    w.finish()
}

/// Only a VMA of the middle is left.
fn tail_only(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    s.p.exit()?;
    s.q.exit()?;
    s.r.unmap(s.head)?;
    s.r.fork("C")?.write(s.middle.page(7))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The PMD entries are cut, moved to where none fits, and made by fork anew.
fn reshaped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    let n = s.a.pages;
    s.p.protect(s.a.sub(n / 2..n / 2 + 60), R)?;
    s.q.fork("C")?.unmap(s.a.sub(1..n / 2))?;
    let to = place(&w, "to", n - 3);
    s.q.move_to(s.a.sub(3..n), to)?;
    s.q.write(to.page(n - 4))?;
    s.r.move_to(s.middle.sub(2..10), place(&w, "moved", 8))?;
    walk::plain(&w)?;
    w.finish()
}

/// Holes in the huge page, and an end of the file inside of it.
fn taken_away(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, true)?;
    let n = s.a.pages;
    s.r.fork("C")?;
    w.punch(&s.file, 2..4)?;
    w.check()?;
    w.punch(&s.file, n / 2 + 45..n / 2 + 50)?;
    w.check()?;
    w.truncate(&s.file, n - 2)?;
    w.check()?;
    w.truncate(&s.file, n / 2 + 46)?;
    w.check()?;
    walk::plain(&w)?;
    w.truncate(&s.file, n + 4)?;
    w.check()?;
    w.punch(&s.file, 0..n)?;
    w.check()?;
    w.finish()
}

/// Small pages that all of them map become a huge page: retract_page_tables() and unmap_mapping_pages() find the entries of
/// the others, and leave what was copied.
///
/// With `locked` some of them have locked theirs: their pages go from their page tables as well, and come back at the next access
/// (TTU_IGNORE_MLOCK).
fn collapsed(ctx: &mut Ctx, locked: bool) -> TestResult {
    let w = World::new(ctx)?;
    let s = stage(&w, false)?;
    let own = w.actor("private")?;
    own.map_object(s.a, &s.file, 0, RW, Share::Private)?;
    own.write(s.a.sub(9..11))?;
    s.r.fork("C")?;
    if locked {
        // All of it, or it would be a huge page locked in part, of which reclaim takes some entries.
        s.q.lock(s.a, Lock::Full)?;
        s.r.lock(s.head, Lock::Full)?;
        s.r.lock(s.middle, Lock::OnFault)?;
    }
    w.check()?;
    let mut done = s.p.collapse_cached(s.a)?;
    if locked && !done {
        s.q.unlock(s.a)?;
        s.r.unlock(s.head)?;
        s.r.unlock(s.middle)?;
        done = s.p.collapse_cached(s.a)?;
        if done {
            return Err(Stop::fail(
                "a lock keeps pages in memory, not in their place: pages of a file that a mapper has locked do not collapse, and do when it has unlocked them",
            ));
        }
    }
    if !done {
        // What works for a file that nobody else maps, and far from the end of its VMA, has to work for this one.
        let (control, alone) = (w.actor("alone")?, w.place_huge(2)?);
        let file = w.object(Kind::Memfd, alone.pages)?;
        control.map_object(alone, &file, 0, RW, Share::Shared)?;
        control.write(alone)?;
        return Err(if control.collapse_cached(alone.sub(0..s.a.pages))? {
            Stop::fail(
                "pages of a file that others map too do not collapse, those of another file do",
            )
        } else {
            Stop::Skip("needs a free huge page for shared memory")
        });
    }
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// P collapses pages of which Q has write-protected some by userfaultfd, and given some of these back: the page table that says so stays, where
/// others go (retract_page_tables()). C is Q's child, whose entries are without.
///
///   P |0 1 2 3 ............. n-1|   ->   |======== PMD ========|
///   Q |0 1 2 - - 5 .. 39 ... n-1|        |0 1 2 - - 5 .. 39 ... n-1|
///            . . . .. ..    . .                . . . .. ..    . .
fn collapsed_marked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (a, b) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    w.name(b, "marked");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.read(b)?;
    let k = q.keeper(0)?;
    k.register(b, WP)?;
    k.protect(b.sub(3..40))?;
    k.protect(b.sub(n - 3..n - 1))?;
    q.advise(b.sub(2..5), advice::DONTNEED)?;
    q.fork("C")?;
    w.check()?;
    if !p.collapse_cached(a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    // As they are, then as they come back.
    w.check_partly()?;
    w.check()?;
    q.write_kept(b.sub(4..6), &k)?;
    q.write_kept(b.page(n - 2), &k)?;
    q.write(b.sub(0..3))?;
    walk::plain(&w)?;
    w.finish()
}

/// A huge page that P maps by PTEs, some of which userfaultfd write-protects, has no PMD entry again by a collapse: one entry could not say which
/// (collapse_pte_mapped_thp()). Others' entries, which are all plain, make one.
///
///   P |0 1 2 3 .. 39 ... n-1|       Q |0 1 2 3 ............. n-1|   ->   |======== PMD ========|
///            . .. ..    . .
fn collapsed_own_marks(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = whole(&w)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let n = a.pages;
    let (q, b) = (w.actor("Q")?, w.place_huge(1)?);
    w.name(b, "b");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.read(b)?;
    // Pieces, and one area again.
    q.protect(b.sub(0..8), R)?;
    q.protect(b.sub(0..8), RW)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a.sub(3..40))?;
    k.protect(a.sub(n - 3..n - 1))?;
    // Reads all of them: each has an entry.
    w.check()?;
    // Whatever it says: the marks have to be there still. That it is on offer is for Q's collapse to show.
    let _answer = p.ask_collapse_cached(a)?;
    w.check_partly()?;
    w.check()?;
    p.write_kept(a.sub(4..6), &k)?;
    p.write_kept(a.page(n - 2), &k)?;
    p.write(a.sub(0..2))?;
    if !q.collapse_cached(b)? {
        return Err(Stop::Skip(
            "needs a huge page that can be mapped by a PMD now",
        ));
    }
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// A huge page whose file is sealed while parts of it are mapped.
fn sealed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = whole(&w)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    super::bits::sealed(&w, p, a, &file)?;
    w.finish()
}

/// A huge page of a file, mapped by P as a whole.
fn whole<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Actor<'w, 'c>, Area)> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, a.pages)?;
    let p = w.actor("P")?;
    p.map_huge_object(a, &file)?;
    Ok((file, p, a))
}

/// Pages in a row of one huge page that userfaultfd write-protects, given back in one go: each leaves its mark
/// (zap_install_uffd_wp_if_needed()).
fn marked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (_file, p, a) = whole(&w)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a.sub(3..40))?;
    w.check()?;
    p.advise(a.sub(0..64), advice::DONTNEED)?;
    w.check()?;
    p.write_kept(a.sub(38..40), &k)?;
    p.write(a.sub(40..42))?;
    walk::plain(&w)?;
    w.finish()
}

/// All of a huge page of a file, or all of several, write-protected: by the entries of pages, since that of a PMD is forgotten when it is split
/// (pgtable_split_needed()). Q maps it plain.
fn marked_whole(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = whole(&w)?;
    p.write(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let q = w.actor("Q")?;
    q.map_object(a, &file, 0, RW, Share::Shared)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a)?;
    w.check()?;
    p.write_kept(a.page(3), &k)?;
    q.write(a.page(5))?;
    w.check()?;
    p.write_kept(a.page(5), &k)?;
    walk::plain(&w)?;
    w.finish()
}

/// Written through the entry of a PMD that was there for reading, which is then split or goes: it was all that knew of it
/// (__split_huge_pmd_locked(), zap_huge_pmd()).
fn written_and_split(ctx: &mut Ctx, split: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = whole(&w)?;
    p.read(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    p.write(a)?;
    if split {
        p.unmap(a.sub(0..a.pages / 2))?;
    }
    p.exit()?;
    taken(&w)?;
    let q = w.actor("Q")?;
    let b = place(&w, "b", a.pages);
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// Written through such an entry, and moved from node to node: the entry that is made for the new place may be clean, if the page is told
/// (set_pmd_migration_entry()). Then all mappings go, and what is clean is thrown away.
///
///   P |======== PMD ========|  read, then 0 .. 5 written and moved, and 300 .. 304 written and moved again
///   Q |======== PMD ========|  read
fn written_and_moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let (file, p, a) = whole(&w)?;
    p.read(a)?;
    if !w.is_huge(p.id(), a)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let q = w.actor("Q")?;
    q.map_huge_object(a, &file)?;
    q.read(a)?;
    let middle = a.pages / 2;
    for (i, part) in [a.sub(0..6), a.sub(middle..middle + 5)]
        .into_iter()
        .enumerate()
    {
        p.write(part)?;
        walk::only(&w, &MIGRATE)?;
        if i == 0 {
            q.exit()?;
        }
    }
    p.exit()?;
    taken(&w)?;
    let late = w.actor("late")?;
    let b = place(&w, "b", a.pages);
    late.map_object(b, &file, 0, RW, Share::Shared)?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

pub const HUGE: Test = Test {
    about: "Every mapping of a huge page of shared memory is found, also of a few pages from its middle.",
    needs: Grain::HUGE_NEEDS,
    knobs: &[topology::SHARED_HUGE],
    ..Test::DEFAULT
};

pub const PARTS: Test = Test {
    name: "huge.parts",
    run: parts,
    ..HUGE
};
pub const LOCKED: Test = Test {
    name: "huge.locked",
    run: locked,
    ..HUGE
};
pub const MARKED_WHOLE: Test = Test {
    name: "huge.marked.whole",
    about: "A page stays write-protected by userfaultfd for the mapper that asked for it, also when a huge entry maps it.",
    run: marked_whole,
    ..HUGE
};
pub const MARKED: Test = Test {
    name: "huge.marked",
    about: "A page stays write-protected by userfaultfd for the mapper that asked for it, also when it gives the page back.",
    run: marked,
    ..HUGE
};
pub const SEALED: Test = Test {
    name: "huge.sealed",
    about: super::bits::SEALED.about,
    run: sealed,
    ..HUGE
};
pub const WRITTEN_AND_SPLIT: Test = Test {
    name: "huge.written_and_split",
    about: "What was written to a huge page of shared memory is known when its mappings are gone.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    run: |c| {
        written_and_split(c, true)?;
        written_and_split(c, false)
    },
    guards: &[Fix {
        commit: "fe6cf984939d",
        subject: "mm/huge_memory: transfer the pmd dirty bit to the folio on zap",
    }],
    ..HUGE
};
pub const WRITTEN_AND_GONE: Test = Test {
    name: "huge.written_and_gone",
    about: "What was written to a page of a huge page of shared memory is known when its mappings are gone.",
    run: |c| written_and_gone(c, true),
    ..WRITTEN_AND_SPLIT
};
pub const WRITTEN_AND_MOVED: Test = Test {
    name: "huge.written_and_moved",
    about: "What was written to a huge page of shared memory is known when it has moved.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    run: written_and_moved,
    ..HUGE
};
pub const COUNTED: Test = Test {
    name: "huge.counted",
    about: "The counters of mapped pages of files follow the mappings, page by page.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::PageMapcount],
    run: counted,
    ..HUGE
};
pub const RECLAIMED: Test = Test {
    name: "huge.reclaimed",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::Reclaim],
    run: reclaimed,
    ..HUGE
};
pub const TAIL_ONLY: Test = Test {
    name: "huge.tail_only",
    run: tail_only,
    ..HUGE
};
pub const RESHAPED: Test = Test {
    name: "huge.reshaped",
    run: reshaped,
    ..HUGE
};
pub const TAKEN_AWAY: Test = Test {
    name: "huge.taken_away",
    run: taken_away,
    ..HUGE
};
pub const COLLAPSED: Test = Test {
    name: "huge.collapsed",
    about: "Pages collapsed into a huge page are the same for all who mapped them, but for private copies.",
    run: |c| collapsed(c, false),
    ..HUGE
};
pub const COLLAPSED_LOCKED: Test = Test {
    name: "huge.collapsed.locked",
    about: "Pages of a file that somebody has locked collapse into a huge page as others do.",
    run: |c| collapsed(c, true),
    ..HUGE
};
pub const COLLAPSED_MARKED: Test = Test {
    name: "huge.collapsed.marked",
    about: "What userfaultfd write-protects in one mapping of a file stays so when its pages collapse through another.",
    run: collapsed_marked,
    ..HUGE
};
pub const COLLAPSED_OWN_MARKS: Test = Test {
    name: "huge.collapsed.own_marks",
    about: "What userfaultfd write-protects in a mapping of a huge page stays so when the mapping is asked to collapse.",
    run: collapsed_own_marks,
    ..HUGE
};
