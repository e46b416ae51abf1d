//! Writes inputs to begin fuzzing with, all of them in the right form, into a folder for each target:
//! `cargo run --example seeds -- FOLDER`. All keys are of RFCs, or made of constants.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is wrong here fails at once")]

mod keys;
mod records;
mod texts;

use std::fs;
use std::path::Path;

/// The target, a name for the input, and the input.
type Seed = (&'static str, String, Vec<u8>);

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/fuzz/seeds".to_owned());
    for (target, name, input) in [keys::seeds(), records::seeds(), texts::seeds()].concat() {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), input).unwrap();
    }
}

/// Names seeds of one target.
fn named(target: &'static str, name: &str, input: impl AsRef<[u8]>) -> Seed {
    (target, name.to_owned(), input.as_ref().to_vec())
}
