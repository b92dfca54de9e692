// SPDX-License-Identifier: GPL-2.0-or-later
//! Not written yet.

/// Stub.
pub const KNOBS: &[crate::supervise::Knob] = &[];
