// SPDX-License-Identifier: GPL-2.0-or-later
//! What an entry of a file's page says besides where the page is, and who has to be told when the entry goes: that the page was written,
//! for the page itself; that it may be written again, for the file.

use super::place;
use helpers::counters::Counters;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::migrate::MIGRATE;
use helpers::walk::{self, reclaim};
use helpers::world::{Actor, Area, Kind, Object, Share, World};
use helpers::{Stop, TestResult};

/// Pages of each mapping.
const N: usize = 8;

/// Reclaim takes shared memory that nobody maps, to swap, or away when it thinks that nothing was written.
///
/// # Errors
/// `Skip` when it took none, and where that cannot be seen.
pub fn taken(w: &World) -> TestResult {
    let counters = Counters::open(w)?;
    let shared = || counters.pages("shmem");
    let before = shared()?.ok_or(Stop::Skip("needs shmem in memory.stat"))?;
    reclaim::press(w)?;
    match shared()? {
        Some(after) if after < before => Ok(()),
        _ => Err(Stop::Skip("needs shared memory that reclaim can take now")),
    }
}

/// Written through an entry that was there for reading, then unmapped in different ways: the entry was all that knew of it
/// (zap_present_folio_ptes()), and a page that is clean is thrown away.
///
///   P |0 1 2 3 4 5 6 7|  read, and 0 to 5 written
///      exit  unmapped
fn written_and_gone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (place(&w, "a", N), place(&w, "b", N));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.read(a)?;
    p.write(a.sub(0..6))?;
    p.unmap(a.sub(2..4))?;
    p.advise(a.sub(4..6), advice::DONTNEED)?;
    p.exit()?;
    taken(&w)?;
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

/// A page that comes into a mapping after the soft-dirty bits were cleared is mapped read-only, though it may be written: or the first write
/// would not be seen (vma_wants_writenotify()).
fn written_after_read(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs CONFIG_MEM_SOFT_DIRTY"));
    }
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (place(&w, "a", N), place(&w, "b", N));
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    // Whoever maps it has read all of it.
    p.advise(a, advice::DONTNEED)?;
    w.clear_soft_dirty()?;
    p.read(a)?;
    p.write(a.sub(2..6))?;
    w.expect_soft_dirty(p, a.sub(2..6))?;
    // In a child, and where a part is protected and is not any more: it is another VMA.
    let c = p.fork("C")?;
    w.clear_soft_dirty()?;
    c.protect(a.sub(0..4), R)?;
    c.advise(a, advice::DONTNEED)?;
    c.protect(a.sub(0..4), RW)?;
    c.read(a)?;
    c.write(a.sub(2..6))?;
    w.expect_soft_dirty(c, a.sub(2..6))?;
    walk::plain(&w)?;
    w.finish()
}

/// A memfd that P has written.
fn written<'w, 'c>(w: &'w World<'c>) -> TestResult<(Object, Actor<'w, 'c>, Area)> {
    let file = w.object(Kind::Memfd, N)?;
    let p = w.actor("P")?;
    let a = place(w, "a", N);
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    Ok((file, p, a))
}

/// Who may make its mapping writable again counts as a writer of the file, a child as well (mapping_allow_writable()): F_SEAL_WRITE would
/// be a lie.
fn seal_refused(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = written(&w)?;
    p.protect(a, R)?;
    let c = p.fork("C")?;
    w.seal_write_refused(&file)?;
    p.exit()?;
    w.seal_write_refused(&file)?;
    c.protect(a.sub(0..4), RW)?;
    c.write(a.sub(0..4))?;
    c.unmap(a.sub(0..4))?;
    w.seal_write_refused(&file)?;
    walk::plain(&w)?;
    w.finish()
}

/// A file that is mapped for writing no more is sealed against it, whoever reads it: a page that is mapped, or part of a large folio, is not one
/// that somebody holds (memfd_wait_for_pins()).
pub fn sealed(w: &World, p: Actor, a: Area, file: &Object) -> TestResult {
    let c = p.fork("C")?;
    c.read(a)?;
    // The private mappings have pages of the file, and one that is not.
    let b = w.place_aligned(a.pages, a.pages.next_power_of_two());
    w.name(b, "private");
    c.map_object(b, file, 0, RW, Share::Private)?;
    c.read(b)?;
    c.write(b.page(1))?;
    let d = c.fork("D")?;
    for actor in [p, c, d] {
        actor.unmap(a)?;
    }
    w.check()?;
    w.seal_write(file)?;
    d.write(b.page(2))?;
    w.check()?;
    walk::plain(w)?;
    topology::write_by_each(w)
}

fn sealed_base(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (file, p, a) = written(&w)?;
    sealed(&w, p, a, &file)?;
    w.finish()
}

/// Shared memory that moves from node to node is shared memory there too (__folio_migrate_mapping()).
fn counted_moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let pages = 8 * N;
    let file = w.object(Kind::Memfd, pages)?;
    let p = w.actor("P")?;
    let a = place(&w, "a", pages);
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    p.fork("C")?;
    let counters = Counters::open(&w)?;
    let fields = ["shmem", "file_mapped"];
    let base = [counters.pages(fields[0])?, counters.pages(fields[1])?];
    if base == [None; 2] {
        return Err(Stop::Skip("needs shmem or file_mapped in memory.stat"));
    }
    for _ in 0..3 {
        walk::only(&w, &MIGRATE)?;
    }
    for (field, base) in fields.into_iter().zip(base) {
        if let Some(base) = base {
            let property = "the counters of shared memory follow it to another node";
            counters.expect_pages(field, property, "moved three times", base, 0)?;
        }
    }
    w.finish()
}

const BITS: Test = Test {
    about: "What was written through one mapping is known when the mapping is gone, and who may write is known before.",
    ..Test::DEFAULT
};
pub const WRITTEN_AND_GONE: Test = Test {
    name: "written_and_gone",
    needs: &[Need::Reclaim],
    run: written_and_gone,
    ..BITS
};
pub const WRITTEN_AFTER_READ: Test = Test {
    name: "written_after_read",
    run: written_after_read,
    ..BITS
};
pub const SEAL_REFUSED: Test = Test {
    name: "sealed.refused",
    run: seal_refused,
    ..BITS
};
pub const SEALED: Test = Test {
    name: "sealed.read",
    about: "A file that nobody may write through a mapping is sealed against it, and every mapper of its pages is found.",
    run: sealed_base,
    ..BITS
};
pub const COUNTED_MOVED: Test = Test {
    name: "counted.moved",
    run: counted_moved,
    ..BITS
};
