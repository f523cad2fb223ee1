//! What stands beside a comparison: references, and attenuated tokens.

use tribunal::Token;
use tribunal::core::pack::PackSource;
use tribunal_conformance::parity::{Beside, Contestant, Lineup};
use tribunal_conformance::reference::{self, Reference, ReferenceError};

use crate::failure::Failure;

/// The references there are.
const REFERENCES: [&str; 2] = ["opa", "cedar"];

/// The references named, with the first pack. One that is not there takes part as one that could not be asked.
///
/// # Errors
/// If there is no reference of a name.
pub(crate) fn references(names: &[String], contestants: &[Contestant]) -> Result<Vec<Beside>, Failure> {
    let mut beside = Vec::new();
    for name in names {
        let start: fn(&PackSource) -> Result<Reference, ReferenceError> = match name.as_str() {
            "opa" => |pack| reference::opa(pack, None),
            "cedar" => |pack| reference::cedar(pack, None),
            _ => {
                let known = REFERENCES.join(", ");
                return Err(Failure::Usage(format!("there is no reference `{name}` (known here: {known})")));
            }
        };
        let Some(contestant) = contestants.first() else { continue };
        let runner = start(&contestant.source)
            .map_err(|error| error.to_string())
            .and_then(|reference| reference.runner(&contestant.source).map_err(|errors| errors.to_string()));
        beside.push(Beside { name: format!("{name} (reference)"), engine: name.clone(), runner });
    }
    Ok(beside)
}

/// Tokens made of those of the cases, each narrowed in some way; none where no pack looks at tokens.
#[cfg(feature = "biscuit")]
pub(crate) fn attenuated(lineup: &Lineup) -> Vec<Token> {
    use tribunal::biscuit::{Only, attenuations};
    let mut tokens = Vec::new();
    for case in lineup.contestants.iter().flat_map(|contestant| &contestant.suite.cases) {
        let Some(token) = &case.token else { continue };
        let text =
            |place: &str| case.request.pointer(place).and_then(|value| value.as_str()).map(str::to_owned);
        let mut only = vec![Only::Before(case.now)];
        only.extend(text("/action/name").map(Only::Action));
        only.extend(text("/resource/id").map(Only::Resource));
        // A token that cannot be read is one of the things to show; it has no narrower ones.
        if let Ok(narrower) = attenuations(token, &only) {
            tokens.extend(narrower.into_iter().map(|attenuated| attenuated.token));
        }
    }
    tokens
}

/// Without Biscuit there are no tokens to narrow.
#[cfg(not(feature = "biscuit"))]
pub(crate) fn attenuated(_: &Lineup) -> Vec<Token> {
    Vec::new()
}
