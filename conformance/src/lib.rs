//! Cases as data, and the one runner that puts them to every engine.
//!
//! A pack says in `cases/*.yaml` what it decides. The runner here loads the pack on an engine and puts each case through
//! the whole of dispatch (front door, claim, schema, derive, decide, redaction rounds), so that a case passes on an engine
//! only if everything a caller would meet behaves as the case says.
//!
//! # Map
//! - [`case`]: what a case says, how files of cases are read, and their JSON Schema
//! - [`runner`]: a pack on one engine, and cases put to it
//! - [`comparison`]: where an answer is not what was expected
//! - [`coverage`]: the members of a request that no case leaves out or mistypes
//! - [`escape`]: texts of others, made harmless wherever people read them
//! - [`mutation`]: how many small mistakes a search notices
//! - [`parity`]: engines compared on a pack, and the report of it
//! - [`reference`](mod@reference): evaluators that are not ours, beside the engines in a comparison
//! - [`suites`]: suites that others wrote, on the engines they are for
//! - [`rego`]: a pack's own `test_` rules
//! - [`scenario`]: attacks in several steps, as data
//! - [`search`]: the search for a request on which engines differ
//!
//! ```
//! use std::sync::Arc;
//! use tribunal::core::engine::LoadContext;
//! use tribunal::core::pack::PackSource;
//! use tribunal_conformance::{Runner, Suite, offered};
//!
//! # fn test() -> Result<(), tribunal::LoadErrors> {
//! let registry = tribunal::registry();
//! let files = tribunal::files::read_pack("../packs/tool-allowlist".as_ref())?;
//! let pack = Arc::new(PackSource::read("packs/tool-allowlist", files, &registry)?);
//! let suite = Suite::read(&pack)?;
//! for offer in offered(&pack, &registry).filter(|offer| offer.is_built_in) {
//!     let runner = Runner::load(pack.clone(), offer.engine, &suite.trusted(&LoadContext::default()), &registry)?;
//!     for case in &suite.cases {
//!         assert_eq!(runner.run(case).failure.map(|failure| failure.to_string()), None, "{}", case.name);
//!     }
//! }
//! # Ok(())
//! # }
//! # test().unwrap();
//! ```

pub mod case;
pub mod comparison;
pub mod coverage;
pub mod escape;
pub mod mutation;
pub mod parity;
pub mod reference;
pub mod rego;
pub mod runner;
pub mod scenario;
pub mod search;
pub mod suites;

pub use case::{Case, Expectation, Suite, case_schema};
pub use comparison::Mismatch;
pub use rego::{RegoTest, rego_tests};
pub use runner::{Answer, CaseResult, Failure, Offer, Runner, offered};
