//! Where measurements are asked for: a name on each line that comes in, figures on each line that goes out.

use std::io::{self, BufRead, Write};

use crate::{Failure, Outcome};

/// The standard streams. Figures are numbers in one line; what they count is the asker's business, and is mostly nanoseconds for
/// one operation.
#[derive(Debug, Default)]
pub struct Desk(());

impl Desk {
    /// What is to be measured next; `None` at the end.
    pub fn asked(&mut self) -> Outcome<Option<String>> {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }

    /// Gives the figures of what was asked for.
    pub fn answer(&mut self, figures: &[f64]) -> Outcome {
        let figures: Vec<_> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "{}", figures.join(" "))?;
        Ok(out.flush()?)
    }

    /// What a row says to a name that it does not know.
    pub fn unknown<T>(name: &str) -> Outcome<T> {
        Err(Failure::from(format!("this row has no measurement {name:?}")))
    }
}
