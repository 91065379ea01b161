//! Streams of events that are open. One is a single request, however long it lasts and however much it is told: so each caller
//! has a few at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::problem::{Code, Problem};

/// Streams that a caller may have open at one process.
pub const STREAMS_MAX: usize = 10;
/// Whoever has as many is told to come back after so long: nobody knows when one of them ends.
const RETRY_AFTER_SECS: u64 = 15;

/// Open streams by caller.
type Open = Arc<Mutex<HashMap<Uuid, usize>>>;

/// Who has how many streams open.
#[derive(Default)]
pub struct Streams(Open);

impl Streams {
    /// Counts a stream for as long as what this answers is kept.
    ///
    /// # Errors
    /// Too many are open.
    pub fn open(&self, caller: Uuid) -> Result<OpenStream, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(caller).or_default();
        if *count >= STREAMS_MAX {
            return Err(Problem::new(Code::TooManyStreams).after(RETRY_AFTER_SECS));
        }
        *count += 1;
        Ok(OpenStream { open: self.0.clone(), caller })
    }
}

/// A stream that is counted.
pub struct OpenStream {
    open: Open,
    caller: Uuid,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_caller_has_so_many_streams_and_others_have_their_own() {
        let streams = Streams::default();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut open: Vec<OpenStream> = (0..STREAMS_MAX).map(|_| streams.open(one).unwrap()).collect();
        assert_eq!(streams.open(one).err().unwrap().code(), Code::TooManyStreams);
        assert!(streams.open(two).is_ok());
        open.pop();
        assert!(streams.open(one).is_ok(), "one that ended makes room");
        drop(open);
        assert!(streams.0.lock().unwrap().is_empty(), "nobody is remembered who has none");
    }
}
