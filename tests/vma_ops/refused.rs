// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls that are refused when the kernel has begun already: it has cut VMAs for them, taken them out of the tree, or moved pages. All of it has to
//! be as before, for every process.

use super::OPS;
use helpers::TestResult;
use helpers::actor::Cmd;
use helpers::supervise::{Ctx, Test};
use helpers::sys::Errno;
use helpers::sys::mem::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE};
use helpers::sys::uffd::MISSING;
use helpers::topology::{R, RW};
use helpers::walk;
use helpers::world::{Actor, Area, Kind, Share, World};

/// Pages of each mapping.
const N: usize = 16;

/// Every process writes to some of what all of them had, and takes the walks.
fn end(w: &World, actors: [(Actor, Area); 2]) -> TestResult {
    w.check()?;
    walk::every(w)?;
    for (actor, area) in actors {
        actor.write(area)?;
    }
    walk::every(w)
}

/// P with two written areas side by side, all and each.
fn neighbours<'w, 'c>(
    w: &'w World<'c>,
    second: &'static str,
) -> TestResult<(Actor<'w, 'c>, Area, [Area; 2])> {
    let p = w.actor("P")?;
    let all = w.place(2 * N);
    let each = [all.sub(0..N), all.sub(N..2 * N)];
    for (area, name) in each.into_iter().zip(["a", second]) {
        w.name(area, name);
        p.map(area)?;
    }
    p.write(all)?;
    Ok((p, all, each))
}

/// A process that may have no more address space (RLIMIT_AS) maps over the second half of one VMA, all of another and the first half of a third, with
/// what is free between them: mmap(2) has cut both, and taken all three out, when it counts (vms_gather_munmap_vmas(), may_expand_vm()). Before it
/// has a VMA grow, in place and by a move.
///
///   P  |0 .... a .... 15|       |0 .. b .. 15|       |0 .... c .... 15|     free
///               |<------------- mmap -------------------->|
///   C  P's child
fn limit(ctx: &mut Ctx, object: Option<(Kind, Share)>) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let gap = w.most_new_pages();
    let all = w.place(3 * N + 4 * gap);
    let part = |i: usize| all.sub(i * (N + gap)..i * (N + gap) + N);
    let areas = [part(0), part(1), part(2)];
    let elsewhere = w.place(N + 2 * gap);
    w.name(elsewhere, "elsewhere");
    // Holes, where there is nothing to take the place of.
    p.unmap(all)?;
    p.unmap(elsewhere)?;
    for (area, name) in areas.into_iter().zip(["a", "b", "c"]) {
        w.name(area, name);
        match object {
            Some((kind, share)) => {
                p.map_object(area, &w.object(kind, N)?, 0, RW, share)?;
            }
            None => p.map(area)?,
        }
        p.write(area)?;
    }
    let c = p.fork("C")?;
    w.check()?;
    let [a, _, last] = areas;
    let bytes = |pages: usize| pages * w.page_size();
    let first = a.vpn + N / 2;
    let over = last.vpn + N / 2 - first;
    p.refused_at_limit(&[
        Cmd::resize(bytes(last.vpn), bytes(N), bytes(N + 2 * gap)),
        Cmd::Remap {
            addr: bytes(last.vpn),
            old_len: bytes(N),
            new_len: bytes(N + 2 * gap),
            flags: MREMAP_MAYMOVE | MREMAP_FIXED,
            new_addr: bytes(elsewhere.vpn),
        },
        // What these have cut stays so.
        Cmd::map(bytes(first), bytes(over), R),
        Cmd::map(bytes(a.vpn), bytes(over), RW),
    ])?;
    end(&w, [(p, a), (c, last)])?;
    w.finish()
}

/// A range whose last part is sealed is unmapped, and a sealed area is to be moved to, or overlaid: the first part, which is not sealed, stays as well.
///
///   P  |0 .... a .... 15|0 .... s .... 15|      s sealed
///               |<-- munmap -->|
///   C  P's child
fn sealed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, _, [a, s]) = neighbours(&w, "s")?;
    let other = w.place(N);
    w.name(other, "other");
    p.map(other)?;
    p.write(other)?;
    p.seal(s)?;
    let c = p.fork("C")?;
    w.check()?;
    let bytes = |pages: usize| pages * w.page_size();
    let (addr, len) = (bytes(a.vpn + N / 2), bytes(N));
    for actor in [c, p] {
        actor.refused(&Cmd::Unmap { addr, len }, Errno::EPERM)?;
        actor.refused(&Cmd::map(addr, len, RW), Errno::EPERM)?;
        let onto = Cmd::move_to(bytes(other.vpn), len, bytes(s.vpn), false);
        actor.refused(&onto, Errno::EPERM)?;
        let half = Cmd::move_to(bytes(other.vpn), len, addr, false);
        actor.refused(&half, Errno::EPERM)?;
    }
    end(&w, [(p, a), (c, s)])?;
    w.finish()
}

/// What mremap refuses at once, or when it has looked at the VMA: places that overlap, lengths that MREMAP_DONTUNMAP does not allow, private memory with an old length
/// of 0, more than one VMA that is to grow, nothing there.
fn mremap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, _, [a, b]) = neighbours(&w, "b")?;
    p.protect(b, R)?;
    let to = w.place(4 * N);
    w.name(to, "to");
    p.unmap(to.sub(2 * N..4 * N))?;
    p.map(to.sub(0..N))?;
    p.write(to.sub(0..N))?;
    let c = p.fork("C")?;
    w.check()?;
    let bytes = |pages: usize| pages * w.page_size();
    let (from, to_addr) = (bytes(a.vpn), bytes(to.vpn + N));
    let fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
    let call = |old: usize, new: usize, flags: i32, new_addr: usize| Cmd::Remap {
        addr: from,
        old_len: bytes(old),
        new_len: bytes(new),
        flags,
        new_addr,
    };
    for actor in [c, p] {
        for (cmd, errno) in [
            (call(N, N, fixed, from + bytes(N / 2)), Errno::EINVAL),
            (call(N, N, fixed, to_addr + 1), Errno::EINVAL),
            (call(N, N, MREMAP_FIXED, to_addr), Errno::EINVAL),
            (call(N, 0, MREMAP_MAYMOVE, 0), Errno::EINVAL),
            (call(0, N, fixed, to_addr), Errno::EINVAL),
            (
                call(N, N / 2, fixed | MREMAP_DONTUNMAP, to_addr),
                Errno::EINVAL,
            ),
            (call(2 * N, 3 * N, fixed, to_addr), Errno::EFAULT),
            (call(N, 2 * N, 0, 0), Errno::ENOMEM),
        ] {
            actor.refused(&cmd, errno)?;
        }
        let hole = Cmd::move_to(
            bytes(to.vpn + 2 * N),
            bytes(N),
            to_addr + bytes(2 * N),
            false,
        );
        actor.refused(&hole, Errno::EFAULT)?;
    }
    end(&w, [(p, a), (c, to.sub(0..N))])?;
    w.finish()
}

/// Two areas are not moved in one go when the first belongs to a userfaultfd, which would have to be told (vma_multi_allowed()).
///
///   P  |0 .... a .... 15|0 .... b .... 15|      a registered
///   C  P's child
fn kept(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, all, [a, b]) = neighbours(&w, "b")?;
    let k = p.keeper(0)?;
    k.register(a, MISSING)?;
    let to = w.place(2 * N);
    w.name(to, "to");
    let c = p.fork("C")?;
    w.check()?;
    let bytes = |pages: usize| pages * w.page_size();
    let onto = Cmd::move_to(bytes(all.vpn), bytes(2 * N), bytes(to.vpn), false);
    p.refused(&onto, Errno::EFAULT)?;
    w.check_kept()?;
    end(&w, [(p, a), (c, b)])?;
    k.close()?;
    w.finish()
}

const REFUSED: Test = Test {
    about: "What the kernel refuses changes nothing: every page is found where it was, by every walk.",
    ..OPS
};
pub const LIMIT: Test = Test {
    name: "refused.limit",
    run: |c| limit(c, None),
    ..REFUSED
};
pub const LIMIT_MEMFD: Test = Test {
    name: "refused.limit.memfd",
    run: |c| limit(c, Some((Kind::Memfd, Share::Shared))),
    ..REFUSED
};
pub const LIMIT_PRIVATE: Test = Test {
    name: "refused.limit.memfd.private",
    run: |c| limit(c, Some((Kind::Memfd, Share::Private))),
    ..REFUSED
};
pub const SEALED: Test = Test {
    name: "refused.sealed",
    run: sealed,
    ..REFUSED
};
pub const MREMAP: Test = Test {
    name: "refused.mremap",
    run: mremap,
    ..REFUSED
};
pub const KEPT: Test = Test {
    name: "refused.mremap.kept",
    run: kept,
    ..REFUSED
};
