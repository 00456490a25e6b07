//! What was measured, and what it comes to: medians with their spread.

use std::fmt;
use std::time::Duration;

/// One figure's measurements, in order.
#[derive(Debug, Clone)]
pub struct Sample(Vec<f64>);

/// Ours and its floor, measured in turn.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The floor.
    pub floor: Sample,
    /// Ours.
    pub ours: Sample,
}

impl Sample {
    /// Of durations, in microseconds.
    pub fn of(all: impl IntoIterator<Item = Duration>) -> Self {
        Self::of_numbers(all.into_iter().map(|one| one.as_secs_f64() * 1e6))
    }

    /// Of numbers.
    pub fn of_numbers(all: impl IntoIterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = all.into_iter().collect();
        all.sort_by(f64::total_cmp);
        Self(all)
    }

    /// The value below which this share of the measurements is.
    pub fn quantile(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The median with the middle nine tenths, in words.
    pub fn spread(&self, unit: &str) -> String {
        let [low, middle, high] = [0.05, 0.5, 0.95].map(|share| shown(self.quantile(share)));
        format!("{middle} {unit} ({low}–{high})")
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self.median() {
            slow if slow >= 10_000.0 => Self(self.0.iter().map(|one| one / 1000.0).collect()).spread("ms"),
            _ => self.spread("us"),
        })
    }
}

impl Pair {
    /// Measures both so many times, the floor before ours.
    pub fn in_turn(rounds: usize, mut floor: impl FnMut() -> Duration, mut ours: impl FnMut() -> Duration) -> Self {
        let (floors, all): (Vec<_>, Vec<_>) = (0..rounds).map(|_| (floor(), ours())).unzip();
        Self { floor: Sample::of(floors), ours: Sample::of(all) }
    }

    /// How many times the floor ours is.
    pub fn ratio(&self) -> f64 {
        self.ours.median() / self.floor.median()
    }

    /// What ours adds at this quantile, in microseconds.
    pub fn added(&self, share: f64) -> f64 {
        self.ours.quantile(share) - self.floor.quantile(share)
    }
}

/// A number with as many digits as it is worth.
pub fn shown(number: f64) -> String {
    match number.abs() {
        small if small < 10.0 => format!("{number:.2}"),
        medium if medium < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
