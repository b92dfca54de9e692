// SPDX-License-Identifier: GPL-2.0-or-later
//! Pieces of the carve-out.

use std::ops::Range;

/// Some pages in a row. The same addresses in every actor, since all come from one carve-out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// First page number (address / page size).
    pub vpn: usize,
    /// Pages.
    pub pages: usize,
}

impl Area {
    /// Some pages of this area.
    #[track_caller]
    pub fn sub(&self, r: Range<usize>) -> Area {
        assert!(
            r.start <= r.end && r.end <= self.pages,
            "{r:?} of {} pages",
            self.pages
        );
        Area {
            vpn: self.vpn + r.start,
            pages: r.end - r.start,
        }
    }

    /// One page of this area.
    #[track_caller]
    pub fn page(&self, i: usize) -> Area {
        self.sub(i..i + 1)
    }

    /// The page numbers.
    pub fn vpns(&self) -> Range<usize> {
        self.vpn..self.vpn + self.pages
    }

    /// The `n` pages right behind this area.
    pub fn after(&self, n: usize) -> Area {
        Area {
            vpn: self.vpn + self.pages,
            pages: n,
        }
    }

    /// The `n` pages right in front of this area.
    pub fn before(&self, n: usize) -> Area {
        Area {
            vpn: self.vpn - n,
            pages: n,
        }
    }
}
