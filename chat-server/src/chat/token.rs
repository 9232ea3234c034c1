//! Resume tokens, their digests, request ids and the random numbers of a login.

use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

/// The `id` that a client gave its request.
pub type Id = SmolStr;

/// Resumes a session after a lost connection: 128 random bits, written as 32 hexadecimal digits.
/// Never appears in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(u128);

impl Token {
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Parses a token. Accepts only the spelling of [`Token::reveal`].
    pub fn parse(text: &str) -> Option<Self> {
        let token = u128::from_str_radix(text, 16).ok().map(Self)?;
        (token.reveal() == text).then_some(token)
    }

    /// Returns the persistent form, from which the token cannot be computed.
    pub fn digest(self) -> Digest {
        #[cfg(test)]
        super::work::step();
        Digest(Sha256::digest(self.0.to_be_bytes()).into())
    }

    /// Returns the form that the client receives.
    pub fn reveal(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// The SHA-256 of a token. A token is random, which makes a slower hash unnecessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// The random numbers of one login. They come with the request, because the registry generates
/// none.
#[derive(Debug, Clone, Copy)]
pub struct LoginRandom {
    /// The token of a new session.
    pub token: Token,
    /// Seed for a generated nick.
    pub nick_seed: u64,
}

impl LoginRandom {
    pub fn generate() -> Self {
        Self {
            token: Token::random(),
            nick_seed: rand::random(),
        }
    }
}

#[cfg(test)]
impl Token {
    /// Returns a known token, for tests that compare runs.
    pub(super) fn from_number(number: u64) -> Self {
        Self(u128::from(number))
    }
}
