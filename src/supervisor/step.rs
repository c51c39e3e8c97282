//! One call of `handle`: the time, what is minted, and the effects so far.

use std::time::{Duration, Instant};

use crate::model::{Notice, RunId};

use super::{Effect, Effects};

/// What a part of the supervisor needs to act: the time, fresh ids and chance, and a place for effects.
#[derive(Debug)]
pub(super) struct Step {
    pub now: Instant,
    pub mint: Mint,
    pub effects: Effects,
}

impl Step {
    pub fn act(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub fn tell(&mut self, notice: impl Into<Option<Notice>>) {
        self.effects.extend(notice.into().map(Effect::Notice));
    }
}

/// Where run ids and jitter come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mint {
    runs: u64,
    state: u64,
}

impl Mint {
    pub fn new(seed: u64) -> Self {
        Self { runs: 0, state: seed }
    }

    /// The run minted last.
    pub fn latest(&self) -> RunId {
        RunId(self.runs)
    }

    pub fn run(&mut self) -> RunId {
        self.runs += 1;
        RunId(self.runs)
    }

    /// The delay, up to a tenth shorter or longer, so that apps that died together do not come back together.
    pub fn jitter(&mut self, delay: Duration) -> Duration {
        const TENTH: u64 = 100;
        let per_mille = 1000 - TENTH + self.random() % (2 * TENTH + 1);
        delay.mul_f64(per_mille as f64 / 1000.0)
    }

    /// Steele, Lea and Flood, "Fast splittable pseudorandom number generators": splitmix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
