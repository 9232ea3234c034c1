//! Value types of the settings file, validated while they are parsed.

use std::borrow::Borrow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use chat_proto::Nick;
use ratatui::style::Color;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::keys::KeySequence;
use crate::net::address::ServerAddress;
use crate::net::known_servers::Fingerprint;
use crate::{keys, paths};

/// A server, `HOST` or `HOST:PORT`; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSetting(Option<ServerAddress>);

impl HostSetting {
    /// The server, if one is named.
    pub fn get(&self) -> Option<&ServerAddress> {
        self.0.as_ref()
    }
}

impl fmt::Display for HostSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |address| address.fmt(f))
    }
}

impl<'de> Deserialize<'de> for HostSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional(deserializer).map(Self)
    }
}

/// A nickname; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NickSetting(Option<String>);

impl NickSetting {
    /// The nickname, if there is one.
    pub fn get(&self) -> Option<String> {
        self.0.clone()
    }
}

impl<'de> Deserialize<'de> for NickSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        let nick = Nick::new(&text).map_err(|error| wrong(&text, error))?;
        Ok(Self(Some(nick.as_str().to_owned())))
    }
}

/// A file, in the home folder where it begins with `~/`; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathSetting(Option<PathBuf>);

impl PathSetting {
    /// The file, if one is named.
    pub fn get(&self) -> Option<PathBuf> {
        self.0.clone()
    }
}

impl<'de> Deserialize<'de> for PathSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        let path = match text.strip_prefix("~/") {
            Some(rest) => paths::absolute("HOME")
                .ok_or_else(|| wrong(&text, "HOME names no folder"))?
                .join(rest),
            None => PathBuf::from(text),
        };
        Ok(Self(Some(path)))
    }
}

/// The fingerprint of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinSetting(pub Fingerprint);

impl<'de> Deserialize<'de> for PinSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| wrong(&text, error))
    }
}

/// How many colours there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepthSetting {
    /// As many as the terminal says.
    #[default]
    Auto,
    /// None at all.
    None,
    /// Those of the terminal's theme.
    #[serde(rename = "16")]
    Sixteen,
    #[serde(rename = "256")]
    TwoHundred,
    /// All.
    Full,
}

/// A colour: a name, `#rrggbb`, or a number of 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColourSetting(pub Color);

impl<'de> Deserialize<'de> for ColourSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let none = "a colour is a name such as red, #rrggbb, or a number to 255";
        text.parse().map(Self).map_err(|_| wrong(&text, none))
    }
}

/// An action that has keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ActionName(String);

impl ActionName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ActionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ActionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known: Vec<_> = super::actions().map(|(known, ..)| known).collect();
        if known.contains(&&*name) {
            return Ok(Self(name));
        }
        Err(wrong(
            &name,
            format!("the actions are {}", known.join(", ")),
        ))
    }
}

/// What no setting changes.
const GOODBYE: &str = "ctrl-c";

/// One key, or one behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySetting(pub KeySequence);

impl<'de> Deserialize<'de> for KeySetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let keys = keys::parse(&text).map_err(D::Error::custom)?;
        if keys::name(keys).split(' ').any(|key| key == GOODBYE) {
            return Err(wrong(&text, "ctrl-c is goodbye and nothing else"));
        }
        Ok(Self(keys))
    }
}

fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| wrong(&text, error))
}

fn wrong<E: serde::de::Error>(text: &str, why: impl fmt::Display) -> E {
    E::custom(format!("`{text}`: {why}"))
}
