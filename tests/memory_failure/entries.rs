// SPDX-License-Identifier: GPL-2.0-or-later
//! What is left in the page table where a page has failed: an entry that says so. It is inherited, and goes when its area is given up.

use super::pooled::pool;
use super::{N, bystander, end, from};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain::Base, RW};
use helpers::world::{Actor, Area, Kind, Share, Signals, World};
use helpers::{Stop, TestResult, walk};

/// Nobody may have this.
#[track_caller]
pub fn lost(w: &World, actor: Actor, page: Area) -> TestResult {
    if actor.probe(page)? == [false] {
        return Ok(());
    }
    w.diag(format_args!(
        "{} can read page {:#x}",
        actor.name(),
        page.vpn
    ));
    Err(Stop::fail("nobody has a page again where one was poisoned"))
}

/// Private hugetlb pages, each of which is lost as a whole: a child born afterwards, and its child, have none there either, though the pool
/// has free ones.
///
///   P |==== x ====|==== 1 ====|==== x ====|       C shares the pages before they fail
///   D |==== x ====|==== 1 ====|==== x ====|       P's child, E its child, F C's child
pub fn hugetlb_private(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let a = w.place_huge(3)?;
    w.name(a, "a");
    let n = a.pages / 3;
    pool(&w, 8)?;
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let p = w.actor("P")?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a)?;
    p.catch(true)?;
    // One that P has alone, one that it shares with C.
    w.fail_hugetlb_page(p, a.sub(0..n), n / 2 + 1, from(outside, p))?;
    let c = p.fork("C")?;
    c.catch(true)?;
    w.fail_hugetlb_page(c, a.sub(2 * n..3 * n), 3, from(outside, c))?;
    let d = p.fork("D")?;
    let e = d.fork("E")?;
    let f = c.fork("F")?;
    for actor in [c, d, e, f] {
        lost(&w, actor, a.page(0))?;
    }
    for actor in [d, e, f] {
        lost(&w, actor, a.page(2 * n))?;
    }
    w.check_rss()?;
    w.check()?;
    e.write(a.sub(n..2 * n))?;
    // Unlike a fresh page of the pool the entry goes for nothing.
    d.unmap(a.sub(0..n))?;
    w.check_rss()?;
    w.check()?;
    for actor in [p, c, d, e, f, b] {
        actor.exit()?;
    }
    w.finish()
}

/// How an area is given up.
type GiveUp = fn(Actor, Area) -> TestResult;

/// Areas with poisoned pages in them, given up in all ways that leave the area where it is: there is memory again, of zeroes, for who did so
/// and for nobody else.
///
///   P  |0 x 2|3 x 5|6 x 8|       each third given up in another way      C  P's child, keeps its entries
pub fn given_up(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let ways: &[GiveUp] = &[
        |p, a| p.advise(a, advice::DONTNEED),
        |p, a| p.advise(a, advice::FREE),
        |p, a| p.map(a),
    ];
    let b = bystander(&w)?;
    let p = w.actor("P")?;
    let a = Base.map(&w, p, 3 * ways.len())?;
    p.write(a)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    c.catch(true)?;
    for i in 0..ways.len() {
        w.fail_page(p, a.page(3 * i + 1), from(outside, p), Signals::Mappers)?;
    }
    for (i, give_up) in ways.iter().enumerate() {
        // Before Linux 5.19 MADV_FREE let them be.
        if i == 1 && w.features().version() < (5, 19) {
            w.diag("MADV_FREE passes poisoned entries over before Linux 5.19: not judged");
            continue;
        }
        let part = a.sub(3 * i..3 * i + 3);
        give_up(p, part)?;
        if p.probe(part.page(1))? != [true] {
            w.diag(format_args!("page {} cannot be read", 3 * i + 1));
            return Err(Stop::fail(
                "an area that was given up has pages again, poisoned before or not",
            ));
        }
        p.read(part.page(1))?;
        // After MADV_FREE a page has its content until it is taken.
        p.write_all(&[part.page(0), part.page(2)])?;
        w.check()?;
    }
    let d = p.fork("D")?;
    d.catch(true)?;
    p.write(a.page(1))?;
    w.check()?;
    c.access_poison(a.page(4))?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    end(&w, &[p, c, d, b])?;
    w.finish()
}

/// Private copies of a file's pages, some of them poisoned: a hole in the file takes none of them, its end all.
///
///   memfd   |0 1 2 3 4 5 6 7|       Q shared
///   P       |0'x 2'3'4 5 6 7|       private; C, its child, has the same and x at 3, D is C's child
pub fn copies(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let (q, p) = (w.actor("Q")?, w.actor("P")?);
    let file = w.object(Kind::Memfd, N)?;
    let (all, a) = (w.place(N), w.place(N));
    w.name(all, "all");
    w.name(a, "a");
    q.map_object(all, &file, 0, RW, Share::Shared)?;
    q.write(all)?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a.sub(0..4))?;
    p.read(a)?;
    p.catch(true)?;
    let c = p.fork("C")?;
    c.catch(true)?;
    w.fail_page(p, a.page(1), from(outside, p), Signals::Mappers)?;
    c.write(a.page(3))?;
    w.fail_page(c, a.page(3), from(outside, c), Signals::Mappers)?;
    w.punch(&file, 0..N - 1)?;
    w.check()?;
    let d = c.fork("D")?;
    d.catch(true)?;
    for (actor, page) in [(p, 1), (c, 1), (c, 3), (d, 1), (d, 3)] {
        lost(&w, actor, a.page(page))?;
    }
    p.write(a.page(3))?;
    walk::every_on_offer(&w)?;
    // Before Linux 5.19 entries that are no pages stayed behind the end of a file.
    if w.features().version() >= (5, 19) {
        w.truncate(&file, 0)?;
        w.truncate(&file, N)?;
        for actor in [p, c, d] {
            if actor.probe(a.page(1))? != [true] {
                return Err(Stop::fail(
                    "a file that grows again has pages again, whatever was poisoned there",
                ));
            }
        }
        w.check()?;
    }
    end(&w, &[p, c, d, q, b])?;
    w.finish()
}
