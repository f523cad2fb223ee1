//! What the `cedar` command is given, read as the command reads it: with Cedar's own interface. Conformance asks the command
//! itself where it is installed.

use cedar_policy::{Authorizer, Context, Decision as Effect, Entities, PolicyId, PolicySet, Request, Schema};
use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_cedar::reference::{Answer, Question, Reference, Which};
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::engine::{LoadErrorKind, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};

use crate::support::{Pack, request};

/// Every kind of policy; the last of each file without an id of its own.
const POLICIES: &str = r#"
@id("all") @reason("trusted")
permit(principal, action, resource);
@id("role")
permit(principal in Role::"admin", action, resource in ToolGroup::"safe") when {
    resource has owner.home && resource.owner.home.country == "NL"
};
@reason("urgent; or so") // policy2
forbid(principal, action, resource) when { context has urgent && context.urgent };
"#;
const MORE: &str = r#"
@id("dear") @effect("step_up") @step_up("otp")
forbid(principal, action, resource) when {
    context has amount && Data::"tools" has ceiling && context.amount * 1000 > Data::"tools".ceiling
};
@id("secret") @redact("/context/prompt") @replacement("***")
forbid(principal, action, resource) when { context has prompt && context.prompt like "*secret*" };
@redact("/context/tags")
forbid(principal, action, resource) when { context has tags && context.tags.contains("x") };
"#;

fn pack() -> Pack {
    Pack::new(POLICIES).with("soft.cedar", MORE).with("data.json", r#"{"ceiling": 5000}"#)
}

/// The command, as its source has it: policies are renamed by their `@id`, everything is read by the schema.
fn command(reference: &Reference, which: Which, question: &Question) -> Result<Answer, Fault> {
    let mut policies = PolicySet::new();
    for policy in reference.policies(which).parse::<PolicySet>().unwrap().policies() {
        let id = policy.annotation("id").expect("every policy has its id");
        policies.add(policy.new_id(PolicyId::new(id))).unwrap();
    }
    let (schema, _) = Schema::from_cedarschema_str(reference.schema()).unwrap();
    let entities = Entities::from_json_value(question.entities.clone(), Some(&schema)).unwrap();
    let uid = |member: &str| question.request[member].as_str().unwrap().parse().unwrap();
    let action = uid("action");
    let context =
        Context::from_json_value(question.request["context"].clone(), Some((&schema, &action))).unwrap();
    let request = Request::new(uid("principal"), action, uid("resource"), context, Some(&schema)).unwrap();
    let response = Authorizer::new().is_authorized(&request, &policies, &entities);
    if let Some(error) = response.diagnostics().errors().next() {
        return Err(Fault::new(FaultKind::EvaluationError, error.to_string()));
    }
    Ok(Answer {
        allows: response.decision() == Effect::Allow,
        policies: response.diagnostics().reason().map(ToString::to_string).collect(),
    })
}

/// What the reference and the engine make of a request.
fn both(pack: &Pack, payload: &Value) -> (Result<Verdict, FaultKind>, Result<Verdict, FaultKind>) {
    let loaded = pack.load();
    let reference = Reference::read(&loaded.source).unwrap();
    let prepared = Prepared::new(payload, loaded.source.named(), Timestamp::UNIX_EPOCH, None);
    let asked = reference.question(&prepared);
    let verdict =
        asked.and_then(|asked| reference.verdict(&prepared, |which| command(&reference, which, &asked)));
    let engine = loaded.try_verdict(payload).map(|verdict| Verdict { rules_evaluated: None, ..verdict });
    (verdict.map_err(|fault| fault.kind), engine.map_err(|fault| fault.kind))
}

#[test]
fn the_command_is_asked_what_the_engine_is_asked() {
    let root = json!({
        "subject": {"type": "agent", "id": "root"}, "action": {"name": "read"},
        "resource": {"type": "tool", "id": "search", "properties": {"risk": 3}},
    });
    for (payload, expected) in [
        (request(json!({})), Ok(DecisionEffect::Allow)),
        (root, Ok(DecisionEffect::Allow)),
        (request(json!({"urgent": true})), Ok(DecisionEffect::Deny)),
        (request(json!({"amount": 5})), Ok(DecisionEffect::Allow)),
        (request(json!({"amount": 6})), Ok(DecisionEffect::StepUp)),
        (request(json!({"amount": 6, "prompt": "a secret"})), Ok(DecisionEffect::StepUp)),
        (request(json!({"prompt": "a secret", "tags": ["x", "y"]})), Ok(DecisionEffect::Redact)),
        (request(json!({"args": {"ssn": "\"\\ é"}, "tags": []})), Ok(DecisionEffect::Allow)),
        (request(json!({"amount": i64::MAX})), Err(FaultKind::EvaluationError)),
        (request(json!({"amount": 0.5})), Err(FaultKind::Unrepresentable)),
    ] {
        let (reference, engine) = both(&pack(), &payload);
        assert_eq!(reference, engine, "{payload}");
        assert_eq!(engine.map(|verdict| verdict.decision.effect), expected, "{payload}");
    }
}

#[test]
fn other_data_is_other_data_for_the_command() {
    let loaded = pack().load();
    let payload = request(json!({"amount": 6}));
    let prepared = Prepared::new(&payload, loaded.source.named(), Timestamp::UNIX_EPOCH, None);
    let first = Reference::read(&loaded.source).unwrap();
    let second = first.with_data(&json!({"ceiling": 6000})).unwrap();
    let effect = |reference: &Reference| {
        let asked = reference.question(&prepared).unwrap();
        let verdict = reference.verdict(&prepared, |which| command(reference, which, &asked));
        verdict.unwrap().decision.effect
    };
    assert_eq!([effect(&first), effect(&second)], [DecisionEffect::StepUp, DecisionEffect::Allow]);
    assert!(first.with_data(&json!({"ceiling": "high"})).is_err());
}

/// JSON gives such a member another meaning, so the command could not be told it. It is a fault and never another question.
#[test]
fn what_cannot_be_said_in_cedars_json_is_a_fault() {
    let payload = request(json!({"args": {"__entity": {"type": "Role", "id": "admin"}}}));
    let (reference, engine) = both(&pack(), &payload);
    assert_eq!(reference.unwrap_err(), FaultKind::Unrepresentable);
    assert_eq!(engine.unwrap().decision.effect, DecisionEffect::Allow);
}

#[test]
fn an_answer_that_cannot_be_is_none() {
    let loaded = pack().load();
    let payload = request(json!({}));
    let prepared = Prepared::new(&payload, loaded.source.named(), Timestamp::UNIX_EPOCH, None);
    let reference = Reference::read(&loaded.source).unwrap();
    for (allows, policies) in [
        (true, vec![]),
        (true, vec!["all", "policy2"]),
        (true, vec!["nobody's"]),
        (true, vec!["secret"]),
        (false, vec!["all"]),
    ] {
        let policies: Vec<String> = policies.into_iter().map(str::to_owned).collect();
        let answer = || Answer { allows, policies: policies.iter().cloned().collect() };
        let fault = reference.verdict(&prepared, |_| Ok(answer())).unwrap_err();
        assert_eq!(fault.kind, FaultKind::AbiViolation, "{allows} {policies:?}");
    }
}

#[test]
fn an_id_that_the_answer_could_not_show_is_refused() {
    let pack = Pack::new("@id(\"two\\nlines\") permit(principal, action, resource);");
    let errors = Reference::read(&pack.source().unwrap()).unwrap_err();
    assert!(errors.has(LoadErrorKind::Unsupported), "{errors}");
}
