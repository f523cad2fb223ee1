//! From policy text to statements with places.
//!
//! The parser recurses on nesting and on chains of operators, unbounded, and a stack that overflows aborts the process; and
//! it panics on a public key that is none. So the text is scanned first, by the same rules for strings and comments, and
//! handed over one bounded statement at a time: the parser's own recovery would resume in the middle of a string.

use std::ops::Range;
use std::panic::catch_unwind;

use biscuit_auth::builder::{Check, CheckKind, Fact, Policy, PolicyKind, Rule};
use biscuit_auth::{PublicKey, parser};
use nom::Finish;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;

/// Size of all policy files of a pack together, in bytes.
pub(crate) const MAX_SOURCE: usize = 1 << 20;
/// Parentheses, brackets, braces and `!` inside one another.
pub(crate) const MAX_DEPTH: usize = 64;
/// Characters of operators in one statement.
pub(crate) const MAX_OPERATORS: usize = 512;

/// One statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// What it says.
    pub(crate) item: Item,
    /// Its name in rules and traces: what it is and where, as `allow policy.biscuit:12`.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) location: Location,
    /// Where its text stands in its file, in bytes, without the `;`.
    pub(crate) span: Range<usize>,
}

/// A policy file of a pack.
#[derive(Debug)]
pub(crate) struct PolicyFile<'p> {
    /// Its path inside the pack.
    pub(crate) path: &'p str,
    /// Its name as the user would write it.
    pub(crate) name: String,
    pub(crate) text: &'p str,
    pub(crate) statements: Vec<Statement>,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Fact(Fact),
    Rule(Rule),
    Check(Check),
    Policy(Policy),
}

impl Item {
    /// The word for it in names.
    fn word(&self) -> &str {
        match self {
            Item::Fact(fact) => &fact.predicate.name,
            Item::Rule(rule) => &rule.head.name,
            Item::Check(Check { kind: CheckKind::Reject, .. }) => "reject",
            Item::Check(_) => "check",
            Item::Policy(Policy { kind: PolicyKind::Allow, .. }) => "allow",
            Item::Policy(Policy { kind: PolicyKind::Deny, .. }) => "deny",
        }
    }

    /// Its bodies: a fact has none, a rule one, the others one for each side of an `or`.
    pub(crate) fn queries(&self) -> &[Rule] {
        match self {
            Item::Fact(_) => &[],
            Item::Rule(rule) => std::slice::from_ref(rule),
            Item::Check(check) => &check.queries,
            Item::Policy(policy) => &policy.queries,
        }
    }
}

/// Parses one file. `path` names it inside the pack, `file` as the user would.
///
/// # Errors
/// Everything that does not parse, or is too large or too deep to be parsed.
pub(crate) fn parse(path: &str, file: &str, text: &str) -> Result<Vec<Statement>, Vec<LoadError>> {
    let place = |offset: usize| Location::of_offset(file, text, offset);
    let mut statements: Vec<Statement> = Vec::new();
    let mut errors = Vec::new();
    for piece in Pieces::new(text) {
        let (start, source) = match piece {
            Ok(piece) => piece,
            Err(Flaw { kind, offset, message }) => {
                errors.push(LoadError::new(kind, message).at(place(offset)));
                continue;
            }
        };
        // The scan has made a panic impossible as far as is known; what is not known must not end the process.
        match catch_unwind(|| parse_one(source)) {
            Ok(Ok(item)) => {
                let location = place(start);
                let mut name = format!("{} {path}:{}", item.word(), location.line);
                if statements
                    .iter()
                    .rev()
                    .take_while(|before| before.location.line == location.line)
                    .any(|before| before.name == name)
                {
                    name.push_str(&format!(":{}", location.column));
                }
                statements.push(Statement { item, name, location, span: start..start + source.len() });
            }
            Ok(Err((offset, message))) => {
                errors.push(LoadError::new(LoadErrorKind::Syntax, message).at(place(start + offset)));
            }
            Err(_) => {
                errors.push(
                    LoadError::new(LoadErrorKind::Syntax, "the Datalog parser cannot read this statement")
                        .at(place(start)),
                );
            }
        }
    }
    if errors.is_empty() { Ok(statements) } else { Err(errors) }
}

/// Parses one statement, without its `;`. An error stands at an offset.
fn parse_one(source: &str) -> Result<Item, (usize, String)> {
    let starts = |word: &str| source.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    // A macro: the parser's types are private, and each of the four results has its own.
    macro_rules! parsed {
        ($parser:path, $type:ty, $wrap:path) => {
            match $parser(source).finish() {
                Ok((_, parsed)) => {
                    let parsed = <$type>::from(parsed);
                    $wrap(parsed)
                }
                Err(error) => {
                    return Err((
                        error.input.as_ptr().addr() - source.as_ptr().addr(),
                        complaint(error.input, error.message),
                    ))
                }
            }
        };
    }
    let item = if ["check if", "check all", "reject if"].into_iter().any(starts) {
        parsed!(parser::check, Check, Item::Check)
    } else if ["allow if", "deny if"].into_iter().any(starts) {
        parsed!(parser::policy, Policy, Item::Policy)
    } else if outside_strings(source)
        .any(|(offset, _)| source.get(offset..).is_some_and(|rest| rest.starts_with("<-")))
    {
        parsed!(parser::rule, Rule, Item::Rule)
    } else {
        parsed!(parser::fact, Fact, Item::Fact)
    };
    let parameters = match &item {
        Item::Fact(fact) => fact.validate(),
        Item::Rule(rule) => rule.validate_parameters(),
        Item::Check(check) => check.validate_parameters(),
        Item::Policy(policy) => policy.validate_parameters(),
    };
    match parameters {
        Ok(()) => Ok(item),
        Err(_) => {
            let offset = outside_strings(source).find(|(_, c)| *c == '{').map_or(0, |(offset, _)| offset);
            Err((offset, "a policy has no parameters such as `{name}`".to_owned()))
        }
    }
}

fn complaint(rest: &str, message: Option<String>) -> String {
    let found: String = rest.lines().next().unwrap_or("").chars().take(40).collect();
    match (message, found.trim()) {
        (Some(message), _) => message,
        (None, "") => "the statement ends too early: a term is missing, or a `;`".to_owned(),
        (None, found) => format!(
            "cannot read `{found}`: a fact, rule, check or policy of Biscuit Datalog is expected, comments between them only"
        ),
    }
}

/// The characters of a statement that stand in no string, with their offsets.
fn outside_strings(source: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quoted = false;
    let mut escaped = false;
    source.char_indices().filter(move |(_, c)| {
        let was_quoted = quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        !was_quoted && !quoted
    })
}

/// Why a piece of text is not handed to the parser.
struct Flaw {
    kind: LoadErrorKind,
    offset: usize,
    message: String,
}

/// The statements of a text, each with its offset and within the bounds.
struct Pieces<'t> {
    text: &'t str,
    offset: usize,
}

impl<'t> Pieces<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.offset..).unwrap_or("")
    }

    /// Skips white space and comments; an error is the place of a comment without an end.
    fn skip(&mut self) -> Result<(), Flaw> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.offset += rest.len() - trimmed.len();
            if let Some(comment) = trimmed.strip_prefix("//") {
                self.offset += 2 + comment.find(['\r', '\n']).unwrap_or(comment.len());
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else {
                    let offset = std::mem::replace(&mut self.offset, self.text.len());
                    return Err(Flaw {
                        kind: LoadErrorKind::Syntax,
                        offset,
                        message: "this comment has no `*/`".to_owned(),
                    });
                };
                self.offset += 2 + end + 2;
            } else {
                return Ok(());
            }
        }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Result<(usize, &'t str), Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(flaw) = self.skip() {
            return Some(Err(flaw));
        }
        let start = self.offset;
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let end = outside_strings(rest).find(|(_, c)| *c == ';').map(|(end, _)| end);
        self.offset = start + end.map_or(rest.len(), |end| end + 1);
        let source =
            rest.get(..end.unwrap_or(rest.len())).unwrap_or("").trim_end_matches([' ', '\t', '\r', '\n']);
        Some(match flaw(source) {
            Some(flaw) => Err(Flaw { offset: start + flaw.offset, ..flaw }),
            None => Ok((start, source)),
        })
    }
}

/// What keeps one statement from the parser.
fn flaw(source: &str) -> Option<Flaw> {
    let found = |kind, offset, message: String| Some(Flaw { kind, offset, message });
    if let Some(offset) = unterminated(source) {
        return found(LoadErrorKind::Syntax, offset, "this text has no closing `\"`".to_owned());
    }
    // Each bracket is as deep as itself and the `!`s before it.
    let mut open: Vec<usize> = Vec::new();
    let (mut depth, mut bangs, mut operators) = (0_usize, 0_usize, 0_usize);
    for (offset, c) in outside_strings(source) {
        match c {
            '(' | '[' | '{' => {
                let level = 1 + std::mem::take(&mut bangs);
                depth += level;
                open.push(level);
            }
            ')' | ']' | '}' => depth -= open.pop().unwrap_or(0),
            '!' => bangs += 1,
            c if c.is_whitespace() => {}
            _ => bangs = 0,
        }
        operators += usize::from("+-*/&|^.<>=".contains(c));
        if depth + bangs > MAX_DEPTH {
            return found(
                LoadErrorKind::Bounds,
                offset,
                format!("this statement is nested deeper than {MAX_DEPTH} levels"),
            );
        }
        if operators > MAX_OPERATORS {
            return found(
                LoadErrorKind::Bounds,
                offset,
                format!("this statement has more than {MAX_OPERATORS} operators"),
            );
        }
    }
    for prefix in ["ed25519/", "secp256r1/"] {
        for (offset, _) in source.match_indices(prefix) {
            let key = source.get(offset..).unwrap_or("");
            let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap_or(key.len());
            let key = key.get(..end).unwrap_or("");
            if outside_strings(source).any(|(at, _)| at == offset) && key.parse::<PublicKey>().is_err() {
                return found(LoadErrorKind::Invalid, offset, format!("`{key}` is not a public key"));
            }
        }
    }
    None
}

/// Where a string begins that never ends.
fn unterminated(source: &str) -> Option<usize> {
    let mut begun = None;
    let mut escaped = false;
    for (offset, c) in source.char_indices() {
        match (c, begun) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('"', None) => begun = Some(offset),
            ('"', Some(_)) => begun = None,
            _ => {}
        }
    }
    begun
}
