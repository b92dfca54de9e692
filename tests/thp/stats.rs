// SPDX-License-Identifier: GPL-2.0-or-later
//! How many anonymous folios of a size there are, and how many of them are mapped in part, as the kernel counts them for everybody
//! (hugepages-*kB/stats/nr_anon and nr_anon_partially_mapped, see Documentation/admin-guide/mm/transhuge.rst).

use helpers::counters::Counters;
use helpers::kernel::kpage::Flags;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::walk::migrate::MIGRATE;
use helpers::walk::own::gather;
use helpers::walk::reclaim::press;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::ops::Range;

/// Folios that are judged together: others make and give back some of the size meanwhile, but not as many.
const FOLIOS: usize = 24;
/// All of them have to say the same.
const ROUNDS: usize = 3;

/// A folio that moves is one folio before and afterwards (__folio_migrate_mapping()), also one that has a place in swap.
pub fn moved(ctx: &mut Ctx, cached: bool) -> TestResult {
    let w = World::new(ctx)?;
    (MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let n = w.folio_size()?;
    if Some(n * w.page_size()) == w.features().pmd_size {
        return Err(Stop::Skip("needs large folios of other sizes (mTHP)"));
    }
    let file = file(&w, n, "nr_anon");
    let p = w.actor("P")?;
    let mut wrong = Vec::new();
    for _ in 0..ROUNDS {
        let folios: Vec<Area> = (0..FOLIOS).map(|_| w.place_aligned(n, n)).collect();
        for &folio in &folios {
            w.name(folio, "folio");
            p.map_folio(folio)?;
        }
        if cached {
            cache(&w, p, &folios)?;
        }
        let before = count(&file)?;
        let (mut there, mut whole) = (0, 0);
        for &folio in &folios {
            if w.folio_pages(p.id(), folio.page(n - 1).vpn)? == n {
                there += 1;
                whole += usize::from(other_node(&w, p, folio)?);
            }
        }
        // One that went in pieces is none any more.
        let due = before - (there - whole) as i64;
        let more = count(&file)? - due;
        if whole < FOLIOS / 2 {
            w.diag(format_args!(
                "{there} of {FOLIOS} are large folios, {whole} moved as a whole"
            ));
            return Err(Stop::Skip("needs large folios that move as a whole now"));
        }
        if more.unsigned_abs() < whole as u64 / 2 {
            return w.finish();
        }
        wrong.push((whole, more));
        for folio in folios {
            p.unmap(folio)?;
        }
    }
    if wrong
        .iter()
        .any(|(_, more)| (*more < 0) != (wrong[0].1 < 0))
    {
        return Err(Stop::Skip("needs a machine where few folios come and go"));
    }
    Err(Stop::fail(format_args!(
        "{file} is the number of anonymous folios of this size: so many folios were moved, and so many more were counted then: {wrong:?}"
    )))
}

/// Folios that reclaim has given a place in swap and could not unmap, as half of each is locked: they keep the place.
fn cache(w: &World, p: Actor, folios: &[Area]) -> TestResult {
    for folio in folios {
        p.lock(folio.sub(folio.pages / 2..folio.pages), Lock::Full)?;
    }
    press(w)?;
    let mut cached = 0;
    for folio in folios {
        let flags = w.pages_of(p, folio.page(folio.pages - 1))?[0].map(|p| p.1);
        cached += usize::from(flags.is_some_and(|f| f.has(Flags::SWAPCACHE)));
    }
    if cached * 2 < folios.len() {
        w.diag(format_args!("{cached} of {} folios", folios.len()));
        return Err(Stop::Skip(
            "needs large folios that stay in the swap cache now",
        ));
    }
    Ok(())
}

/// Of folios of `n` pages.
pub(super) fn file(w: &World, n: usize, name: &str) -> String {
    format!(
        "/sys/kernel/mm/transparent_hugepage/hugepages-{}kB/stats/{name}",
        n * w.page_size() / 1024
    )
}

/// The sum of what the CPUs counted: where too many were taken away it wraps around.
pub(super) fn count(file: &str) -> TestResult<i64> {
    let Ok(text) = std::fs::read_to_string(file) else {
        return Err(Stop::Skip("needs hugepages-*kB/stats/nr_anon (Linux 6.12)"));
    };
    let sum = text.trim().parse::<u64>();
    sum.map(|n| n as i64)
        .map_err(|e| Stop::error(format_args!("{file}: {e}: {text:?}")))
}

/// Whether a folio is still one when it has moved.
fn other_node(w: &World, p: Actor, folio: Area) -> TestResult<bool> {
    let on = w.nodes_of(p, folio.page(folio.pages - 1))?[0];
    let Some(&to) = w.features().nodes.iter().find(|&&node| node != on) else {
        return Err(Stop::Skip("needs 2 NUMA nodes with memory"));
    };
    gather(w, p, folio.page(folio.pages - 1), to)?;
    Ok(w.folio_pages(p.id(), folio.page(folio.pages - 1).vpn)? == folio.pages)
}

/// Folios that are judged together, in bytes: huge pages are fewer, but never less than [`FEWEST`].
const ROOM: usize = 16 << 20;
const FEWEST: usize = 4;
/// Each part of each size has so many chances to be judged while nobody else changes the number.
const CHANCES: usize = 5;

/// How a folio comes to be mapped in part.
struct Part {
    how: &'static str,
    /// Of so many pages.
    pages: fn(usize) -> Range<usize>,
    unmapped: bool,
}

const PARTS: [Part; 4] = [
    Part {
        how: "the first page of each unmapped",
        pages: |_| 0..1,
        unmapped: true,
    },
    Part {
        how: "the last page of each given back",
        pages: |n| n - 1..n,
        unmapped: false,
    },
    Part {
        how: "the middle half of each unmapped",
        pages: |n| n / 4..n - n / 4,
        unmapped: true,
    },
    Part {
        how: "all but the first page of each given back",
        pages: |n| 1..n,
        unmapped: false,
    },
];

impl Part {
    fn take_all(&self, who: Actor, folios: &[Area]) -> TestResult {
        folios.iter().try_for_each(|&folio| self.take(who, folio))
    }

    fn take(&self, who: Actor, folio: Area) -> TestResult {
        let part = folio.sub((self.pages)(folio.pages));
        if self.unmapped {
            who.unmap(part)
        } else {
            who.advise(part, advice::DONTNEED)
        }
    }

    /// What is mapped still.
    fn rest(&self, folio: Area) -> impl Iterator<Item = Area> {
        let part = (self.pages)(folio.pages);
        let rest = [folio.sub(0..part.start), folio.sub(part.end..folio.pages)];
        rest.into_iter().filter(|r| r.pages > 0)
    }

    /// Unmaps it.
    fn unmap_rest(&self, who: Actor, folio: Area) -> TestResult {
        if self.unmapped {
            self.rest(folio).try_for_each(|rest| who.unmap(rest))
        } else {
            who.unmap(folio)
        }
    }
}

/// The step after which the number was wrong, how many more than before it may have been then, and was.
struct Wrong {
    step: &'static str,
    due: [i64; 2],
    more: i64,
}

/// The number may be wrong by less than half of the folios: others have some as well.
fn wrong(step: &'static str, due: [i64; 2], more: i64, folios: usize) -> Option<Wrong> {
    let off = more - more.clamp(due[0], due[1]);
    let far = off.unsigned_abs() * 2 >= folios as u64;
    far.then_some(Wrong { step, due, more })
}

/// Folios of P that have this size, at places of their own.
fn folios(p: Actor, places: &[Area]) -> TestResult<Vec<Area>> {
    let mut folios = Vec::new();
    for &place in places {
        match p.map_folio(place) {
            Ok(()) => folios.push(place),
            Err(Stop::Skip(_)) => p.unmap(place)?,
            Err(other) => return Err(other),
        }
    }
    if folios.len() < places.len() / 2 {
        return Err(Stop::Skip("needs free huge pages"));
    }
    Ok(folios)
}

/// P maps some folios, each of which loses a part, and then the rest.
fn by_owner(
    w: &World,
    p: Actor,
    file: &str,
    folios: &[Area],
    part: &Part,
) -> TestResult<Option<Wrong>> {
    let before = count(file)?;
    part.take_all(p, folios)?;
    let more = count(file)? - before;
    // What was split meanwhile, for want of memory or to be moved, may or may not have been counted at that time.
    let mut whole = 0;
    for &folio in folios {
        let left = part.rest(folio).next().expect("a part");
        whole += usize::from(w.folio_pages(p.id(), left.vpn)? == folio.pages);
    }
    let all = folios.len();
    if whole * 2 < all {
        return Err(Stop::Skip("needs large folios that nobody splits now"));
    }
    let risen = wrong(
        "by their only mapper",
        [whole as i64, all as i64],
        more,
        whole,
    );
    for &folio in folios {
        part.unmap_rest(p, folio)?;
    }
    let more = count(file)? - before;
    Ok(risen.or_else(|| wrong("and then the rest", [0, 0], more, all)))
}

/// P maps some folios, each of which loses a part; the rest goes to swap, and for that they are split (shrink_folio_list()).
fn then_out(
    w: &World,
    p: Actor,
    file: &str,
    folios: &[Area],
    part: &Part,
) -> TestResult<Option<Wrong>> {
    let before = count(file)?;
    part.take_all(p, folios)?;
    for rest in folios.iter().flat_map(|&folio| part.rest(folio)) {
        p.page_out(rest)?;
    }
    let more = count(file)? - before;
    for &folio in folios {
        part.unmap_rest(p, folio)?;
    }
    w.check()?;
    Ok(wrong("and the rest in swap", [0, 0], more, folios.len()))
}

/// P maps some folios, each of which loses a part in P's child C, which exits.
fn by_child(
    _w: &World,
    p: Actor,
    file: &str,
    folios: &[Area],
    part: &Part,
) -> TestResult<Option<Wrong>> {
    let before = count(file)?;
    let c = p.fork("C")?;
    part.take_all(c, folios)?;
    let more = count(file)? - before;
    let all = folios.len();
    let in_child = wrong("by a child of their mapper", [0, 0], more, all);
    c.exit()?;
    let more = count(file)? - before;
    for &folio in folios {
        p.unmap(folio)?;
    }
    Ok(in_child.or_else(|| {
        wrong(
            "by a child of their mapper, which has exited",
            [0, 0],
            more,
            all,
        )
    }))
}

type Round = fn(&World, Actor, &str, &[Area], &Part) -> TestResult<Option<Wrong>>;

/// Every part of folios of `n` pages.
fn judge(w: &World, n: usize, round: Round) -> TestResult {
    let file = file(w, n, "nr_anon_partially_mapped");
    let bytes = n * w.page_size();
    let many = (ROOM / bytes).clamp(FEWEST, FOLIOS);
    // Apart from each other: where a larger folio fits the kernel could take one.
    let huge = Some(bytes) == w.features().pmd_size;
    let stride = if huge { n } else { 2 * n };
    let room = w.place_aligned(many * stride, n);
    w.name(room, "folios");
    let place = |i: usize| room.sub(i * stride..i * stride + n);
    let places: Vec<Area> = (0..many).map(place).collect();
    let p = w.actor("P")?;
    for part in &PARTS {
        let mut told: Vec<Wrong> = Vec::new();
        while told.len() < CHANCES {
            let folios = folios(p, &places)?;
            match round(w, p, &file, &folios, part)? {
                None => break,
                Some(wrong) => told.push(wrong),
            }
        }
        let Some(Wrong { step, due, more }) = told.get(CHANCES - 1) else {
            continue;
        };
        let same = |t: &Wrong| t.step == *step && (t.more < t.due[0]) == (*more < due[0]);
        let seen: Vec<i64> = told.iter().map(|t| t.more).collect();
        if !told.iter().all(same) {
            w.diag(format_args!("{file}; {}: {seen:?} more", part.how));
            return Err(Stop::Skip("needs a machine where few folios come and go"));
        }
        return Err(Stop::fail(format_args!(
            "{file} is the number of anonymous folios of this size of which nobody maps some pages; {many} folios, {} {step}: \
             expected at least {} and at most {} more than before, seen {seen:?}",
            part.how, due[0], due[1]
        )));
    }
    Ok(())
}

/// Every size. One that is not to be had now is no reason to leave the rest out.
fn each_size(ctx: &mut Ctx, round: Round) -> TestResult {
    let w = World::new(ctx)?;
    let sizes = w.folio_sizes()?;
    w.finish()?;
    let (mut judged, mut lacking) = (false, "");
    for n in sizes {
        let w = World::new(ctx)?;
        match judge(&w, n, round) {
            Ok(()) => judged = true,
            Err(Stop::Skip(why)) => {
                w.diag(format_args!("folios of {n} pages: {why}"));
                lacking = why;
                continue;
            }
            Err(other) => return Err(other),
        }
        w.finish()?;
    }
    if judged {
        Ok(())
    } else {
        Err(Stop::Skip(lacking))
    }
}

/// A folio counts as mapped in part from the first page on that nobody maps any more (__folio_remove_rmap(), deferred_split_folio()) until it is
/// freed.
///
///   P  [. 1 2 3]  [0 1 2 .]  [0 . . 3]  [0 . . .]        folios of every size, many of each; then nothing
pub fn partial(ctx: &mut Ctx) -> TestResult {
    each_size(ctx, by_owner)
}

/// The same until it is split.
pub fn partial_out(ctx: &mut Ctx) -> TestResult {
    each_size(ctx, then_out)
}

/// What one mapper gives up is no part that nobody maps while another has all of it, by PTEs or by a PMD; and all of its pages are counted as
/// mapped (__folio_remove_rmap(), _nr_pages_mapped).
///
///   P  [0 1 2 3]  [0 1 2 3]  [0 1 2 3]  [0 1 2 3]        huge pages by a PMD each
///   C  [. 1 2 3]  [0 1 2 .]  [0 . . 3]  [0 . . .]        huge pages by PTEs; exits
pub fn partial_in_child(ctx: &mut Ctx) -> TestResult {
    // Either is a judgement.
    let counted = match mapped(ctx) {
        Ok(()) => true,
        Err(Stop::Skip(why)) => {
            ctx.diag(format_args!("mapped pages: {why}"));
            false
        }
        Err(other) => return Err(other),
    };
    match each_size(ctx, by_child) {
        Err(Stop::Skip(_)) if counted => Ok(()),
        result => result,
    }
}

/// NR_ANON_MAPPED, which is AnonPages of meminfo, for the test's own cgroup.
fn mapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(FEWEST)?;
    w.name(a, "a");
    let n = a.pages / FEWEST;
    let huge: Vec<Area> = (0..FEWEST).map(|i| a.sub(i * n..(i + 1) * n)).collect();
    let p = w.actor("P")?;
    // Once for nothing: what this process writes for the first time since P was made, its script and model, is P's alone from then on.
    given_up(p, &huge, None)?;
    let counters = Counters::open(&w)?;
    given_up(p, &huge, Some(&counters))?;
    counters.expect("all unmapped", 0, 0)?;
    w.finish()
}

/// P maps huge pages; children give up parts of them and exit.
fn given_up(p: Actor, huge: &[Area], counters: Option<&Counters>) -> TestResult {
    let all = huge.iter().map(|page| page.pages).sum();
    let expect = |when: &str| counters.map_or(Ok(()), |c| c.expect(when, all, all));
    for &page in huge {
        p.map_folio(page)?;
    }
    for &page in huge {
        p.needs_pmds(page)?;
    }
    for part in &PARTS {
        let c = p.fork("C")?;
        part.take_all(c, huge)?;
        expect("a child has given up a part of each")?;
        c.exit()?;
        expect("the child has exited")?;
    }
    huge.iter().try_for_each(|&page| p.unmap(page))
}
