// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios across a border of page tables of the higher levels: where the table of PTEs ends, the table that it is in ends too.
//! page_vma_mapped_walk() begins again at the top there, and passes over all that a table would span where it is missing (step_forward()).
//! The borders of no more than tables of PTEs are those of tables.rs.

use super::tables::in_parts;
use helpers::sys::mem::advice;
use helpers::world::{Actor, Area, Border, World};
use helpers::{Stop, TestResult};

const NO_ROOM: &str = "needs address space for several page tables";

/// One border of each level above the tables of PTEs.
fn higher(w: &World) -> TestResult<Vec<Border>> {
    let all: Vec<Border> = (2..).map_while(|level| w.border(level)).collect();
    match all.len() {
        0 => Err(Stop::Skip(NO_ROOM)),
        _ => Ok(all),
    }
}

/// P has a folio for each of the borders, and where it is to be moved to: half of it in front and half behind.
fn folios<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Vec<(Area, Area)>)> {
    let n = w.folio_size()?;
    let half = n as isize / 2;
    // First of all: the places are kept free in the actors that are made later.
    let borders = higher(w)?;
    let p = w.actor("P")?;
    let mut all = Vec::new();
    for border in borders {
        let (a, b) = (w.place_aligned(n, n), border.between(-half, half));
        w.name(a, format!("a{}", border.level));
        w.name(
            border.between(-2 * half, 2 * half),
            format!("b{}", border.level),
        );
        p.map_folio(a)?;
        all.push((a, b));
    }
    Ok((p, all))
}

///            a table of each level |  the next
///   P  [0 ............... n/2-1|n/2 ................ n-1]
///   C  [      n/4 ....... n/2-1|n/2 .... n/2+1]             D  [n-1]       E  [. 1 . 3 . 5 ...]
pub fn across(w: &World) -> TestResult {
    let (p, all) = folios(w)?;
    for &(a, b) in &all {
        p.move_to(a, b)?;
    }
    let areas: Vec<Area> = all.iter().map(|(_, b)| *b).collect();
    in_parts(p, &areas)
}

///   P  [0 .................. n-1]  in one table
///   C  [0 ........ n/2-1|. n/2+1 ... n-1]     C.G  the same     C.E  moved on, to where it is in one table
///   D  [0 ................... n-2|n-1]
pub fn in_child(w: &World) -> TestResult {
    let (p, all) = folios(w)?;
    let (c, d) = (p.fork("C")?, p.fork("D")?);
    for &(a, b) in &all {
        let n = a.pages;
        c.move_to(a, b)?;
        c.advise(b.page(n / 2), advice::DONTNEED)?;
        let first = b.before(n / 2 - 1);
        d.move_to(a, Area { pages: n, ..first })?;
    }
    c.fork("C.G")?;
    let e = c.fork("C.E")?;
    for &(_, b) in &all {
        let to = w.place_aligned(b.pages, b.pages);
        w.name(to, "e");
        e.move_to(b, to)?;
    }
    Ok(())
}

/// Where an area of P is at first, where it is moved to, and where F and H move a part of it.
struct Long {
    from: Border,
    to: Border,
    away: [Border; 2],
}

impl Long {
    fn new(w: &World, level: u32) -> Option<Long> {
        let border = || w.border(level);
        Some(Long {
            from: border()?,
            to: border()?,
            away: [border()?, border()?],
        })
    }

    /// Pages of what is in front of the border, as much as a table of level 2 spans, and behind it, of PTEs.
    fn halves(&self) -> (isize, isize) {
        let entries = (self.to.span / self.to.entry) as isize;
        (entries * entries, entries)
    }

    fn area(&self) -> Area {
        let (front, tail) = self.halves();
        self.to.between(-front, tail)
    }

    /// One VMA with a folio, moved from where nothing in front of the border is used.
    fn map(&self, w: &World, p: Actor, n: usize) -> TestResult {
        let half = n as isize / 2;
        let ((front, tail), level) = (self.halves(), self.to.level);
        let (a, v) = (self.from.between(half - front, half + tail), self.area());
        w.name(a, format!("a{level}"));
        w.name(v, format!("v{level}"));
        let (f, last) = (self.from.between(0, 2 * half), a.page(a.pages - 1));
        p.map_vast(a, &[f, last])?;
        p.advise(a, advice::NOHUGEPAGE)?;
        // All of it has one anon_vma before it is cut, or its parts might not merge.
        p.write(last)?;
        p.advise(f, advice::HUGEPAGE)?;
        p.write(f)?;
        if w.folio_pages(p.id(), f.vpn)? != n {
            return Err(Stop::Skip("needs a free huge page"));
        }
        p.advise(f, advice::NOHUGEPAGE)?;
        p.move_to(a, v)?;
        p.needs_one_vma(v)
    }

    /// Moves what is in front of the border, or behind it, and leaves that empty.
    fn take_away(&self, w: &World, c: Actor, behind: bool) -> TestResult<Area> {
        let (front, tail) = self.halves();
        let (start, end) = if behind { (0, tail) } else { (-front, 0) };
        let to = self.away[usize::from(behind)].between(start, end);
        w.name(to, format!("{}{}", c.name(), self.to.level));
        c.move_dontunmap(self.to.between(start, end), to)?;
        Ok(to)
    }
}

/// Whole tables that move take a part of the folio along, and leave none: neither in front of the border, in F and its child, nor behind, in H and
/// its child. The children unmap what was taken along.
///
///   P before   |- - - - - - - - - - -|0 . n-1 - - - x|     at its first border
///   P          |- - - - - 0 .. n/2-1|n/2 . n-1 - - x|
///   F          |      no table      |n/2 . n-1 - - x|     |- - - - - 0 .. n/2-1|  elsewhere     F.G  not elsewhere
///   H          |- - - - - 0 .. n/2-1|   no table    |     |n/2 . n-1 - - x|       elsewhere     H.G  not elsewhere
pub fn missing(w: &World) -> TestResult {
    w.may_overcommit()?;
    let n = w.folio_size()?;
    let all: Vec<Long> = (2..).map_while(|level| Long::new(w, level)).collect();
    if all.is_empty() {
        return Err(Stop::Skip(NO_ROOM));
    }
    let p = w.actor("P")?;
    for long in &all {
        long.map(w, p, n)?;
    }
    for (name, behind) in [("F", false), ("H", true)] {
        let c = p.fork(name)?;
        let taken = all.iter().map(|long| long.take_away(w, c, behind));
        let taken: Vec<Area> = taken.collect::<TestResult<_>>()?;
        let g = c.fork(&format!("{name}.G"))?;
        taken.into_iter().try_for_each(|area| g.unmap(area))?;
    }
    Ok(())
}
