//! What is drawn: cost against number of keys, and latency around an outage.

use super::figures::Figures;
use super::sides::Side;
use super::svg::{Axis, Chart, Series};

pub(crate) const BY_KEYS: &str = "cost-by-keys.svg";
pub(crate) const OUTAGE: &str = "outage.svg";

/// Numbers of keys, and how figures are asked for by them.
pub(crate) const NUMBERS_OF_KEYS: [(f64, &str); 4] =
    [(1e2, "100"), (1e3, "1000"), (1e4, "10000"), (1e5, "100000")];

const TIMES: &[(f64, &str)] = &[
    (1e1, "10 ns"),
    (1e2, "100 ns"),
    (1e3, "1 µs"),
    (1e4, "10 µs"),
    (1e5, "100 µs"),
    (1e6, "1 ms"),
    (1e7, "10 ms"),
    (1e8, "100 ms"),
    (1e9, "1 s"),
];

/// Names and contents of the pictures that there are figures for.
pub(crate) fn draw(figures: &Figures, series: &str) -> Vec<(&'static str, String)> {
    let mut pictures = Vec::new();
    if figures.median("jwks", Side::Ours, "100").is_some() {
        pictures.push((BY_KEYS, by_keys(figures).draw()));
    }
    if !series.is_empty() {
        pictures.push((OUTAGE, outage(series).draw()));
    }
    pictures
}

fn by_keys(figures: &Figures) -> Chart {
    let of = |step: &str, side| -> Vec<_> {
        let points =
            NUMBERS_OF_KEYS.iter().map(|(keys, asked)| Some((*keys, figures.median(step, side, asked)?)));
        points.flatten().collect()
    };
    Chart {
        title: "Time of one call of a mirror, by the number of keys",
        x: Axis {
            label: "keys",
            logarithmic: true,
            range: (1e2, 1e5),
            ticks: vec![(1e2, "100"), (1e3, "1,000"), (1e4, "10,000"), (1e5, "100,000")],
        },
        y: Axis { label: "time", logarithmic: true, range: (1e1, 1e9), ticks: TIMES.to_vec() },
        series: vec![
            Series::line("jwks, Python", "d", of("jwks", Side::Python)),
            Series::line("get_key, Python", "c", of("get-key", Side::Python)),
            Series::line("jwks, ours", "b", of("jwks", Side::Ours)),
            Series::line("get_key, ours", "a", of("get-key", Side::Ours)),
        ],
        marks: Vec::new(),
    }
}

/// From the lines that `outage_series` prints.
fn outage(series: &str) -> Chart {
    let (mut medians, mut longest, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for line in series.lines() {
        if let Some((at, what)) = line.strip_prefix("# ").and_then(|mark| mark.split_once(' ')) {
            marks.extend(at.parse().ok().map(|at| (at, what.to_owned())));
            continue;
        }
        let numbers: Vec<f64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
        if let [at, _, median, most] = numbers.as_slice() {
            medians.push((*at, *median));
            longest.push((*at, *most));
        }
    }
    Chart {
        title: "Time of public reads of a mirror around an outage of its primary",
        x: Axis {
            label: "seconds; each dot is a window of 10 ms",
            logarithmic: false,
            range: (0.0, 3000.0),
            ticks: vec![
                (0.0, "0"),
                (500.0, "0.5"),
                (1000.0, "1"),
                (1500.0, "1.5"),
                (2000.0, "2"),
                (2500.0, "2.5"),
                (3000.0, "3"),
            ],
        },
        y: Axis {
            label: "time",
            logarithmic: true,
            range: (1e2, 1e9),
            ticks: TIMES.iter().skip(1).copied().collect(),
        },
        series: vec![
            Series::dots("longest in the window", "d", longest),
            Series::dots("median", "a", medians),
        ],
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_drawn_with_its_marks() {
        let chart = outage("# 500 the primary hangs\n0 8 700 900\n500 8 100000000 101000000\n");
        assert_eq!(chart.marks, [(500.0, "the primary hangs".to_owned())]);
        let drawn = chart.draw();
        assert!(drawn.starts_with("<svg ") && drawn.contains("the primary hangs"), "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 4 + 2, "two windows twice, and the legend");
    }

    #[test]
    fn nothing_is_drawn_without_figures() {
        assert!(draw(&Figures::default(), "").is_empty());
    }
}
