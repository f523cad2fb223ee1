//! What every engine and every caller agrees on.
//!
//! - [`request`]: what is asked, and the front door that bounds it
//! - [`json`]: the bounded, duplicate-free JSON reader behind that door
//! - [`decision`]: what is answered, and how several answers merge
//! - [`patch`]: the changes a redaction asks for, how they are applied and compared
//! - [`wire`]: how an engine's JSON answer is read as a decision, strictly
//! - [`outcome`]: the decision together with how it came about
//! - [`parity`]: when two decisions are the same
//! - [`record`]: a decision as it is written down
//! - [`artifact`]: the same for others to read, without what must not leave
//! - [`preview`]: pieces of a redacted request that may be looked at
//! - `screen`: a last look at texts that leave in an artifact
//! - `secrets`: what must not be written down, wherever it is repeated
//! - [`policy_engine`]: the asynchronous trait that callers hold

pub mod artifact;
pub mod decision;
pub mod json;
pub mod outcome;
pub mod parity;
pub mod patch;
pub mod policy_engine;
pub mod preview;
pub mod record;
pub mod request;
mod screen;
mod secrets;
pub mod wire;

pub use artifact::PolicyDecisions;
pub use decision::{Decision, DecisionEffect, StepUp};
pub use outcome::{Outcome, PackIdentity, PackOutcome, Rules, ShadowOutcome};
pub use patch::{ApplyError, Patch, Pointer};
pub use policy_engine::{AllowAllPolicy, PolicyEngine};
pub use request::{PolicyRequest, Token};
