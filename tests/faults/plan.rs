//! Says where and how one exchange with the tenant is broken, and draws such plans from a seed. Touches no socket.

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the broker to the tenant.
    Up,
    /// From the tenant to the broker.
    Down,
}

/// What happens at the chosen byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Break {
    /// Nothing more comes, and nobody is told.
    Stop,
    /// The rest comes so many milliseconds later.
    Delay(u64),
    /// The rest comes one byte at a time, so many microseconds apart.
    Drip(u64),
    /// Both sides see the end of the stream.
    Finish,
    /// Both sides see a reset.
    Reset,
    /// One bit of the byte is turned over.
    Flip(u8),
}

impl Break {
    /// How many kinds there are.
    pub const KINDS: u64 = 6;
    /// The word for a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Delay(_) => "delay",
            Self::Drip(_) => "drip",
            Self::Finish => "finish",
            Self::Reset => "reset",
            Self::Flip(_) => "flip",
        }
    }
}

/// One break of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Which way.
    pub way: Way,
    /// So many bytes of the message pass first.
    pub at: usize,
    /// What happens then.
    pub what: Break,
}

/// Chance from a seed.
///
/// Source: splitmix64, Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// Puts the items into an order of chance.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap();
            items.swap(last, other);
        }
    }
}

/// The longest delay: with the time that a call has, some rests come before its end and some after.
const LONGEST_DELAY_MS: u64 = 400;
/// The longest pause between two bytes: with it a whole message takes about as long as a call has.
const LONGEST_PAUSE_US: u64 = 400;

/// Every kind of break at every byte of both messages, and before the first and after the last byte.
///
/// Units: the messages' lengths in bytes. Which bit is turned over and how long a delay is comes from the seed.
pub fn exhaustive(up: usize, down: usize, chance: &mut Chance) -> Vec<Plan> {
    let all = |way, length| (0..=length).map(move |at| (way, at));
    every_kind(all(Way::Up, up).chain(all(Way::Down, down)), chance)
}

/// Every kind of break at each of these bytes, in an order of chance.
pub fn every_kind(places: impl Iterator<Item = (Way, usize)>, chance: &mut Chance) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (way, at) in places {
        for kind in 0..Break::KINDS {
            plans.push(Plan { way, at, what: draw(kind, chance) });
        }
    }
    chance.shuffle(&mut plans);
    plans
}

fn draw(kind: u64, chance: &mut Chance) -> Break {
    match kind {
        0 => Break::Stop,
        1 => Break::Delay(chance.below(LONGEST_DELAY_MS)),
        2 => Break::Finish,
        3 => Break::Reset,
        4 => Break::Drip(chance.below(LONGEST_PAUSE_US)),
        _ => Break::Flip(u8::try_from(chance.below(8)).unwrap()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_breaks_the_same_bytes() {
        let plans = |seed| exhaustive(30, 20, &mut Chance::new(seed));

        assert_eq!(plans(7), plans(7));
        assert_ne!(plans(7), plans(8));
    }

    #[test]
    fn every_offset_of_both_ways_is_broken_in_every_manner() {
        let plans = exhaustive(3, 2, &mut Chance::new(1));

        assert_eq!(plans.len(), (4 + 3) * 6);
        for (way, at) in [(Way::Up, 0), (Way::Up, 3), (Way::Down, 0), (Way::Down, 2)] {
            let mut words: Vec<_> =
                plans.iter().filter(|plan| (plan.way, plan.at) == (way, at)).map(|plan| plan.what.word()).collect();
            words.sort_unstable();
            assert_eq!(words, ["delay", "drip", "finish", "flip", "reset", "stop"]);
        }
    }
}
