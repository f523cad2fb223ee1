//! Cedar behind Tribunal's decision contract.
//!
//! A pack's `*.cedar` policies are validated strictly against its `schema.cedarschema` when the pack is loaded, and every
//! request is converted by the types of that same schema, so an evaluation cannot meet what validation excluded. What
//! still goes wrong while evaluating (an overflow) is a fault, also in a `forbid`, which Cedar itself would skip.
//!
//! # Map
//! - `settings`: `engines.cedar` in `pack.yaml`
//! - `bounds`: static bounds, which stand where other engines have limits at run time
//! - `nesting`: depth of a text, found before Cedar's recursive parsers see it
//! - `schema`: `schema.cedarschema`, and what it says about requests
//! - `policies`, `annotations`: `*.cedar`, split into the policies that must allow and those that soften
//! - [`index`]: which policies can match a request at all
//! - `entities`: static entities, and the small store of one request
//! - `convert`, `request`: JSON to Cedar values, entities and context, typed by the schema
//! - `load`: all of these together; `decide`: the loaded engine
//! - `vocabulary`, `mutate`: what a comparison of engines asks of a pack's policies
//! - [`reference`](mod@reference): what the `cedar` command needs to be asked the same
//! - [`bare`]: this engine stage by stage, for measurements
//! - [`probe`]: plain Cedar, for Cedar's own tests
//! - `error`: Cedar's diagnostics with their places
//!
//! # What a request becomes
//! `subject` and `resource` become entities of the types that `types` in pack.yaml allows, `action` the action of its name.
//! Their `properties` are attributes, `action.properties` stand in the context as `action_properties`, beside the members of
//! `context`, `derived`, and every other member that the input schema names. Cedar's records are closed: each of these has to
//! be declared in `schema.cedarschema`, with its type. Lists become sets. Requests never give parents, entity references or
//! extension values. An attribute that requests give to an entity which also stands in entities.json has to be optional in
//! the schema, since static entities are complete by themselves. Pack data is the entity `Data::"<pack>"`, so a pack with
//! data declares `entity Data`; other static entities stand in entities.json.
//!
//! # Two policy sets
//! Permits and plain forbids decide first and must allow. Only then the forbids annotated `@effect("step_up")` or
//! `@redact("/pointer,…")` are asked; the most severe that matches wins. When the first set denies, the second is not
//! evaluated: an error waiting there changes nothing, since the request is refused anyway.
//!
//! # Annotations
//! | annotation | on | means |
//! |---|---|---|
//! | `@id("name")` | any | the policy's name in outcomes; `policyN` without it, counted over the pack |
//! | `@reason("text")` | any | the reason of a decision that this policy determines |
//! | `@reason_from("/derived/x")` | any | the text, or each text of the list, that stands there is such a reason |
//! | `@effect("step_up")` | forbid | asks for stronger authorisation |
//! | `@step_up("method")` | with `@effect("step_up")` | how; of several, the first in the text |
//! | `@redact("/a,/b")` | forbid | these places must change; a pointer with a comma in it cannot be written |
//! | `@replacement("text")` | with `@redact` | they become this text |
//! | `@replacement_from("/derived/x")` | with `@redact` | they become what stands there; without either they are removed |

mod annotations;
pub mod bare;
mod bounds;
mod convert;
mod decide;
mod entities;
mod error;
pub mod index;
mod load;
mod mutate;
mod nesting;
mod policies;
pub mod probe;
pub mod reference;
mod request;
mod schema;
mod settings;
mod vocabulary;

pub use load::CedarFactory;
