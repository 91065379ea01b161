//! Views of loaded data whose signals live as long as they are shown.

use leptos::{prelude::*, tachys::reactive_graph::OwnedView};

/// A `<Transition>` goes on showing what it loaded before while it loads anew, but the signals made inside its `Suspend`
/// end when loading begins: whatever then changes on the old view would read a signal that is gone. Views built here own
/// their signals and end together with them.
#[derive(Clone)]
pub struct Lasting(Owner);

impl Lasting {
    /// For views below the component that is being built.
    pub fn here() -> Self {
        Self(Owner::current().unwrap_or_default())
    }

    /// Builds a view that owns its signals.
    pub fn view(&self, build: impl FnOnce() -> AnyView) -> AnyView {
        let owner = self.0.child();
        let view = owner.with(build);
        OwnedView::new_with_owner(view, owner).into_any()
    }
}
