// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that nobody else maps.

use super::huge;
use helpers::supervise::Ctx;
use helpers::topology::R;
use helpers::world::World;
use helpers::{TestResult, walk};

/// Nobody else's, through all walks in turn: each must leave it so.
///
///   P  |======== PMD ========|      |== folio ==|== in two VMAs ==|
pub fn alone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, _) = huge(&w)?;
    let n = w.folio_size()?;
    let b = w.place_aligned(n, n);
    w.name(b, "b");
    p.map_folio(b)?;
    w.clear_soft_dirty()?;
    p.write(b)?;
    p.protect(b.sub(n / 2..n), R)?;
    walk::plain(&w)?;
    w.finish()
}
