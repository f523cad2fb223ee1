//! Sizes that are varied: requests that are filled, and packs made with so many rules or so much data.
//!
//! The packs say on every engine what an author would write there: a rule for each tool that may be called, or a list of the
//! tools in the data.

use serde_json::{Value, json};
use tribunal::core::pack::PackFiles;

use crate::definition::Axis;
use crate::report::data::Point;
use crate::run::BenchError;

/// A pack that was made.
#[derive(Debug)]
pub struct Made {
    /// What it is called.
    pub name: String,
    /// What reports call its place.
    pub origin: String,
    /// Its files.
    pub files: PackFiles,
}

/// A pack of this size. Its module is built where `opa` is installed; without it, rego-wasm has no module to load.
pub fn made(point: Point) -> Made {
    let Point { axis, value, .. } = point;
    let (name, files) = match axis {
        Axis::Data => (format!("much-data-{value}"), much_data(value)),
        // The other sizes are of requests and of processes: they need no pack of their own.
        Axis::Rules | Axis::Input | Axis::Threads => (format!("many-rules-{value}"), many_rules(value)),
    };
    let manifest = manifest(&name, axis);
    let mut all: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    all.push(("pack.yaml".to_owned(), manifest.into_bytes()));
    all.push(("input.schema.json".to_owned(), INPUT_SCHEMA.as_bytes().to_vec()));
    let mut files = PackFiles::new(all);
    build(&mut files);
    Made { origin: format!("{name} (made for this measurement)"), name, files }
}

const PACKAGE: &str = "tribunal/scale/decision";

fn manifest(name: &str, axis: Axis) -> String {
    let derive = match axis {
        Axis::Data => "derive:\n  tool: {regex: {source: /resource/id, pattern: '(?s)^.*$', capture: 0}}\n",
        Axis::Rules | Axis::Input | Axis::Threads => "",
    };
    format!(
        "name: {name}\nversion: 1.0.0\ndescription: Made to see how costs grow\nengines:\n  \
         rego-wasm: {{entrypoint: {PACKAGE}, strict_builtin_errors: false}}\n  \
         rego-native: {{entrypoint: {PACKAGE}}}\n  \
         cedar: {{types: {{agent: Agent, tool: Tool}}, action: Action}}\n  biscuit: {{}}\n\
         token: none\n{derive}\
         limits: {{fuel: 4_000_000_000, memory: 2GiB}}\nparity: {{reasons: ignored}}\n"
    )
}

const INPUT_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["subject", "action", "resource"],
  "properties": {
    "subject": {"type": "object", "required": ["type", "id"], "properties": {"type": {"const": "agent"}, "id": {"type": "string"}}},
    "action": {"type": "object", "required": ["name"], "properties": {"name": {"const": "tools/call"}}},
    "resource": {"type": "object", "required": ["type", "id"], "properties": {"type": {"const": "tool"}, "id": {"type": "string"}}}
  }
}
"#;

/// Cases: a tool in the middle of all, and one of which nothing is known.
fn cases(known: &str) -> String {
    let case = |name: &str, tool: &str, effect: &str| {
        format!(
            "- name: {name}\n  request:\n    subject: {{type: agent, id: a}}\n    action: {{name: tools/call}}\n    \
             resource: {{type: tool, id: {tool}}}\n  expect: {{effect: {effect}}}\n"
        )
    };
    // The first alone is the request of a row that varies a size.
    case("a-known-tool", known, "allow") + &case("an-unknown-tool", "unknown", "deny")
}

/// So many rules, each of which allows one tool.
fn many_rules(count: u64) -> Vec<(&'static str, String)> {
    let each = |rule: &dyn Fn(u64) -> String| (0..count).map(rule).collect::<String>();
    let rego = "package tribunal.scale\n\nimport rego.v1\n\ndecision := {\"effect\": \"allow\"} if allow\n\n\
                else := {\"effect\": \"deny\"}\n\n"
        .to_owned()
        + &each(&|n| format!("allow if input.resource.id == \"t{n}\"\n"));
    let cedar = each(&|n| {
        format!(
            "permit (principal is Agent, action == Action::\"tools/call\", resource == Tool::\"t{n}\");\n"
        )
    });
    let schema = "entity Agent;\nentity Tool;\naction \"tools/call\" appliesTo {principal: Agent, resource: Tool, context: {}};\n";
    let biscuit = each(&|n| format!("allow if resource(\"tool\", \"t{n}\");\n")) + "deny if true;\n";
    vec![
        ("policy.rego", rego),
        ("policy.cedar", cedar),
        ("schema.cedarschema", schema.to_owned()),
        ("policy.biscuit", biscuit),
        ("cases/scale.yaml", cases(&format!("t{}", count / 2))),
    ]
}

/// A list of tools of so many bytes.
fn much_data(bytes: u64) -> Vec<(&'static str, String)> {
    let tool = |n: u64| format!("tool-{n:07}");
    let each = tool(0).len() as u64 + r#""","#.len() as u64;
    let count = (bytes / each).max(1);
    let tools: Vec<String> = (0..count).map(tool).collect();
    let rego = "package tribunal.scale\n\nimport rego.v1\n\ndecision := {\"effect\": \"allow\"} if input.resource.id in data.tools\n\n\
                else := {\"effect\": \"deny\"}\n";
    let cedar = format!(
        "permit (principal is Agent, action == Action::\"tools/call\", resource is Tool)\n\
         when {{ Data::\"much-data-{bytes}\".tools.contains(context.derived.tool) }};\n"
    );
    let schema = "entity Agent;\nentity Tool;\nentity Data = { tools: Set<String> };\n\
                  action \"tools/call\" appliesTo {principal: Agent, resource: Tool, context: {derived: {tool: String}}};\n";
    let biscuit = "allow if resource(\"tool\", $tool), data($data), $data.get(\"tools\").contains($tool);\ndeny if true;\n";
    vec![
        ("policy.rego", rego.to_owned()),
        ("policy.cedar", cedar),
        ("schema.cedarschema", schema.to_owned()),
        ("policy.biscuit", biscuit.to_owned()),
        ("data.json", json!({ "tools": tools }).to_string()),
        ("cases/scale.yaml", cases(&tool(count / 2))),
    ]
}

/// Builds the module, if there is something to build it with.
#[cfg(feature = "wasm")]
fn build(files: &mut PackFiles) {
    use tribunal::wasm::{MODULE, OpaCompiler, build_pack};

    // Without one the engine itself says what is missing, in the row where it is.
    let Ok(compiler) = OpaCompiler::find() else { return };
    let Ok(built) = build_pack(files, &[PACKAGE.to_owned()], &compiler) else { return };
    if let Ok(lock) = built.lock_text() {
        files.insert(tribunal::core::pack::lock::FILE, lock.into_bytes());
        files.insert(MODULE, built.module);
    }
}

#[cfg(not(feature = "wasm"))]
fn build(_: &mut PackFiles) {}

/// A request filled up to about so many bytes, under `/context/padding`, where no rule of a shipped pack looks: a list of
/// small records, as tool arguments are.
///
/// # Errors
/// If the request is not an object.
pub fn filled(text: &str, bytes: u64) -> Result<String, BenchError> {
    let wrong = || BenchError::Input("a request that is filled is an object".to_owned());
    let mut request: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let members = request.as_object_mut().ok_or_else(wrong)?;
    let context = members.entry("context").or_insert_with(|| json!({}));
    let context = context.as_object_mut().ok_or_else(wrong)?;
    let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
    let record = json!({"name": "argument", "value": "some text of a tool call", "index": 1000});
    let each = record.to_string().len() + 1;
    // What the padding itself needs around it.
    let around = r#""context":{},"padding":[],"#.len();
    let records = wanted.saturating_sub(text.len() + around) / each;
    if records > 0 {
        context.insert("padding".to_owned(), Value::Array(vec![record; records]));
    }
    Ok(request.to_string())
}

#[cfg(test)]
mod tests {
    use tribunal::core::pack::PackSource;

    use super::*;

    #[test]
    fn a_request_is_filled_to_about_its_size() {
        let text = r#"{"subject":{"id":"a"},"action":{"name":"b"}}"#;
        for bytes in [1_000_u64, 100_000, 1_000_000] {
            let filled = filled(text, bytes).unwrap();
            let size = filled.len() as u64;
            assert!(size <= bytes && size + 200 > bytes, "{size} for {bytes}");
            assert!(tribunal::PolicyRequest::from_slice(filled.as_bytes()).is_ok());
        }
        assert_eq!(filled(text, 10).unwrap().len(), text.len() + r#","context":{}"#.len());
    }

    /// On the engines that need no compiler; a run verifies all of them.
    #[cfg(all(feature = "rego-native", feature = "cedar", feature = "biscuit"))]
    #[test]
    fn packs_of_a_size_answer_their_cases() {
        let registry = tribunal::registry();
        for (axis, value) in [(Axis::Rules, 20), (Axis::Data, 1_000)] {
            let Made { name, files, .. } = made(Point::new(axis, value));
            let data = files.get("data.json").map_or(0, |text| text.len() as u64);
            assert!(axis == Axis::Rules || (data > value - 20 && data < value + 20), "{data}");
            let source = std::sync::Arc::new(PackSource::read(&name, files, &registry).unwrap());
            let suite = tribunal_conformance::Suite::read(&source).unwrap();
            for engine in ["rego-native", "cedar", "biscuit"] {
                let context = tribunal::core::engine::LoadContext::default();
                let runner =
                    tribunal_conformance::Runner::load(source.clone(), engine, &context, &registry).unwrap();
                for case in &suite.cases {
                    let failure = runner.run(case).failure.map(|failure| failure.to_string());
                    assert_eq!(failure, None, "{name} on {engine}: {}", case.name);
                }
            }
        }
    }
}
