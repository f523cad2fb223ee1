//! What annotations make of a policy.

use cedar_policy::Effect;
use cedar_policy_core::ast;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::document::with_nearest;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

const KNOWN: [&str; 8] =
    ["id", "reason", "reason_from", "effect", "step_up", "redact", "replacement", "replacement_from"];

/// What a policy does when it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Permit,
    Forbid,
    StepUp { method: Option<String> },
    Redact { places: Vec<Pointer>, replacement: Replacement },
}

/// What stands in a redacted place afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replacement {
    Nothing,
    Text(String),
    From(Pointer),
}

/// Why, in the words of the policy or of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    Text(String),
    From(Pointer),
}

/// A policy's annotations, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotations {
    pub(crate) id: Option<String>,
    pub(crate) reason: Option<Reason>,
    pub(crate) kind: Kind,
}

/// Reads the annotations of one policy; `place` makes an error at a byte offset of its file.
pub(crate) fn read(
    policy: &ast::Policy,
    redactable: &[Pointer],
    place: &dyn Fn(usize, LoadErrorKind, String) -> LoadError,
    errors: &mut Vec<LoadError>,
) -> Annotations {
    let start = policy.loc().map_or(0, |loc| loc.start());
    let mut found = Found { values: Vec::new(), start };
    for (name, annotation) in policy.annotations() {
        let name: &str = name.as_ref();
        let offset = annotation.loc.as_ref().map_or(start, |loc| loc.start());
        if !KNOWN.contains(&name) {
            let error = place(offset, LoadErrorKind::Invalid, format!("unknown annotation `@{name}`"));
            errors.push(with_nearest(error, name, &KNOWN.map(str::to_owned)));
        } else if annotation.val.is_empty() {
            errors.push(place(
                offset,
                LoadErrorKind::Invalid,
                format!("`@{name}` needs a text, as `@{name}(\"…\")`"),
            ));
        }
        found.values.push((name.to_owned(), annotation.val.to_string(), offset));
    }
    let mut refuse =
        |offset: usize, message: String| errors.push(place(offset, LoadErrorKind::Invalid, message));

    let reason = match (found.get("reason"), found.get("reason_from")) {
        (Some(_), Some((_, offset))) => {
            refuse(offset, "`@reason` and `@reason_from` stand on one policy: it can only be one".to_owned());
            None
        }
        (Some((text, _)), None) => Some(Reason::Text(text.to_owned())),
        (None, Some((text, offset))) => match Pointer::parse(text) {
            Ok(pointer) => Some(Reason::From(pointer)),
            Err(error) => {
                refuse(offset, error.to_string());
                None
            }
        },
        (None, None) => None,
    };
    if policy.effect() == Effect::Permit {
        for name in ["effect", "step_up", "redact", "replacement", "replacement_from"] {
            if let Some((_, offset)) = found.get(name) {
                refuse(
                    offset,
                    format!(
                        "`@{name}` stands on a permit, which would grant what it means to restrict: write a forbid"
                    ),
                );
            }
        }
        return Annotations { id: found.text("id"), reason, kind: Kind::Permit };
    }

    let step_up = match found.get("effect") {
        Some(("step_up", _)) => true,
        Some((other, offset)) => {
            refuse(
                offset,
                format!(
                    "`@effect(\"{other}\")` is none: `step_up` is the only one; `redact` is `@redact(\"/pointer\")`"
                ),
            );
            false
        }
        None => false,
    };
    if let (Some((_, offset)), false) = (found.get("step_up"), step_up) {
        refuse(offset, "`@step_up` says how, and needs `@effect(\"step_up\")` beside it".to_owned());
    }
    if let (Some(_), Some((_, offset))) = (found.get("effect"), found.get("redact")) {
        refuse(offset, "`@redact` and `@effect` stand on one policy: write two".to_owned());
    }
    for name in ["replacement", "replacement_from"] {
        if let (Some((_, offset)), None) = (found.get(name), found.get("redact")) {
            refuse(
                offset,
                format!("`@{name}` says what a redacted place becomes, and needs `@redact` beside it"),
            );
        }
    }
    if let (Some(_), Some((_, offset))) = (found.get("replacement"), found.get("replacement_from")) {
        refuse(
            offset,
            "`@replacement` and `@replacement_from` stand on one policy: it can only be one".to_owned(),
        );
    }

    let kind = match found.get("redact") {
        Some((list, offset)) => {
            let mut places = Vec::new();
            for text in list.split(',').map(str::trim) {
                match Pointer::parse(text) {
                    Ok(pointer) if redactable.iter().any(|prefix| prefix.contains(&pointer)) => {
                        places.push(pointer)
                    }
                    Ok(pointer) => refuse(
                        offset,
                        format!(
                            "`{pointer}` does not lie under `redactable` in pack.yaml, so it could never be redacted"
                        ),
                    ),
                    Err(error) => refuse(offset, error.to_string()),
                }
            }
            let replacement = match (found.get("replacement"), found.get("replacement_from")) {
                (Some((text, _)), _) => Replacement::Text(text.to_owned()),
                (None, Some((text, offset))) => match Pointer::parse(text) {
                    Ok(pointer) => Replacement::From(pointer),
                    Err(error) => {
                        refuse(offset, error.to_string());
                        Replacement::Nothing
                    }
                },
                (None, None) => Replacement::Nothing,
            };
            Kind::Redact { places, replacement }
        }
        None if step_up => Kind::StepUp { method: found.text("step_up") },
        None => Kind::Forbid,
    };
    Annotations { id: found.text("id"), reason, kind }
}

struct Found {
    values: Vec<(String, String, usize)>,
    start: usize,
}

impl Found {
    fn get(&self, name: &str) -> Option<(&str, usize)> {
        let (_, value, offset) = self.values.iter().find(|(found, ..)| found == name)?;
        Some((value.as_str(), (*offset).max(self.start)))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|(value, _)| value.to_owned())
    }
}
