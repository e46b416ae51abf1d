//! `memory`: bytes that a mirrored Ed25519 key takes, both sides and the map of the mirror together, for `cargo xtask bench`. As
//! asked of the allocator; it says for how many keys that is.

use peak_alloc::PeakAlloc;
use swarmauri_keyproviders_benches::{Desk, House, Outcome};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let mut desk = Desk::default();
    while let Some(asked) = desk.next()? {
        let keys: usize = asked.parse()?;
        let before = MEMORY.current_usage();
        let mut house = House::with_keys(keys).await?;
        // The list of them is ours, not the mirror's.
        let named = house.kids.len();
        house.kids = Vec::new();
        let taken = MEMORY.current_usage() - before;
        assert_eq!(named, keys);
        #[allow(clippy::cast_precision_loss, reason = "it is far from 2^52")]
        desk.answer(&[taken as f64 / keys as f64])?;
    }
    Ok(())
}
