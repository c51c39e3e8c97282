//! Values that are not for every eye: by the name of the variable or option, by a form that tells them, and passwords inside of URLs. One
//! rule for variables, arguments and command lines.

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// Words of a variable's name, between underscores, that make its value a secret.
const WORDS: [&str; 25] = [
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
    "SESSIONID",
    "SIGNATURE",
    "TOKEN",
    "TOKENS",
];

/// The same for the last word of a name, since others that begin with these are settings: `JWT_EXPIRES_IN`.
const LAST_WORDS: [&str; 6] = ["BEARER", "JWT", "OTP", "PAT", "SALT", "WEBHOOK"];

/// What tokens begin with by the word of those who issue them, so that scanners find them: GitHub
/// (<https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>), GitLab
/// (<https://docs.gitlab.com/security/tokens/>), Slack (<https://docs.slack.dev/authentication/tokens/>), Stripe
/// (<https://docs.stripe.com/keys>), npm; and private keys as text (RFC 7468).
const TOKENS: [&str; 17] = [
    "-----BEGIN ",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "npm_",
    "rk_live_",
    "sk_live_",
    "sk_test_",
    "xapp-",
    "xoxb-",
    "xoxe-",
    "xoxp-",
    "https://hooks.slack.com/services/",
];

/// The value as it may be shown.
pub fn hidden(name: &str, value: &str) -> String {
    if tells(name) && !value.is_empty() { MASK.to_owned() } else { without_token(value) }
}

/// The value of a name that tells nothing.
fn without_token(value: &str) -> String {
    // Three parts, of which the first is an object in base64 (RFC 7519).
    let is_web_token =
        || value.starts_with("eyJ") && value.len() > 30 && value.split('.').count() == 3 && !value.contains(char::is_whitespace);
    let is_token = TOKENS.iter().any(|begin| value.len() > begin.len() && value.starts_with(begin)) || is_web_token();
    if is_token { MASK.to_owned() } else { without_password(value) }
}

/// Whether the value, or a part of it, is a secret.
pub fn is(name: &str, value: &str) -> bool {
    hidden(name, value) != value
}

/// The words of a command as they may be shown: `--token ********`, `--password=********`, `TOKEN=********`.
pub fn words<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Vec<String> {
    let (mut is_value, mut is_line) = (false, false);
    let shown = words.into_iter().map(|word| {
        let word = word.as_ref();
        // An option may stand alone after all.
        let is_secret = std::mem::take(&mut is_value) && !word.starts_with('-') && !word.is_empty();
        is_value = option(word).is_some_and(tells);
        let of_shell = std::mem::replace(&mut is_line, word == "-c");
        match (is_secret, of_shell) {
            (true, _) => MASK.to_owned(),
            (false, true) => line(word),
            (false, false) => self::word(word),
        }
    });
    shown.collect()
}

/// The same as one line, quoted as a shell reads it.
pub fn joined<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    let quoted = self::words(words).into_iter().map(|word| {
        // The mask needs no quotes, for nobody is to type it.
        let plain = word.replace(MASK, "x");
        if shell_words::quote(&plain) == plain { word } else { shell_words::quote(&word).into_owned() }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A line for a shell as it may be shown; what it quotes stays quoted.
pub fn line(line: &str) -> String {
    let pieces = pieces(line);
    let words = self::words(pieces.iter().map(|(word, _)| *word));
    words.into_iter().zip(pieces).map(|(word, (_, blanks))| word + blanks).collect()
}

/// The words of a line with the blanks behind each; quotes are part of a word.
fn pieces(line: &str) -> Vec<(&str, &str)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let mut quote = None;
        let end = rest.find(|char: char| {
            match (quote, char) {
                (Some(open), _) if open == char => quote = None,
                (None, '"' | '\'') => quote = Some(char),
                (None, _) | (Some(_), _) => {}
            }
            quote.is_none() && char.is_whitespace()
        });
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let (blanks, next) = behind.split_at(behind.find(|char: char| !char.is_whitespace()).unwrap_or(behind.len()));
        pieces.push((word, blanks));
        rest = next;
    }
    pieces
}

/// One word: `--name=value`, `NAME=value`, `Header: value`, a URL, or words that some program takes apart.
fn word(word: &str) -> String {
    let name_of = |name: &str| name.trim_start_matches(['-', '"', '\'']).to_owned();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char));
    for separator in ["=", ": "] {
        if let Some((name, value)) = word.split_once(separator)
            && is_name(&name_of(name))
        {
            let shown = if tells(&name_of(name)) && !value.is_empty() { MASK.to_owned() } else { self::word(value) };
            return format!("{name}{separator}{shown}");
        }
    }
    let quoted = word.starts_with(['"', '\'']);
    if !quoted && word.contains(char::is_whitespace) { line(word) } else { without_token(word) }
}

/// The name of an option whose value is the next word.
fn option(word: &str) -> Option<&str> {
    word.strip_prefix("--").filter(|name| !name.starts_with("no-") && !name.contains(['=', ' ']))
}

/// Whether the value of a variable or option of this name is a secret. PWD alone is the working directory, and a session is one only where
/// it is nothing else: that of a desktop is none.
pub fn tells(name: &str) -> bool {
    // A list of all apps asks this of thousands of variables, so nothing is copied.
    let bytes = name.as_bytes();
    let tells = |word: &[u8]| {
        let is_folder = word.len() == bytes.len() && word.eq_ignore_ascii_case(b"PWD");
        !is_folder && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    if name.eq_ignore_ascii_case("SESSION") {
        return true;
    }
    // `apiKey` is `api_key`.
    let begins = |at: usize| bytes[at].is_ascii_uppercase() && at > 0 && bytes[at - 1].is_ascii_lowercase();
    let ends = (0..bytes.len()).filter(|at| matches!(bytes[*at], b'_' | b'-' | b'.') || begins(*at)).chain([bytes.len()]);
    let mut from = 0;
    for end in ends {
        let is_last = end == bytes.len() && LAST_WORDS.iter().any(|known| bytes[from..].eq_ignore_ascii_case(known.as_bytes()));
        if is_last || tells(&bytes[from..end]) {
            return true;
        }
        from = if end < bytes.len() && !begins(end) { end + 1 } else { end };
    }
    false
}

/// `postgres://user:********@host/db` (RFC 3986, 3.2.1), for each URL of a list.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let end = rest.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = without_password(path);
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?, host))) {
        Some(((user, password), host)) if !password.is_empty() => format!("{scheme}://{user}:{MASK}@{host}{path}"),
        Some(_) | None => format!("{scheme}://{authority}{path}"),
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
        assert!(is("apiKey", "x") && is("x-apiKey", "x") && is("my.secretThing", "x") && is("pwd_", "x"));
        assert!(!is("", "x") && !is("_", "x") && !is("OLDPWD", "x") && !is("schl\u{fc}sselKeyed", "x"));
        for (name, value) in [("TOKEN", ""), ("COMPASS", "north"), ("KEYBOARD", "de"), ("MONKEY", "x"), ("PORT", "3000"), ("PWD", "/home")]
        {
            assert_eq!(hidden(name, value), value, "{name}");
        }
    }

    #[test]
    fn forms_tell_secrets() {
        let web_token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0";
        assert_eq!(hidden("A", "-----BEGIN PRIVATE KEY-----\nx"), MASK);
        for value in ["ghp_zz8", "xoxb-1-2", "https://hooks.slack.com/services/T0/B0/x", web_token] {
            assert_eq!(hidden("A", value), MASK, "{value}");
            assert_eq!(words(["--to", value, &format!("A={value}")]), ["--to", MASK, &format!("A={MASK}")], "{value}");
        }
        for value in ["ghp_", "npm", "eyJ.a.b", "https://hooks.slack.com/", "sk_lively"] {
            assert_eq!(hidden("A", value), value);
        }
        for (name, is_secret) in [
            ("SESSION", true),
            ("GH_PAT", true),
            ("SLACK_WEBHOOK", true),
            ("JWT", true),
            ("PATH", false),
            ("JWT_EXPIRES_IN", false),
            ("SALT_ROUNDS", false),
        ] {
            assert_eq!(is(name, "x"), is_secret, "{name}");
        }
        for name in ["DESKTOP_SESSION", "XDG_SESSION_ID", "DBUS_SESSION_BUS_ADDRESS", "SSH_TTY"] {
            assert!(!is(name, "x"), "{name}");
        }
    }

    #[test]
    fn arguments_are_masked_by_the_same_rule() {
        let cases: [(&[&str], &str); 14] = [
            (&["node", "app.js", "--password", "s3cret", "--port", "3000"], "node app.js --password ******** --port 3000"),
            (&["--token=s3cret"], "'--token=********'"),
            (&["--apiKey", "s3cret", "x"], "--apiKey ******** x"),
            (&["--db", "postgres://u:s3cret@h/x"], "--db postgres://u:********@h/x"),
            (&["--urls=redis://u:s3cret@h/0,redis://v:s3cret@h"], "'--urls=redis://u:********@h/0,redis://v:********@h'"),
            (&["env", "TOKEN=s3cret", "LEVEL=x", "./run"], "env 'TOKEN=********' 'LEVEL=x' ./run"),
            (&["curl", "-H", "Authorization: Bearer s3cret"], "curl -H 'Authorization: ********'"),
            (&["sh", "-c", "API_KEY=s3cret run --secret 's3 cret' && x"], "sh -c 'API_KEY=******** run --secret ******** && x'"),
            (&["sh", "-c", "run --url \"pg://u:s3cret@h\" \"a b\""], "sh -c 'run --url \"pg://u:********@h\" \"a b\"'"),
            (&["--password", "--verbose", "x"], "--password --verbose x"),
            (&["--no-auth", "app.js"], "--no-auth app.js"),
            (&["--password", ""], "--password ''"),
            (&["--keyboard", "de", "--monkeys=3"], "--keyboard de '--monkeys=3'"),
            (&["a:b", "http://h:1/x=1", "auth:latest"], "a:b 'http://h:1/x=1' auth:latest"),
        ];
        for (given, expected) in cases {
            assert_eq!(joined(given), expected);
        }
        assert_eq!(line("A=1  x --token  'a b' # c\n"), "A=1  x --token  ******** # c\n");
        assert_eq!(line(""), "");
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
