//! A small cache of compiled patterns for one thread.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::builtin::Failure;
use crate::limits;

/// At most [`limits::CACHED_PATTERNS`] entries; the oldest goes first. What it hands out is shared, never cloned: a
/// clone of a `Regex` starts with cold scratch space, which costs more than most matches.
pub(crate) struct Cache<T>(RefCell<Option<Entries<T>>>);

struct Entries<T> {
    by_key: HashMap<Rc<str>, Rc<T>>,
    order: VecDeque<Rc<str>>,
}

impl<T> Cache<T> {
    pub(crate) const fn new() -> Self {
        Cache(RefCell::new(None))
    }

    pub(crate) fn get_or_make(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<Rc<T>, Failure> {
        if key.len() > limits::MAX_PATTERN_BYTES {
            return Err(Failure::new(format!("pattern is longer than {} bytes", limits::MAX_PATTERN_BYTES)));
        }
        if let Some(found) = self.0.borrow().as_ref().and_then(|entries| entries.by_key.get(key)) {
            return Ok(Rc::clone(found));
        }
        let made = Rc::new(make()?);
        let mut slot = self.0.borrow_mut();
        let entries = slot.get_or_insert_with(|| Entries { by_key: HashMap::new(), order: VecDeque::new() });
        if entries.order.len() >= limits::CACHED_PATTERNS
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_key.remove(&oldest);
        }
        let key: Rc<str> = key.into();
        entries.order.push_back(Rc::clone(&key));
        entries.by_key.insert(key, Rc::clone(&made));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_forgets() {
        let cache = Cache::new();
        let first = cache.get_or_make("0", || Ok(0)).unwrap();
        assert!(Rc::ptr_eq(&first, &cache.get_or_make("0", || Ok(1)).unwrap()));
        for n in 1..=limits::CACHED_PATTERNS {
            cache.get_or_make(&n.to_string(), || Ok(n)).unwrap();
        }
        assert_eq!(*cache.get_or_make("0", || Ok(7)).unwrap(), 7);
        assert!(cache.get_or_make(&"x".repeat(limits::MAX_PATTERN_BYTES + 1), || Ok(0)).is_err());
    }
}
