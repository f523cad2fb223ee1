//! Built-in detectors: what personal data, payment data and secrets look like, with their check digits.
//!
//! Each reads the view `clean` of a text, in which full-width digits, invisible characters and the like are resolved. A pattern
//! finds where something might begin, and a function says what is there; both look at a bounded stretch, so that all of them take
//! linear time.

pub(super) mod checksum;
mod contact;
mod national;
mod network;
mod payment;
mod secret;

use std::ops::Range;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be detected without writing a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// An e-mail address.
    Email,
    /// A telephone number: international with `+` or `00`, or in a common national grouping. A bare run of digits is none.
    Phone,
    /// A payment card: 13 to 19 digits with the prefix of an issuer and the check digit of ISO/IEC 7812.
    PaymentCard,
    /// An IBAN: the length of its country and the check digits of ISO 13616.
    Iban,
    /// A US social security number, grouped or named.
    UsSsn,
    /// A Swiss AHV number (756…, with its check digit).
    ChAhv,
    /// A UK national insurance number.
    UkNino,
    /// A German tax identification number (ISO/IEC 7064).
    DeSteuerId,
    /// A French social security number (NIR) with its key.
    FrInsee,
    /// A Spanish DNI or NIE with its letter.
    EsDni,
    /// An Italian codice fiscale with its check letter.
    ItCodiceFiscale,
    /// A Dutch citizen service number with its name beside it.
    NlBsn,
    /// An Indian Aadhaar number, grouped or named (Verhoeff).
    InAadhaar,
    /// An IPv4 or IPv6 address; a version of software is none.
    IpAddress,
    /// An AWS access key id.
    AwsAccessKey,
    /// A token of GitHub.
    GithubToken,
    /// A token of GitLab.
    GitlabToken,
    /// A token or webhook of Slack.
    SlackToken,
    /// A secret key of Stripe.
    StripeKey,
    /// An API key of Google.
    GoogleApiKey,
    /// An API key of OpenAI.
    OpenaiKey,
    /// An API key of Anthropic.
    AnthropicKey,
    /// A JSON Web Token.
    Jwt,
    /// A private key as PEM.
    PrivateKey,
    /// The token of an `Authorization: Bearer` header.
    BearerToken,
    /// A URL that holds a user and a password.
    BasicAuthUrl,
    /// A value that is called a password, a secret, a token or a key and looks like one.
    AssignedSecret,
}

/// How something is detected.
struct Definition {
    /// Where it might stand; the group `span`, where there is one, is the candidate. A pattern without bounds may have a group
    /// `head`: after it the search goes on, if there is nothing.
    pattern: &'static str,
    /// Says what stands there: adds the ranges of findings that begin in the candidate.
    read: fn(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>),
    /// A text that holds one.
    example: &'static str,
}

/// A detector that is ready to look.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    regex: Regex,
    /// Whether it has the group `span`.
    is_narrowed: bool,
    onward: Onward,
    detector: Detector,
}

/// Where the search goes on after a candidate that is nothing: what it holds may begin something. Whichever it is, no byte is
/// matched more often than a pattern is long or has parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Onward {
    /// At the candidate's second character, for patterns that match texts of bounded length.
    Within,
    /// After the group `head`.
    AfterHead,
    /// After the match, from which all is read that it may hold.
    After,
}

impl Compiled {
    /// What is found in a text that was cleaned, in order.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let read = self.detector.definition().read;
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while let Some(matched) = self.regex.find_at(text, at) {
            let group = |name| {
                let captures = self.regex.captures_at(text, matched.start())?;
                captures.name(name).map(|group| group.range())
            };
            let candidate = self.is_narrowed.then(|| group("span")).flatten().unwrap_or(matched.range());
            let known = found.len();
            read(text, candidate.clone(), &mut found);
            let onward = match (found.get(known..).and_then(|new| new.last()), self.onward) {
                (Some(last), _) => last.end,
                (None, Onward::Within) => candidate.start.max(after_char(text, matched.start())),
                (None, Onward::AfterHead) => group("head").map_or(matched.end(), |head| head.end),
                (None, Onward::After) => matched.end(),
            };
            at = onward.max(after_char(text, at));
        }
        found
    }
}

impl Detector {
    /// Every detector.
    pub const ALL: [Self; 27] = [
        Self::Email,
        Self::Phone,
        Self::PaymentCard,
        Self::Iban,
        Self::UsSsn,
        Self::ChAhv,
        Self::UkNino,
        Self::DeSteuerId,
        Self::FrInsee,
        Self::EsDni,
        Self::ItCodiceFiscale,
        Self::NlBsn,
        Self::InAadhaar,
        Self::IpAddress,
        Self::AwsAccessKey,
        Self::GithubToken,
        Self::GitlabToken,
        Self::SlackToken,
        Self::StripeKey,
        Self::GoogleApiKey,
        Self::OpenaiKey,
        Self::AnthropicKey,
        Self::Jwt,
        Self::PrivateKey,
        Self::BearerToken,
        Self::BasicAuthUrl,
        Self::AssignedSecret,
    ];

    /// A text that it finds.
    pub fn example(self) -> &'static str {
        self.definition().example
    }

    /// Prepares it.
    ///
    /// # Errors
    /// Where its pattern does not compile, which the tests rule out.
    pub(super) fn compile(self) -> Result<Compiled, regex::Error> {
        let regex = Regex::new(self.definition().pattern)?;
        let has = |group: &str| regex.capture_names().flatten().any(|name| name == group);
        let is_bounded = || {
            let parsed = regex_syntax::parse(regex.as_str()).ok();
            parsed.is_some_and(|parsed| parsed.properties().maximum_len().is_some())
        };
        let onward = match () {
            () if has("head") => Onward::AfterHead,
            () if is_bounded() => Onward::Within,
            () => Onward::After,
        };
        Ok(Compiled { is_narrowed: has("span"), onward, regex, detector: self })
    }

    fn definition(self) -> Definition {
        match self {
            Self::Email => contact::EMAIL,
            Self::Phone => contact::PHONE,
            Self::PaymentCard => payment::CARD,
            Self::Iban => payment::IBAN,
            Self::UsSsn => national::US_SSN,
            Self::ChAhv => national::CH_AHV,
            Self::UkNino => national::UK_NINO,
            Self::DeSteuerId => national::DE_STEUER_ID,
            Self::FrInsee => national::FR_INSEE,
            Self::EsDni => national::ES_DNI,
            Self::ItCodiceFiscale => national::IT_CODICE_FISCALE,
            Self::NlBsn => national::NL_BSN,
            Self::InAadhaar => national::IN_AADHAAR,
            Self::IpAddress => network::IP_ADDRESS,
            Self::BearerToken => network::BEARER_TOKEN,
            Self::BasicAuthUrl => network::BASIC_AUTH_URL,
            Self::AwsAccessKey => secret::AWS_ACCESS_KEY,
            Self::GithubToken => secret::GITHUB_TOKEN,
            Self::GitlabToken => secret::GITLAB_TOKEN,
            Self::SlackToken => secret::SLACK_TOKEN,
            Self::StripeKey => secret::STRIPE_KEY,
            Self::GoogleApiKey => secret::GOOGLE_API_KEY,
            Self::OpenaiKey => secret::OPENAI_KEY,
            Self::AnthropicKey => secret::ANTHROPIC_KEY,
            Self::Jwt => secret::JWT,
            Self::PrivateKey => secret::PRIVATE_KEY,
            Self::AssignedSecret => secret::ASSIGNED_SECRET,
        }
    }
}

/// Takes a candidate as it is.
fn whole(_: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    found.push(candidate);
}

/// The place after the character at a place.
fn after_char(text: &str, at: usize) -> usize {
    (at + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// How far the characters of a kind go from a place.
fn while_in(text: &str, at: usize, kind: impl Fn(char) -> bool) -> usize {
    let rest = part(text, at..text.len());
    at + rest.find(|char| !kind(char)).unwrap_or(rest.len())
}

/// The part of a text, or nothing where a range does not lie on characters.
fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}

/// The last bytes before a place, as text; at most `most`.
fn before(text: &str, at: usize, most: usize) -> &str {
    let mut start = at.saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    part(text, start..at)
}

/// Whether one of some words, in lower case, stands shortly before a place.
fn is_named(text: &str, at: usize, words: &[&str]) -> bool {
    let before = before(text, at, 48).to_lowercase();
    words.iter().any(|word| before.contains(word))
}

/// Whether the byte before or after a range is an ASCII letter or digit.
fn is_inside_word(text: &str, range: &Range<usize>) -> bool {
    let byte =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_alphanumeric);
    byte(range.start.checked_sub(1)) || byte(Some(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::reading::fold::clean;

    /// Each text holds just what is written beside it.
    pub(super) fn finds(detector: Detector, cases: &[(&str, &str)]) {
        for (text, wanted) in cases {
            assert_eq!(found(detector, text), [*wanted], "{detector:?}: {text}");
        }
    }

    pub(super) fn finds_nothing(detector: Detector, texts: &[&str]) {
        for text in texts {
            assert_eq!(found(detector, text), [""; 0], "{detector:?}: {text}");
        }
    }

    fn found(detector: Detector, text: &str) -> Vec<&str> {
        let read = clean(text);
        let spans = detector.compile().unwrap().find(read.text());
        spans.into_iter().map(|span| text.get(read.source(span)).unwrap()).collect()
    }

    #[test]
    fn every_detector_finds_its_example_and_is_listed_once() {
        for (index, detector) in Detector::ALL.into_iter().enumerate() {
            assert_eq!(found(detector, detector.example()).len(), 1, "{detector:?}");
            assert!(!Detector::ALL[..index].contains(&detector));
        }
    }
}
