//! The JSON Schemas of every file that people or programs write for Tribunal, or read from it.

use serde_json::Value;
use tribunal::Registry;
use tribunal::core::config::deployment;
use tribunal::core::contract::PolicyDecisions;
use tribunal::core::contract::record::DecisionRecord;
use tribunal::core::pack::{PackLock, source};
use tribunal_benches::definition::definition_schema;
use tribunal_benches::report::BenchReport;
use tribunal_conformance::mutation::equivalent_mutants_schema;
use tribunal_conformance::parity::known::known_divergences_schema;
use tribunal_conformance::parity::{MutationReport, ParityReport};

use tribunal_conformance::parity::report::SuiteTable;

use crate::command::check::CheckReport;
use crate::command::pack::Listed;
use crate::evaluator::{ComparisonReport, OutcomeReport};

/// A schema that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// `pack.yaml`
    Pack,
    /// `tribunal.yaml`
    Tribunal,
    /// A file of cases
    Case,
    /// A file of scenarios
    Scenario,
    /// A line of `eval --record`
    Record,
    /// A file of `eval --artifact`
    PolicyDecisions,
    /// `eval --format json`
    Outcome,
    /// `eval --all-engines --format json`
    Comparison,
    /// `pack.lock`
    Lock,
    /// `check --format json`
    Check,
    /// `pack list --format json`
    PackList,
    /// `parity --report json`
    Parity,
    /// `mutate --report json`
    Mutation,
    /// A pack's `parity/known-divergences.yaml`
    KnownDivergences,
    /// A pack's `parity/equivalent-mutants.yaml`
    EquivalentMutants,
    /// `suites --format json`
    Suites,
    /// A file of measurements, for `bench --definition`
    BenchDefinition,
    /// `bench --format json`
    Bench,
}

impl Name {
    /// The schema.
    pub(crate) fn schema(self, registry: &Registry) -> Value {
        match self {
            Name::Pack => source::manifest_schema(registry),
            Name::Tribunal => deployment::schema(),
            Name::Case => tribunal_conformance::case_schema(),
            Name::Scenario => tribunal_conformance::scenario::scenario_schema(),
            Name::Record => schemars::schema_for!(DecisionRecord).to_value(),
            Name::PolicyDecisions => schemars::schema_for!(PolicyDecisions).to_value(),
            Name::Outcome => schemars::schema_for!(OutcomeReport<'_>).to_value(),
            Name::Comparison => schemars::schema_for!(ComparisonReport<'_>).to_value(),
            Name::Lock => schemars::schema_for!(PackLock).to_value(),
            Name::Check => schemars::schema_for!(CheckReport).to_value(),
            Name::PackList => schemars::schema_for!(Vec<Listed>).to_value(),
            Name::Parity => schemars::schema_for!(ParityReport).to_value(),
            Name::Mutation => schemars::schema_for!(MutationReport).to_value(),
            Name::KnownDivergences => known_divergences_schema(),
            Name::EquivalentMutants => equivalent_mutants_schema(),
            Name::Suites => schemars::schema_for!(Vec<SuiteTable>).to_value(),
            Name::BenchDefinition => definition_schema(),
            Name::Bench => schemars::schema_for!(BenchReport).to_value(),
        }
    }
}
