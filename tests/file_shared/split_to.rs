// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of shared memory that are split to smaller folios, not to pages (__folio_split()).

use super::huge::HUGE;
use super::place;
use super::totals::{PATIENCE, huge_pages};
use helpers::kernel::features::Features;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// Others make huge pages as well, but not the same number of them each time.
const ROUNDS: usize = 4;

/// By how many the number of huge pages of the whole machine differs from what it should become.
fn off(w: &World, due: i64) -> TestResult<i64> {
    let mut until = w.limit(PATIENCE);
    loop {
        let off = huge_pages()? as i64 - due;
        if off == 0 || until.over() {
            return Ok(off);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// How far off the number of huge pages is when one is there, when it and the control's are split, and when its file is gone.
fn round(ctx: &Ctx) -> TestResult<[i64; 3]> {
    let w = World::new(ctx)?;
    let (a, own) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    w.name(own, "control");
    let n = a.pages;
    let control = w.actor("control")?;
    control.fill_huge_object(own, &w.object(Kind::Memfd, n)?)?;
    let base = huge_pages()? as i64;
    let file = w.object(Kind::Memfd, n)?;
    let (p, r) = (w.actor("P")?, w.actor("R")?);
    p.fill_huge_object(a, &file)?;
    let made = off(&w, base + 1)?;
    for (name, first, pages) in [("odd", 1, 7), ("middle", n / 2 + 6, 5), ("last", n - 1, 1)] {
        r.map_object(place(&w, name, pages), &file, first, RW, Share::Shared)?;
    }
    p.fork("C")?.read(a.sub(0..n / 2))?;
    p.split_to(a, 4, (control, own))?;
    w.check()?;
    let split = off(&w, base - 1)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.truncate(&file, 0)?;
    let gone = off(&w, base - 1)?;
    w.finish()?;
    Ok([made, split, gone])
}

///   file   |0 .............. huge page ............... n-1|   ->   |0 1 2 3|4 5 6 7| ...
///   P C    |================== PMD =======================|        as folios
///   R        1 ...... 7          n/2+6 .. n/2+10         n-1
fn split_to(ctx: &mut Ctx) -> TestResult {
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        match round(ctx)? {
            [0, 0, 0] => return Ok(()),
            wrong => all.push(wrong),
        }
    }
    if all.iter().any(|wrong| *wrong != all[0]) {
        return Err(Stop::Skip(
            "needs huge pages of shared memory that nobody else makes",
        ));
    }
    Err(Stop::fail(format_args!(
        "nr_shmem_hugepages is the number of huge pages of shared memory: one made, it and another split, and it gone; {ROUNDS} times seen {:?} more than \
         there were",
        all[0]
    )))
}

/// Earlier kernels refuse, and those with CONFIG_DEBUG_VM warn of whoever asks: that cannot be tried out.
fn splits_to_folios(features: &Features) -> Result<(), &'static str> {
    match features.version() >= (6, 15) {
        true => Ok(()),
        false => Err("needs shared memory that is split to smaller folios (Linux 6.15)"),
    }
}

pub const SPLIT_TO: Test = Test {
    name: "huge.split_to",
    about: "A huge page that was split to smaller folios is none any more, and each of them is found.",
    needs: &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::MemMib(64),
        Need::Probe(splits_to_folios),
    ],
    run: split_to,
    ..HUGE
};
