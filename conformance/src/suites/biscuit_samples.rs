//! The samples of the Biscuit specification: tokens, and what authorizers make of them.
//!
//! Each token is asked about twice over: every validation has to come to its result, and what the token contains has to be
//! something the engine would evaluate, unless no validation gets that far.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tribunal::biscuit::Judgement;
use tribunal::biscuit::probe::{Probe, ProbeError, admit};
use tribunal::core::fault::{FaultKind, TokenFault};

use super::SuiteError;
use super::reading::{json, text};
use super::runner::{Source, SuiteCase, Verdict};

/// The file of the samples.
const FILE: &str = "samples.json";

#[derive(Deserialize)]
struct Samples {
    root_public_key: String,
    testcases: Vec<Value>,
}

/// A token, and its validations by name.
#[derive(Deserialize)]
struct Sample {
    filename: String,
    validations: BTreeMap<String, Value>,
}

/// What an authorizer makes of it.
#[derive(Deserialize)]
struct Validation {
    authorizer_code: String,
    result: Value,
    revocation_ids: Vec<String>,
}

/// What a validation comes to: a judgement, or a fault of a kind.
type Wanted = Result<Judgement, FaultKind>;

/// The suite's cases.
pub(crate) fn cases<'r>(folder: &Path) -> Result<Source<'r>, SuiteError> {
    let path = folder.join(FILE);
    let samples: Samples = json(&path.display().to_string(), 1, &text(&path)?)?;
    let root: Arc<str> = samples.root_public_key.into();
    let mut cases = Vec::new();
    for (index, sample) in samples.testcases.into_iter().enumerate() {
        let read = serde_json::from_value::<Sample>(sample).map_err(|error| error.to_string());
        let read = read.and_then(|sample| {
            let token = std::fs::read(folder.join(&sample.filename));
            let token = token.map_err(|error| format!("`{}`: {error}", sample.filename))?;
            Ok((sample, Arc::<[u8]>::from(token)))
        });
        match read {
            Ok((sample, token)) => cases.extend(of_sample(&root, sample, &token)),
            Err(why) => cases.push(SuiteCase::unreadable("validations", format!("sample {index}"), why)),
        }
    }
    Ok(Source::Cases(cases))
}

fn of_sample<'r>(root: &Arc<str>, sample: Sample, token: &Arc<[u8]>) -> Vec<SuiteCase<'r>> {
    let mut cases = Vec::new();
    let mut is_evaluated = false;
    for (name, validation) in sample.validations {
        let name = match name.is_empty() {
            true => sample.filename.clone(),
            false => format!("{}: {name}", sample.filename),
        };
        let read = serde_json::from_value::<Validation>(validation).map_err(|error| error.to_string());
        match read.and_then(|validation| Ok((wanted(&validation.result)?, validation))) {
            Err(why) => cases.push(SuiteCase::unreadable("validations", name, why)),
            Ok((wanted, validation)) => {
                is_evaluated |= matches!(wanted, Ok(_) | Err(FaultKind::EvaluationError));
                let (root, token) = (root.clone(), token.clone());
                cases.push(SuiteCase::new("validations", name, move || {
                    judge(&root, &token, &validation, &wanted)
                }));
            }
        }
    }
    let token = token.clone();
    cases.push(SuiteCase::new("content", format!("content of {}", sample.filename), move || {
        match admit(&token) {
            Err(fault) if is_evaluated => Verdict::Refused(format!("wanted an evaluation; {fault}")),
            _ => Verdict::Passed,
        }
    }));
    cases
}

fn judge(root: &str, token: &[u8], validation: &Validation, wanted: &Wanted) -> Verdict {
    let probe = Probe::verify(token, root);
    if let Ok(probe) = &probe
        && probe.revocation_ids() != validation.revocation_ids
    {
        return Verdict::Failed(format!("other revocation ids: {:?}", probe.revocation_ids()));
    }
    let came = match probe.and_then(|probe| probe.judge(&validation.authorizer_code)) {
        Ok(judgement) => Ok(judgement),
        Err(ProbeError::Fault(fault)) => Err(fault),
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    match (came, wanted) {
        (Ok(came), Ok(wanted)) if came == *wanted => Verdict::Passed,
        (Err(fault), Err(kind)) if fault.kind == *kind => Verdict::Passed,
        (Err(fault), Ok(wanted)) => Verdict::Refused(format!("wanted {wanted:?}; {fault}")),
        (came, wanted) => Verdict::Failed(format!("wanted {wanted:?}; came {came:?}")),
    }
}

/// `{"Ok": …}` and `{"Err": …}` as the samples write them, which is as `biscuit-auth` writes its errors.
#[derive(Deserialize)]
enum SampleResult {
    Ok(usize),
    Err(SampleError),
}

#[derive(Deserialize)]
enum SampleError {
    Execution(IgnoredAny),
    Format(SampleFormat),
    FailedLogic(SampleLogic),
}

/// Formats that are wrong in another way are not known here: such a sample cannot be read.
#[derive(Deserialize)]
enum SampleFormat {
    Signature(IgnoredAny),
    InvalidSignatureSize(IgnoredAny),
    BlockSignatureDeserializationError(IgnoredAny),
}

#[derive(Deserialize)]
enum SampleLogic {
    InvalidBlockRule(IgnoredAny),
    NoMatchingPolicy { checks: Vec<SampleCheck> },
    Unauthorized { policy: SamplePolicy, checks: Vec<SampleCheck> },
}

#[derive(Deserialize)]
enum SamplePolicy {
    Allow(usize),
    Deny(usize),
}

#[derive(Deserialize)]
enum SampleCheck {
    Authorizer { check_id: usize },
    Block { block_id: u32, check_id: u32 },
}

fn wanted(result: &Value) -> Result<Wanted, String> {
    let error = match SampleResult::deserialize(result).map_err(|error| format!("its result: {error}"))? {
        SampleResult::Ok(policy) => return Ok(Ok(judgement(Some((policy, true)), Vec::new()))),
        SampleResult::Err(error) => error,
    };
    Ok(match error {
        SampleError::Execution(_) => Err(FaultKind::EvaluationError),
        SampleError::Format(
            SampleFormat::Signature(_)
            | SampleFormat::InvalidSignatureSize(_)
            | SampleFormat::BlockSignatureDeserializationError(_),
        ) => Err(FaultKind::Token(TokenFault::BadSignature)),
        SampleError::FailedLogic(SampleLogic::InvalidBlockRule(_)) => {
            Err(FaultKind::Token(TokenFault::Malformed))
        }
        SampleError::FailedLogic(SampleLogic::NoMatchingPolicy { checks }) => Ok(judgement(None, checks)),
        SampleError::FailedLogic(SampleLogic::Unauthorized { policy, checks }) => {
            let policy = match policy {
                SamplePolicy::Allow(index) => (index, true),
                SamplePolicy::Deny(index) => (index, false),
            };
            Ok(judgement(Some(policy), checks))
        }
    })
}

fn judgement(policy: Option<(usize, bool)>, failed: Vec<SampleCheck>) -> Judgement {
    let (mut checks, mut token_checks) = (Vec::new(), Vec::new());
    for check in failed {
        match check {
            SampleCheck::Authorizer { check_id } => checks.push(check_id),
            SampleCheck::Block { block_id, check_id } => token_checks.push((block_id, check_id)),
        }
    }
    Judgement { policy, checks, token_checks }
}
