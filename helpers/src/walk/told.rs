// SPDX-License-Identifier: GPL-2.0-or-later
//! What an entry knows of accesses when it is told to forget them (MADV_COLD), when it moves (mremap), and when it goes (munmap).
//!
//! No walk: the entries of one mapper are at hand. But what walks find out later depends on both, folio_referenced() as well as idle tracking.

use super::Taken;
use super::idle::{Watch, has_room};
use super::migrate::MIGRATE;
use super::reclaim::forget_accesses;
use super::referenced::touch;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::{lru, vma};
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::world::check::Finding;
use crate::world::model::ActorId;
use crate::world::{Actor, Area, Kind, Share, World};
use crate::{Stop, TestResult};
use nix::libc::{PROT_READ, PROT_WRITE};
use std::os::unix::fs::FileExt;
use std::time::Duration;

const RW: i32 = PROT_READ | PROT_WRITE;
const NO_ACCESSED: &str = "needs smaps and accessed bits in page tables";

/// How long MADV_COLD is asked again. Before Linux 6.10 it split a large folio mapped by single pages, and left it alone when that failed.
const LIMIT: Duration = Duration::from_secs(2);

/// How much of an area counts as accessed, pages: its accessed bits, and what the pages say themselves (Referenced in smaps).
pub(super) fn referenced(w: &World, actor: Actor, area: Area) -> TestResult<usize> {
    let (pid, size) = (actor.pid()?, w.page_size());
    let (start, end) = (area.vpn * size, (area.vpn + area.pages) * size);
    let mut kb = 0;
    for vma in vma::in_range(pid, start, end).doing("read maps")? {
        let field = vma::smaps_kb(pid, vma.start, "Referenced");
        kb += field.doing("read smaps")?.ok_or(Stop::Skip(NO_ACCESSED))?;
    }
    Ok(kb as usize * 1024 / size)
}

/// Pages of an area that nobody else maps are touched and made cold (MADV_COLD): none counts as accessed any more.
///
/// # Errors
/// `Skip` where the touches do not show.
#[track_caller]
pub fn cold(w: &World, actor: Actor, area: Area, touched: &[usize]) -> TestResult {
    w.note(format!(
        "{}: {} pages of {} touched, and no others",
        actor.name(),
        touched.len(),
        w.show(area)
    ));
    let reads: Vec<_> = touched.iter().map(|i| (actor.id(), area.vpn + i)).collect();
    // The second time idle tracking has taken what the entries say into the pages.
    for watched in [false, true] {
        forget_accesses(w)?;
        touch_shown(w, actor, area, &reads)?;
        if watched && !look(w, &[(actor, area)])? {
            break;
        }
        made_cold(w, actor, area, touched)?;
    }
    Ok(())
}

#[track_caller]
fn made_cold(w: &World, actor: Actor, area: Area, touched: &[usize]) -> TestResult {
    let mut until = w.limit(LIMIT);
    loop {
        lru::drain().doing("drain the LRU batches")?;
        actor.advise(area, advice::COLD)?;
        let left = referenced(w, actor, area)?;
        if left == 0 {
            return Ok(());
        }
        if until.over() {
            return Err(w.report(&Finding {
                property: "no page of a cold area counts as accessed",
                detail: format!(
                    "{left} of {} page(s) do, {} were touched before",
                    area.pages,
                    touched.len()
                ),
                at: Some((actor.id(), area.vpn)),
            }));
        }
    }
}

/// How often something must be seen that may have another reason once: somebody else's scan has met the pages (that of reclaim takes the
/// accessed bits for its generations, and tells the pages nothing).
pub const TIMES: usize = 4;

/// Pages that all these mappers have touched count as accessed, and do for none of them any more when the accessed bits are cleared
/// (/proc/PID/clear_refs), also where idle tracking has taken these into the pages before.
///
/// # Errors
/// `Skip` where the touches do not show.
#[track_caller]
pub fn forgotten(w: &World, mappers: &[(Actor, Area)]) -> TestResult {
    w.note(String::from(
        "all pages touched by all, looked at by idle tracking, the accessed bits cleared",
    ));
    let mut found = None;
    for _ in 0..TIMES {
        touch_all(w, mappers)?;
        look(w, mappers)?;
        forget_accesses(w)?;
        found = first_referenced(w, mappers)?;
        if found.is_none() {
            return Ok(());
        }
    }
    let Some((actor, area, left)) = found else {
        return Ok(());
    };
    Err(w.report(&Finding {
        property: "no page counts as accessed when the accessed bits were cleared",
        detail: format!(
            "{left} of {} page(s) of {}'s {} do, each of {TIMES} times",
            area.pages,
            actor.name(),
            w.show(area)
        ),
        at: Some((actor.id(), area.vpn)),
    }))
}

/// Pages that were touched just before they are marked idle are idle: what their entries say is taken before the mark is made
/// (page_idle_clear_pte_refs()), or the mark would go with it.
///
/// # Errors
/// `Skip` where idle tracking is not on offer, the touches do not show, or the pages cannot be marked untouched either.
#[track_caller]
pub fn marked(w: &World, mappers: &[(Actor, Area)]) -> TestResult {
    let watch = Watch::open(w)?;
    let mut lost = None;
    for _ in 0..TIMES {
        lru::drain().doing("drain the LRU batches")?;
        touch_all(w, mappers)?;
        lost = None;
        for &(actor, area) in mappers {
            let listed = |flags: Flags| flags.has(Flags::LRU);
            let heads: Vec<Pfn> = w
                .pages_of(actor, area)?
                .iter()
                .flatten()
                .filter(|page| listed(page.1))
                .map(|page| page.0)
                .collect();
            let marked = watch.mark(w, &heads)?;
            let again = watch.mark(w, &heads)?;
            let only_then = heads
                .iter()
                .filter(|h| !marked.contains(h) && again.contains(h));
            let n = only_then.count();
            if n > 0 {
                lost = Some((actor, area, n, marked.len()));
            }
            if again.is_empty() {
                return Err(Stop::Skip("needs pages that can be set idle now"));
            }
        }
        if lost.is_none() {
            return Ok(());
        }
    }
    let Some((actor, area, n, others)) = lost else {
        return Ok(());
    };
    Err(w.report(&Finding {
        property: "a page that was touched before it is marked idle is idle",
        detail: format!(
            "{n} page(s) are when they are marked once more, untouched, and {others} are; each of {TIMES} times"
        ),
        at: Some((actor.id(), area.vpn)),
    }))
}

/// A child has accessed none of its pages yet (pte_mkold() in __copy_present_ptes(), copy_huge_pmd()), though its parent has accessed all of
/// `area`.
///
/// # Errors
/// `Skip` where the touches do not show.
#[track_caller]
pub fn born(w: &World, parent: Actor, area: Area) -> TestResult {
    let mut left = 0;
    for i in 0..TIMES {
        // What the pages themselves say would show in the child as well.
        forget_accesses(w)?;
        touch_all(w, &[(parent, area)])?;
        let child = parent.fork(&format!("C{i}"))?;
        left = referenced(w, child, area)?;
        child.exit()?;
        if left == 0 {
            return Ok(());
        }
    }
    Err(w.report(&Finding {
        property: "a child has accessed none of its pages when it begins",
        detail: format!(
            "{left} of {} page(s) of {} count as accessed by it, each of {TIMES} times",
            area.pages,
            w.show(area)
        ),
        at: Some((parent.id(), area.vpn)),
    }))
}

/// Pages of an area that nobody else maps count as accessed in the place that they are moved to: what their entries say (migration entries
/// keep it, 2e3468778dbe, in Linux 6.1; judged from 6.2 on), and what idle tracking has found there before and has put into the pages
/// (folio_migrate_flags()).
///
/// # Errors
/// `Skip` where pages do not migrate, and where neither can be judged.
#[track_caller]
pub fn moved(w: &World, actor: Actor, area: Area) -> TestResult {
    (MIGRATE.offered)(w).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    let mut judged = false;
    let keeps = w.features().version() > (6, 1) && has_room();
    for watched in [false, true] {
        if !watched && !keeps {
            continue;
        }
        let mut lost = 0;
        for _ in 0..TIMES {
            forget_accesses(w)?;
            touch_all(w, &[(actor, area)])?;
            if watched && !look(w, &[(actor, area)])? {
                break;
            }
            // Before Linux 5.16 idle tracking told the first page of a large one only.
            if w.features().version() < (5, 16) && referenced(w, actor, area)? < area.pages {
                continue;
            }
            if all_move(w, actor, area)? {
                judged = true;
                lost = area.pages - referenced(w, actor, area)?.min(area.pages);
                if lost == 0 {
                    break;
                }
            }
        }
        if lost > 0 {
            return Err(w.report(&Finding {
                property: "a page that was accessed counts as accessed where it has moved to",
                detail: format!(
                    "{lost} of {} page(s) do not, each of {TIMES} times; {}",
                    area.pages,
                    if watched {
                        "idle tracking had looked at them before"
                    } else {
                        "their entries said so"
                    }
                ),
                at: Some((actor.id(), area.vpn)),
            }));
        }
    }
    if judged {
        w.check()
    } else {
        Err(Stop::Skip(
            "needs migration entries that keep the accessed bit, or idle tracking",
        ))
    }
}

/// Migrates: whether all pages of an area are others afterwards.
///
/// # Errors
/// `Skip` when nothing is migrated now.
#[track_caller]
fn all_move(w: &World, actor: Actor, area: Area) -> TestResult<bool> {
    let before = w.pages_of(actor, area)?;
    if let Taken::NotNow(why) = (MIGRATE.take)(w)? {
        w.diag(why);
        return Err(Stop::Skip("needs pages that can be migrated now"));
    }
    let after = w.pages_of(actor, area)?;
    Ok(before.iter().zip(&after).all(|pair| match pair {
        (Some(before), Some(after)) => before.0 != after.0,
        _ => false,
    }))
}

/// Pages of an area that nobody has touched do not count as accessed in the place that they are moved to (remove_migration_pte(),
/// remove_migration_pmd()).
///
/// # Errors
/// `Skip` where pages do not migrate.
#[track_caller]
pub fn moved_untouched(w: &World, actor: Actor, area: Area) -> TestResult {
    (MIGRATE.offered)(w).map_err(Stop::Skip)?;
    w.control()?;
    w.check()?;
    let mut seen = None;
    for _ in 0..TIMES {
        forget_accesses(w)?;
        if !all_move(w, actor, area)? {
            continue;
        }
        match referenced(w, actor, area)? {
            0 => return w.check(),
            pages => seen = Some(pages),
        }
    }
    let Some(seen) = seen else {
        return Err(Stop::Skip("needs pages that can be migrated now"));
    };
    Err(w.report(&Finding {
        property: "a page that nobody has accessed does not count as accessed where it has moved to",
        detail: format!("{seen} of {} page(s) do, each of {TIMES} times", area.pages),
        at: Some((actor.id(), area.vpn)),
    }))
}

/// What idle tracking has noted in a huge page, that it was accessed, is noted in each of its parts when it is split (__split_huge_page_tail()). `make` gives a new
/// huge page each time; its second half is made cold, which splits it.
///
/// # Errors
/// `Skip` without idle tracking, or where the touches do not show.
#[track_caller]
pub fn split(w: &World, actor: Actor, make: impl Fn() -> TestResult<Area>) -> TestResult {
    let mut lost = None;
    for _ in 0..TIMES {
        let huge = make()?;
        w.check()?;
        forget_accesses(w)?;
        touch_all(w, &[(actor, huge)])?;
        if !look(w, &[(actor, huge)])? {
            return Err(Stop::Skip("needs CONFIG_IDLE_PAGE_TRACKING"));
        }
        if referenced(w, actor, huge)? < huge.pages {
            continue;
        }
        let rest = huge.sub(0..huge.pages / 2);
        actor.split_cold(huge, huge.sub(huge.pages / 2..huge.pages))?;
        let left = referenced(w, actor, rest)?;
        if left >= rest.pages {
            return w.check();
        }
        lost = Some((rest, rest.pages - left));
    }
    let Some((rest, pages)) = lost else {
        return Err(Stop::Skip(NO_ACCESSED));
    };
    Err(w.report(&Finding {
        property: "the parts of a huge page that was accessed count as accessed when it is split",
        detail: format!(
            "{pages} of {} page(s) do not; idle tracking had looked at them before",
            rest.pages
        ),
        at: Some((actor.id(), rest.vpn)),
    }))
}

/// Pages of an area that nobody else maps count as accessed, all or none, in the place that the area is moved to by mremap(2) as they did
/// before: what their entries say goes along (move_ptes(), move_huge_pmd()).
///
/// # Errors
/// `Skip` where the touches do not show.
#[track_caller]
pub fn remapped(w: &World, actor: Actor, area: Area, to: Area) -> TestResult {
    let (mut from, mut to) = (area, to);
    for touched in [true, false] {
        let expected = if touched { area.pages } else { 0 };
        let mut seen = 0;
        for _ in 0..TIMES {
            forget_accesses(w)?;
            if touched {
                touch_all(w, &[(actor, from)])?;
            }
            actor.move_to(from, to)?;
            (from, to) = (to, from);
            seen = referenced(w, actor, from)?;
            if seen == expected {
                break;
            }
        }
        if seen != expected {
            return Err(w.report(&Finding {
                property: "a page counts as accessed where its area has moved to as it did before",
                detail: format!(
                    "{seen} of {} page(s) do, expected {expected}, each of {TIMES} times",
                    area.pages
                ),
                at: Some((actor.id(), from.vpn)),
            }));
        }
        w.check()?;
    }
    if from != area {
        actor.move_to(from, area)?;
    }
    Ok(())
}

/// A PMD that has been accessed, or has not been, is split (__split_huge_pmd_locked()): all its parts have been, or none. Then each entry says what
/// was said of all. The area is one huge page that the actor maps by a PMD, writable or not. `None` when that is so; what is found counts when it is
/// found [`TIMES`].
///
/// # Errors
/// `Skip` where the touches do not show.
pub fn cut(
    w: &World,
    actor: Actor,
    huge: Area,
    touched: bool,
    cut: fn(Actor, Area) -> TestResult,
) -> TestResult<Option<Finding>> {
    if !w.is_huge(actor.id(), huge)? {
        return Err(Stop::Skip("needs a free huge page"));
    }
    forget_accesses(w)?;
    let due = match touched {
        true => {
            touch_all(w, &[(actor, huge)])?;
            huge.pages
        }
        false => 0,
    };
    cut(actor, huge)?;
    let seen = referenced(w, actor, huge)?;
    if seen != due {
        return Ok(Some(Finding {
            property: "all parts of a huge page count as accessed when its PMD is split if it was accessed, and none if it was not",
            detail: format!("{seen} of {} page(s) do, expected {due}", huge.pages),
            at: Some((actor.id(), huge.vpn)),
        }));
    }
    w.check().map(|()| None)
}

/// Idle tracking takes what the entries of these pages say into the pages. False where it is not on offer.
fn look(w: &World, mappers: &[(Actor, Area)]) -> TestResult<bool> {
    let Ok(watch) = Watch::open(w) else {
        return Ok(false);
    };
    for (actor, area) in mappers {
        let pages = w.pages_of(*actor, *area)?;
        let heads: Vec<Pfn> = pages.iter().flatten().map(|p| p.0).collect();
        watch.mark(w, &heads)?;
    }
    Ok(true)
}

/// Every page is read by every mapper, which must show.
pub(super) fn touch_all(w: &World, mappers: &[(Actor, Area)]) -> TestResult {
    for &(actor, area) in mappers {
        let reads: Vec<_> = area.vpns().map(|vpn| (actor.id(), vpn)).collect();
        touch_shown(w, actor, area, &reads)?;
    }
    Ok(())
}

/// Pages of an area are read, which must show unless each time somebody else's scan comes first.
pub(super) fn touch_shown(
    w: &World,
    actor: Actor,
    area: Area,
    reads: &[(ActorId, usize)],
) -> TestResult {
    for _ in 0..TIMES {
        touch(w, reads)?;
        if referenced(w, actor, area)? >= reads.len() {
            return Ok(());
        }
    }
    Err(Stop::Skip(NO_ACCESSED))
}

/// A mapper to whom pages count as accessed, and how many.
fn first_referenced<'w, 'c>(
    w: &World,
    mappers: &[(Actor<'w, 'c>, Area)],
) -> TestResult<Option<(Actor<'w, 'c>, Area, usize)>> {
    for &(actor, area) in mappers {
        let n = referenced(w, actor, area)?;
        if n > 0 {
            return Ok(Some((actor, area, n)));
        }
    }
    Ok(None)
}

/// Every second page of each area is read, the first among them, which must show.
///
/// # Errors
/// `Skip` where it does not.
pub(super) fn touch_every_second(w: &World, mappers: &[(Actor, Area)]) -> TestResult {
    let mut reads = Vec::new();
    for (actor, area) in mappers {
        reads.extend(area.vpns().step_by(2).map(|vpn| (actor.id(), vpn)));
    }
    touch(w, &reads)?;
    for (actor, area) in mappers {
        if referenced(w, *actor, *area)? < area.pages.div_ceil(2) {
            return Err(Stop::Skip(NO_ACCESSED));
        }
    }
    Ok(())
}

/// How a mapping of a file goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// munmap.
    Unmapped,
    /// Memory mapped on top.
    Replaced,
    /// MADV_DONTNEED.
    GivenBack,
    /// The process exits.
    Exited,
}

/// A file's pages are touched through mappings that go then, each in its way: they count as accessed, though nobody has an entry left that says
/// so (folio_mark_accessed() in zap_present_folio_ptes()).
///
///   memfd   0 1 2 3 4 5 6 7 | 8 .. 15 | 16 .. 23 | 24 .. 31 | 32 .. 39
///   K       all of it, and touches none
///   P       0 _ 2 _ 4 _ 6 _                                     0 2 4 6 touched, unmapped
///   Q ...                     8 ..      16 ..      24 ..        the same, the other ways
///   control                                                     32 .. 39 read by pread(2)
///
/// # Errors
/// `Skip` where touches do not show before, and where what pread(2) has left does not stay either.
#[track_caller]
pub fn gone(w: &World) -> TestResult {
    const N: usize = 8;
    const WAYS: [Gone; 4] = [
        Gone::Unmapped,
        Gone::Replaced,
        Gone::GivenBack,
        Gone::Exited,
    ];
    let file = w.object(Kind::Memfd, (WAYS.len() + 1) * N)?;
    let keeper = w.actor("K")?;
    let all = w.place((WAYS.len() + 1) * N);
    w.name(all, "all");
    keeper.map_object(all, &file, 0, RW, Share::Shared)?;
    keeper.write(all)?;
    let mut mappers = Vec::new();
    for (i, name) in ["P", "Q", "R", "S"].into_iter().enumerate() {
        let actor = w.actor(name)?;
        let area = w.place(N);
        w.name(area, name);
        actor.map_object(area, &file, i * N, RW, Share::Shared)?;
        mappers.push((actor, area));
    }
    w.check()?;
    lru::drain().doing("drain the LRU batches")?;
    forget_accesses(w)?;
    let watch = Watch::open(w);
    let before = w.pages_of(keeper, all)?;
    let heads: Vec<Pfn> = before.iter().flatten().map(|p| p.0).collect();
    let marked = match &watch {
        Ok(watch) => watch.mark(w, &heads)?,
        Err(_) => Default::default(),
    };
    w.note(String::from(
        "every second page touched through each; the control's read from the file",
    ));
    touch_every_second(w, &mappers)?;
    let control = WAYS.len() * N;
    let mut buf = vec![0; w.page_size()];
    for i in control..control + N {
        let at = (i * w.page_size()) as u64;
        file.file().read_exact_at(&mut buf, at).doing("pread")?;
    }
    for (way, (actor, area)) in WAYS.into_iter().zip(mappers) {
        match way {
            Gone::Unmapped => actor.unmap(area)?,
            Gone::Replaced => actor.map(area)?,
            Gone::GivenBack => actor.advise(area, advice::DONTNEED)?,
            Gone::Exited => actor.exit()?,
        }
    }
    let after = w.pages_of(keeper, all)?;
    // Whether the page has been noted to be accessed; `None` when it was before, or is another page now.
    let noted = |i: usize| -> TestResult<Option<bool>> {
        let (Some((pfn, old)), Some((now, new))) = (before[i], after[i]) else {
            return Ok(None);
        };
        if pfn != now || is_noted(old) {
            return Ok(None);
        }
        let is_touched = i >= control || i.is_multiple_of(2);
        let idle = match &watch {
            // That an access is not seen may be somebody else's lock on the page.
            Ok(watch) if marked.contains(&pfn) && is_touched => watch.is_idle(w, pfn)?,
            Ok(watch) if marked.contains(&pfn) => watch.seems_idle(pfn)?,
            _ => false,
        };
        Ok(Some(is_noted(new) && !idle))
    };
    let mut lost = None;
    let (mut kept, mut by_pread, mut untouched) = (0, 0, 0);
    for i in 0..all.pages {
        match noted(i)? {
            None => {}
            Some(true) if i >= control => by_pread += 1,
            Some(false) if i >= control => {
                return Err(Stop::Skip("needs memory that nobody else reclaims"));
            }
            Some(is) if i % 2 == 1 => untouched += usize::from(is),
            Some(true) => kept += 1,
            Some(false) => lost = lost.or(Some(i)),
        }
    }
    w.diag(format_args!(
        "noted as accessed: {kept} page(s) touched, {by_pread} read by pread, {untouched} others; {} watched by idle tracking",
        marked.len()
    ));
    if let Some(i) = lost.filter(|_| by_pread > 0) {
        return Err(w.report(&Finding {
            property: "a page of a file that was touched through a mapping counts as accessed when the mapping is gone",
            detail: format!(
                "page {i} does not, {:?}; {kept} others and {by_pread} read by pread do; flags {:?}",
                WAYS[i / N],
                after[i].map(|p| p.1)
            ),
            at: Some((keeper.id(), all.vpn + i)),
        }));
    }
    if kept == 0 || by_pread == 0 {
        return Err(Stop::Skip("needs pages of a file that are not accessed"));
    }
    w.check()
}

/// What mark_page_accessed() leaves: the first time the one, the second the other.
pub(super) fn is_noted(flags: Flags) -> bool {
    flags.0 & (Flags::REFERENCED | Flags::ACTIVE) != 0
}
