//! `rounds ROW`: measures what it is asked to on its standard input, for `cargo xtask bench`.

use swarmauri_keyproviders_benches::{Desk, Outcome, rows};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let row = std::env::args().nth(1).unwrap_or_default();
    rows::run(&row, &mut Desk::default()).await
}
