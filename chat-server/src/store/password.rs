//! Passwords as argon2id hashes, with the parameters that OWASP recommends (Password Storage Cheat Sheet:
//! 19 MiB of memory, 2 passes, 1 lane): some tens of milliseconds each, by intent.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use chat_proto::Secret;

fn argon2() -> Argon2<'static> {
    const MEMORY_KIB: u32 = 19 * 1024;
    let params = Params::new(MEMORY_KIB, 2, 1, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A PHC string of the password, with a salt of its own.
///
/// # Errors
/// The system has no randomness or no memory to give.
pub fn hash(password: &Secret<'_>) -> Result<String, argon2::password_hash::Error> {
    let hash: PasswordHash = argon2().hash_password(password.reveal().as_bytes())?;
    Ok(hash.to_string())
}

/// Whether the password is the one that was hashed. Without a hash it takes the same time, and is not.
pub fn is_right(password: &Secret<'_>, hash: Option<&str>) -> bool {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| {
        let some: Secret<'_> = "a password that nobody has".into();
        self::hash(&some).unwrap_or_default()
    });
    let known = PasswordHash::new(hash.unwrap_or(&NOBODYS));
    let matches = known.is_ok_and(|known| {
        argon2()
            .verify_password(password.reveal().as_bytes(), &known)
            .is_ok()
    });
    matches && hash.is_some()
}

/// Has the hash that stands in for those who have none, so that the first one asked for is no slower.
pub fn prepare() {
    is_right(&"".into(), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_or_not() {
        let right: Secret<'_> = "contraseña".into();
        let known = hash(&right).unwrap();
        assert!(
            known.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{known}"
        );
        assert!(is_right(&right, Some(&known)));
        assert!(!is_right(&"contrasena".into(), Some(&known)));
        assert!(!is_right(&"a password that nobody has".into(), None));
        assert!(!is_right(&right, Some("no hash at all")));
        assert_ne!(hash(&right).unwrap(), known, "a salt of its own");
    }
}
