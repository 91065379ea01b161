//! The catalogue everybody reads and one place replaces.

use std::sync::{Arc, PoisonError, RwLock};

use super::Catalogue;

/// One catalogue for the whole process. Clones are the same one: what is put in one place is read everywhere from the
/// next call on, without a restart.
#[derive(Debug, Clone)]
pub struct SharedCatalogue(Arc<RwLock<Arc<Catalogue>>>);

impl SharedCatalogue {
    /// Begins with `catalogue`.
    pub fn new(catalogue: Catalogue) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(catalogue))))
    }

    /// The catalogue as it is now; it does not change under whoever holds it.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a new one in its place.
    pub fn replace(&self, catalogue: Catalogue) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }
}

impl From<Catalogue> for SharedCatalogue {
    fn from(catalogue: Catalogue) -> Self {
        Self::new(catalogue)
    }
}
