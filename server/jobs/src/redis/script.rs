//! The Lua scripts. All keys share one hash tag; the first key routes the call in a cluster and names the prefix.

use fred::types::scripts::Script;

/// The scripts, hashed once.
pub(crate) struct Scripts {
    pub(crate) push: Script,
    pub(crate) claim: Script,
    pub(crate) hold: Script,
    pub(crate) release: Script,
    pub(crate) clear: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            push: Script::from_lua(include_str!("lua/push.lua")),
            claim: Script::from_lua(include_str!("lua/claim.lua")),
            hold: Script::from_lua(include_str!("lua/hold.lua")),
            release: Script::from_lua(include_str!("lua/release.lua")),
            clear: Script::from_lua(include_str!("lua/clear.lua")),
        }
    }
}
