// SPDX-License-Identifier: GPL-2.0-or-later
//! Small pages of a file that one mapper collapses: the others that map all of them, where a huge entry fits, get a huge entry as well.

use super::huge::HUGE;
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// A fault gives a huge entry only to a huge page that nobody has split since.
const ATTEMPTS: usize = 3;

/// Maps the whole file, and has an entry for each page.
fn all_of<'w, 'c>(
    w: &'w World<'c>,
    file: &Object,
    area: Area,
    name: &'static str,
) -> TestResult<Actor<'w, 'c>> {
    let actor = w.actor(name)?;
    actor.map_object(area, file, 0, RW, Share::Shared)?;
    actor.read(area)?;
    Ok(actor)
}

/// What a mapper has of its area by a huge entry, in kB.
fn by_pmd(w: &World, actor: Actor, area: Area) -> TestResult<u64> {
    let addr = area.vpn * w.page_size();
    let kb = vma::smaps_kb(actor.pid()?, addr, "ShmemPmdMapped").doing("read smaps")?;
    kb.ok_or(Stop::Skip("needs ShmemPmdMapped in smaps"))
}

/// The last of them collapses what all map at `area`. The names of those that have no huge entry at the next touch; `None` when the kernel did not
/// do it, or it was undone meanwhile.
fn collapsed(w: &World, area: Area, all: &[Actor]) -> TestResult<Option<Vec<String>>> {
    for &actor in all {
        if by_pmd(w, actor, area)? > 0 {
            return Err(Stop::Skip("needs small pages of shared memory"));
        }
    }
    let by = all.last().expect("not empty");
    if !by.collapse_cached(area)? {
        return Ok(None);
    }
    let mut without = Vec::new();
    for &actor in all {
        actor.read(area)?;
        if by_pmd(w, actor, area)? != (area.pages * w.page_size() / 1024) as u64 {
            without.push(actor.name());
        }
    }
    Ok(w.is_huge(by.id(), area)?.then_some(without))
}

/// Those that have none, although the mappers of a file that nobody maps in another way do.
fn attempt(w: &World) -> TestResult<Vec<String>> {
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    let early = all_of(w, &file, a, "early")?;
    early.write(a)?;
    let odd = w.actor("odd")?;
    let askew = w.place_huge(2)?.sub(1..n + 1);
    let (first, last) = (w.place(1), w.place(1));
    for (name, area, page) in [
        ("askew", askew, 0),
        ("first", first, 0),
        ("last", last, n - 1),
    ] {
        w.name(area, name);
        odd.map_object(area, &file, page, RW, Share::Shared)?;
        odd.read(area)?;
    }
    let b = all_of(w, &file, a, "B")?;
    let c = b.fork("C")?;
    c.read(a)?;
    let late = all_of(w, &file, a, "A")?;
    let Some(without) = collapsed(w, a, &[early, b, c, late])? else {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    };
    // Those for whom none fits have their pages as well.
    w.check()?;
    if without.is_empty() {
        return Ok(without);
    }
    let other = w.object(Kind::Memfd, n)?;
    let area = w.place_huge(1)?;
    w.name(area, "control");
    let d = all_of(w, &other, area, "D")?;
    d.write(area)?;
    let child = d.fork("D's child")?;
    child.read(area)?;
    let e = all_of(w, &other, area, "E")?;
    match collapsed(w, area, &[d, child, e])? {
        Some(lacking) if lacking.is_empty() => Ok(without),
        Some(lacking) => {
            w.diag(format_args!("no huge entry: {without:?}, {lacking:?}"));
            Err(Stop::Skip(
                "needs a collapse that takes the page tables of all mappers (Linux 6.6)",
            ))
        }
        None => Err(Stop::Skip("needs a free huge page for shared memory")),
    }
}

/// A collapses the pages, and the page tables of all who map all of them where a huge entry fits go, whoever else maps the file before or after them
/// (retract_page_tables()): a huge entry can be there at the next touch.
///
///   file            |0 1 2 3 ................. n-1|
///   early B C A     |0 1 2 3 ................. n-1|     ->   |======== PMD ========|       C is B's child
///   odd              0 1 2 3 ................. n-1           an odd address: PTEs
///                   |0|                                      a single page
///                                             |n-1|          the same
fn by_all(ctx: &mut Ctx) -> TestResult {
    let mut seen = Vec::new();
    for _ in 0..ATTEMPTS {
        let w = World::new(ctx)?;
        let without = attempt(&w)?;
        if without.is_empty() {
            walk::plain(&w)?;
            topology::write_by_each(&w)?;
            return w.finish();
        }
        seen.push(without);
        w.finish()?;
    }
    Err(Stop::fail(format_args!(
        "pages of a file that one mapper collapses get a huge entry for each mapper where one fits, at its next touch, whoever else maps the file; those \
         of another file did, and these did not, {ATTEMPTS} times: {seen:?}"
    )))
}

pub const BY_ALL: Test = Test {
    name: "huge.collapsed.by_all",
    about: "When a mapper collapses a file's pages all others that can have a huge entry get one.",
    run: by_all,
    ..HUGE
};
