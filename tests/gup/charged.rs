// SPDX-License-Identifier: GPL-2.0-or-later
//! What another process writes into memory by pinning it (process_vm_writev(), /proc/PID/mem): the pages that come of it are those of the
//! process whose memory it is, and charged to its memory cgroup.

use helpers::actor::pin::Way;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{R, RW};
use helpers::walk::{self, charge};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// X, in the test's own group, writes pages of P, in the other one, that are not there, of zeroes, shared with a child, or a file's.
///
///   P   a |0 1|2 3 zero|4 .. 7 forked|   b |0 .. 3 of a file, private, read|
fn other_group(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 4)?;
    let (p, x) = (w.actor("P")?, w.actor("X")?);
    p.enter_other_memcg()?;
    for way in [Way::Vm, Way::Mem] {
        let (a, b) = (w.place(8), w.place(4));
        w.name(a, "a");
        w.name(b, "b");
        p.map(a)?;
        p.read(a.sub(2..4))?;
        p.write(a.sub(4..8))?;
        p.map_object(b, &file, 0, RW, Share::Private)?;
        p.read(b)?;
        let c = p.fork("C")?;
        for at in [a.sub(0..2), a.sub(2..4), a.sub(4..8), b] {
            x.poke(p, at, way)?;
            charge::of_other(&w, p, at)?;
        }
        // Into memory that may only be read as well, which makes a copy (FOLL_FORCE).
        if way == Way::Mem {
            c.protect(a, R)?;
            match x.poke(c, a.sub(4..8), way) {
                Ok(()) => charge::of_other(&w, c, a.sub(4..8))?,
                // Some kernels do not let it (CONFIG_PROC_MEM_*).
                Err(Stop::Skip(why)) => w.diag(why),
                Err(stop) => return Err(stop),
            }
        }
        c.exit()?;
    }
    walk::every(&w)?;
    w.finish()
}

pub const OTHER_GROUP: Test = Test {
    name: "poke.other_group",
    about: "What another process writes into memory is charged to the one whose memory it is.",
    run: other_group,
    needs: &[Need::Root, Need::Pfn, Need::OtherMemcg],
    ..Test::DEFAULT
};
