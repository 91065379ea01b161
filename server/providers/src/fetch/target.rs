//! Which URLs may be opened.

use std::net::IpAddr;

use url::{Host, Url};

use super::{FetchRules, address::is_allowed};

/// Scheme, port, host and list.
///
/// # Errors
/// The reason, for the timeline.
pub(super) fn check(url: &Url, rules: &FetchRules) -> Result<(), String> {
    check_target(url, rules.allow_loopback)?;
    let host = url.host_str().unwrap_or_default();
    if rules.hosts.iter().any(|allowed| matches_host(allowed, host)) {
        Ok(())
    } else {
        Err(format!("the file lies on {host}, which is not on the list"))
    }
}

/// Scheme, port and a literal address; names are judged when they are resolved.
///
/// # Errors
/// The reason, for the timeline.
pub(crate) fn check_target(url: &Url, allow_loopback: bool) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address names a user".to_owned());
    }
    let literal = match url.host() {
        Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        Some(Host::Domain(_)) => None,
        None => return Err("the address has no host".to_owned()),
    };
    if literal.is_some_and(|address| !is_allowed(address, allow_loopback)) {
        return Err("the address is not in the open internet".to_owned());
    }
    let here = literal.is_some_and(|address| address.to_canonical().is_loopback())
        || url.host_str().is_some_and(|host| host == "localhost");
    if here && allow_loopback && matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    if url.scheme() != "https" || url.port_or_known_default() != Some(443) {
        return Err("the address is not https on port 443".to_owned());
    }
    Ok(())
}

/// `name` is that host, `*.name` every host below it; case does not matter, `Url` has lowered it.
fn matches_host(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix("*.") {
        Some(parent) => {
            host.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.')).is_some_and(|label| !label.is_empty())
        }
        None => allowed == host.trim_start_matches('[').trim_end_matches(']') || allowed == host,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::MediaKind;

    fn verdict(url: &str, allow_loopback: bool) -> Result<(), String> {
        let hosts = ["fal.media", "*.fal.media", "127.0.0.1", "localhost", "10.0.0.1", "[::1]"].map(str::to_owned);
        let rules = FetchRules::new(hosts.to_vec(), allow_loopback, vec![MediaKind::Mp4]).unwrap();
        check(&Url::parse(url).unwrap(), &rules)
    }

    #[test]
    fn the_vendors_file_hosts_are_open() {
        for url in ["https://v3b.fal.media/files/x.mp4", "https://fal.media/x", "https://FAL.media:443/x"] {
            assert_eq!(verdict(url, false), Ok(()), "{url}");
        }
    }

    #[test]
    fn everything_else_is_closed() {
        let closed = [
            "http://v3b.fal.media/x",
            "https://v3b.fal.media:8443/x",
            "https://user@v3b.fal.media/x",
            "https://user:pw@v3b.fal.media/x",
            "https://evilfal.media/x",
            "https://fal.media.evil.example/x",
            "https://.fal.media/x",
            "https://10.0.0.1/x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "http://localhost/x",
            "ftp://fal.media/x",
            "file:///etc/passwd",
            "data:video/mp4;base64,AAAA",
        ];
        for url in closed {
            assert!(verdict(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn the_simulators_flag_opens_listed_names_of_this_machine() {
        for url in ["http://127.0.0.1:8099/media/x.mp4", "http://localhost:1/x", "http://[::1]:2/x"] {
            assert_eq!(verdict(url, true), Ok(()), "{url}");
        }
        for url in ["http://127.0.0.2:8099/x", "http://10.0.0.1/x", "http://fal.media/x", "gopher://127.0.0.1/x"] {
            assert!(verdict(url, true).is_err(), "{url}");
        }
    }
}
