//! A state that is read while something else is done.

use std::sync::mpsc::{Receiver, sync_channel};

use super::{LocalStore, State, StoreError, is_sealed};
use crate::language::text;

/// Less than this is read sooner than another thread has begun.
const LITTLE: u64 = 32 << 10;

/// The state of a store on this machine on its way, as it was last written.
///
/// It is begun before it is known whether states are encrypted, as the configuration says that; so
/// one that is sealed, or with which anything else is wrong, is left to [`LocalStore::read`].
#[derive(Debug)]
pub struct Ahead(Receiver<Option<State>>);

impl Ahead {
    /// Begins to read; `None` where that is not worth it.
    #[must_use]
    pub fn begin(store: &LocalStore) -> Option<Self> {
        let found = std::fs::metadata(store.path()).ok()?;
        if !found.is_file() || found.len() < LITTLE {
            return None;
        }
        let (sender, receiver) = sync_channel(1);
        let store = store.clone();
        rayon::spawn(move || {
            // Nobody waits for it if the configuration cannot be used.
            let _unwanted = sender.send(plain(&store));
        });
        Some(Self(receiver))
    }

    /// What [`LocalStore::read`] gives for this store, from what was read already.
    ///
    /// # Errors
    /// As there.
    pub fn finish(self, store: &LocalStore) -> Result<Option<State>, StoreError> {
        let read = self.0.recv().ok().flatten();
        match read.filter(|_| !store.is_sealed()) {
            Some(state) => store.folded(state).map(Some),
            None => store.read(),
        }
    }
}

/// The state of a store, if it is there and nothing is wrong with it.
fn plain(store: &LocalStore) -> Option<State> {
    let text = text::text_of(store.bytes().ok()??).ok()?;
    match is_sealed(&text) {
        true => None,
        false => super::from_json(&text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, LITTLE};
    use crate::state::{LocalStore, Record, State, StoreError};

    #[test]
    fn what_is_read_ahead_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(folder.path());
        assert!(Ahead::begin(&store).is_none());
        let mut state = State::new("l".to_owned());
        let demand = |number: u64| (format!("demand{number:09}"), 1.0);
        state.demands = (0..LITTLE / 10).map(demand).collect();
        store.write(&state).unwrap();
        std::fs::create_dir(folder.path().join(".isobar")).unwrap();
        let ahead = Ahead::begin(&store).unwrap();
        let mut journal = store.begin(&state).unwrap();
        let record = Record::Intent {
            address: "isobar_data.a".parse().unwrap(),
            key: isobar_sdk::provider::IdempotencyKey::new("k"),
        };
        journal.append(std::slice::from_ref(&record)).unwrap();
        state.fold(record);
        assert_eq!(ahead.finish(&store).unwrap().unwrap(), state);

        let text = std::fs::read_to_string(store.path()).unwrap();
        std::fs::write(store.path(), text.replacen("1.0", "2.0", 1)).unwrap();
        let ahead = Ahead::begin(&store).unwrap();
        let refused = ahead.finish(&store);
        assert!(matches!(refused, Err(StoreError::Format { .. })));
    }
}
