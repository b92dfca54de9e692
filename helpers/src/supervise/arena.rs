// SPDX-License-Identifier: GPL-2.0-or-later
//! What walks need from the machine, set up once per program and taken down at its end.

use crate::kernel::features::Features;
use crate::kernel::memcg::Memcg;
use crate::kernel::zram::ZramSwap;

/// The machine as the tests may use it. `Err` is a constant reason, fit for SKIP.
pub struct Arena {
    /// Probed once.
    pub features: Features,
    /// Our memory cgroup; tests and their actors run in it.
    pub memcg: Result<Memcg, &'static str>,
    /// Our swap.
    pub swap: Result<ZramSwap, &'static str>,
    /// KSM knobs were set (walk::ksm::KNOBS), ksmd may be started by writing 1 to run.
    pub ksm: Result<(), &'static str>,
}
