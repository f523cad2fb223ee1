//! The programs of `benches/peers`, where they are.

use serde_json::{Value, json};
use tribunal::DecisionEffect;
use tribunal::core::pack::ReasonParity;
use tribunal_benches::model::Model;
use tribunal_benches::shipped::packs;
use tribunal_benches::subject::{Answer, Catalogue};
use tribunal_benches::worker::{Job, JobRequest, Phase, Report, answer};

/// What a peer answers to a request to a pack, and what it says it is, measured for a moment.
fn measured(peer: &str, pack: &str, request: &Value) -> (String, Vec<Answer>) {
    let registry = tribunal::registry();
    let job = Job {
        phase: Phase::Measure,
        subject: peer.to_owned(),
        model: Model::Decide,
        packs: vec![packs().join(pack)],
        requests: vec![JobRequest {
            name: "asked".to_owned(),
            text: request.to_string(),
            now: "2026-11-21T12:00:00Z".to_owned(),
            token: None,
        }],
        threads: 1,
        budget_ms: 300,
        cache: None,
    };
    match answer(&job, &Catalogue::new(&registry), &registry) {
        Report::Measured(measured) => {
            let figures = measured.figures.unwrap();
            assert!(figures.samples > 1 && figures.p50 > 0.0 && figures.mean > 0.0, "{peer}: {figures:?}");
            (measured.version, measured.answers)
        }
        other => panic!("{peer}: {other:?}"),
    }
}

/// A call of a tool by a researcher, who has made so many requests before.
fn call(tool: &str, count: u32) -> Value {
    json!({
        "subject": {"type": "agent", "id": "spiffe://poc.local/agents/mcp-client/dspy-researcher/dev"},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": tool},
        "context": {"session_request_count": count},
    })
}

#[test]
fn libraries_in_programs_of_their_own_decide_as_we_do() {
    if std::env::var_os("TRIBUNAL_PEERS").is_none_or(|folder| folder.is_empty()) {
        eprintln!(
            "\n*** libraries_in_programs_of_their_own_decide_as_we_do IS SKIPPED: TRIBUNAL_PEERS names no folder\n"
        );
        return;
    }
    let asked = [
        ("tool-allowlist", call("web_search", 0), DecisionEffect::Allow),
        ("tool-allowlist", call("execute_shell", 0), DecisionEffect::Deny),
        ("session-budget", call("web_search", 0), DecisionEffect::Allow),
        ("session-budget", call("web_search", 1_000_000), DecisionEffect::Deny),
    ];
    for (peer, ours, version) in
        [("peer:opa-wasm", "rego-wasm", "opa-wasm 0.3.4"), ("peer:regorus", "rego-native", "regorus 0.14.1")]
    {
        for (pack, request, effect) in &asked {
            let (found, answers) = measured(peer, pack, request);
            assert!(found.starts_with(version), "{peer}: {found}");
            assert_eq!(answers, [Answer::Effect(*effect)], "{peer}, {pack}");
            let (_, of_ours) = measured(ours, pack, request);
            assert_eq!(of_ours[0].differs(&answers[0], request, ReasonParity::Exact), None, "{ours}, {pack}");
        }
    }
}
