// SPDX-License-Identifier: GPL-2.0-or-later
//! Where one page table ends and the next begins, on every level that an address space has two tables of.

use super::{Area, World};

/// Bytes of an entry of a page table. Where they are of another size, or a table is not one page (s390), some of the borders are none.
const ENTRY: usize = 8;

/// Address space on both sides of the border between two page tables of one level, as [`World::far`] gives it.
///
///   next level   |      n      |      n+1     |     both in one table, so no table of that level ends here
///   this level   |..... 510 511|0 1 .........|
pub struct Border {
    /// Of tables of PTEs it is 1; a table of any other level has an entry for each of the level below.
    pub level: u32,
    /// Pages: what a table of this level spans.
    pub span: usize,
    /// Pages: what one of its entries spans.
    pub entry: usize,
    around: Area,
}

impl Border {
    /// From one page up to another, counted from the first behind the border; no more than `span` in front of it or behind.
    #[track_caller]
    pub fn between(&self, start: isize, end: isize) -> Area {
        let page = |at: isize| {
            self.span
                .checked_add_signed(at)
                .expect("not so far in front")
        };
        self.around.sub(page(start)..page(end))
    }
}

impl World<'_> {
    /// The border of two tables of a level, another one each time. `None` where an address space has no room for it.
    pub fn border(&self, level: u32) -> Option<Border> {
        let entries = self.page / ENTRY;
        let span = entries.checked_pow(level)?;
        let bytes = span.checked_mul(2 * self.page)?;
        // What far() asks for.
        bytes.checked_mul(2)?;
        let around = self.vast(bytes)?;
        Some(Border {
            level,
            span,
            entry: span / entries,
            around,
        })
    }
}
