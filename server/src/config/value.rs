//! Values as people write them. What cannot be read answers with what is expected.

use std::{fmt::Display, net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration};

use chrono_tz::Tz;
use secrecy::SecretString;
use url::Url;

/// An address to listen on.
pub fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| "expected an IP address and a port, like 127.0.0.1:3000".to_owned())
}

/// An address on the web.
pub fn web_address(text: &str) -> Result<Url, String> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "expected an http or https address, like https://shop.example".to_owned())
}

/// The same, kept as it was written.
pub fn web_address_text(text: &str) -> Result<String, String> {
    web_address(text).map(|_| text.trim().to_owned())
}

/// Where media is served.
pub fn media_base(text: &str) -> Result<String, String> {
    if text.starts_with('/') || web_address(text).is_ok() {
        Ok(text.trim().to_owned())
    } else {
        Err("expected a path like /media, or the http or https address of a CDN".to_owned())
    }
}

/// A bucket's name, as S3 has them.
pub fn bucket(text: &str) -> Result<String, String> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if (3..=63).contains(&text.len()) && text.bytes().all(is_letter) && !text.contains("..") {
        Ok(text.to_owned())
    } else {
        Err("expected 3 to 63 of a-z, 0-9, `.` and `-`, like lookreel-media".to_owned())
    }
}

/// A prefix of keys.
pub fn namespace(text: &str) -> Result<String, String> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if (1..=64).contains(&text.len()) && text.bytes().all(is_letter) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 letters, digits, `-`, `_`, `.` or `:`, like lookreel".to_owned())
    }
}

/// A provider's key: what can be sent in a header. Files often end it with a line break.
pub fn key(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(text.to_owned()))
    } else {
        Err("expected one word of letters, digits and signs, as the provider shows it".to_owned())
    }
}

/// A time zone.
pub fn zone(text: &str) -> Result<Tz, String> {
    text.trim().parse().map_err(|_| "expected a zone of the IANA database, like Asia/Seoul".to_owned())
}

/// Yes or no.
pub fn switch(text: &str) -> Result<bool, String> {
    text.trim().parse().map_err(|_| "expected true or false".to_owned())
}

/// A whole number of a range.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Seconds with decimals, for settings that tests make short.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds from 0 to 86400, like 5 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_is_written_as_expected_is_read() {
        assert_eq!(socket_address("[::1]:80").unwrap().port(), 80);
        assert_eq!(web_address(" https://shop.example/a ").unwrap().as_str(), "https://shop.example/a");
        assert_eq!(media_base("/media").unwrap(), "/media");
        assert_eq!(bucket("lookreel.media-1").unwrap(), "lookreel.media-1");
        assert_eq!(namespace("edge:1_a").unwrap(), "edge:1_a");
        assert_eq!(key("id:secret\n").unwrap().expose_secret(), "id:secret");
        assert_eq!(zone("Asia/Seoul").unwrap(), chrono_tz::Asia::Seoul);
        assert_eq!(whole(1_u16..=20)("20"), Ok(20));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn everything_else_answers_with_what_is_expected() {
        let wrong = [
            socket_address("localhost:3000").unwrap_err(),
            web_address("shop.example").unwrap_err(),
            // Reads as an address whose scheme is `localhost`.
            web_address("localhost:3000").unwrap_err(),
            web_address_text("ftp://shop.example").unwrap_err(),
            media_base("media").unwrap_err(),
            bucket("My Bucket").unwrap_err(),
            namespace("{a}").unwrap_err(),
            key("two words").unwrap_err(),
            zone("Mars/Olympus").unwrap_err(),
            switch("yes").unwrap_err(),
            whole(1_u16..=20)("21").unwrap_err(),
            seconds("-1").unwrap_err(),
            seconds("NaN").unwrap_err(),
        ];
        for said in wrong {
            assert!(said.starts_with("expected "), "{said}");
        }
    }
}
