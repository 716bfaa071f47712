//! What has been replaced and is still there: it is recorded until it is destroyed.

use std::collections::BTreeMap;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use isobar_sdk::Address;

use super::{Instance, State};

/// Tells apart what was deposed at one address; eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeposedKey(u32);

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for DeposedKey {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

/// Deposed objects by where they stood.
pub type Deposed<T> = BTreeMap<(Address, DeposedKey), T>;

impl State {
    /// The key of what is deposed next at an address: none that is in use, so that nothing that
    /// is still there is lost from sight.
    #[must_use]
    pub fn next_deposed(&self, address: &Address) -> DeposedKey {
        let taken = self.deposed.keys().filter(|(at, _)| at == address);
        let last = taken.map(|(_, key)| key.0).max();
        DeposedKey(last.unwrap_or(0).saturating_add(1))
    }

    /// Makes room for what replaces an instance.
    pub(super) fn depose(&mut self, address: Address, key: DeposedKey) {
        if let Some(instance) = self.instances.remove(&address) {
            self.deposed.insert((address, key), instance);
        }
    }

    /// Takes what was deposed at an address out.
    pub(super) fn take_deposed(&mut self, from: &Address) -> Vec<(DeposedKey, Instance)> {
        let here = self.deposed.keys().filter(|(at, _)| at == from);
        let here: Vec<(Address, DeposedKey)> = here.cloned().collect();
        here.into_iter()
            .filter_map(|at| Some((at.1, self.deposed.remove(&at)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::{Address, Known};

    use crate::state::{Instance, Life, Record, State, Status};

    #[test]
    fn what_is_deposed_keeps_a_key_of_its_own() {
        let address: Address = "isobar_data.a".parse().unwrap();
        let mut state = State::new("l".to_owned());
        for _ in 0..2 {
            let instance = Instance {
                provider: "data".to_owned(),
                schema_version: 0,
                attributes: Known::empty(),
                dependencies: Vec::new(),
                status: Status::Ready,
                life: Life::default(),
            };
            state.instances.insert(address.clone(), instance);
            state.fold(Record::Deposed {
                address: address.clone(),
                key: state.next_deposed(&address),
            });
        }
        let keys: Vec<String> = state.deposed.keys().map(|(_, k)| k.to_string()).collect();
        assert_eq!(keys, ["00000001", "00000002"]);
        let key = keys[0].parse().unwrap();
        state.fold(Record::Discarded {
            address: address.clone(),
            key,
        });
        assert_eq!(state.next_deposed(&address).to_string(), "00000003");
    }
}
