//! What is refused at load, with its place.

use serde_json::json;
use tribunal_engine_core::engine::{Capability, EngineFactory, LoadErrorKind};
use tribunal_engine_core::limits::{Bytes, Limits, Span};

use crate::support::{MANIFEST, Pack, SCHEMA, input_schema};

const ALL: &str = "permit(principal, action, resource);";

#[test]
fn policies_are_validated_strictly() {
    for (policy, place, says) in [
        (
            "permit(principal, action, resource) when { context.nope };",
            "pack/policy.cedar:1:44",
            "attribute `nope`",
        ),
        (
            "permit(principal, action, resource) when { context.prompt == \"a\" };",
            "pack/policy.cedar:1:44",
            "unable to guarantee safety",
        ),
        (
            "permit(principal, action, resource) when { 1 == \"a\" };",
            "pack/policy.cedar:1:1",
            "policy is impossible",
        ),
        (
            "permit(principal, action, resource) when { resource == Toool::\"a\" };",
            "pack/policy.cedar:1:56",
            "did you mean `Tool`",
        ),
        ("permit(principal, action == Action::\"cal\", resource);", "pack/policy.cedar:1:", "did you mean"),
        (
            "permit(principal, action, resource) when { principal is Tool };",
            "pack/policy.cedar:1:1",
            "policy is impossible",
        ),
        ("permit(principal is Tool, action, resource);", "pack/policy.cedar:1:1", ""),
        (
            "permit(principal, action, resource) when { ip(context.prompt).isIpv4() };",
            "pack/policy.cedar:1:",
            "",
        ),
    ] {
        let refusals = Pack::new(policy).refusals();
        let found = refusals.iter().any(|(kind, text)| {
            *kind == LoadErrorKind::Invalid && text.starts_with(place) && text.contains(says)
        });
        assert!(found, "{policy}: {refusals:#?}");
    }
}

#[test]
fn every_error_of_every_file_is_told_at_once() {
    let refusals = Pack::new("permit(principal, action, resource) when { context.nope };")
        .with("a.cedar", "permit(principal, action resource);")
        .with("b.cedar", "@nonsense(\"x\") permit(principal, action, resource);")
        .with("entities.json", r#"[{"uid": {"type": "Nobody", "id": "x"}, "attrs": {}, "parents": []}]"#)
        .refusals();
    for (kind, place) in [
        (LoadErrorKind::Syntax, "pack/a.cedar:1:26: "),
        (LoadErrorKind::Invalid, "pack/b.cedar:1:1: "),
        (LoadErrorKind::Invalid, "pack/policy.cedar:1:44: "),
        (LoadErrorKind::Invalid, "pack/entities.json:1:2: "),
    ] {
        assert!(
            refusals.iter().any(|(found, text)| *found == kind && text.starts_with(place)),
            "{place}: {refusals:#?}"
        );
    }
}

#[test]
fn missing_and_unreadable_files_are_named() {
    Pack::new(ALL).without("schema.cedarschema").refused(
        LoadErrorKind::MissingFile,
        "`pack/schema.cedarschema` is missing",
        "",
    );
    Pack::new(ALL).without("policy.cedar").refused(
        LoadErrorKind::MissingFile,
        "`pack/policy.cedar` is missing",
        "",
    );
    Pack::new(ALL).with("schema.cedarschema", "entity Agent\nentity Tool;").refused(
        LoadErrorKind::Syntax,
        "pack/schema.cedarschema:2:1",
        "",
    );
    let undefined = SCHEMA.replace("risk?: Long", "risk?: Lang");
    Pack::new(ALL).with("schema.cedarschema", &undefined).refused(
        LoadErrorKind::Invalid,
        "pack/schema.cedarschema:",
        "Lang",
    );
    Pack::new(ALL).without("entities.json").load();
}

#[test]
fn an_input_schema_is_required() {
    let manifest = format!("{MANIFEST}\ninput_schema: none\n");
    Pack::new(ALL).with("pack.yaml", &manifest).without("input.schema.json").refused(
        LoadErrorKind::Unsupported,
        "pack/pack.yaml:10:1",
        "only the members that an input schema names",
    );
}

#[test]
fn a_deadline_cannot_be_held() {
    let manifest = format!("{MANIFEST}\nlimits: {{deadline: 50ms}}\n");
    Pack::new(ALL).with("pack.yaml", &manifest).refused(
        LoadErrorKind::Unsupported,
        "pack/pack.yaml:10:10",
        "deadline",
    );
    let limits = Limits { deadline: Some(Span::parse("1s").unwrap()), ..Limits::default() };
    let errors = Pack::new(ALL).load_within(limits).unwrap_err();
    assert!(errors.has(LoadErrorKind::Unsupported));
    // Limits in the terms of other engines stand in packs that all of them share.
    let limits = Limits {
        fuel: Some(1),
        memory: Some(Bytes(1)),
        facts: Some(1),
        iterations: Some(1),
        ..Limits::default()
    };
    Pack::new(ALL).load_within(limits).unwrap();
    let capabilities = tribunal_engine_cedar::CedarFactory.capabilities();
    assert!(!capabilities.has(Capability::Deadline));
    assert!(capabilities.bounds.iter().any(|bound| bound.contains("deadline")));
}

#[test]
fn the_settings_are_checked_against_the_schema() {
    let types = |types: &str| {
        Pack::new(ALL).with("pack.yaml", &MANIFEST.replace("{agent: Agent, tool: Tool}", types))
    };
    let place = "pack/pack.yaml:7:";
    types("{agent: Agnet, tool: Tool}").refused(LoadErrorKind::Invalid, place, "did you mean `Agent`?");
    types("{agent: Agent, tool: 'no name'}").refused(
        LoadErrorKind::Invalid,
        place,
        "not the name of an entity type",
    );
    types("{agent: Agent, tool: Tool, data: Data}").refused(
        LoadErrorKind::Invalid,
        place,
        "`Data` is the pack's data",
    );
    let action = MANIFEST.replace("    types:", "    action: Actions\n    types:");
    Pack::new(ALL).with("pack.yaml", &action).refused(
        LoadErrorKind::Invalid,
        "pack/pack.yaml:7:",
        "did you mean `Action`?",
    );
    for manifest in
        [MANIFEST.replace("{agent: Agent, tool: Tool}", "{}"), MANIFEST.replace("types:", "typos:")]
    {
        Pack::new(ALL).with("pack.yaml", &manifest).source().expect_err("the manifest's schema refuses it");
    }
}

/// An attack on the contract: a subject that claims the type of a role.
#[test]
fn a_role_cannot_be_a_request_type() {
    for (types, role) in
        [("{agent: Agent, tool: Tool, role: Role}", "Role"), ("{agent: Agent, tool: ToolGroup}", "ToolGroup")]
    {
        Pack::new(ALL).with("pack.yaml", &MANIFEST.replace("{agent: Agent, tool: Tool}", types)).refused(
            LoadErrorKind::Invalid,
            "pack/pack.yaml:7:",
            &format!("can be in `{role}`"),
        );
    }
}

#[test]
fn static_entities_are_checked_against_the_schema() {
    let cases = [
        (r#"{"type": "Agent", "id": "x"}, "attrs": {"tier": 5}"#, "tier"),
        (r#"{"type": "Agent", "id": "x"}, "attrs": {"level": 5}"#, "level"),
        (r#"{"type": "Place", "id": "x"}, "attrs": {}"#, "country"),
        (r#"{"type": "Nobody", "id": "x"}, "attrs": {}"#, "Nobody"),
        (r#"{"type": "Data", "id": "tools"}, "attrs": {"ceiling": 5}"#, "made of the pack's data"),
    ];
    for (entity, says) in cases {
        let text = format!("[\n  {{\"uid\": {entity}, \"parents\": []}}\n]");
        Pack::new(ALL).with("entities.json", &text).refused(
            LoadErrorKind::Invalid,
            "pack/entities.json:2:3",
            says,
        );
    }
    let wrong_parent =
        r#"[{"uid": {"type": "Role", "id": "x"}, "attrs": {}, "parents": [{"type": "Agent", "id": "y"}]}]"#;
    Pack::new(ALL).with("entities.json", wrong_parent).refused(
        LoadErrorKind::Invalid,
        "pack/entities.json:1:2",
        "Agent",
    );
    let twice = r#"[{"uid": {"type": "Agent", "id": "x"}, "attrs": {}, "parents": []}, {"uid": {"type": "Agent", "id": "x"}, "attrs": {"tier": "a"}, "parents": []}]"#;
    Pack::new(ALL).with("entities.json", twice).refused(
        LoadErrorKind::Invalid,
        "pack/entities.json:1:1",
        "Agent::\"x\"",
    );
    Pack::new(ALL).with("entities.json", "{}").refused(
        LoadErrorKind::Invalid,
        "pack/entities.json:1:1",
        "are a list",
    );
    Pack::new(ALL).with("entities.json", "[{]").refused(LoadErrorKind::Syntax, "pack/entities.json:1:", "");
}

#[test]
fn names_that_clash_or_are_not_declared_are_refused() {
    let with_input = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut input = input_schema();
        change(&mut input);
        Pack::new(ALL).with("input.schema.json", &serde_json::to_string_pretty(&input).unwrap())
    };
    let clash = with_input(&|input| input["properties"]["context"]["properties"]["boundary"] = json!({}));
    clash.refused(
        LoadErrorKind::Invalid,
        "pack/input.schema.json:",
        "two members of a request would be `boundary`",
    );
    let clash = with_input(&|input| input["properties"]["action_properties"] = json!({}));
    clash.refused(
        LoadErrorKind::Invalid,
        "pack/input.schema.json:",
        "two members of a request would be `action_properties`",
    );
    let undeclared = with_input(&|input| input["properties"]["context"]["properties"]["promt"] = json!({}));
    undeclared.refused(LoadErrorKind::Invalid, "pack/input.schema.json:", "did you mean `prompt`?");
    let undeclared = with_input(&|input| input["properties"]["run_id"] = json!({}));
    undeclared.refused(LoadErrorKind::Invalid, "pack/input.schema.json:", "declares no `run_id`");
    let undeclared = with_input(&|input| {
        input["properties"]["subject"]["properties"]["properties"]["properties"]["rank"] = json!({})
    });
    undeclared.refused(LoadErrorKind::Invalid, "pack/input.schema.json:", "no attribute `rank`");
    let derive = format!("{MANIFEST}\nderive:\n  shout: {{lower: {{source: /context/prompt}}}}\n");
    Pack::new(ALL).with("pack.yaml", &derive).refused(
        LoadErrorKind::Invalid,
        "pack/pack.yaml:10:1",
        "declares no `derived`",
    );
    let schema = SCHEMA.replace("prompt?: String,", "prompt?: String, derived?: {whisper?: String},");
    Pack::new(ALL).with("pack.yaml", &derive).with("schema.cedarschema", &schema).refused(
        LoadErrorKind::Invalid,
        "pack/pack.yaml:11:3",
        "declares no `shout` in `derived`",
    );
}

#[test]
fn derived_members_are_declared_and_seen() {
    let manifest = format!("{MANIFEST}\nderive:\n  shout: {{lower: {{source: /context/prompt}}}}\n");
    let schema = SCHEMA.replace("prompt?: String,", "prompt?: String, derived?: {shout?: String},");
    let policy = r#"permit(principal, action, resource) when { context has derived.shout && context.derived.shout == "hi" };"#;
    let loaded = Pack::new(policy).with("pack.yaml", &manifest).with("schema.cedarschema", &schema).load();
    let mut payload = crate::support::request(json!({"prompt": "HI"}));
    payload["derived"] = json!({"shout": "hi"});
    assert_eq!(loaded.decision(&payload).effect.as_str(), "allow");
}

#[test]
fn data_fits_the_entity_it_becomes() {
    let data = |text: &str| Pack::new(ALL).with("data.json", text);
    data("{\"allowed\": [\"search\"],\n \"ceiling\": 5}").load();
    data("{\"allowed\": [\"search\"],\n \"ceiling\": 5.5}").refused(
        LoadErrorKind::Invalid,
        "pack/data.json:2:2",
        "`/ceiling`",
    );
    data("{\"ceilings\": 5}").refused(LoadErrorKind::Invalid, "pack/data.json:1:2", "`/ceilings`");
    data("{\"allowed\": {\"__entity\": {\"type\": \"Role\", \"id\": \"admin\"}}}").refused(
        LoadErrorKind::Invalid,
        "pack/data.json:1:2",
        "`/allowed`",
    );
    let schema = SCHEMA.replace("entity Data = {allowed?: Set<String>, ceiling?: Long};", "");
    data("{\"ceiling\": 5}").with("schema.cedarschema", &schema).refused(
        LoadErrorKind::Invalid,
        "pack/data.json:1:2",
        "no `entity Data`",
    );
    data("{}").with("schema.cedarschema", &schema).load();
    let required = SCHEMA.replace("ceiling?: Long", "ceiling: Long");
    Pack::new(ALL).with("schema.cedarschema", &required).refused(
        LoadErrorKind::Invalid,
        "`/ceiling`",
        "missing",
    );
}

#[test]
fn the_settings_schema_stands_alone() {
    let schema = tribunal_engine_cedar::CedarFactory.settings_schema();
    assert!(!schema.to_string().contains("$ref"), "{schema}");
    assert_eq!(schema["additionalProperties"], json!(false));
}
