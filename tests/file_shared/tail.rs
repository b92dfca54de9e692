// SPDX-License-Identifier: GPL-2.0-or-later
//! A file that ends within a page, which is the tail of a large folio: what splits the folio keeps it (__folio_split()). Nobody maps that page; it is read and written by
//! the file.

use super::place;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Kind, Object, Share, World};
use helpers::{Stop, TestResult};
use std::os::unix::fs::FileExt;

/// What is in the last page.
const TAIL: &[u8] = b"the last bytes of the file";

/// The last bytes are still there, and nothing behind them.
#[track_caller]
fn check(w: &World, file: &Object, pages: usize) -> TestResult {
    let mut seen = vec![0; w.page_size()];
    let at = (pages * w.page_size()) as u64;
    let n = file.file().read_at(&mut seen, at).doing("read the file")?;
    if seen[..n] == *TAIL {
        return Ok(());
    }
    Err(Stop::fail(format_args!(
        "a file keeps its last bytes: {n} bytes from page {pages} on, the first is {:#04x}, expected {}, the first {:#04x}",
        seen[0],
        TAIL.len(),
        TAIL[0]
    )))
}

///   file        |0 ......... n-1|tail|   |             one folio, where it is to be large
///   P           |0 ......... n-1|                       C  P's child
fn tail(ctx: &mut Ctx, large: bool) -> TestResult {
    let w = World::new(ctx)?;
    let whole = if large { w.place_huge(1)? } else { w.place(16) };
    let n = whole.pages / 2;
    let file = w.object(Kind::Memfd, n)?;
    let size = (n * w.page_size() + TAIL.len()) as u64;
    file.file().set_len(size).doing("lengthen the file")?;
    if large {
        let maker = w.actor("maker")?;
        w.name(whole, "whole");
        maker.map_huge_object(whole, &file)?;
        maker.write(whole.sub(0..n))?;
        if !w.is_huge(maker.id(), whole.sub(0..n))? {
            return Err(Stop::Skip("needs a free huge page for shared memory"));
        }
        // The huge entry knows no end.
        maker.exit()?;
    }
    let at = size - TAIL.len() as u64;
    file.file()
        .write_all_at(TAIL, at)
        .doing("write to the file")?;
    let (p, a) = (w.actor("P")?, place(&w, "a", n));
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a.sub(0..8))?;
    let c = p.fork("C")?;
    walk::plain(&w)?;
    check(&w, &file, n)?;
    c.write(a.sub(1..3))?;
    w.punch(&file, 3..5)?;
    check(&w, &file, n)?;
    walk::plain(&w)?;
    check(&w, &file, n)?;
    topology::write_by_each(&w)?;
    w.finish()
}

const LAST: Test = Test {
    about: "A file that ends within a page keeps its last bytes, whatever walk goes over the others.",
    needs: &[Need::Pfn],
    ..Test::DEFAULT
};
pub const SMALL: Test = Test {
    name: "tail",
    run: |c| tail(c, false),
    ..LAST
};
pub const LARGE: Test = Test {
    name: "tail.large",
    run: |c| tail(c, true),
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags],
    knobs: super::huge::HUGE.knobs,
    ..LAST
};
