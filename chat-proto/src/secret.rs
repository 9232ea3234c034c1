//! Passwords in memory (PROTOCOL.md, 5. Accounts).

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// A password. No output shows it, and a drop wipes the owned copies.
#[derive(Clone)]
pub struct Secret<'a>(Kept<'a>);

/// A reference into the frame, or a copy.
#[derive(Clone)]
enum Kept<'a> {
    Borrowed(&'a str),
    Owned(Zeroizing<String>),
}

impl Secret<'_> {
    /// Returns the password.
    pub fn reveal(&self) -> &str {
        match &self.0 {
            Kept::Borrowed(password) => password,
            Kept::Owned(password) => password,
        }
    }

    /// Copies the password, to outlive the frame.
    pub fn into_owned(self) -> Secret<'static> {
        Secret(Kept::Owned(match self.0 {
            Kept::Borrowed(password) => Zeroizing::new(password.to_owned()),
            Kept::Owned(password) => password,
        }))
    }
}

impl Default for Secret<'_> {
    fn default() -> Self {
        Self(Kept::Borrowed(""))
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Secret<'a> {
    fn from(password: T) -> Self {
        Self(match password.into() {
            Cow::Borrowed(password) => Kept::Borrowed(password),
            Cow::Owned(password) => Kept::Owned(Zeroizing::new(password)),
        })
    }
}

impl PartialEq for Secret<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Secret<'_> {}

impl Serialize for Secret<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
