//! `tribunal apply`: make a decision's changes to a request.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tribunal::core::contract::{ApplyError, json};
use tribunal::core::limits::{Bytes, RequestBounds};
use tribunal::{Decision, PolicyRequest};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::terminal::{complain, plain, print_json};

/// Print the request as it may go ahead: unchanged for an `allow`, with every patch applied for a `redact`.
///
/// A `step_up` and a `deny` let nothing go ahead: exit codes 3 and 2.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A decision, or an outcome as `eval --format json` prints it; `-` is standard input.
    #[arg(long, value_name = "FILE|-")]
    decision: PathBuf,
    /// The request that was decided; `-` is standard input.
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
}

/// The size of a decision: it may quote the whole request in each of several packs.
const DECISION: Bytes = Bytes(16 << 20);

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.decision == Path::new("-") && args.input == Path::new("-") {
        return Err(Failure::Usage("decision and request cannot both come from standard input".to_owned()));
    }
    let bounds = RequestBounds { size: DECISION, ..RequestBounds::default() };
    let decision = read_decision(&args.decision, &read(&args.decision, bounds.size.0)?, &bounds)?;
    let text = read(&args.input, RequestBounds::default().size.0)?;
    let request = PolicyRequest::from_slice(&text).map_err(|fault| {
        Failure::Input(format!("`{}` is not a request: {}", args.input.display(), fault.detail))
    })?;
    match decision.apply(&request.to_payload()) {
        Ok(changed) => {
            print_json(&changed)?;
            Ok(Exit::Success)
        }
        Err(ApplyError::Refused(effect)) => {
            let reason =
                decision.reason.iter().map(|reason| format!(": {}", plain(reason))).collect::<String>();
            complain("refused", &format!("the decision is `{effect}`{reason}"));
            Ok(effect.into())
        }
        Err(error) => Err(Failure::Input(format!("the decision was not made about this request: {error}"))),
    }
}

/// A file, and one byte more than it may have.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    input::open(path)
        .and_then(|(reader, _)| reader.take(most.saturating_add(1)).read_to_end(&mut text))
        .map_err(|error| Failure::unreadable(path, &error))?;
    Ok(text)
}

fn read_decision(path: &Path, text: &[u8], bounds: &RequestBounds) -> Result<Decision, Failure> {
    let wrong = |why: String| Failure::Input(format!("`{}` is not a decision: {why}", path.display()));
    let value = json::read(text, bounds).map_err(|fault| wrong(fault.detail))?;
    let decision = match &value {
        Value::Object(members) if members.contains_key("outcome") => {
            members.get("outcome").and_then(|outcome| outcome.get("decision"))
        }
        Value::Object(members) if members.contains_key("packs") => members.get("decision"),
        _ => Some(&value),
    };
    let decision = decision.ok_or_else(|| wrong("it has no `decision`".to_owned()))?;
    let decision: Decision =
        serde_json::from_value(decision.clone()).map_err(|error| wrong(error.to_string()))?;
    // A denial may keep patches for the record; what lets a request go ahead must be of the contract's shape.
    decision.well_formed().map_err(|fault| wrong(fault.detail))
}
