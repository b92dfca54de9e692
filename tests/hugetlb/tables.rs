// SPDX-License-Identifier: GPL-2.0-or-later
//! Mappings of a whole page table of hugetlb entries and more: processes may share the table (huge_pmd_share()).

use super::{TABLES, move_all, place, whole, world};
use helpers::kernel::features::Features;
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_MINOR_HUGETLBFS, MINOR, WP};
use helpers::topology::{R, RW};
use helpers::walk::own::{Way, only_own, stays};
use helpers::world::{Actor, Answer, Area, Keeper, Kind, Object, Share, World, pooled};
use helpers::{Stop, TestResult};

/// Processes that map the same 1 GiB of a file, aligned to 1 GiB, share the table with its entries (huge_pmd_share()). Who
/// reshapes its VMA has to stop sharing first, and may not take an entry from the others.
///
///   file   0 . . . 4 . . . . . last      used pages; the rest is never touched
///   P Q    all of it, at the same address
///   R      all of it, 1 GiB further up
///   C      forked by P
pub(super) fn tables(
    ctx: &mut Ctx,
    op: fn(&World, [Actor; 4], &[Area]) -> TestResult,
) -> TestResult {
    let w = world(ctx)?;
    let huge = place(&w, "huge", 1)?[0].pages;
    // One table of entries that are huge pages.
    let entries = w.page_size() / 8;
    let bytes = huge * w.page_size() * entries;
    let (a, b) = (w.far(bytes)?, w.far(bytes)?);
    w.name(a, "a");
    w.name(b, "b");
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let used = |of: Area| [0, 4, entries - 1].map(|i| of.sub(i * huge..(i + 1) * huge));
    let [p, q, r] = ["P", "Q", "R"].map(|name| w.actor(name));
    let (p, q, r) = (p?, q?, r?);
    p.map_parts(a, &file, 0, &used(a), Share::Shared)?;
    for part in used(a) {
        p.write(part.page(1))?;
    }
    q.map_parts(a, &file, 0, &used(a), Share::Shared)?;
    r.map_parts(b, &file, 0, &used(b), Share::Shared)?;
    let c = p.fork("C")?;
    w.check()?;
    // The child has touched nothing yet.
    shown_as_shared(&w, &[p, q, r])?;
    op(&w, [p, q, r, c], &used(a))?;
    w.check()?;
    // Each still sees what any other writes.
    for (i, actor) in [p, q, c].into_iter().enumerate() {
        actor.write(used(a)[0].page(i))?;
    }
    move_all(&w)?;
    p.exit()?;
    w.punch(&file, 0..huge)?;
    w.check()?;
    c.exit()?;
    q.exit()?;
    r.write(used(b)[0].page(7))?;
    move_all(&w)?;
    w.truncate(&file, 4 * huge)?;
    w.check()?;
    w.finish()
}

/// What several processes map counts as shared in smaps, also by the one entry of a table that they share (smaps_hugetlb_range()).
#[track_caller]
fn shown_as_shared(w: &World, all: &[Actor]) -> TestResult {
    // Until then only the entries were counted.
    if w.features().version() < (6, 2) {
        return Ok(());
    }
    for actor in all {
        let kb = |name| vma::rollup_kb(actor.pid()?, name).doing("read smaps_rollup");
        let (shared, private) = (kb("Shared_Hugetlb")?, kb("Private_Hugetlb")?);
        if private != Some(0) || shared.is_none_or(|kb| kb == 0) {
            return Err(Stop::fail(format_args!(
                "a hugetlb page that several processes map is shared in smaps: {}: {private:?} kB private, {shared:?} kB shared",
                actor.name()
            )));
        }
    }
    Ok(())
}

pub(super) fn tables_protect(_: &World, [_, q, _, c]: [Actor; 4], used: &[Area]) -> TestResult {
    q.protect(used[1], R)?;
    c.protect(used[2], 0)?;
    c.protect(used[2], RW)
}

/// All of the table, so no VMA is cut: what the others write makes nothing of Q's writable.
pub(super) fn tables_protect_whole(
    w: &World,
    [p, q, _, c]: [Actor; 4],
    used: &[Area],
) -> TestResult {
    q.protect(from_to(used), R)?;
    for part in used {
        p.write(part.page(2))?;
        c.write(part.page(3))?;
    }
    w.check()?;
    p.protect(from_to(used), R)?;
    w.check()?;
    q.protect(from_to(used), RW)?;
    q.write(used[1])?;
    w.check()?;
    p.protect(from_to(used), RW)
}

/// Whether mremap can move so many bytes in one go: until 2026 move_hugetlb_page_tables() returned how many it had moved as an int, and what does
/// not fit in one counts as less than was asked for, so that the call fails (ENOMEM). A table of 16 KiB pages maps 64 GiB.
fn movable(bytes: usize) -> TestResult {
    if (bytes as i32) as usize >= bytes {
        return Ok(());
    }
    Err(Stop::Skip(
        "needs page tables of less than 2 GiB of hugetlb pages",
    ))
}

/// All of the table, away and back.
pub(super) fn tables_move_whole(w: &World, [_, q, _, _]: [Actor; 4], used: &[Area]) -> TestResult {
    let all = from_to(used);
    movable(all.pages * w.page_size())?;
    let to = w.far(all.pages * w.page_size())?;
    w.name(to, "to");
    q.move_to(all, to)?;
    w.check()?;
    q.move_to(to, all)
}

/// From the first to the last of some parts.
fn from_to(parts: &[Area]) -> Area {
    let last = parts[parts.len() - 1];
    Area {
        vpn: parts[0].vpn,
        pages: last.vpn + last.pages - parts[0].vpn,
    }
}

/// A mapping of which a whole page table is never touched, and moved: what is behind the hole keeps its distance.
///
///   file   - - - - 1st GiB - - - - | 0 1 . . . . . last  2nd GiB
///   P      all of it, private and written, moved there, back, and a table further on        C, its child, where it was        Q  used pages only
pub(super) fn sparse(ctx: &mut Ctx) -> TestResult {
    sparse_to(ctx, 0)
}

/// Where page tables move right to any place. Seen: 6.1.192, 6.12.118 and 7.3.4 do, 6.18.44 does not.
const ASKEW: &str =
    "needs hugetlb tables that move right to any place (Linux 6.1.192, 6.12.118 or 7.3)";

fn mended(features: &Features) -> bool {
    let least = match features.version() {
        (6, 1) => 192,
        (6, 12) => 118,
        version => return version >= (7, 3),
    };
    features.sublevel() >= least
}

/// The same, and to where the borders of page tables are elsewhere. Many kernels have moved what is behind the hole wrongly as they were released
/// (before "address step over empty tables" of 2026), and no probe tells it from the same bug made anew.
pub(super) fn sparse_askew(ctx: &mut Ctx) -> TestResult {
    if !mended(&ctx.arena.features) {
        return Err(Stop::Skip(ASKEW));
    }
    sparse_to(ctx, 3)
}

/// Moves as described for [`sparse`], the places that it is moved to as many huge pages behind a border.
fn sparse_to(ctx: &mut Ctx, askew: usize) -> TestResult {
    let w = world(ctx)?;
    let huge = place(&w, "huge", 1)?[0].pages;
    let entries = w.page_size() / 8;
    let table = huge * entries;
    let bytes = 2 * table * w.page_size();
    movable(bytes)?;
    let (a, b) = (w.far(bytes)?, w.far(2 * bytes)?);
    w.name(a, "a");
    w.name(b, "b");
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let used =
        |of: Area| [0, 1, entries - 1].map(|i| of.sub(table + i * huge..table + (i + 1) * huge));
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_parts(a, &file, 0, &used(a), Share::Private)?;
    for part in used(a) {
        p.write(part)?;
    }
    let there = place(&w, "there", 2)?;
    q.map_object(whole(&there), &file, table, RW, Share::Shared)?;
    let c = p.fork("C")?;
    w.check()?;
    let at = |first: usize| b.sub(first + askew * huge..first + askew * huge + a.pages);
    let to = at(table);
    for (from, to) in [(a, at(0)), (at(0), a), (a, to)] {
        p.move_to(from, to)?;
        w.check()?;
    }
    move_all(&w)?;
    p.write(used(to)[0])?;
    c.write(used(a)[2])?;
    move_all(&w)?;
    w.truncate(&file, table + huge)?;
    w.check()?;
    w.finish()
}

pub(super) fn tables_unmap(_: &World, [p, q, _, _]: [Actor; 4], used: &[Area]) -> TestResult {
    q.unmap(used[1])?;
    p.unmap(used[2])
}

pub(super) fn tables_move(w: &World, [_, q, _, _]: [Actor; 4], used: &[Area]) -> TestResult {
    let to = place(w, "to", 1)?;
    q.move_to(used[1], to[0])
}

pub(super) fn tables_migrate(w: &World, _: [Actor; 4], _: &[Area]) -> TestResult {
    move_all(w)
}

/// P may move what it has to itself (MPOL_MF_MOVE), and nothing that Q has as well: that their common table counts as one mapper of its pages makes
/// them no one's own (queue_folios_hugetlb()).
///
///   P Q    all of a file, at the same address: one table        P  a page of another file
pub(super) fn tables_own(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let alone = place(&w, "alone", 1)?[0];
    let entries = w.page_size() / 8;
    let a = w.far(alone.pages * w.page_size() * entries)?;
    w.name(a, "a");
    let (file, other) = (
        w.object(Kind::Hugetlb, a.pages)?,
        w.object(Kind::Hugetlb, alone.pages)?,
    );
    let used = [0, 4].map(|i| a.sub(i * alone.pages..(i + 1) * alone.pages));
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_object(alone, &other, 0, RW, Share::Shared)?;
    p.write(alone)?;
    for actor in [p, q] {
        actor.map_parts(a, &file, 0, &used, Share::Shared)?;
        for part in used {
            actor.write(part.page(1))?;
        }
    }
    // First, so that it is known that pages move here.
    only_own(&w, p, &[alone], &[], Way::Mbind)?;
    for part in used {
        stays(&w, p, part)?;
    }
    q.exit()?;
    w.check()?;
    w.finish()
}

/// Q maps a whole table of a file and has written the used pages, but for the last; P maps the same at the same address, has read the first page,
/// and with it may have come to share the table with all that Q has there. P is registered then.
fn registered<'w, 'c>(
    w: &'w World<'c>,
    features: u64,
    modes: u64,
) -> TestResult<([Actor<'w, 'c>; 2], Keeper<'w, 'c>, [Area; 4], Object)> {
    let huge = place(w, "huge", 1)?[0].pages;
    let entries = w.page_size() / 8;
    let a = w.far(huge * w.page_size() * entries)?;
    w.name(a, "a");
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let used = [0, 4, entries - 1, 7].map(|i| a.sub(i * huge..(i + 1) * huge));
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    q.map_parts(a, &file, 0, &used, Share::Shared)?;
    for part in &used[..3] {
        q.write(*part)?;
    }
    p.map_parts(a, &file, 0, &used, Share::Shared)?;
    p.read(used[0])?;
    let k = p.keeper(features)?;
    k.register_parts(a, &used, modes)?;
    Ok(([p, q], k, used, file))
}

/// Of all that others have mapped, before P's area was registered for minor faults or after it, P has nothing without such a fault: what a
/// shared table has would be there untold (uffd_disable_huge_pmd_share(), hugetlb_unshare_all_pmds()).
///
///   file   0 . . . 4 . . 7 . . last      7 since the registration
///   Q      0 . . . 4 . . 7 . . last
///   P      0 . . . # . . # . . #         registered; # where it waits for the test
fn tables_minor(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let ([p, q], k, used, file) = registered(&w, FEATURE_MINOR_HUGETLBFS, MINOR)?;
    w.check_kept()?;
    p.read_kept(used[1], &k, Answer::Continue)?;
    q.write(used[3])?;
    p.read_kept(used[3], &k, Answer::Continue)?;
    p.write_missing(used[2], &k, Answer::Continue)?;
    // Where no table was shared P has this one yet.
    p.advise(used[0], advice::DONTNEED)?;
    p.write_missing(used[0], &k, Answer::Continue)?;
    w.check()?;
    k.close()?;
    w.check_kept()?;
    q.write(used[1])?;
    move_all(&w)?;
    w.punch(&file, 0..used[0].pages)?;
    w.check()?;
    q.exit()?;
    move_all(&w)?;
    w.finish()
}

/// What P write-protects is so in entries of its own: Q, which is not registered, writes on, and P's entries stay as they are.
///
///   file   0 . . . 4 . . 7 . . last
///   Q      0 . . . 4 . . 7 . . last
///   P      # . . . # . . 7 . . last      registered; # is write-protected
fn tables_guarded(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let ([p, q], k, used, file) = registered(&w, 0, WP)?;
    q.write(used[3])?;
    for part in used {
        p.read(part)?;
    }
    for part in &used[..2] {
        k.protect(*part)?;
    }
    w.check_kept()?;
    w.check()?;
    q.write(used[0])?;
    w.check()?;
    move_all(&w)?;
    p.write_kept(used[1], &k)?;
    q.write(used[1])?;
    p.write(used[2])?;
    w.check()?;
    k.close()?;
    w.check()?;
    p.write(used[0])?;
    move_all(&w)?;
    w.punch(&file, 0..used[0].pages)?;
    w.check()?;
    w.finish()
}

pub const MINOR_FAULTS: Test = Test {
    name: "tables.minor",
    about: "What others have mapped of a hugetlb file is a minor fault where that is asked for.",
    run: |c| pooled(c, tables_minor),
    ..TABLES
};

pub const WRITE_PROTECTED: Test = Test {
    name: "tables.write_protected",
    about: "What userfaultfd write-protects for one process is not so for who might share its page table.",
    run: |c| pooled(c, tables_guarded),
    ..TABLES
};
