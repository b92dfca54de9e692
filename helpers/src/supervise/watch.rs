// SPDX-License-Identifier: GPL-2.0-or-later
//! When a test is given up.
//!
//! Not at a moment that the clock names: a slow or busy machine would never get there. A test that is stuck says nothing any more,
//! and one that works says so at each step, reply and look (pace::beat()). Only one that works in vain needs an end as well.

use crate::pace;
use std::time::{Duration, Instant};

/// So long a test may be silent, on a quick machine: its longest command takes a tenth of a second there, and the world
/// gives an actor half of this for its reply.
const SILENCE: Duration = Duration::from_secs(20);
/// So many times its declared limit a test may go on as long as it shows signs of life.
const MOST: u32 = 5;

/// A running test's signs of life.
pub(super) struct Watch {
    began: Instant,
    heard: Instant,
    declared: Duration,
    scale: f64,
    last_look: bool,
}

impl Watch {
    /// From now on; `declared` is the limit that the test declares.
    pub(super) fn new(declared: Duration) -> Watch {
        let now = Instant::now();
        Watch {
            began: now,
            heard: now,
            declared,
            scale: pace::scale(),
            last_look: false,
        }
    }

    /// A sign of life.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
        self.last_look = false;
    }

    fn silence(&self) -> Duration {
        self.declared.min(SILENCE).mul_f64(self.scale)
    }

    fn most(&self) -> Duration {
        (self.declared * MOST).mul_f64(self.scale)
    }

    /// Until somebody has to look again.
    pub(super) fn left(&self) -> Duration {
        let end = (self.heard + self.silence()).min(self.began + self.most());
        end.saturating_duration_since(Instant::now())
    }

    /// Why the test is given up now, if it is.
    pub(super) fn over(&mut self) -> Option<String> {
        if !self.left().is_zero() {
            return None;
        }
        if !self.last_look {
            // The machine may have become slower, or we may have slept with it and not have listened.
            self.scale = self.scale.max(pace::scale_now());
            self.last_look = true;
            return None;
        }
        if self.heard.elapsed() >= self.silence() {
            let silence = self.silence().as_secs_f64();
            Some(format!("after {silence:.1} s without a sign of life"))
        } else {
            let most = self.most().as_secs_f64();
            Some(format!("at work, but without an end after {most:.1} s"))
        }
    }
}
