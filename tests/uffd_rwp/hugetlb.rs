// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that are protected from any access: by code of their own (hugetlb_change_protection(), hugetlb_fault()).

use super::{MARK, migrate};
use helpers::TestResult;
use helpers::kernel::hugetlb;
use helpers::supervise::{Ctx, Knob, Need, Test};
use helpers::sys::uffd::{FEATURE_RWP, RWP};
use helpers::topology::{R, RW, write_by_each};
use helpers::world::{Kind, Share, World, fill_pool, pooled};

/// Free pages on each node: what the test maps, copies, and as many to migrate to.
const POOL: usize = 6;

/// Two pages, the second one protected, moved, made read-only and writable again; a child has it plain.
///
///   P |0|1|  1 protected      C  P's child
fn protected(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let k = p.keeper(FEATURE_RWP)?;
    fill_pool(&w, POOL)?;
    let a = w.place_huge(2)?;
    w.name(a, "a");
    let one = a.sub(a.pages / 2..a.pages);
    let file = w.object(Kind::Hugetlb, a.pages)?;
    p.map_object(a, &file, 0, RW, share)?;
    p.write(a)?;
    k.register(a, RWP)?;
    k.shut(one)?;
    w.check()?;
    p.protect(a, R)?;
    w.check()?;
    p.protect(a, RW)?;
    w.check()?;
    let c = p.fork("C")?;
    w.check()?;
    migrate(&w)?;
    w.check()?;
    p.read_shut(one, &k)?;
    k.shut(one)?;
    w.check()?;
    p.write_shut(one, &k)?;
    w.check()?;
    k.close()?;
    c.write(a)?;
    write_by_each(&w)?;
    w.finish()
}

const HUGETLB: Test = Test {
    needs: &[Need::Root, Need::Thp, Need::Pagemap, Need::MemMib(100)],
    knobs: &[Knob::keep(hugetlb::POOL)],
    ..MARK
};
pub const SHARED: Test = Test {
    name: "hugetlb",
    run: |c| pooled(c, |c| protected(c, Share::Shared)),
    ..HUGETLB
};
pub const PRIVATE: Test = Test {
    name: "hugetlb.private",
    run: |c| pooled(c, |c| protected(c, Share::Private)),
    ..HUGETLB
};
