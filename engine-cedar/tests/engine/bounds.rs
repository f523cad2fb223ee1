//! Static bounds: what would overflow a stack or take too long is refused before Cedar sees it.

use tribunal_engine_core::engine::LoadErrorKind;

use crate::support::{Pack, SCHEMA};

/// cedar.md hazard 6: each of these ends the process without the check.
#[test]
fn deep_policies_are_refused() {
    for (open, close) in
        [("(", ")"), ("!(", ")"), ("[", "]"), ("{a: ", "}"), ("if true then true else ", ""), ("-(", ")")]
    {
        let policy = format!(
            "permit(principal, action, resource) when {{ {}true{} }};",
            open.repeat(20_000),
            close.repeat(20_000)
        );
        Pack::new(&policy).refused(LoadErrorKind::Bounds, "pack/policy.cedar:1:", "nested more than");
    }
    for operator in [" && true", " || true", " + 1", " * 1", ".a"] {
        let policy =
            format!("permit(principal, action, resource) when {{ context{} }};", operator.repeat(50_000));
        Pack::new(&policy).refused(
            LoadErrorKind::Bounds,
            "pack/policy.cedar:1:",
            "operators in one expression",
        );
    }
}

#[test]
fn deep_schemas_and_entities_are_refused() {
    let all = "permit(principal, action, resource);";
    for (open, close) in [("Set<", ">"), ("{a: ", "}")] {
        let schema = format!("{SCHEMA}\ntype Deep = {}String{};", open.repeat(20_000), close.repeat(20_000));
        Pack::new(all).with("schema.cedarschema", &schema).refused(
            LoadErrorKind::Bounds,
            "pack/schema.cedarschema:",
            "nested more than",
        );
    }
    let chain: String = (0..5_000).map(|level| format!("type T{level} = {{a: T{}}};\n", level + 1)).collect();
    let schema = format!("{SCHEMA}\n{chain}type T5000 = String;");
    Pack::new(all).with("schema.cedarschema", &schema).refused(
        LoadErrorKind::Bounds,
        "pack/schema.cedarschema:1:1",
        "through more than",
    );
    let doubling: String =
        (0..30).map(|level| format!("type T{level} = {{a: T{0}, b: T{0}}};\n", level + 1)).collect();
    let schema = format!("{SCHEMA}\n{doubling}type T30 = String;");
    Pack::new(all).with("schema.cedarschema", &schema).refused(
        LoadErrorKind::Bounds,
        "pack/schema.cedarschema:1:1",
        "once its names are spelt out",
    );

    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let entities = format!(
        r#"[{{"uid": {{"type": "Agent", "id": "x"}}, "attrs": {{"tools": {deep}}}, "parents": []}}]"#
    );
    Pack::new(all).with("entities.json", &entities).refused(
        LoadErrorKind::Syntax,
        "pack/entities.json:1:",
        "",
    );
}

/// What is just within the bounds loads, is validated, and is decided on a thread of 2 MiB.
#[test]
fn the_bounds_leave_room_on_a_small_stack() {
    let deepest = |text: &str, open: &str, close: &str, levels: usize| {
        format!(
            "permit(principal, action, resource) when {{ {}{text}{} }};\n",
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    let policies = [
        deepest("context has urgent", "(", ")", 31),
        deepest("context has urgent", "!(", ")", 15),
        deepest("context has amount", "if context has urgent then false else ", "", 30),
        deepest("context has urgent", "", " && true", 250),
        deepest("context has urgent", "", " || context has amount", 250),
        deepest("1", "", " + 1", 250).replace(" };", " == 251 };"),
    ];
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for policy in policies {
                let loaded = Pack::new(&policy).load();
                loaded.verdict(&crate::support::request(serde_json::json!({})));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn large_literals_are_refused() {
    let all = "permit(principal, action, resource)";
    let set = |length: usize| format!("{all} when {{ [{}].contains(1) }};", vec!["1"; length].join(", "));
    Pack::new(&set(1_001)).refused(LoadErrorKind::Bounds, "pack/policy.cedar:1:1", "set literal");
    Pack::new(&set(1_000)).load();
    let pattern =
        format!("{all} when {{ context has prompt && context.prompt like \"{}*\" }};", "a".repeat(256));
    Pack::new(&pattern).refused(LoadErrorKind::Bounds, "pack/policy.cedar:1:1", "`like` pattern");
    let string =
        format!("{all} when {{ context has prompt && context.prompt == \"{}\" }};", "a".repeat(4_097));
    Pack::new(&string).refused(LoadErrorKind::Bounds, "pack/policy.cedar:1:1", "a string has");
    let many = "permit(principal, action, resource);\n".repeat(20_001);
    Pack::new(&many).refused(LoadErrorKind::Bounds, "", "20001 policies");
}
