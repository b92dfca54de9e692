// SPDX-License-Identifier: GPL-2.0-or-later
//! Which anon_vma a child's VMAs get at fork.
//!
//! A parent may have many VMAs SRC1..SRCn on one anon_vma ANON0: one mapping, touched as a whole, then cut. For the
//! child's DST1..DSTn three designs have existed (anon_vma_fork(), dup_mmap()):
//!
//!   separate   each DSTi gets an anon_vma of its own                    no two merge
//!   shared     DST1 gets a new one, DST2..DSTn share it                 all merge to one
//!   mistaken   DST1 gets a new one, DST2..DSTn take ANON0, the          DST2..DSTn merge with each
//!              parent's (v5.5, v5.6)                                    other, never with DST1
//!
//! VMAs merge only on the same anon_vma, so making the stripes equal again in the child shows which design runs. The
//! first two are right, on both of them every page must be found by every walk. The third is not.

use helpers::supervise::{Ctx, Test, main as run};
use helpers::topology::{self, Stripes};
use helpers::world::World;
use helpers::{Stop, TestResult, walk};

/// The design, from where VMAs begin in the child once all stripes are equal.
fn name_design(n: usize, starts: &[usize]) -> Result<&'static str, String> {
    match starts.len() {
        1 => Ok("shared"),
        k if k == n => Ok("separate"),
        k => Err(format!(
            "{k} VMAs of {n} stripes are left, beginning at pages {:?}",
            &starts[..k.min(8)]
        )),
    }
}

///      P   |SRC1|SRC2|SRC3|...|SRCn|    all on ANON0
///            rw    r    rw        r
///      C   |DST1|DST2|DST3|...|DSTn|
///                equal again in P: one VMA; in C: as the design has it
fn design(ctx: &Ctx, how: Stripes, n: usize, written: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let stripes = how.make(&w, p, n)?;
    let c = p.fork("C")?;
    if written {
        // Stripes that may be written are: the child's own anon_vmas get pages of their own.
        for i in (0..n).step_by(2) {
            c.write(stripes.page(i))?;
        }
    }
    w.check()?;

    how.equalize(p, stripes)?;
    let merged_in_parent = topology::vmas(&w, p, stripes)? == 1;
    how.equalize(c, stripes)?;
    let starts = topology::vma_starts(&w, c, stripes)?;
    if !merged_in_parent {
        // Without merging the child's VMAs tell nothing; the walks below still must find all.
        w.diag("fork design: not visible, this kernel does not merge the parent's stripes either");
    } else {
        match name_design(n, &starts) {
            Ok(name) => w.diag(format_args!(
                "fork design: {name} ({n} stripes, {how:?}, {} VMAs in the child)",
                starts.len()
            )),
            Err(seen) => {
                return Err(Stop::fail(format_args!(
                    "a child's VMAs get anon_vmas by one rule: {seen}; some are on one anon_vma and others are not"
                )));
            }
        }
    }
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

macro_rules! designs {
    ($($name:literal $fn:ident $how:ident $n:literal $written:literal;)*) => {
        $(fn $fn(ctx: &mut Ctx) -> TestResult { design(ctx, Stripes::$how, $n, $written) })*
        const TESTS: &[Test] = &[$(Test {
            name: $name,
            about: "After fork the child's VMAs get their anon_vmas by one rule, and each page is found through them.",
            run: $fn,
            ..Test::DEFAULT
        }),*];
    };
}

designs! {
    "mprotect.2"            mprotect_2         Protect 2    false;
    "mprotect.8"            mprotect_8         Protect 8    false;
    "mprotect.8.written"    mprotect_8_written Protect 8    true;
    "mprotect.1000"         mprotect_1000      Protect 1000 false;
    "madvise.2"             madvise_2          Advise  2    false;
    "madvise.8.written"     madvise_8_written  Advise  8    true;
    "madvise.1000"          madvise_1000       Advise  1000 false;
    "mremap.2"              mremap_2           Remap   2    false;
    "mremap.8.written"      mremap_8_written   Remap   8    true;
    "mremap.1000"           mremap_1000        Remap   1000 false;
}

pub fn main() {
    run(
        "fork_design",
        "which anon_vma a child's VMAs get at fork",
        TESTS,
    )
}
