//! The Lua scripts. All keys share one hash tag; the first key routes the call in a cluster and names the prefix.

use fred::types::scripts::Script;

/// The scripts, hashed once.
pub(crate) struct Scripts {
    pub(crate) push: Script,
    pub(crate) withdraw: Script,
    pub(crate) claim: Script,
    pub(crate) hold: Script,
    pub(crate) release: Script,
    pub(crate) clear: Script,
    pub(crate) block: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self::read(|lua| Script::from_lua(lua))
    }

    /// The same with a clock that a test turns: the key `now`, in microseconds.
    #[cfg(test)]
    pub(crate) fn with_clock() -> Self {
        let clock = "(function() local us = redis.call('GET', prefix .. 'now') \
                     return { math.floor(us / 1000000), us % 1000000 } end)()";
        Self::read(|lua| Script::from_lua(lua.replace("redis.call('TIME')", clock)))
    }

    fn read(script: impl Fn(&str) -> Script) -> Self {
        Self {
            push: script(include_str!("lua/push.lua")),
            withdraw: script(include_str!("lua/withdraw.lua")),
            claim: script(include_str!("lua/claim.lua")),
            hold: script(include_str!("lua/hold.lua")),
            release: script(include_str!("lua/release.lua")),
            clear: script(include_str!("lua/clear.lua")),
            block: script(include_str!("lua/block.lua")),
        }
    }
}
