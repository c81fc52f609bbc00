//! Texts, each kept once: a type is described in every object that uses it.

use std::collections::HashMap;
use std::sync::Arc;

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct Pool {
    numbers: HashMap<Arc<str>, Text>,
    texts: Vec<Arc<str>>,
}

/// A text of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Text(u32);

impl Pool {
    pub(super) fn add(&mut self, text: &str) -> Text {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let number = Text(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = text.into();
        self.numbers.insert(Arc::clone(&text), number);
        self.texts.push(text);
        number
    }

    pub(super) fn find(&self, text: &str) -> Option<Text> {
        self.numbers.get(text).copied()
    }

    pub(super) fn get(&self, text: Text) -> &str {
        self.texts.get(text.0 as usize).map_or("", |text| text)
    }
}
