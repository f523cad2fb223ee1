//! Attacks in several steps, as data: what somebody attempts, and how far it gets.
//!
//! A case asks one question; a scenario follows a text. What comes in at one boundary is patched as decided, stored, read
//! again, and goes on to the next, so that a guard that lets through what a later step is harmed by is found out.
//!
//! - [`spec`]: a scenario as it is written, and its JSON Schema
//! - [`suite`]: every scenario of a folder, read and resolved
//! - [`stage`]: what scenarios are run against: a deployment on an engine
//! - [`runner`]: a scenario played on an engine
//! - [`assertions`]: where what came of it is not what was expected
//! - [`detect`]: personal data and hidden instructions, found without asking any pack

pub mod assertions;
pub mod detect;
pub mod runner;
pub mod spec;
pub mod stage;
pub mod suite;

pub use runner::{Played, ScenarioResult, StepResult};
pub use spec::{AttackClass, ScenarioSpec, scenario_schema};
pub use stage::{AS_DEPLOYED, Stage, Stages};
pub use suite::{Scenario, Step, folders, read_folder};
