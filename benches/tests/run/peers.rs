//! The programs of `benches/peers`, where they are.

use tribunal::DecisionEffect;
use tribunal_benches::model::Model;
use tribunal_benches::shipped::packs;
use tribunal_benches::subject::{Answer, Catalogue};
use tribunal_benches::worker::{Job, JobRequest, Phase, Report, answer};

/// What a peer answers when an agent calls a tool, and what it says it is, measured for a moment.
fn measured(peer: &str, tool: &str) -> (String, Vec<Answer>) {
    let registry = tribunal::registry();
    let request = serde_json::json!({
        "subject": {"type": "agent", "id": "spiffe://poc.local/agents/mcp-client/dspy-researcher/dev"},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": tool},
    });
    let job = Job {
        phase: Phase::Measure,
        subject: peer.to_owned(),
        model: Model::Decide,
        packs: vec![packs().join("tool-allowlist")],
        requests: vec![JobRequest {
            name: tool.to_owned(),
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

#[test]
fn libraries_in_programs_of_their_own_decide_as_we_do() {
    if std::env::var_os("TRIBUNAL_PEERS").is_none_or(|folder| folder.is_empty()) {
        eprintln!(
            "\n*** libraries_in_programs_of_their_own_decide_as_we_do IS SKIPPED: TRIBUNAL_PEERS names no folder\n"
        );
        return;
    }
    for (peer, version) in [("peer:opa-wasm", "opa-wasm 0.3.4"), ("peer:regorus", "regorus 0.14.1")] {
        for (tool, effect) in [("web_search", DecisionEffect::Allow), ("execute_shell", DecisionEffect::Deny)]
        {
            let (found, answers) = measured(peer, tool);
            assert!(found.starts_with(version), "{peer}: {found}");
            assert_eq!(answers, [Answer::Effect(effect)], "{peer}, {tool}");
        }
    }
}
