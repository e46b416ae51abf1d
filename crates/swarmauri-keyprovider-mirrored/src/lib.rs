//! A key provider that mirrors a primary to a secondary and keeps answering reads when the primary is gone.
