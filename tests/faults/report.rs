//! What came of very many broken writes, as figures.

use std::collections::HashMap;
use std::time::Duration;

use super::caller::Told;
use super::plan::Break;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Faulted writes.
    pub writes: usize,
    /// Rounds over all offsets.
    pub rounds: usize,
    /// The messages' lengths in bytes: up, down.
    pub lengths: (usize, usize),
    /// How often each kind of break ended in what.
    pub told: HashMap<(&'static str, Told), usize>,
    /// What contradicts what, with the plan.
    pub contradictions: Vec<String>,
    /// Whole writes of the tenant that no caller made: a flipped bit in a path makes such.
    pub strange: usize,
    /// How long it took.
    pub took: Duration,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (up, down) = self.lengths;
        writeln!(f, "{} faulted writes in {:.0} s, {} rounds", self.writes, self.took.as_secs_f32(), self.rounds)?;
        writeln!(f, "{up} bytes up, {down} bytes down, {} kinds of break", Break::KINDS)?;
        let mut told: Vec<_> = self.told.iter().collect();
        told.sort_by_key(|((word, told), _)| (*word, format!("{told:?}")));
        for ((word, told), count) in told {
            writeln!(f, "  {word:7} {count:7}  {told:?}")?;
        }
        writeln!(f, "{} writes under another name for a flipped bit", self.strange)?;
        for contradiction in self.contradictions.iter().take(20) {
            writeln!(f, "CONTRADICTION {contradiction}")?;
        }
        write!(f, "{} contradictions", self.contradictions.len())
    }
}
