//! What a text of regorus means: it reports every error as one text with the source quoted in it.

use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use tribunal_engine_core::location::Location;

use crate::worker::Source;

/// A text of regorus taken apart: `--> file:line:column`, a quotation, then `error: message`.
pub(crate) struct Report {
    pub(crate) location: Option<Location>,
    pub(crate) message: String,
}

impl Report {
    pub(crate) fn read(text: &str) -> Self {
        let location = text.lines().find_map(|line| place(line.strip_prefix("--> ")?));
        // The quotation is one line, so the first line that begins so is regorus's own. What follows its message is
        // another quotation.
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message.lines().next().map_or(message, |line| line.trim_end_matches('.')),
            None => text,
        };
        Self { location, message: message.trim().to_owned() }
    }

    /// The same with its column counted in characters: regorus counts a tab as four and a letter by its bytes.
    pub(crate) fn located(mut self, sources: &[Source]) -> Self {
        if let Some(location) = &mut self.location
            && let Some(source) = sources.iter().find(|source| source.name == location.file)
            && let Some(line) = source.text.lines().nth(location.line.saturating_sub(1))
        {
            let mut column = 1;
            let before = line.chars().take_while(|char| {
                let starts = column;
                column += if *char == '\t' { 4 } else { char.len_utf8() };
                starts < location.column
            });
            location.column = before.count() + 1;
        }
        self
    }

    /// As a fault of a decision.
    pub(crate) fn fault(&self) -> Fault {
        let detail = match &self.location {
            Some(location) => format!("{location}: {}", self.message),
            None => self.message.clone(),
        };
        Fault::new(kind(&self.message), detail)
    }

    /// As an error of a load.
    pub(crate) fn load_error(self, kind: LoadErrorKind) -> LoadError {
        let error = LoadError::new(kind, self.message);
        match self.location {
            Some(location) => error.at(location),
            None => error,
        }
    }
}

fn place(text: &str) -> Option<Location> {
    let mut parts = text.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some(Location::new(parts.next()?, line, column))
}

/// Two values where one was promised.
const CONFLICT: [&str; 5] = [
    "should not produce multiple outputs",
    "must not produce multiple outputs",
    "function produced multiple outputs",
    "value for key `",
    "rule conflicts with rule",
];

/// Errors of the operators, which are built-ins to OPA but part of the interpreter to regorus.
const OPERATOR: [&str; 9] = [
    "divide by zero",
    "modulo by zero",
    "modulo on floating-point number",
    "expects numeric argument",
    "expects string argument",
    "expects set argument",
    "expects array argument",
    "expects object argument",
    "overflow",
];

fn kind(message: &str) -> FaultKind {
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if says(&["execution exceeded time limit"]) {
        FaultKind::Limit(LimitKind::Deadline)
    } else if says(&CONFLICT) {
        FaultKind::Conflict
    } else if says(&OPERATOR) {
        FaultKind::BuiltinError
    } else {
        FaultKind::EvaluationError
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_taken_apart() {
        let report = Report::read(
            "\n--> p/policy.rego:3:8\n  |\n3 | x := error: 1\n  |        ^\nerror: expecting `]`",
        );
        assert_eq!(report.location, Some(Location::new("p/policy.rego", 3, 8)));
        assert_eq!(report.message, "expecting `]`");
        let plain = Report::read("not a valid rule path");
        assert_eq!((plain.location, plain.message.as_str()), (None, "not a valid rule path"));
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let source = Source { name: "p".to_owned(), text: "package p\n\tx := \"é\" ?\n".to_owned() };
        let report = Report::read("\n--> p:2:15\n  |\nerror: invalid character").located(&[source]);
        assert_eq!(report.location, Some(Location::new("p", 2, 11)));
    }

    #[test]
    fn messages_are_told_apart() {
        for (message, expected) in [
            ("complete rules should not produce multiple outputs", FaultKind::Conflict),
            ("value for key `1` generated multiple times: `1` and `2`", FaultKind::Conflict),
            ("divide by zero", FaultKind::BuiltinError),
            ("execution exceeded time limit (elapsed=1ns, limit=1ns)", FaultKind::Limit(LimitKind::Deadline)),
            ("something new", FaultKind::EvaluationError),
        ] {
            assert_eq!(kind(message), expected, "{message}");
        }
    }
}
