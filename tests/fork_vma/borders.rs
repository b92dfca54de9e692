// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas that lie across the border of two page tables, of each level: what fork, mremap, mprotect and madvise go over table by table, and pass
//! over where there is none (get_extent(), pud_none_or_clear_bad()). Fewer than all pages of it are there, so that what is passed over may
//! be all up to the border, and the first page behind it is not.

use super::tables::Of;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, R};
use helpers::world::{Actor, Area, Border, Kind, Object, Share, World};
use helpers::{Stop, TestResult, walk};

/// A page: so many units and pages behind the border, or in front of it. A unit is what a table of the level below spans, or for files of PTEs:
/// where there is nothing there is no table.
type Point = (isize, isize);

const START: Point = (-2, -3);
const END: Point = (2, 5);

/// Which pages of an area are there: of those beside the border, one unit away from it, and at the ends.
#[derive(Clone, Copy)]
struct Fill {
    name: &'static str,
    pages: &'static [(Point, Point)],
}

const FILLS: [Fill; 5] = [
    Fill {
        name: "all",
        pages: &[
            (START, (-2, -2)),
            ((-1, -1), (-1, 1)),
            ((0, -1), (0, 0)),
            ((0, 0), (0, 1)),
            ((1, -1), (1, 1)),
            ((2, 4), END),
        ],
    },
    Fill {
        name: "behind",
        pages: &[((0, 0), (0, 1)), ((1, -1), (1, 1)), ((2, 4), END)],
    },
    Fill {
        name: "before",
        pages: &[(START, (-2, -2)), ((-1, -1), (-1, 1)), ((0, -1), (0, 0))],
    },
    Fill {
        name: "ends",
        pages: &[(START, (-2, -2)), ((2, 4), END)],
    },
    Fill {
        name: "beside",
        pages: &[((0, -1), (0, 0)), ((0, 0), (0, 1))],
    },
];

/// A part of each area moved: where it begins and ends, and where its first page comes to, seen from the border in the new place.
struct Move {
    part: (Point, Point),
    to: Point,
}

const fn all_to(to: Point) -> Move {
    Move {
        part: (START, END),
        to,
    }
}

/// In front of the border.
const INSIDE: Move = all_to((-5, -9));
const MOVES: [Move; 7] = [
    all_to(START),
    // Another page is the first behind the border.
    all_to((-2, -2)),
    all_to((-1, -3)),
    all_to((-3, -3)),
    // From across the border to where it is not.
    all_to((1, 1)),
    Move {
        part: ((-1, -1), END),
        to: (-1, -1),
    },
    Move {
        part: (START, (0, 1)),
        to: START,
    },
];

/// An area across a border, and a place across another for whoever moves it.
struct Over {
    from: Border,
    to: Border,
    unit: isize,
    fill: Fill,
}

impl Over {
    /// `None` where an address space has no room for two borders of this level.
    fn new(w: &World, level: u32, of: Of, fill: Fill) -> Option<Over> {
        let (from, to) = (w.border(level)?, w.border(level)?);
        let unit = match level {
            // A page of a table of PTEs is no hole.
            1 => from.span / 8,
            _ if of == Of::Private => from.entry,
            // The model knows every page of a file.
            _ => from.span / from.entry,
        };
        let over = Over {
            unit: unit as isize,
            from,
            to,
            fill,
        };
        w.name(over.all(), format!("{}{level}", fill.name));
        let to = over.at(&over.to, ((-6, 0), (6, 0)));
        w.name(to, format!("{}{level}.to", fill.name));
        Some(over)
    }

    fn at(&self, border: &Border, (start, end): (Point, Point)) -> Area {
        let page = |(units, pages): Point| units * self.unit + pages;
        border.between(page(start), page(end))
    }

    fn all(&self) -> Area {
        self.at(&self.from, (START, END))
    }

    fn used(&self) -> Vec<Area> {
        let parts = self.fill.pages.iter();
        parts.map(|&part| self.at(&self.from, part)).collect()
    }

    /// From where to where.
    fn ways(&self, by: &Move) -> (Area, Area) {
        let from = self.at(&self.from, by.part);
        let to = self.at(&self.to, (by.to, by.to));
        (from, to.after(from.pages))
    }
}

/// As [`Of`], the object of one area.
struct Memory(Option<(Object, Share)>);

impl Memory {
    fn new(w: &World, of: Of, pages: usize) -> TestResult<Memory> {
        Ok(Memory(match of {
            Of::Private => None,
            Of::Memfd(share) => Some((w.object(Kind::Memfd, pages)?, share)),
        }))
    }

    fn map(&self, who: Actor, area: Area, used: &[Area]) -> TestResult {
        match &self.0 {
            None => who.map_vast(area, used),
            Some((file, share)) => who.map_parts(area, file, 0, used, *share),
        }
    }
}

/// Each child moves all areas in the same way; a grandchild moves them back across the border; two children move nothing.
///
///   tables           |         n        |        n+1       |         of level 1, of level 2, ...
///   P   all          . . [0 . . -u . . -1|0 . . . u . . last] . .     u: as far as a table of the level below spans
///       behind       . . [- - - - - - - -|0 . . . u . . last] . .
///       before       . . [0 . . -u . . -1|- - - - - - - - - ] . .
///       ends         . . [0 - - - - - - -|- - - - - - - last] . .
///       beside       . . [- - - - - - -1 |0 - - - - - - - - ] . .
///   C0..C6  each elsewhere: the same way across, one page on, one table on, or wholly on one side; all of it, the tail, the head
///   I   in front of a border      I.G  where P has it
///   R   read-only                 D    the first part given back, up to the first page behind the border
pub fn moved(ctx: &mut Ctx, of: Of, keep: bool) -> TestResult {
    let w = World::new(ctx)?;
    w.may_overcommit()?;
    let mut all = Vec::new();
    for level in 1.. {
        let of_level = FILLS.map(|fill| Over::new(&w, level, of, fill));
        if of_level.iter().any(Option::is_none) {
            break;
        }
        all.extend(of_level.into_iter().flatten());
    }
    let Some(last) = all.last() else {
        return Err(Stop::Skip("needs address space for several page tables"));
    };
    w.diag(format_args!("borders of {} level(s)", last.from.level));
    let p = w.actor("P")?;
    let mut memory = Vec::new();
    for over in &all {
        let of_one = Memory::new(&w, of, over.all().pages)?;
        of_one.map(p, over.all(), &over.used())?;
        p.write_all(&over.used())?;
        memory.push(of_one);
    }
    let child = |name: &str| -> TestResult<Actor> {
        let c = p.fork(name)?;
        for used in all.iter().map(Over::used) {
            // A child's table of a file's pages begins empty.
            used.iter().try_for_each(|part| c.read(*part))?;
            c.write(used[used.len() - 1].page(0))?;
        }
        Ok(c)
    };
    let shift = |who: Actor, from: Area, to: Area| match keep {
        false => who.move_to(from, to),
        true => who.move_dontunmap(from, to),
    };
    let mut children = Vec::new();
    for (i, by) in MOVES.iter().enumerate() {
        let c = child(&format!("C{i}"))?;
        for (from, to) in all.iter().map(|over| over.ways(by)) {
            shift(c, from, to)?;
        }
        children.push(c);
    }
    children[0].fork("C0.G")?;
    let inside = child("I")?;
    for (from, to) in all.iter().map(|over| over.ways(&INSIDE)) {
        shift(inside, from, to)?;
    }
    let back = inside.fork("I.G")?;
    for (from, to) in all.iter().map(|over| over.ways(&INSIDE)) {
        shift(back, to, from)?;
    }
    let (r, d) = (child("R")?, child("D")?);
    for over in &all {
        r.protect(over.all(), R)?;
        d.advise(over.at(&over.from, (START, (0, 1))), advice::DONTNEED)?;
    }
    w.check()?;
    for (from, to) in all.iter().map(|over| over.ways(&MOVES[1])) {
        shift(p, from, to)?;
    }
    walk::every(&w)?;
    p.exit()?;
    topology::write_by_each(&w)?;
    w.finish()
}
