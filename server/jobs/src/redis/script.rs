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

#[cfg(test)]
mod tests {
    const SCRIPTS: [(&str, &str); 7] = [
        ("push", include_str!("lua/push.lua")),
        ("withdraw", include_str!("lua/withdraw.lua")),
        ("claim", include_str!("lua/claim.lua")),
        ("hold", include_str!("lua/hold.lua")),
        ("release", include_str!("lua/release.lua")),
        ("clear", include_str!("lua/clear.lua")),
        ("block", include_str!("lua/block.lua")),
    ];
    /// Their cost does not grow with what waits, and they never block; ranges are looked at more closely.
    const FLAT: [&str; 12] = [
        "EXISTS",
        "GET",
        "PEXPIRE",
        "PUBLISH",
        "SET",
        "TIME",
        "UNLINK",
        "ZADD",
        "ZCARD",
        "ZREM",
        "ZREMRANGEBYSCORE",
        "ZSCORE",
    ];

    /// A script that takes everything that is due fails on the day there are too many, and holds up all others before.
    #[test]
    fn no_script_takes_more_than_it_says() {
        for (name, lua) in SCRIPTS {
            assert!(!lua.contains("unpack"), "{name} passes on as many values as there are");
            for call in lua.split("redis.call('").skip(1) {
                let (command, rest) = call.split_once('\'').unwrap_or_default();
                let line = rest.lines().next().unwrap_or_default();
                match command {
                    "ZRANGEBYSCORE" => assert!(line.contains("'LIMIT', 0, 100"), "{name}: {command}{line}"),
                    "ZRANGE" => assert!(!line.contains(", -1"), "{name}: {command}{line}"),
                    _ => assert!(FLAT.contains(&command), "{name}: {command}"),
                }
            }
        }
    }
}
