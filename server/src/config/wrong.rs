//! What is said of a flag or a variable whose value cannot be read: both names, what was given, what is expected.

use std::{error::Error as _, ffi::OsString};

use clap::{
    Arg, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The sentence for an error of reading `words`, the command line of `command`; none for errors that are not about the
/// value of a setting.
pub fn sentence(error: &Error, command: &Command, words: impl IntoIterator<Item = OsString>) -> Option<String> {
    let expected = expected(error)?;
    let flag = text(error, ContextKind::InvalidArg)?.split([' ', '=']).next()?;
    let arg = find(command, words, flag.strip_prefix("--")?)?;
    let name = match arg.get_env() {
        Some(variable) => format!("{} ({flag})", variable.display()),
        None => flag.to_owned(),
    };
    let given = text(error, ContextKind::InvalidValue).filter(|_| !arg.is_hide_env_values_set());
    Some(match given {
        Some(given) => format!("{name} is `{given}`: {expected}"),
        None => format!("{name} cannot be used: {expected}"),
    })
}

fn expected(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::ValueValidation => error.source().map(ToString::to_string),
        ErrorKind::InvalidValue => match error.get(ContextKind::ValidValue)? {
            ContextValue::Strings(words) if !words.is_empty() => Some(format!("expected {}", words.join(" or "))),
            _ => None,
        },
        _ => None,
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// The setting with this flag, of the role that was asked for or of one above it: roles have some names in common.
fn find<'a>(command: &'a Command, words: impl IntoIterator<Item = OsString>, long: &str) -> Option<&'a Arg> {
    let mut roles = vec![command];
    for word in words {
        roles.extend(roles.last().and_then(|role| role.find_subcommand(word)));
    }
    let mut args = roles.into_iter().rev().flat_map(Command::get_arguments);
    args.find(|arg| arg.get_long() == Some(long))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::ArgAction;

    use super::*;
    use crate::config::value;

    fn command() -> Command {
        let listen = |variable| Arg::new("listen").long("listen").env(variable).value_parser(value::socket_address);
        let key = Arg::new("key").long("key").env("KEY").hide_env_values(true).value_parser(value::key);
        let format = Arg::new("format").long("format").value_parser(["text", "json"]).action(ArgAction::Set);
        Command::new("lookreel")
            .arg(format)
            .subcommand(Command::new("serve").arg(listen("LISTEN_OF_SERVE")).arg(key))
            .subcommand(Command::new("simulate").arg(listen("LISTEN_OF_SIMULATE")))
    }

    fn said(words: &[&str]) -> Option<String> {
        let words = ["lookreel"].iter().chain(words).map(OsString::from);
        let error = command().try_get_matches_from(words.clone()).unwrap_err();
        sentence(&error, &command(), words)
    }

    #[test]
    fn both_names_the_value_and_what_is_expected() {
        let serve = said(&["serve", "--listen", "here"]).unwrap();
        assert_eq!(
            serve,
            "LISTEN_OF_SERVE (--listen) is `here`: expected an IP address and a port, like 127.0.0.1:3000"
        );
        let simulate = said(&["simulate", "--listen=here"]).unwrap();
        assert!(simulate.starts_with("LISTEN_OF_SIMULATE (--listen) is `here`"), "{simulate}");
        assert_eq!(said(&["--format", "xml", "serve"]).unwrap(), "--format is `xml`: expected text or json");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let said = said(&["serve", "--key", "not a key"]).unwrap();
        assert!(said.starts_with("KEY (--key) cannot be used: expected"), "{said}");
        assert!(!said.contains("not a key"), "{said}");
    }

    #[test]
    fn what_is_no_value_is_left_to_clap() {
        assert_eq!(said(&["dance"]), None);
        assert_eq!(said(&["serve", "--nonsense"]), None);
    }
}
