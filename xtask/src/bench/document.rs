//! `docs/benchmarks.md`.

use std::fmt::Write;

use super::figures::{Figures, Measured, ratio, time};
use super::pictures;
use super::sides::Side;
use super::steps::{Row, STEPS};

const BEGINNING: &str = "\
# Benchmarks

Ours against the released Python packages (`swarmauri_keyproviders_mirrored` 0.11.0.dev1, `swarmauri_keyprovider_local` 0.2.0),
against our own bare provider, and against the least that the machine could do: the same work, on one machine, in one run. This
page is what

```sh
cargo xtask bench   # --rows a,b for some rows, --quick for few rounds; those go to target/bench
```

writes. It builds our programs with thin link-time optimisation (the profile `measured`), installs the packages that
`tests/benches/requirements.txt` pins into a virtual environment below `target/bench`, and measures both sides in turns. Python
runs in one event loop, ours on a tokio runtime with one thread, the writers of durable creates apart, who have one for each core;
both are warm, and timed inside of the process.

A figure is the median of all rounds, the ratio that of the medians, the spread the smallest and largest ratio of the medians of
one round. In each round a figure is measured 45 times, in batches of half a millisecond, or in fewer if one operation takes
longer. Ratios are what to go by: figures are those of one machine on one day. Keys are Ed25519 keys, and there are 1,000 of
them, unless the row says otherwise; mirrors are over two local providers, in mode `public_only`. For rows of time, *faster* is
how many times the time of ours theirs is, and any other ratio how many times the time of theirs ours is.

";

const LIMITS: &str = "
## What stands in the way where a target is not met, or met by little

`cargo xtask instructions` counts what a call takes, and `callgrind_annotate` shows where it goes; here for three of them, put
together by what it is for:

| instructions | `get_key` | `get_public_jwk` | fail-over |
| --- | --- | --- | --- |
| the allocator: a future of the mirror, one of the side, and for a JWK its `kid` | 258 | 387 | 258 |
| the side: hash, table, reference | 303 | 241 | 314 |
| the JWK itself, and moving it | – | 315 | – |
| the record of the key: hash, table, reference | – | – | 188 |
| the clock: whether the breaker lets a probe through | – | – | 118 |
| all else of the mirror: breaker, deadline, marks, checks, moves | 184 | 165 | 451 |
| the loop that measures | 76 | 110 | 76 |

* **A read through the mirror, against a local one.** Both sides of the call cost a boxed future: the trait is object-safe. Of the
  instructions that the mirror adds to a local read a third are the allocator's, for its own future; the rest is the mark of the
  `kid` among those of tombstones, two looks at it, and what the breaker and the deadline want to know. There is no lock and no clock
  in it. What was tried and stayed: marks without a lock, a future by hand, a first poll that keeps nothing. What was tried and
  gained nothing: to hand the answer on without moving it. Against Python, a read of the local provider alone, without any mirror, is
  about nine times faster: the rows above have both.
* **A fail-over read, against a direct one.** Beside its own future, it looks the record up, holds on to it, reads the clock to see
  whether the breaker lets a probe through, and compares the answer with what was checked before. The direct read is one lookup in a
  table; the clock and the record alone take as long.
* **`get_public_jwk`.** The answer is an owned `Jwk`: its `kid` and two futures are allocated, and it is moved from one to the other.
  The target is about what one lookup in a local table takes behind one future. By hand, as a read of a key, it takes half of the
  instructions that it took; a `Jwk` that is shared would take the text, and leave the futures.
* **RSA-3072.** All of the time is AWS-LC's search for primes: by `perf record` 65% are squarings and multiplications of its
  primality tests, and 25% a trial division in constant time (`bn_mod_u16_consttime`), which OpenSSL, beneath the Python package,
  does not make so. Ours adds no validation of its own; ring makes no RSA keys.
* **Two threads.** A JWKS is one document that all readers share: the reference to that of each side is counted when it is taken and
  when it is dropped, and the cores hand the count to each other. So it is with a key that both read at once, which the row below
  shows. Nothing else is written to by reads; locks are sharded.
";

/// All of it.
pub(crate) fn of(machine: &str, figures: &Figures, series: &str) -> String {
    let mut page = BEGINNING.to_owned();
    page += "| machine | |\n| --- | --- |\n";
    page += machine;
    page += "\n## Targets\n\n";
    page += &table(figures);
    page += "\n## By the number of keys\n\n";
    page += &by_number_of_keys(figures);
    page += &outage(series);
    page += LIMITS;
    page
}

fn table(figures: &Figures) -> String {
    let mut table = "| work | ours | against | theirs | ratio | spread | target | met |\n".to_owned();
    table += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for step in STEPS {
        for row in step.rows {
            let measured = Measured::of(step, row, figures);
            table += &measured.map_or_else(|| not_measured(row), |measured| line(&measured));
        }
    }
    table
}

fn not_measured(row: &Row) -> String {
    format!("| {} | not measured | {} | | | | {} | |\n", row.work, row.against, row.target.in_words())
}

fn line(measured: &Measured) -> String {
    let Measured { row, ours, theirs, ratio: times, spread: (least, most) } = measured;
    let met = match measured.is_met() {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    };
    format!(
        "| {} | {} | {} | {} | {} | {} – {} | {} | {met} |\n",
        row.work,
        row.unit.show(*ours),
        row.against,
        row.unit.show(*theirs),
        ratio(*times),
        ratio(*least),
        ratio(*most),
        row.target.in_words(),
    )
}

/// Steps that are asked for by a number of keys; who measured; and whether a figure is for each of them.
const BY_KEYS: &[(&str, &str, Side, bool)] = &[
    ("get-key", "mirrored `get_key`", Side::Ours, false),
    ("get-key", "the same, Python", Side::Python, false),
    ("jwks", "mirrored `jwks`, unchanged", Side::Ours, false),
    ("jwks", "the same, Python", Side::Python, false),
    ("file-open", "open of a file provider", Side::Ours, true),
];

fn by_number_of_keys(figures: &Figures) -> String {
    let mut table = "| keys | 100 | 1,000 | 10,000 | 100,000 |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for (step, what, side, for_each_key) in BY_KEYS {
        let cells = pictures::NUMBERS_OF_KEYS.map(|(keys, asked)| {
            let figure = figures.median(step, *side, asked);
            figure.map_or_else(
                || "–".to_owned(),
                |figure| time(if *for_each_key { figure * keys } else { figure }),
            )
        });
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    }
    table + &format!("\n![Cost against the number of keys]({})\n", pictures::BY_KEYS)
}

fn outage(series: &str) -> String {
    if series.is_empty() {
        return String::new();
    }
    format!(
        "\n## Before, during and after an outage\n\n\
         Eight readers read one key of a mirror, whose deadline for reads is 100 ms, again and again, while `maintain` runs. The\n\
         primary hangs from half a second on, and answers again a second later: `tests/benches/src/bin/outage_series.rs`. Reads that\n\
         begin before the breaker opens wait for their deadline, which is the one high dot, and the gap after it; those that follow\n\
         go straight to the secondary. The primary is in use again when the wait of the breaker is over, and it answers a probe.\n\
         [outage.md](outage.md) has more of that.\n\n\
         ![Latency of reads around an outage]({})\n",
        pictures::OUTAGE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_the_table_measured_or_not() {
        let page = of("", &Figures::default(), "");
        let rows: usize = STEPS.iter().map(|step| step.rows.len()).sum();
        assert_eq!(page.lines().filter(|line| line.contains("| not measured |")).count(), rows);
        let mut figures = Figures::default();
        figures.add("cbor", Side::Ours, "ours", vec![1.0]);
        figures.add("cbor", Side::Ours, "ciborium", vec![2.0]);
        let page = of("", &figures, "");
        assert!(
            page.contains("| 1.00 ns | `ciborium::into_writer` of the same | 2.00 ns | 0.50× |"),
            "{page}"
        );
    }
}
