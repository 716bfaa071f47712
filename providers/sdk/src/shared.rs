//! Texts that stand in many places and are kept once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Address;

/// The texts seen so far. What is shared takes less memory, and is found to be equal at once.
#[derive(Debug, Default)]
pub struct Shared {
    /// The one that was asked for last, which is mostly asked for next.
    last: Option<Arc<str>>,
    texts: BTreeSet<Arc<str>>,
}

impl Shared {
    /// Puts the one that was seen first in the place of a text.
    pub fn share(&mut self, text: &mut Arc<str>) {
        if let Some(last) = self.last.as_ref().filter(|last| last == &text) {
            *text = Arc::clone(last);
            return;
        }
        match self.texts.get(&**text) {
            Some(known) => *text = Arc::clone(known),
            None => {
                self.texts.insert(Arc::clone(text));
            }
        }
        self.last = Some(Arc::clone(text));
    }

    /// Shares the type in an address.
    pub fn share_kind(&mut self, address: &mut Address) {
        self.share(&mut address.kind);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Shared;

    #[test]
    fn equal_texts_become_one() {
        let mut shared = Shared::default();
        let mut texts: Vec<Arc<str>> = ["a", "a", "b", "a", "b"].map(Arc::from).to_vec();
        texts.iter_mut().for_each(|text| shared.share(text));
        assert_eq!(texts.concat(), "aabab");
        assert!(Arc::ptr_eq(&texts[0], &texts[1]) && Arc::ptr_eq(&texts[0], &texts[3]));
        assert!(Arc::ptr_eq(&texts[2], &texts[4]) && !Arc::ptr_eq(&texts[0], &texts[2]));
    }
}
