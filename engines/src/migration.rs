//! Coming from FleetForge's `fleetforge_policy`: which of its public names are here, and what replaces the others.
//!
//! Names and wire form of the decision contract are kept. What made them fail open is not: an evaluation returns a
//! [`Decision`](crate::Decision) and no `Result`, and where the old library allowed by default, this one denies and says why.
//!
//! | `fleetforge_policy` | here | what changed |
//! |---|---|---|
//! | `Decision` | [`Decision`](crate::Decision) | `patches` are typed; `step_up` is new; merging nothing denies |
//! | `DecisionEffect` | [`DecisionEffect`](crate::DecisionEffect) | `step_up` is new, between `redact` and `deny` |
//! | `PolicyRequest` | [`PolicyRequest`](crate::PolicyRequest) | `from_slice` is the front door; `new` and `to_payload` are kept; a payload with *another* run or step id is denied; ids are `Option`al, for requests that bring none |
//! | `PolicyEngine` | [`PolicyEngine`](crate::PolicyEngine) | `evaluate` returns a `Decision`: it cannot fail |
//! | `AllowAllPolicy` | [`AllowAllPolicy`](crate::AllowAllPolicy) | denies what is not a request |
//! | `PolicyModule` | a pack: `policy.wasm` with its `pack.lock` | entrypoint and data stand in the pack; a module whose sources changed is refused |
//! | `WasmPolicyEngine` | the engine `rego-wasm`, through [`Tribunal`](crate::Tribunal) | runs real OPA modules; instances stay warm; missing built-ins are refused at load; every fault denies |
//! | `WasmPolicyEngine` without its feature | a load error, or the configured `fallback` | never an allow-all stub |
//! | `ToolAclPolicy`, module `tool_acl` | packs `tool-allowlist` and `step-up-tools` | |
//! | `BudgetCapsPolicy`, module `budget` | pack `session-budget` | counters come in the request |
//! | `BasicPiiPolicy`, `PiiMode`, module `pii` | a pack of one's own with `derive` and `redactable` | a shipped `pii` pack is to come |
//! | `shared_default_pack`, `DefaultPack`, `DefaultPolicyConfig`, module `packs` | a deployment, as `packs/tribunal.yaml` | packs are composed by configuration |
//! | `GovernConfig`, `MeasureConfig` | `when`, `limits`, `record` and `shadow` of a deployment | |
//! | `RegulatedPack`, `RegulatedVertical` | a pack with its `controls` | shipped ones are to come |
