//! Figures, and what is made of them: medians, ratios, spread.

use std::collections::BTreeMap;

use super::sides::Side;
use super::steps::{Row, Step, Target, Theirs};

/// For each step, side and name the figures of every round.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rounds: BTreeMap<(String, Side, String), Vec<Vec<f64>>>,
}

impl Figures {
    pub(crate) fn add(&mut self, step: &str, side: Side, asked: &str, round: Vec<f64>) {
        self.rounds.entry((step.to_owned(), side, asked.to_owned())).or_default().push(round);
    }

    /// The median of all figures of all rounds.
    pub(crate) fn median(&self, step: &str, side: Side, asked: &str) -> Option<f64> {
        median(&self.of(step, side, asked)?.concat())
    }

    fn of(&self, step: &str, side: Side, asked: &str) -> Option<&Vec<Vec<f64>>> {
        self.rounds.get(&(step.to_owned(), side, asked.to_owned()))
    }
}

/// A row with its figures.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) row: &'a Row,
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    /// As the row's target reads it.
    pub(crate) ratio: f64,
    /// Of the medians of single rounds.
    pub(crate) spread: (f64, f64),
}

impl<'a> Measured<'a> {
    /// `None` if a figure is missing.
    pub(crate) fn of(step: &Step, row: &'a Row, figures: &Figures) -> Option<Self> {
        let (side, asked) = match row.theirs {
            Theirs::Ours(asked) => (Side::Ours, asked),
            Theirs::Python(asked) => (Side::Python, asked),
        };
        let ours = figures.median(step.name, Side::Ours, row.ours)?;
        let theirs = figures.median(step.name, side, asked)?;
        let rounds =
            figures.of(step.name, Side::Ours, row.ours)?.iter().zip(figures.of(step.name, side, asked)?);
        let ratios: Vec<_> = rounds
            .filter_map(|(ours, theirs)| Some(row.target.ratio(median(ours)?, median(theirs)?)))
            .collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        Some(Self { row, ours, theirs, ratio: row.target.ratio(ours, theirs), spread: (least, most) })
    }

    /// Whether the target is met, if there is one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        match self.row.target {
            Target::Faster(times) => Some(self.ratio >= times),
            Target::AtMost(times) => Some(self.ratio <= times),
            Target::Under(bytes) => Some(self.ours < bytes),
            Target::Told => None,
        }
    }

    pub(crate) fn in_words(&self) -> String {
        let met = match self.is_met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "told",
        };
        format!(
            "{}: {} against {} ({}): {}, from {} to {}; {}: {met}",
            self.row.work,
            self.row.unit.show(self.ours),
            self.row.unit.show(self.theirs),
            self.row.against,
            ratio(self.ratio),
            ratio(self.spread.0),
            ratio(self.spread.1),
            self.row.target.in_words(),
        )
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Nanoseconds for one operation.
    Time,
    /// Bytes for one key.
    Bytes,
}

impl Unit {
    pub(crate) fn show(self, figure: f64) -> String {
        match self {
            Self::Bytes => format!("{figure:.0} bytes"),
            Self::Time => time(figure),
        }
    }
}

/// A time in the unit that makes it short.
pub(crate) fn time(nanoseconds: f64) -> String {
    for (size, unit) in [(1e9, "s"), (1e6, "ms"), (1e3, "µs")] {
        // What would be rounded up to a thousand is one of the next unit.
        if nanoseconds >= 0.9995 * size {
            return format!("{} {unit}", three_digits(nanoseconds / size));
        }
    }
    format!("{} ns", three_digits(nanoseconds))
}

/// A ratio, as in `1.25×` and `12,000×`.
pub(crate) fn ratio(times: f64) -> String {
    if times < 1000.0 {
        return format!("{}×", three_digits(times));
    }
    let digits = format!("{times:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}×")
}

fn three_digits(number: f64) -> String {
    match number {
        large if large >= 100.0 => format!("{large:.0}"),
        middle if middle >= 10.0 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

/// The middle one, or what lies between the two middle ones.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        return Some(f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?));
    }
    sorted.get(middle).copied()
}

#[cfg(test)]
mod tests {
    use super::super::steps::STEPS;
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn figures_are_shown_in_three_digits() {
        assert_eq!(time(12.34), "12.3 ns");
        assert_eq!(time(1234.0), "1.23 µs");
        assert_eq!(time(350e6), "350 ms");
        assert_eq!(time(999.9e6), "1.00 s");
        assert_eq!(ratio(1.304), "1.30×");
        assert_eq!(ratio(123_456.7), "123,457×");
        assert_eq!(ratio(1234.0), "1,234×");
    }

    #[test]
    fn a_row_is_met_by_the_median_and_has_the_spread_of_its_rounds() {
        let step = STEPS.iter().find(|step| step.name == "fail-over").unwrap();
        let row = &step.rows[0];
        let mut figures = Figures::default();
        assert!(Measured::of(step, row, &figures).is_none());
        for (ours, theirs) in [(10.0, 10.0), (12.0, 10.0), (20.0, 10.0)] {
            figures.add(step.name, Side::Ours, "ours", vec![ours, ours, 1000.0]);
            figures.add(step.name, Side::Ours, "direct", vec![theirs]);
        }
        let measured = Measured::of(step, row, &figures).unwrap();
        assert_eq!((measured.ours, measured.theirs), (20.0, 10.0));
        assert_eq!(measured.spread, (1.0, 2.0));
        assert_eq!(measured.is_met(), Some(false));
    }
}
