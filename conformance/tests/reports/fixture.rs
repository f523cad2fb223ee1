//! Reports made by hand: one that has everything, one on which all is well, and one of mutants.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tribunal::core::contract::parity::Difference;
use tribunal::core::contract::{DecisionEffect, Patch, StepUp};
use tribunal::core::engine::Mutation;
use tribunal::core::fault::{FaultKind, LimitKind};
use tribunal_conformance::parity::report::*;

/// What breaks out of every format that lets it.
pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)> `a|b` \u{202e}gnp.\x1b[2J\r\n@everyone & ]]> </details>";

pub(crate) fn answer(effect: DecisionEffect, reason: Option<&str>, rules: &[&str]) -> AnswerRecord {
    AnswerRecord {
        effect,
        reason: reason.map(str::to_owned),
        patches: Vec::new(),
        step_up: None,
        fault: None,
        fault_detail: None,
        rules: Some(rules.iter().map(|rule| (*rule).to_owned()).collect()),
    }
}

fn allow(rules: &[&str]) -> AnswerRecord {
    answer(DecisionEffect::Allow, None, rules)
}

fn deny(reason: &str, rules: &[&str]) -> AnswerRecord {
    answer(DecisionEffect::Deny, Some(reason), rules)
}

fn fault(kind: FaultKind, detail: &str) -> AnswerRecord {
    AnswerRecord {
        fault: Some(kind),
        fault_detail: Some(detail.to_owned()),
        rules: None,
        ..deny(&format!("engine_error: {kind}"), &[])
    }
}

fn redact(pointers: &[&str]) -> AnswerRecord {
    let patch = |pointer: &&str| -> Patch {
        serde_json::from_value(json!({"op": "replace", "path": pointer, "value": "***"})).unwrap()
    };
    AnswerRecord {
        patches: pointers.iter().map(patch).collect(),
        ..answer(DecisionEffect::Redact, Some("secrets"), &["secrets"])
    }
}

fn step_up(method: &str) -> AnswerRecord {
    let demand = StepUp { method: Some(method.to_owned()), ..StepUp::default() };
    AnswerRecord {
        step_up: Some(demand),
        ..answer(DecisionEffect::StepUp, Some("needs_approval"), &["approval"])
    }
}

pub(crate) fn cell(answer: AnswerRecord) -> Option<CaseCell> {
    Some(CaseCell { answer, failure: None, exception: None })
}

fn explained(
    answer: AnswerRecord,
    redacted: Option<Value>,
    trace: &[(&str, &str)],
) -> Option<ExplainedAnswer> {
    let line = |(rule, note): &(&str, &str)| TraceLine {
        rule: (*rule).to_owned(),
        location: Some("policy.rego:12:1".to_owned()),
        note: (*note).to_owned(),
    };
    Some(ExplainedAnswer { answer, redacted, trace: trace.iter().map(line).collect(), notes: Vec::new() })
}

fn run(command: &str) -> Run {
    Run {
        command: command.to_owned(),
        tribunal: "0.1.0".to_owned(),
        revision: Some("0123456789abcdef-dirty".to_owned()),
        machine: Machine {
            system: "linux x86_64".to_owned(),
            processor: Some("Imaginary 9000".to_owned()),
            threads: 2,
        },
        started: "2026-03-01T12:00:00Z".to_owned(),
        duration_ms: 61_234,
    }
}

fn pack(name: &str) -> ComparedPack {
    ComparedPack {
        name: name.to_owned(),
        version: "1.2.0".to_owned(),
        digest: format!("sha256:{}", "ab".repeat(32)),
        origin: format!("packs/{name}"),
        unsupported: BTreeMap::new(),
    }
}

fn participant(name: &str, engine: &str, version: &str) -> Participant {
    Participant {
        name: name.to_owned(),
        engine: engine.to_owned(),
        version: version.to_owned(),
        pack: 0,
        is_reference: false,
        refused: None,
        latency: None,
    }
}

fn latency(p50_ns: u64) -> Option<Latency> {
    Some(Latency { count: 10_000, p50_ns, p90_ns: p50_ns * 2, p99_ns: p50_ns * 9, max_ns: p50_ns * 40 })
}

fn rule(
    participant: usize,
    rule: &str,
    determined: Option<u64>,
    seen: Option<(bool, bool)>,
    derived_only: bool,
) -> RuleExercise {
    RuleExercise {
        participant,
        rule: rule.to_owned(),
        location: Some(format!("policy.rego:{}:1", rule.len())),
        determined,
        ran: seen.map(|(ran, _)| ran),
        failed: seen.map(|(_, failed)| failed),
        derived_only,
    }
}

fn literal(participant: usize, value: Value, tried: u64) -> LiteralExercise {
    LiteralExercise { participant, rule: "tools".to_owned(), value, tried }
}

/// Three engines that agree wherever they were asked.
pub(crate) fn agreeing() -> ParityReport {
    let participants = vec![
        Participant { latency: latency(41_000), ..participant("rego-wasm", "rego-wasm", "1.22.0") },
        Participant { latency: latency(88_000), ..participant("rego-native", "rego-native", "0.14.1") },
        Participant { latency: latency(7_300), ..participant("cedar", "cedar", "4.14.1") },
    ];
    let answers = [("allow", 120_000), ("deny", 879_400), ("schema", 600)];
    let answers: BTreeMap<String, u64> = answers.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    let row = |name: &str, line: usize, answer: AnswerRecord| CaseRow {
        name: name.to_owned(),
        location: format!("cases/tools.yaml:{line}:3"),
        cells: vec![cell(answer.clone()), cell(answer.clone()), cell(answer)],
        differences: Vec::new(),
    };
    ParityReport {
        format: FORMAT,
        run: run("tribunal parity --pack packs/tool-allowlist --requests 1000000 --seed 7"),
        packs: vec![pack("tool-allowlist")],
        participants,
        cases: vec![
            row("an admin may do anything", 3, allow(&["admin"])),
            row("an unknown tool is refused", 9, deny("tool_not_allowed", &["default"])),
        ],
        search: Some(SearchReport {
            seed: 7,
            bound: Bound::Requests(1_000_000),
            threads: 2,
            tried: 1_012_345,
            refused_by_host: BTreeMap::from([(FaultKind::Schema, 12_000), (FaultKind::Derive, 345)]),
            compared: 1_000_000,
            answers: vec![answers.clone(), answers.clone(), answers],
            corpus: 214,
            duration_ms: 60_001,
            counterexamples: Vec::new(),
            exercised: Exercised {
                rules: vec![
                    rule(0, "allow", Some(120_000), Some((true, true)), false),
                    rule(1, "allow", Some(120_000), Some((true, true)), false),
                    rule(2, "admin", Some(40_000), None, false),
                    rule(2, "in-hours", Some(0), None, true),
                ],
                literals: vec![literal(0, json!("read_file"), 8_000), literal(2, json!("read_file"), 8_000)],
                derived_literals: vec!["business_hours".to_owned()],
            },
        }),
        laws: vec![LawResult {
            law: "irrelevant_member".to_owned(),
            says: "a member that no policy reads changes nothing".to_owned(),
            participant: 2,
            tried: 1_000,
            broken: None,
            skipped: None,
        }],
        known: Vec::new(),
        suites: Vec::new(),
        objections: Vec::new(),
    }
}

/// Everything that a report can have, hostile texts included.
pub(crate) fn everything() -> ParityReport {
    let mut biscuit = participant("biscuit", "biscuit", "6.0.0");
    biscuit.refused = Some("packs/tool-allowlist/policy.biscuit:7:1: `allow` is no check".to_owned());
    let mut reference = participant("opa (reference)", "opa", "1.22.0");
    reference.is_reference = true;
    let mut compared = pack("tool-allowlist");
    compared.unsupported = BTreeMap::from([("rego-wasm".to_owned(), "it calls `http.send`".to_owned())]);
    let mut report = agreeing();
    report.packs = vec![compared];
    report.participants = vec![
        Participant { latency: latency(88_000), ..participant("rego-native", "rego-native", "0.14.1") },
        Participant { latency: latency(7_300), ..participant("cedar", "cedar", "4.14.1") },
        biscuit,
        reference,
    ];
    report.cases = cases();
    report.search = Some(search());
    report.laws = laws();
    report.known = vec![
        KnownResult {
            name: "casefold".to_owned(),
            reason: "OPA folds `İ` and regorus does not".to_owned(),
            upstream: Some("https://github.com/microsoft/regorus/issues/1".to_owned()),
            holds: true,
            times: 12,
        },
        KnownResult {
            name: "sprintf".to_owned(),
            reason: "mended upstream".to_owned(),
            upstream: None,
            holds: false,
            times: 0,
        },
    ];
    report.suites = suites();
    report.objections = vec![
        "2 counterexamples are not known".to_owned(),
        "`biscuit` refused to load".to_owned(),
        format!("case `{HOSTILE}` is answered differently"),
    ];
    report
}

fn cases() -> Vec<CaseRow> {
    let row = |name: &str, cells: Vec<Option<CaseCell>>, differences: &[Difference]| CaseRow {
        name: name.to_owned(),
        location: format!("cases/tools.yaml:{}:3", name.len()),
        cells,
        differences: differences.to_vec(),
    };
    let failing = CaseCell {
        answer: deny("too_late", &["hours"]),
        failure: Some("effect\n  expected: allow\n  actual:   deny".to_owned()),
        exception: None,
    };
    let excepted = CaseCell {
        answer: step_up("human_approval"),
        failure: None,
        exception: Some("Cedar has no clock".to_owned()),
    };
    let slow = fault(FaultKind::Limit(LimitKind::Fuel), "after 1,000,000 steps");
    vec![
        row("all agree", vec![cell(allow(&["a"])), cell(allow(&["b"])), None, cell(allow(&["c"]))], &[]),
        row(
            "one fails",
            vec![cell(allow(&[])), Some(failing), None, cell(allow(&[]))],
            &[Difference::Effect, Difference::Reason],
        ),
        row(
            "one is excepted",
            vec![cell(allow(&[])), Some(excepted), None, cell(allow(&[]))],
            &[Difference::Effect],
        ),
        row(
            "one faults",
            vec![cell(deny("no", &[])), cell(slow), None, cell(deny("no", &[]))],
            &[Difference::Fault],
        ),
        row("redacted", vec![cell(redact(&["/a"])), cell(redact(&["/a"])), None, cell(redact(&["/a"]))], &[]),
        row(
            HOSTILE,
            vec![cell(allow(&[])), cell(deny(HOSTILE, &[HOSTILE])), None, cell(allow(&[]))],
            &[Difference::Effect],
        ),
    ]
}

fn counterexample(
    request: Value,
    differences: &[Difference],
    answers: Vec<Option<ExplainedAnswer>>,
) -> Counterexample {
    Counterexample {
        request,
        now: "2026-03-01T12:00:00Z".to_owned(),
        token: None,
        found_size: 45,
        size: 9,
        found_at: 812,
        times: 17,
        differences: differences.to_vec(),
        answers,
        known: None,
        written_to: None,
    }
}

fn search() -> SearchReport {
    let request =
        json!({"tool": "rеad_file", "arguments": {"path": "/etc/passwd", "token": "s3cret"}, "n": 3});
    let without = |members: &[&str]| {
        let mut request = request.clone();
        for member in members {
            *request.pointer_mut(&format!("/arguments/{member}")).unwrap() = json!("***");
        }
        Some(request)
    };
    let by_effect = Counterexample {
        token: Some("attenuated to `read`".to_owned()),
        written_to: Some("cases/found.yaml".to_owned()),
        ..counterexample(
            json!({"tool": HOSTILE}),
            &[Difference::Effect, Difference::Reason],
            vec![
                explained(
                    allow(&["tools"]),
                    None,
                    &[("tools", "true: `input.tool` is listed"), ("hours", "false")],
                ),
                explained(deny(HOSTILE, &["forbid-all"]), None, &[("forbid-all", HOSTILE)]),
                None,
                Some(ExplainedAnswer {
                    answer: AnswerRecord { rules: None, ..allow(&[]) },
                    redacted: None,
                    trace: Vec::new(),
                    notes: vec!["opa's server tells no rules".to_owned()],
                }),
            ],
        )
    };
    let by_redaction = counterexample(
        request.clone(),
        &[Difference::Redaction],
        vec![
            explained(redact(&["/arguments/token"]), without(&["token"]), &[("secrets", "true")]),
            explained(redact(&["/arguments/token", "/arguments/path"]), without(&["token", "path"]), &[]),
            None,
            explained(redact(&["/arguments/token"]), without(&["token"]), &[]),
        ],
    );
    let by_fault = Counterexample {
        known: Some("casefold".to_owned()),
        ..counterexample(
            json!({"tool": "İ"}),
            &[Difference::Fault],
            vec![
                explained(fault(FaultKind::BuiltinError, "lower: no such rune"), None, &[]),
                explained(deny("tool_not_allowed", &[]), None, &[]),
                None,
                explained(deny("tool_not_allowed", &[]), None, &[]),
            ],
        )
    };
    let answers = |deny: u64| BTreeMap::from([("allow".to_owned(), 1_000), ("deny".to_owned(), deny)]);
    SearchReport {
        seed: 7,
        bound: Bound::Milliseconds(30_000),
        threads: 2,
        tried: 20_345,
        refused_by_host: BTreeMap::from([(FaultKind::Schema, 345)]),
        compared: 20_000,
        answers: vec![answers(19_000), answers(18_983), BTreeMap::new(), answers(19_000)],
        corpus: 96,
        duration_ms: 30_002,
        counterexamples: vec![by_effect, by_redaction, by_fault],
        exercised: Exercised {
            rules: vec![
                rule(0, "tools", Some(800), Some((true, true)), false),
                rule(0, "admin", Some(0), Some((true, false)), false),
                rule(0, "hours", Some(0), Some((false, true)), false),
                rule(0, "never", Some(0), Some((false, false)), false),
                rule(0, "in_hours", Some(19), Some((true, true)), true),
                rule(1, "forbid-all", Some(12), None, false),
                rule(1, HOSTILE, Some(0), None, false),
                rule(3, "tools", None, None, false),
            ],
            literals: vec![
                literal(0, json!("read_file"), 800),
                literal(0, json!(HOSTILE), 0),
                literal(1, json!(17), 4),
                literal(1, json!(["a", 18]), 0),
            ],
            derived_literals: vec!["business_hours".to_owned(), HOSTILE.to_owned()],
        },
    }
}

fn laws() -> Vec<LawResult> {
    let law = |participant: usize, law: &str| LawResult {
        law: law.to_owned(),
        says: "a deny that is added never leads to a milder decision".to_owned(),
        participant,
        tried: 1_000,
        broken: None,
        skipped: None,
    };
    let broken = BrokenLaw {
        request: json!({"tool": "read_file"}),
        change: "`forbid` added in policy.cedar:3:1".to_owned(),
        before: deny("no", &["x"]),
        after: allow(&["y"]),
    };
    vec![
        law(0, "key_order"),
        LawResult { broken: Some(broken), tried: 41, ..law(1, "add_deny") },
        LawResult { skipped: Some("the pack has no data".to_owned()), tried: 0, ..law(0, "data_order") },
    ]
}

fn suites() -> Vec<SuiteTable> {
    let failure = |case: &str, how: &str, known: Option<&str>| SuiteFailure {
        case: case.to_owned(),
        folder: "strings".to_owned(),
        how: how.to_owned(),
        detail: "wanted `true`, got `undefined`".to_owned(),
        known: known.map(str::to_owned),
    };
    let folder =
        |name: &str, passed, failed, refused| SuiteFolder { name: name.to_owned(), passed, failed, refused };
    vec![
        SuiteTable {
            suite: "opa-compliance".to_owned(),
            engine: "rego-native".to_owned(),
            version: "0.14.1".to_owned(),
            folders: vec![folder("aggregates", 1_900, 0, 0), folder("strings", 210, 2, 1)],
            failures: vec![
                failure("casefold/1", "failed", Some("regorus folds otherwise")),
                failure("sprintf/<3>", "failed", None),
                failure("template/1", "refused", None),
            ],
            stale: vec!["strings/trim/9".to_owned()],
            skipped: None,
        },
        SuiteTable {
            suite: "cedar-corpus".to_owned(),
            engine: "cedar".to_owned(),
            version: "4.14.1".to_owned(),
            folders: Vec::new(),
            failures: Vec::new(),
            stale: Vec::new(),
            skipped: Some("TRIBUNAL_SUITES has no cedar-corpus".to_owned()),
        },
    ]
}

/// Two packs' mutants, with one of every fate.
pub(crate) fn mutants() -> MutationReport {
    let mutant =
        |id: &str, mutation: Mutation, fate: Fate, requests: u64, size: Option<usize>| MutantResult {
            id: id.to_owned(),
            mutation,
            rule: Some("tools".to_owned()),
            location: "policy.rego:12:3".to_owned(),
            before: "input.n >= 3\ninput.m".to_owned(),
            after: "input.n > 3\ninput.m".to_owned(),
            fate,
            requests,
            duration_ms: requests / 10,
            counterexample: size.map(|size| json!({"n": size})),
            size,
        };
    let killed =
        |n: u64| mutant(&format!("m{n}"), Mutation::OffByOne, Fate::Killed, n * 100, Some(n as usize));
    let listed = |why: &str| Fate::Equivalent(why.to_owned());
    let mut tried: Vec<MutantResult> = (1..=10).map(killed).collect();
    tried.extend([
        mutant("s1", Mutation::SwapOperator, Fate::Survived, 90_000, None),
        mutant(HOSTILE, Mutation::ChangeLiteral, Fate::Survived, 90_000, None),
        mutant("e1", Mutation::Reorder, listed("both rules say the same"), 90_000, None),
        mutant("r1", Mutation::DropCondition, Fate::Refused("it does not parse".to_owned()), 0, None),
    ]);
    let table = |name: &str, engine: &str, mutants: Vec<MutantResult>, stale: &[&str]| MutationTable {
        pack: pack(name),
        engine: engine.to_owned(),
        version: "0.14.1".to_owned(),
        against: vec![engine.to_owned(), "cedar".to_owned()],
        available: mutants.len() + stale.len(),
        mutants,
        stale: stale.iter().map(|id| (*id).to_owned()).collect(),
    };
    MutationReport {
        format: FORMAT,
        run: run("tribunal mutate --pack packs/tool-allowlist --seed 7"),
        seed: 7,
        bound: Bound::Milliseconds(10_000),
        tables: vec![
            table("tool-allowlist", "rego-native", tried, &["gone"]),
            table("<b>", "rego-native", vec![killed(3)], &[]),
            table("empty", "rego-native", Vec::new(), &[]),
        ],
    }
}
