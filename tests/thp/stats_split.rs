// SPDX-License-Identifier: GPL-2.0-or-later
//! Anonymous huge pages that are split to smaller folios: there is one less of the one size, and as many more of the other as fit in it
//! (MTHP_STAT_NR_ANON in __folio_split()).

use super::stats::{count, file};
use helpers::supervise::Ctx;
use helpers::world::{Area, World};
use helpers::{Stop, TestResult};

/// Pages of the folios that it is split to.
const SIZES: [usize; 2] = [16, 4];
/// Others make and give back folios as well, but not the same number of them each time.
const ROUNDS: usize = 3;

/// By how much the numbers of huge pages and of folios of `pages` pages are off, once two huge pages are split and once they are gone.
fn round(ctx: &Ctx, pages: usize) -> TestResult<[i64; 4]> {
    let w = World::new(ctx)?;
    let room = w.place_huge(2)?;
    let n = room.pages / 2;
    let files = [file(&w, n, "nr_anon"), file(&w, pages, "nr_anon")];
    let counts = || -> TestResult<[i64; 2]> { Ok([count(&files[0])?, count(&files[1])?]) };
    let base = counts()?;
    let off = |huge: i64, small: i64| -> TestResult<[i64; 2]> {
        let seen = counts()?;
        Ok([seen[0] - base[0] - huge, seen[1] - base[1] - small])
    };
    let (p, control) = (w.actor("P")?, w.actor("control")?);
    let halves = [(p, "a"), (control, "control")].into_iter().enumerate();
    let [a, own]: [Area; 2] = std::array::from_fn(|i| room.sub(i * n..(i + 1) * n));
    for (i, (actor, name)) in halves {
        let area = [a, own][i];
        w.name(area, name);
        actor.map_folio(area)?;
    }
    let c = p.fork("C")?;
    p.split_to(a, pages, (control, own))?;
    let [huge, small] = off(0, 2 * (n / pages) as i64)?;
    w.check()?;
    c.exit()?;
    p.unmap(a)?;
    control.unmap(own)?;
    let [huge_gone, small_gone] = off(0, 0)?;
    w.finish()?;
    Ok([huge, small, huge_gone, small_gone])
}

///   P C  |======= PMD =======|   ->   |0 .. 15|16 .. 31| ...   |0 .. 3|4 .. 7| ...   ->   unmapped by both
pub fn split_to(ctx: &mut Ctx) -> TestResult {
    let mut judged = false;
    for pages in SIZES {
        let mut all = Vec::new();
        for _ in 0..ROUNDS {
            match round(ctx, pages) {
                Ok([0, 0, 0, 0]) => {
                    judged = true;
                    all.clear();
                    break;
                }
                Ok(wrong) => all.push(wrong),
                // Perhaps there is the other size.
                Err(Stop::Skip(why)) => {
                    ctx.diag(why);
                    all.clear();
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        match all.first() {
            None => {}
            Some(first) if all.iter().all(|wrong| wrong == first) => {
                return Err(Stop::fail(format_args!(
                    "nr_anon is the number of anonymous folios of a size: two huge pages split to folios of {pages} pages, and these gone; {ROUNDS} times \
                     seen {first:?} more huge pages and folios, and then more of both, than there were"
                )));
            }
            Some(_) => {
                return Err(Stop::Skip("needs a machine where few folios come and go"));
            }
        }
    }
    match judged {
        true => Ok(()),
        false => Err(Stop::Skip(
            "needs split_huge_pages that takes an order (Linux 6.10)",
        )),
    }
}
