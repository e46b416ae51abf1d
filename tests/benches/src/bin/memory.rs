//! `memory`: bytes that a mirrored Ed25519 key takes, both sides and the map of the mirror together, for `cargo xtask bench`.
//! Asked for as `asked 100000`, which is of the allocator, or `resident 100000`, in this process.

use peak_alloc::PeakAlloc;
use swarmauri_keyproviders_benches::{Desk, Failure, House, Outcome};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let mut desk = Desk::default();
    while let Some(asked) = desk.asked()? {
        let (what, keys) = asked.split_once(' ').ok_or("of what, and for how many keys?")?;
        let keys: usize = keys.parse()?;
        let used = || if what == "asked" { Ok(MEMORY.current_usage()) } else { resident() };
        let before = used()?;
        let mut house = House::with_keys(keys).await?;
        // The list of them is ours, not the mirror's.
        house.kids = Vec::new();
        let taken = used()?.saturating_sub(before);
        #[allow(clippy::cast_precision_loss, reason = "it is far from 2^52")]
        desk.answer(&[taken as f64 / keys as f64])?;
    }
    Ok(())
}

/// As Linux tells it, in pages, which are of 4 KiB where this is measured.
fn resident() -> Outcome<usize> {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split_whitespace().nth(1).ok_or_else(|| Failure::from("no count of pages"))?;
    Ok(pages.parse::<usize>()? * PAGE)
}
