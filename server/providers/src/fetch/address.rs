//! Which addresses may be connected to: the open internet, and this machine only where that was asked for.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether a connection to `address` may be made.
pub(super) fn is_allowed(address: IpAddr, allow_loopback: bool) -> bool {
    // An IPv4 address in IPv6 clothes is judged as what it is, and refused unless it is this machine's.
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() => allow_loopback,
        IpAddr::V4(v4) => address.is_ipv4() && is_public_v4(v4),
        IpAddr::V6(v6) if v6.is_loopback() => allow_loopback,
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || address.is_private()
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT
        || address.is_loopback()
        || address.is_link_local()
        || (a == 192 && b == 0 && (c == 0 || c == 2)) // protocol assignments, documentation
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || address.is_documentation()
        || a >= 224; // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only global unicast space is handed out; of it, translations to IPv4 and documentation are left out.
    (first & 0xE000) == 0x2000
        && first != 0x2002 // 6to4
        && !(first == 0x2001 && second < 0x0200) // Teredo, ORCHID, benchmarks
        && !(first == 0x2001 && second == 0x0DB8)
        && (first, second & 0xF000) != (0x3FFF, 0)
}

/// Resolves names and keeps only addresses that may be connected to. The connection is made to what this returns, so
/// a name cannot mean one address when it is checked and another when it is used.
pub(super) struct GuardedResolver {
    pub(super) allow_loopback: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| is_allowed(address.ip(), allow_loopback)).collect();
            if allowed.is_empty() {
                let reason = format!("{} has no address in the open internet", name.as_str());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn inner_networks_are_out_of_reach() {
        let closed = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
        ];
        for address in closed {
            assert!(!is_allowed(address.parse().unwrap(), false), "{address}");
        }
        for address in ["8.8.8.8", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_allowed(address.parse().unwrap(), false), "{address}");
        }
    }

    #[test]
    fn the_simulators_flag_opens_this_machine_and_nothing_else() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(is_allowed(address.parse().unwrap(), true), "{address}");
        }
        for address in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "fe80::1", "::ffff:10.0.0.1"] {
            assert!(!is_allowed(address.parse().unwrap(), true), "{address}");
        }
    }
}
