//! Values that are not for every eye: by the name of the variable, and passwords inside of URLs.

/// What stands for a secret.
const HIDDEN: &str = "********";

/// Parts of names that tell a secret.
const PARTS: [&str; 10] = ["KEY", "SECRET", "TOKEN", "PASSW", "PASSPHRASE", "CREDENTIAL", "PRIVATE", "AUTH", "COOKIE", "SIGNATURE"];

/// The value as it may be shown.
pub fn hidden(name: &str, value: &str) -> String {
    let name = name.to_ascii_uppercase();
    // PGPASS, DB_PASS: the end of a name, for COMPASS begins like one too.
    let tells = PARTS.iter().any(|part| name.contains(part)) || name.ends_with("_PASS") || name == "PGPASSFILE" || name.ends_with("_PWD");
    if tells && !value.is_empty() {
        return HIDDEN.to_owned();
    }
    without_password(value)
}

/// `postgres://user:********@host/db`.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{HIDDEN}@{host}{path}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_urls_tell_secrets() {
        for name in ["API_KEY", "aws_secret_access", "GITHUB_TOKEN", "DB_PASSWORD", "DB_PASS", "Authorization"] {
            assert_eq!(hidden(name, "x"), HIDDEN, "{name}");
        }
        assert_eq!(hidden("TOKEN", ""), "");
        assert_eq!(hidden("COMPASS", "north"), "north");
        assert_eq!(hidden("DATABASE_URL", "postgres://ann:s3:cr@t@db:5432/x?a=b"), "postgres://ann:********@db:5432/x?a=b");
        assert_eq!(hidden("URL", "http://localhost:3000/a@b:c"), "http://localhost:3000/a@b:c");
    }
}
