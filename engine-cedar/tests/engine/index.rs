//! The scope index answers as Cedar does over the whole set.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request, Schema};
use proptest::prelude::*;
use proptest::sample::select;
use tribunal_engine_cedar::index::{Authorization, PolicyIndex};

const SCHEMA: &str = r#"
entity G in [G]; entity A in [G] = {n?: Long, friend?: A}; entity R in [G] = {n?: Long};
action all; action some in [all]; action x, y in [some] appliesTo {principal: [A], resource: [R, A]}; action z appliesTo {principal: [A], resource: [R, A]};
"#;

const ENTITIES: &str = r#"[
 {"uid": {"type": "G", "id": "top"}, "attrs": {}, "parents": []},
 {"uid": {"type": "G", "id": "g"}, "attrs": {}, "parents": [{"type": "G", "id": "top"}]},
 {"uid": {"type": "A", "id": "a"}, "attrs": {"n": 1, "friend": {"__entity": {"type": "A", "id": "b"}}}, "parents": [{"type": "G", "id": "g"}]},
 {"uid": {"type": "A", "id": "b"}, "attrs": {}, "parents": []},
 {"uid": {"type": "R", "id": "r"}, "attrs": {"n": 9223372036854775807}, "parents": [{"type": "G", "id": "top"}]}
]"#;

fn scope(variable: &'static str) -> impl Strategy<Value = String> {
    select(vec![
        "",
        " == A::\"a\"",
        " == A::\"b\"",
        " == R::\"r\"",
        " == R::\"none\"",
        " in G::\"g\"",
        " in G::\"top\"",
        " in A::\"a\"",
        " is A",
        " is R",
        " is A in G::\"top\"",
    ])
    .prop_map(move |constraint| format!("{variable}{constraint}"))
}

fn policy() -> impl Strategy<Value = String> {
    let action = select(vec![
        "action",
        "action == Action::\"x\"",
        "action == Action::\"z\"",
        "action == Action::\"unknown\"",
        "action in Action::\"some\"",
        "action in Action::\"all\"",
        "action in [Action::\"x\", Action::\"some\", Action::\"z\"]",
        "action in []",
    ]);
    let condition = select(vec![
        "",
        "when { principal.n == 1 }",
        "when { resource.n + 1 > 0 }",
        "when { principal.friend in G::\"g\" || principal.friend.n == 2 }",
        "unless { resource has n }",
        "when { principal }",
        "when { context.missing }",
        "when { A::\"a\".friend == principal }",
    ]);
    (select(vec!["permit", "forbid"]), scope("principal"), action, scope("resource"), condition).prop_map(
        |(effect, principal, action, resource, condition)| {
            format!("{effect}({principal}, {action}, {resource}) {condition};")
        },
    )
}

/// What Cedar itself answers over a whole set.
pub(crate) fn cedar(request: &Request, policies: &PolicySet, entities: &Entities) -> Authorization {
    let response = Authorizer::new().is_authorized(request, policies, entities);
    let errors = response.diagnostics().errors().map(|error| match error {
        cedar_policy::AuthorizationError::PolicyEvaluationError(error) => error.policy_id().clone(),
    });
    Authorization {
        decision: response.decision(),
        reasons: response.diagnostics().reason().cloned().collect(),
        errors: errors.collect::<BTreeSet<_>>(),
    }
}

proptest! {
    #[test]
    fn the_index_changes_nothing(
        policies in prop::collection::vec(policy(), 0..12),
        principal in select(vec!["A::\"a\"", "A::\"b\"", "A::\"none\"", "R::\"r\"", "G::\"g\""]),
        action in select(vec!["x", "y", "z", "some", "all", "unknown"]),
        resource in select(vec!["R::\"r\"", "R::\"none\"", "A::\"a\"", "A::\"b\"", "G::\"top\""]),
    ) {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let entities = Entities::from_json_str(ENTITIES, Some(&schema)).unwrap();
        let policies: PolicySet = policies.join("\n").parse().unwrap();
        let uid = |text: &str| text.parse::<EntityUid>().unwrap();
        let action = uid(&format!("Action::\"{action}\""));
        let request = Request::new(uid(principal), action, uid(resource), Context::empty(), None).unwrap();
        let index = PolicyIndex::new(&policies, &entities);
        prop_assert_eq!(index.authorize(&request, &entities), cedar(&request, &policies, &entities));
    }
}
