// SPDX-License-Identifier: GPL-2.0-or-later
//! How many anonymous folios of a size there are, as the kernel counts them for everybody (hugepages-*kB/stats/nr_anon, see
//! Documentation/admin-guide/mm/transhuge.rst).

use helpers::supervise::Ctx;
use helpers::walk::migrate::MIGRATE;
use helpers::walk::own::gather;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};

/// Folios that are judged together: others make and give back some of the size meanwhile, but not as many.
const FOLIOS: usize = 24;
/// All of them have to say the same.
const ROUNDS: usize = 3;

/// A folio that moves is one folio before and afterwards (__folio_migrate_mapping()).
pub fn moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    (MIGRATE.offered)(&w).map_err(Stop::Skip)?;
    let n = w.folio_size()?;
    if Some(n * w.page_size()) == w.features().pmd_size {
        return Err(Stop::Skip("needs large folios of other sizes (mTHP)"));
    }
    let file = format!(
        "/sys/kernel/mm/transparent_hugepage/hugepages-{}kB/stats/nr_anon",
        n * w.page_size() / 1024
    );
    let p = w.actor("P")?;
    let mut wrong = Vec::new();
    for _ in 0..ROUNDS {
        let folios: Vec<Area> = (0..FOLIOS).map(|_| w.place_aligned(n, n)).collect();
        for &folio in &folios {
            w.name(folio, "folio");
            p.map_folio(folio)?;
        }
        let before = count(&file)?;
        let mut whole = 0;
        for &folio in &folios {
            whole += usize::from(other_node(&w, p, folio)?);
        }
        // One that went in pieces is none any more.
        let due = before - (FOLIOS - whole) as i64;
        let more = count(&file)? - due;
        if whole < FOLIOS / 2 {
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

/// The sum of what the CPUs counted: where too many were taken away it wraps around.
fn count(file: &str) -> TestResult<i64> {
    let Ok(text) = std::fs::read_to_string(file) else {
        return Err(Stop::Skip("needs hugepages-*kB/stats/nr_anon (Linux 6.12)"));
    };
    let sum = text.trim().parse::<u64>();
    sum.map(|n| n as i64)
        .map_err(|e| Stop::error(format_args!("{file}: {e}: {text:?}")))
}

/// Whether a folio is still one when it has moved.
fn other_node(w: &World, p: Actor, folio: Area) -> TestResult<bool> {
    let on = w.nodes_of(p, folio.page(0))?[0];
    let Some(&to) = w.features().nodes.iter().find(|&&node| node != on) else {
        return Err(Stop::Skip("needs 2 NUMA nodes with memory"));
    };
    gather(w, p, folio.page(0), to)?;
    Ok(w.folio_pages(p.id(), folio.vpn)? == folio.pages)
}
