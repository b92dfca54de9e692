// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas that are far longer than what is in them: a page is found by its index in its area, which is a large number here, and so is
//! where the area ends (vma_last_pgoff()).

use super::judge;
use helpers::supervise::Ctx;
use helpers::topology::R;
use helpers::world::{Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Bytes: what a file may have, what 32 bits can not say, and what they can not say of pages of 4 KiB.
const LENGTHS: [usize; 3] = [1 << 30, 1 << 36, 1 << 45];
/// Of a longer one mremap would have to pass over too many empty page tables before Linux 6.18.
const MOVED: usize = 1 << 36;

/// The first page and the last, and two around every second power of two.
fn used(area: Area) -> Vec<Area> {
    let powers = (12..usize::BITS).step_by(2).map(|k| 1 << k);
    let mut parts = vec![area.page(0)];
    parts.extend(
        powers
            .take_while(|n| n + 1 < area.pages)
            .map(|n| area.sub(n - 1..n + 1)),
    );
    parts.push(area.page(area.pages - 1));
    parts
}

/// As long as there is room for.
///
///   P  |0 - - - 2^12-1 2^12 - - - - - 2^14-1 2^14 - - - - - ... last|     in two, a page of the middle read-only
///   C  |the same, the last ones its own                             |     G  elsewhere
pub fn private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let mut areas = Vec::new();
    for (bytes, name) in LENGTHS.into_iter().zip(["long", "longer", "longest"]) {
        let Some(area) = w.vast(bytes) else { break };
        let to = if bytes <= MOVED { w.vast(bytes) } else { None };
        w.name(area, name);
        areas.push((area, to));
    }
    if areas.is_empty() {
        return Err(Stop::Skip("needs 2 GiB of address space"));
    }
    let p = w.actor("P")?;
    for &(area, _) in &areas {
        p.map_vast(area, &used(area))?;
        p.write_all(&used(area))?;
    }
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    for &(area, to) in &areas {
        let parts = used(area);
        c.write_all(&parts[parts.len() - 2..])?;
        if let Some(to) = to {
            w.name(to, "to");
            g.move_to(area, to)?;
        }
        p.protect(area.page(area.pages / 2), R)?;
    }
    w.check()?;
    walk::every(&w)?;
    p.exit()?;
    judge(w)
}

///   memfd   0 - - - 2^12-1 2^12 - - - ... last
///   P  shared, all of it      Q  private, all of it, the last pages its own      C  a child of Q
pub fn memfd(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let bytes = LENGTHS[0];
    let (Some(a), Some(b)) = (w.vast(bytes), w.vast(bytes)) else {
        return Err(Stop::Skip("needs 4 GiB of address space"));
    };
    w.name(a, "shared");
    w.name(b, "private");
    let file = w.object(Kind::Memfd, a.pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_parts(a, &file, 0, &used(a), Share::Shared)?;
    p.write_all(&used(a))?;
    q.map_parts(b, &file, 0, &used(b), Share::Private)?;
    let parts = used(b);
    q.write_all(&parts[parts.len() - 2..])?;
    let c = q.fork("C")?;
    c.write(parts[0])?;
    c.protect(b.page(b.pages / 2), R)?;
    w.check()?;
    walk::every(&w)?;
    q.exit()?;
    judge(w)
}
