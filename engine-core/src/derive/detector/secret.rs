//! Keys and tokens, by the forms that those who issue them publish, and values that are called secret.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Definition, is_inside_word, part, while_in, whole};

pub(super) const AWS_ACCESS_KEY: Definition = Definition {
    pattern: r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    read: |text, candidate, found| {
        // `_` joins words.
        if !is_inside_word(text, &candidate) {
            found.push(candidate);
        }
    },
    example: "AKIAIOSFODNN7EXAMPLE",
};

pub(super) const GITHUB_TOKEN: Definition = Definition {
    pattern: r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{40,})",
    read: whole,
    example: "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
};

pub(super) const GITLAB_TOKEN: Definition = Definition {
    pattern: r"(?-u:\b)(?:glpat|gldt|glrt|glcbt|glptt|glft|glimt|glagent|gloas|glsoat)-[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9]{2,})*",
    read: whole,
    example: "glpat-x8Kq2mVbT7Lw3nRz5YcD",
};

pub(super) const SLACK_TOKEN: Definition = Definition {
    pattern: concat!(
        r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,}|(?-u:\b)xapp-[0-9]-[A-Za-z0-9-]{10,}",
        r"|https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}",
    ),
    read: whole,
    example: "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcbrzqgy",
};

pub(super) const STRIPE_KEY: Definition = Definition {
    pattern: r"(?-u:\b)(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}",
    read: whole,
    example: concat!("sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"),
};

pub(super) const GOOGLE_API_KEY: Definition = Definition {
    pattern: r"(?-u:\b)AIza[A-Za-z0-9_-]{35}",
    read: |text, candidate, found| {
        let goes_on = text.as_bytes().get(candidate.end).is_some_and(u8::is_ascii_alphanumeric);
        if !goes_on {
            found.push(candidate);
        }
    },
    example: "AIzaSyA-1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6",
};

pub(super) const OPENAI_KEY: Definition = Definition {
    pattern: r"(?-u:\b)sk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,64}",
    read: |text, candidate, found| {
        let key = part(text, candidate.clone());
        // Of another issuer, or a name that happens to begin alike.
        if !key.starts_with("sk-ant-") && is_mixed(key) {
            let is_key = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
            found.push(candidate.start..while_in(text, candidate.end, is_key));
        }
    },
    example: "sk-proj-9fK2xVq7LmT4bYw8RzN3cDh6",
};

pub(super) const ANTHROPIC_KEY: Definition = Definition {
    pattern: r"(?-u:\b)sk-ant-[a-z]{2,10}[0-9]{2}-[A-Za-z0-9_-]{24,}",
    read: whole,
    example: "sk-ant-api03-q7LmT4bYw8RzN3cDh6x9fK2xV",
};

/// RFC 7519: three parts, of which the first says how it is signed.
pub(super) const JWT: Definition = Definition {
    pattern: r"(?-u:\b)(?P<head>eyJ[A-Za-z0-9_-]+\.)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}",
    read: |text, candidate, found| {
        let header = part(text, candidate.clone()).split('.').next().unwrap_or("");
        let header = URL_SAFE_NO_PAD.decode(header).ok();
        let header = header.and_then(|header| serde_json::from_slice::<serde_json::Value>(&header).ok());
        if header.is_some_and(|header| header.get("alg").is_some()) {
            found.push(candidate);
        }
    },
    example: concat!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    ),
};

/// How the last line of PEM begins, and ends.
const LAST_LINE: &str = "-----END ";
const DASHES: &str = "-----";

/// RFC 7468; without its end, all that might be part of it.
pub(super) const PRIVATE_KEY: Definition = Definition {
    pattern: r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
    read: |text, candidate, found| {
        let rest = part(text, candidate.end..text.len());
        // The body: lines of Base64, headers, and escaped line ends, as keys stand in JSON.
        let is_body = |char: char| char.is_ascii_alphanumeric() || "+/=\r\n\t :,\\.-_\"".contains(char);
        // Neither is read further than it is taken, so that many keys take no longer than one.
        let until = |text: &str, mark: &str| {
            let is_end =
                |(at, char): &(usize, char)| !is_body(*char) || part(text, *at..text.len()).starts_with(mark);
            text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at)
        };
        let body = part(rest, 0..until(rest, LAST_LINE));
        let end = match part(rest, body.len()..rest.len()).strip_prefix(LAST_LINE) {
            Some(label) => {
                let length = until(label, DASHES);
                let is_closed = part(label, length..label.len()).starts_with(DASHES);
                body.len() + LAST_LINE.len() + if is_closed { length + DASHES.len() } else { 0 }
            }
            None => body.trim_end().len(),
        };
        found.push(candidate.start..candidate.end + end);
    },
    example: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHZl\n-----END PRIVATE KEY-----",
};

/// `password = …` and the like: what is assigned, if it is no word, no variable and no placeholder.
pub(super) const ASSIGNED_SECRET: Definition = Definition {
    pattern: concat!(
        r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|credentials?|token|(?:api|access|private|secret|auth|encryption|signing|master)",
        r"[ _.-]?(?:key|token|secret)|contraseña|mot de passe|passwort|kennwort|senha|密码|пароль)",
        r#"[A-Za-z0-9_-]{0,20}["'`*\]]{0,3}[ \t]{0,4}(?::=|=>|->|=|:|：)[ \t]{0,4}["'`*(]{0,3}(?P<span>[^\s"'`,;<>|&]{8,64})"#,
    ),
    read: |text, candidate, found| {
        // A long value is judged by how it begins.
        let trimmed = |range: Range<usize>| {
            part(text, range).trim_end_matches(['.', ')', ']', '}', '!', '?', ':', '*'])
        };
        if is_secret(trimmed(candidate.clone())) {
            let is_value = |char: char| !char.is_whitespace() && !r#""'`,;<>|&"#.contains(char);
            let end = while_in(text, candidate.end, is_value);
            found.push(candidate.start..candidate.start + trimmed(candidate.start..end).len());
        }
    },
    example: "password = hunter2-Correct9Horse",
};

/// Bits a character that a secret has at least.
const LEAST_ENTROPY: f64 = 2.75;

/// How values begin that stand for another.
const PLACEHOLDERS: [&str; 9] =
    ["example", "changeme", "placeholder", "your", "redacted", "filtered", "xxxx", "....", "____"];

fn is_secret(value: &str) -> bool {
    let lower = value.to_lowercase();
    let is_placeholder = value.starts_with(['$', '<', '[', '{', '(', '%', '*', '#'])
        || PLACEHOLDERS.iter().any(|placeholder| lower.starts_with(placeholder));
    let classes = [
        value.chars().any(|char| char.is_lowercase()),
        value.chars().any(|char| char.is_uppercase()),
        value.chars().any(|char| char.is_ascii_digit()),
        value.chars().any(|char| !char.is_alphanumeric()),
    ];
    let kinds = classes.iter().filter(|has| **has).count();
    // A call or a member (`os.environ[…]`, `getpass()`) is code.
    let is_code = value.contains('(') || value.contains("::") || value.contains('[');
    value.chars().count() >= 8 && !is_placeholder && !is_code && kinds >= 2 && entropy(value) >= LEAST_ENTROPY
}

/// Whether a key has letters and digits, as random ones have.
fn is_mixed(key: &str) -> bool {
    key.bytes().any(|byte| byte.is_ascii_digit()) && key.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Shannon's entropy, in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, u32> = HashMap::new();
    for char in text.chars() {
        *counts.entry(char).or_default() += 1;
    }
    let all = f64::from(counts.values().sum::<u32>());
    // In order, so that rounding is the same each time.
    let mut counts: Vec<u32> = counts.into_values().collect();
    counts.sort_unstable();
    counts.into_iter().map(|count| f64::from(count) / all).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::detector::Detector;
    use crate::derive::detector::tests::{finds, finds_nothing};

    #[test]
    fn forms_that_issuers_publish() {
        finds(
            Detector::AwsAccessKey,
            // The example of AWS's documentation.
            &[
                ("id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"),
                ("ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
                ("prod_AKIAIOSFODNN7EXAMPLE_eu", "AKIAIOSFODNN7EXAMPLE"),
            ],
        );
        finds_nothing(
            Detector::AwsAccessKey,
            &["AKIAIOSFODNN7EXAMPL", "XAKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLES"],
        );
        finds(
            Detector::GithubToken,
            // The example of GitHub's documentation.
            &[("x=ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")],
        );
        finds_nothing(
            Detector::GithubToken,
            &["ghp_short", "ghp_ is the prefix", "xghp_16C7e42F292c6912E7710c838347Ae178B4a"],
        );
        finds(
            Detector::GitlabToken,
            &[
                ("glpat-x8Kq2mVbT7Lw3nRz5YcD", "glpat-x8Kq2mVbT7Lw3nRz5YcD"),
                ("It is glpat-x8Kq2mVbT7Lw3nRz5YcD.", "glpat-x8Kq2mVbT7Lw3nRz5YcD"),
                (
                    "glpat-x8Kq2mVbT7Lw3nRz5YcDx8Kq2mV.01.120q7lmt4 it is",
                    "glpat-x8Kq2mVbT7Lw3nRz5YcDx8Kq2mV.01.120q7lmt4",
                ),
            ],
        );
        finds_nothing(Detector::GitlabToken, &["glpat-short", "glpat tokens"]);
        finds(
            Detector::SlackToken,
            &[
                (
                    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcbrzqgy",
                    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcbrzqgy",
                ),
                (
                    concat!(
                        "post https://hooks.slack.com/",
                        "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
                    ),
                    concat!(
                        "https://hooks.slack.com/",
                        "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
                    ),
                ),
            ],
        );
        finds_nothing(
            Detector::SlackToken,
            &["xoxb-1", "xoxy-17653672481-19874698323", "https://hooks.slack.com/"],
        );
        finds(
            Detector::StripeKey,
            &[(
                concat!("sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"),
                concat!("sk_test_", "4eC39HqLyjWDarjtT1zdp7dc"),
            )],
        );
        finds_nothing(
            Detector::StripeKey,
            &["pk_test_TYooMQauvdEDq54NiTphI7jx", "sk_test_", "task_live_1234567890abcdef"],
        );
        finds(
            Detector::GoogleApiKey,
            &[("AIzaSyA-1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6", "AIzaSyA-1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6")],
        );
        finds_nothing(Detector::GoogleApiKey, &["AIzaSyA-1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", "AIza"]);
        finds(
            Detector::OpenaiKey,
            &[
                ("sk-proj-9fK2xVq7LmT4bYw8RzN3cDh6", "sk-proj-9fK2xVq7LmT4bYw8RzN3cDh6"),
                (
                    &format!("a-sk-{}-sk-proj-9fK2xVq7LmT4bYw8RzN3cDh6", "only-words-".repeat(7)),
                    "sk-proj-9fK2xVq7LmT4bYw8RzN3cDh6",
                ),
                (
                    &format!("{KEY}{KEY}{KEY}.", KEY = "sk-9fK2xVq7LmT4bYw8RzN3cDh6"),
                    &"sk-9fK2xVq7LmT4bYw8RzN3cDh6".repeat(3),
                ),
            ],
        );
        finds_nothing(
            Detector::OpenaiKey,
            &[
                "sk-ant-api03-q7LmT4bYw8RzN3cDh6x9fK2xV",
                "sk-this-is-a-long-name-of-a-skin",
                "task-1234567890ABCDEFGHIJKLMN",
            ],
        );
        finds(
            Detector::AnthropicKey,
            &[("sk-ant-api03-q7LmT4bYw8RzN3cDh6x9fK2xV", "sk-ant-api03-q7LmT4bYw8RzN3cDh6x9fK2xV")],
        );
        finds_nothing(Detector::AnthropicKey, &["sk-ant-api03-short", "sk-ant-"]);
    }

    #[test]
    fn signed_tokens() {
        // RFC 7519, section 3.1; RFC 7515, appendix A.5 has no signature.
        finds(
            Detector::Jwt,
            &[
                (JWT.example, JWT.example),
                ("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ."),
                (&format!("eyJa.{}", JWT.example), JWT.example),
                (&format!("eyJa.eyJb.eyJc.{}", JWT.example), JWT.example),
            ],
        );
        finds_nothing(Detector::Jwt, &["eyJhbGciOiJub25lIn0", "eyJ.abc.def", "eyJhIjoxfQ.eyJhIjoxfQ.x"]);
    }

    #[test]
    fn keys_in_pem() {
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE+x/=\n-----END RSA PRIVATE KEY-----";
        let json = r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
        finds(
            Detector::PrivateKey,
            &[
                (&format!("a {rsa} b"), rsa),
                (&format!(r#"{{"private_key": "{json}"}}"#), json.trim_end_matches(r"\n")),
                ("-----BEGIN PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----\nMIIE"),
                (
                    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n<p>",
                    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
                ),
            ],
        );
        finds_nothing(
            Detector::PrivateKey,
            &[
                "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",
                "-----BEGIN CERTIFICATE-----",
                "BEGIN PRIVATE KEY",
            ],
        );
    }

    #[test]
    fn a_flood_of_keys_is_no_trap() {
        for flood in [
            "-----BEGIN PRIVATE KEY----------END -----",
            "-----BEGIN PRIVATE KEY-----a-----END a",
            "-----BEGIN PRIVATE KEY-----",
            "-----END ",
        ] {
            let text = flood.repeat((1 << 20) / flood.len());
            Detector::PrivateKey.compile().unwrap().find(&text);
        }
    }

    #[test]
    fn values_that_are_called_secret() {
        finds(
            Detector::AssignedSecret,
            &[
                ("password = hunter2-Correct9Horse", "hunter2-Correct9Horse"),
                ("DB_PASSWORD=aB3dE5fG7h", "aB3dE5fG7h"),
                (r#"{"api_key": "9fK2xVq7LmT4bYw8"}"#, "9fK2xVq7LmT4bYw8"),
                ("client_secret: 'q7LmT4bYw8RzN3cD',", "q7LmT4bYw8RzN3cD"),
                (
                    "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1",
                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1",
                ),
                ("?token=9fK2xVq7LmT4bYw8&x=1", "9fK2xVq7LmT4bYw8"),
                ("Passwort: Sommer2026!Regen", "Sommer2026!Regen"),
                ("**password**: hunter2Correct", "hunter2Correct"),
                ("token=xxxx:password=hunter2-Correct9Horse", "hunter2-Correct9Horse"),
                ("login(password=('hunter2-Correct9Horse'))", "hunter2-Correct9Horse"),
                ("password=(hunter2-Correct9Horse)", "hunter2-Correct9Horse"),
                (
                    &format!("secret={}.", "hunter2-Correct9Horse".repeat(9)),
                    &"hunter2-Correct9Horse".repeat(9),
                ),
            ],
        );
        finds_nothing(
            Detector::AssignedSecret,
            &[
                "password = ${DB_PASSWORD}",
                "password: <your password>",
                "password=********",
                "password: changeme123",
                "the password is secret",
                "token = getToken(user1)",
                "secret: [filtered-assigned_secret]",
                "password: required",
                "api_key=xxxxxxxxxxxx1A",
                "tokens: 12345678",
                "password = (see the manual: chapter 12)",
                "password=($DB_PASSWORD)",
                "token=xxxx:password=changeme123",
            ],
        );
    }
}
