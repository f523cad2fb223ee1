//! Benchmarks one can decide by: what each engine costs on a pack, with the answers compared first.
//!
//! A run makes its packs ready, has every subject answer every request and compares the answers, and only then measures:
//! each subject in a process of its own, at least five times, interleaved. Figures are medians over processes, and two
//! subjects are compared by ratios within one turn, with an interval that may say that there is no difference.
//!
//! # Map
//! - [`definition`]: what is measured, as data
//! - [`model`]: what a figure is about
//! - [`subject`]: who is measured: our engines, the floors below them, the peers beside them
//! - [`workshop`], [`embedded`], [`copies`], [`scale`]: the packs
//! - [`run`](mod@run): from the definition to the report
//! - [`launch`], [`worker`]: a process for each subject and turn
//! - [`flamegraph`]: where the time of decisions goes, drawn afterwards
//! - [`verify`](mod@verify): answers compared before anything is timed
//! - [`statistics`]: what may be said of figures
//! - [`conclusion`](mod@conclusion): one paragraph to decide by
//! - [`compare`], [`gate`]: runs and subjects against each other
//! - [`targets`]: what is promised, and whether a run keeps it
//! - [`report`]: what was measured, as data and for people
//! - [`memory`]: what the system tells of this process
//! - [`shipped`]: shipped packs for the benchmarks of developers (`benches/*.rs`)

pub mod compare;
pub mod conclusion;
pub mod copies;
pub mod definition;
pub mod embedded;
pub mod flamegraph;
pub mod gate;
pub mod growth;
pub mod launch;
pub mod memory;
pub mod model;
pub mod report;
pub mod run;
pub mod scale;
pub mod shipped;
pub mod statistics;
pub mod subject;
pub mod targets;
pub mod timing;
pub mod verify;
pub mod worker;
pub mod workshop;

pub use run::{BenchError, Plan, Progress, run};
