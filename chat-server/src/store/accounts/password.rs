//! Password hashing with argon2id and the parameters that OWASP recommends (Password Storage Cheat
//! Sheet: 19 MiB of memory, 2 passes, 1 lane), which take some tens of milliseconds per hash by
//! intent.

use std::fmt;
use std::sync::LazyLock;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chat_proto::Secret;

/// The memory that the parameters ask for, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;

/// Why a password cannot be hashed: the system has no randomness to give.
pub use argon2::password_hash::Error;

/// Hashes one password at a time, in memory that is used again: allocated anew each time, it would
/// be many times as much in the end, as the allocator keeps what it once had.
#[derive(Default)]
pub struct PasswordHasher {
    memory: Vec<Block>,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

impl PasswordHasher {
    /// A PHC string of the password, with a salt of its own.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn hash(&mut self, password: &Secret<'_>) -> Result<String, Error> {
        let params = Params::new(MEMORY_KIB, 2, 1, None).expect("the parameters are in range");
        let salt = Salt::generate();
        let hash = self.derive(password, &salt, &params)?;
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt),
            hash: Some(hash),
        }
        .to_string())
    }

    /// Returns whether `password` matches `hash`. Takes equal time without a hash and returns
    /// false.
    pub fn verify(&mut self, password: &Secret<'_>, hash: Option<&str>) -> bool {
        static DUMMY_HASH: LazyLock<String> = LazyLock::new(|| {
            let some = Secret::from("a password that nobody has");
            PasswordHasher::default().hash(&some).unwrap_or_default()
        });
        let matches = self.matches(password, hash.unwrap_or(&DUMMY_HASH));
        matches.unwrap_or(false) && hash.is_some()
    }

    fn matches(&mut self, password: &Secret<'_>, hash: &str) -> Result<bool, Error> {
        let known = PasswordHash::new(hash)?;
        let (Some(salt), Some(hash)) = (&known.salt, &known.hash) else {
            return Ok(false);
        };
        let ours = known.algorithm == Algorithm::Argon2id.ident()
            && known.version == Some(Version::V0x13.into());
        // In constant time, as `Output` compares.
        Ok(ours && self.derive(password, salt, &Params::try_from(&known)?)? == *hash)
    }

    fn derive(
        &mut self,
        password: &Secret<'_>,
        salt: &Salt,
        params: &Params,
    ) -> Result<Output, Error> {
        self.memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let password = password.reveal().as_bytes();
        argon2.hash_password_into_with_memory(password, salt, &mut output, &mut self.memory)?;
        Ok(Output::new(&output)?)
    }

    /// Has the memory, and the hash that stands in for those who have none, so that the first one
    /// asked for is no slower.
    pub fn warm_up(&mut self) {
        self.verify(&Secret::default(), None);
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn a_password_is_right_or_not() {
        let mut hasher = PasswordHasher::default();
        let right = Secret::from("contraseña");
        let known = hasher.hash(&right).unwrap();
        assert!(
            known.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{known}"
        );
        assert!(hasher.verify(&right, Some(&known)));
        assert!(!hasher.verify(&"contrasena".into(), Some(&known)));
        assert!(!hasher.verify(&"a password that nobody has".into(), None));
        assert!(!hasher.verify(&right, Some("no hash at all")));
        assert_ne!(hasher.hash(&right).unwrap(), known, "a salt of its own");
        // As the library does it in one piece.
        let bytes = right.reveal().as_bytes();
        assert!(
            Argon2::default()
                .verify_password(bytes, known.as_str())
                .is_ok()
        );
    }
}
