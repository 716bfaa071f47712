//! The protocol on a place in memory that fails in every way a place can fail.

#[expect(unreachable_pub, reason = "it is shared by tests")]
mod suite;

use std::sync::Arc;

use isobar_stores::Memory;

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_memory_does_what_is_asked() {
    suite::all(&|_| Arc::new(Memory::default()), 50, 40).await;
}
