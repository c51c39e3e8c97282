//! Which variables are not for everybody's eyes.

use std::ffi::OsStr;

/// Words of a variable's name, between underscores, that make its value a secret.
const WORDS: [&str; 14] = [
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "DSN",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATE",
    "SECRET",
    "SECRETS",
    "TOKEN",
];

/// What stands for a secret.
pub const MASK: &str = "***";

/// Whether the value of this variable is a secret: by its name, or because it is a URL with a password.
pub fn is(name: &OsStr, value: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let words = || name.split(['_', '-', '.']);
    let fused = ["APIKEY", "PGPASSWORD", "ACCESSKEY", "SECRETKEY"];
    words().any(|word| WORDS.contains(&word) || fused.contains(&word)) || has_password(&value.to_string_lossy())
}

/// `postgres://user:password@host/` (RFC 3986, 3.2.1).
fn has_password(value: &str) -> bool {
    let authority = value.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.is_some_and(|user| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_in_urls_make_secrets() {
        for (name, value, secret) in [
            ("API_KEY", "abc", true),
            ("github_token", "abc", true),
            ("PGPASSWORD", "abc", true),
            ("DATABASE_URL", "postgres://me:pw@db/app", true),
            ("DATABASE_URL", "postgres://me@db/app", false),
            ("KEYBOARD", "de", false),
            ("PORT", "3000", false),
            ("MONKEY", "x", false),
            ("MAIL", "a@b:c", false),
        ] {
            assert_eq!(is(OsStr::new(name), OsStr::new(value)), secret, "{name}={value}");
        }
    }
}
