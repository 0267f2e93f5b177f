//! What never leaves: keys, tokens, passwords. Told by their shape, without repeating them.

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A private key in PEM.
    PrivateKey,
    /// A token of a known maker.
    Token,
    /// A word beside "password".
    Password,
    /// A long word that nobody would write by hand.
    Random,
}

impl Secret {
    /// What it is, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Secret::PrivateKey => "a private key",
            Secret::Token => "an access token",
            Secret::Password => "a password",
            Secret::Random => "a key",
        }
    }
}

/// How tokens of known makers begin, with the fewest characters that have to follow.
const TOKENS: &[(&str, usize)] = &[
    ("sk-", 20),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("whsec_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("AKIA", 16),
    ("AIza", 30),
    ("ya29.", 20),
    ("max_", 24),
];

/// The word for a password in the four languages.
const PASSWORD: &[&str] = &["password", "passwort", "kennwort", "wachtwoord", "mot de passe", "passphrase"];

/// From which length a mixed word is taken for a key.
const LONG: usize = 32;

/// The kinds of secrets in a text, each once.
pub fn find(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    if text.contains("PRIVATE KEY-----") {
        found.push(Secret::PrivateKey);
    }
    let words = || text.split_whitespace().filter(|word| !word.contains("://")).map(bare);
    if words().any(is_token) {
        found.push(Secret::Token);
    } else if words().any(is_random) {
        found.push(Secret::Random);
    }
    if says_password(text) {
        found.push(Secret::Password);
    }
    found
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
}

fn is_token(word: &str) -> bool {
    let key = |rest: &str| rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
    let maker = TOKENS.iter().any(|(begin, least)| word.strip_prefix(begin).is_some_and(|rest| key(rest) >= *least));
    // A JSON web token: three parts, the first of which is base64 of `{"`.
    maker || (word.starts_with("eyJ") && word.matches('.').count() == 2 && word.len() > 40)
}

/// True for a long word of upper, lower and digits: no digest and no id, which have no capitals beside small letters.
fn is_random(word: &str) -> bool {
    let any = |is: fn(&u8) -> bool| word.bytes().any(|b| is(&b));
    word.len() >= LONG
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+/=".contains(&b))
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && word.bytes().filter(u8::is_ascii_digit).count() >= 3
}

/// True where the word for a password is followed by `:` or `=` and something on the same line.
fn says_password(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.to_lowercase();
        PASSWORD.iter().any(|word| {
            line.match_indices(word).any(|(at, word)| {
                let rest = line[at + word.len()..].trim_start();
                let value = rest.strip_prefix([':', '=']).map(str::trim_start).unwrap_or_default();
                let value = value.split_whitespace().next().unwrap_or_default();
                value.chars().count() >= 4 && value.chars().any(|c| !c.is_alphabetic())
            })
        })
    })
}
