//! Values that are not for every eye: by the name of the variable, and passwords inside of URLs.

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// Words of a variable's name, between underscores, that make its value a secret.
const WORDS: [&str; 24] = [
    "ACCESSKEY",
    "APIKEY",
    "AUTH",
    "AUTHORIZATION",
    "COOKIE",
    "CREDENTIAL",
    "CREDENTIALS",
    "DSN",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PGPASSFILE",
    "PGPASSWORD",
    "PRIVATE",
    "PWD",
    "SECRET",
    "SECRETKEY",
    "SECRETS",
    "SIGNATURE",
    "TOKEN",
    "TOKENS",
];

/// The value as it may be shown.
pub fn hidden(name: &str, value: &str) -> String {
    if tells(name) && !value.is_empty() { MASK.to_owned() } else { without_password(value) }
}

/// Whether the value, or a part of it, is a secret.
pub fn is(name: &str, value: &str) -> bool {
    hidden(name, value) != value
}

/// PWD alone is the working directory.
fn tells(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name != "PWD" && name != "OLDPWD" && name.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

/// `postgres://user:********@host/db` (RFC 3986, 3.2.1).
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?, host))) {
        Some(((user, password), host)) if !password.is_empty() => format!("{scheme}://{user}:{MASK}@{host}{path}"),
        Some(_) | None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        let names = [
            "API_KEY",
            "aws_secret_access",
            "github_token",
            "DB_PASSWORD",
            "DB_PASS",
            "Authorization",
            "PGPASSWORD",
            "SESSION_COOKIE",
            "MY_PWD",
        ];
        for name in names {
            assert_eq!(hidden(name, "x"), MASK, "{name}");
            assert!(is(name, "x"), "{name}");
        }
        for (name, value) in [("TOKEN", ""), ("COMPASS", "north"), ("KEYBOARD", "de"), ("MONKEY", "x"), ("PORT", "3000"), ("PWD", "/home")]
        {
            assert_eq!(hidden(name, value), value, "{name}");
        }
    }

    #[test]
    fn passwords_in_urls_are_secrets() {
        assert_eq!(hidden("DATABASE_URL", "postgres://ann:s3:cr@t@db:5432/x?a=b"), "postgres://ann:********@db:5432/x?a=b");
        assert!(is("DATABASE_URL", "postgres://me:pw@db/app"));
        for value in ["postgres://me@db/app", "http://localhost:3000/a@b:c", "a@b:c"] {
            assert_eq!(hidden("URL", value), value);
        }
    }
}
