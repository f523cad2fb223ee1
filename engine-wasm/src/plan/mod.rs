//! The policy of a module: its rules as the planner's statements, read back from the code.
//!
//! Nothing of it decides anything. It is read for [`vocabulary`](crate::vocabulary) and [`mutate`](crate::mutate), which
//! leave out what is not plain, so a module of another compiler (or one that was optimised) gives less, never wrong things.

mod answer;
mod constant;
mod decode;
mod statement;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

pub(crate) use constant::{Constant, ConstantKind, Position};
pub(crate) use statement::{Callee, Kind, Origin, Statement, Term, TermKind, Value};

use crate::image::Image;
use crate::module::ModuleError;
use crate::settings::Question;

/// What an entrypoint of the pack gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The decision, or only its effect, as a name or a boolean.
    Decision,
    /// The reason.
    Reason,
}

/// The rules that a pack's entrypoints reach, in the order of the module.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rules: Vec<Rule>,
    /// Where the module says where its heap begins, which has to be told if more data lies in front of it.
    pub(crate) heap_base: Option<HeapBase>,
}

/// The constant that a module gives `opa_malloc_init`.
#[derive(Debug)]
pub(crate) struct HeapBase {
    /// The function that does, by its index in [`Image::bodies`].
    pub(crate) body: usize,
    pub(crate) place: Range<usize>,
    pub(crate) address: u32,
}

/// A rule or function of the policy.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its path in the policy, as `tribunal.tool_allowlist.decision`.
    pub(crate) name: String,
    /// Its function, by its index in [`Image::bodies`].
    pub(crate) body: usize,
    pub(crate) role: Option<Role>,
    pub(crate) statements: Vec<Statement>,
    origins: Vec<Origin>,
    /// The values of which nothing but the answer is made.
    answered: BTreeSet<Value>,
}

impl Plan {
    /// Reads the rules of a module; none from one without names.
    pub(crate) fn read(image: &Image<'_>, question: &Question<String>) -> Result<Self, ModuleError> {
        let rules: HashMap<u32, String> = image
            .named()
            .filter_map(|(function, name)| Some((function, rule_name(name)?.to_owned())))
            .collect();
        let host = decode::host_builtins(image)?;
        let mut found = Vec::new();
        for (function, _) in image.named().filter(|(function, _)| rules.contains_key(function)) {
            let Some(body) = image.body_index(function) else { continue };
            let (Some(name), Some(code)) = (rules.get(&function), image.bodies.get(body)) else { continue };
            let decoded = decode::decode(image, &rules, &host, code)?;
            found.push((function, body, name.clone(), decoded));
        }
        let reached = reached(question, &found);
        let roles = roles(question);
        let rules = found
            .into_iter()
            .filter(|(function, ..)| reached.contains(function))
            .map(|(_, body, name, decoded)| {
                let role = roles.iter().find(|(entrypoint, _)| *entrypoint == name).map(|(_, role)| *role);
                let answered = answer::answered(&decoded.statements, role);
                let decode::Decoded { statements, origins, .. } = decoded;
                Rule { name, body, role, statements, origins, answered }
            })
            .collect();
        Ok(Plan { rules, heap_base: heap_base(image)? })
    }
}

impl Rule {
    /// Where a value comes from.
    pub(crate) fn origin(&self, value: Value) -> &Origin {
        self.origins.get(value.0).unwrap_or(&Origin::Other)
    }

    /// Whether nothing but the answer is made of a value.
    pub(crate) fn is_answered(&self, value: Value) -> bool {
        self.answered.contains(&value)
    }

    /// How many statements use a value.
    pub(crate) fn uses(&self, value: Value) -> usize {
        self.statements
            .iter()
            .flat_map(|statement| statement.kind.used())
            .filter(|used| *used == value)
            .count()
    }

    /// A term as people would write it, as far as it is known.
    pub(crate) fn show(&self, term: &Term) -> String {
        match &term.kind {
            TermKind::String(text) => serde_json::Value::from(text.as_str()).to_string(),
            TermKind::Bool(value) => value.to_string(),
            TermKind::Value(value) => match self.origin(*value) {
                Origin::Input(path) => dotted("input", path),
                Origin::Element(path) => dotted("input", path) + "[_]",
                Origin::Data(path) => dotted("data", path),
                Origin::Rule(name) => name.rsplit('.').next().unwrap_or(name).to_owned(),
                Origin::Builtin(name) => format!("{name}(…)"),
                Origin::Number(text) => text.clone(),
                Origin::True => "true".to_owned(),
                Origin::Planned | Origin::Other => "_".to_owned(),
            },
        }
    }
}

fn dotted(root: &str, path: &[String]) -> String {
    path.iter().fold(root.to_owned(), |path, name| path + "." + name)
}

/// The rule that a function is: `tribunal.tool_allowlist.decision` of `g0.data.tribunal.tool_allowlist.decision`. The
/// planner numbers a rule's copies for `with` (`g1.…`).
fn rule_name(function: &str) -> Option<&str> {
    let (copy, name) = function.strip_prefix('g')?.split_once(".data.")?;
    (!copy.is_empty() && copy.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// The rules that the pack's entrypoints are, by name.
fn roles(question: &Question<String>) -> Vec<(String, Role)> {
    let name = |entrypoint: &String| entrypoint.replace('/', ".");
    match question {
        Question::Decision(entrypoint) => vec![(name(entrypoint), Role::Decision)],
        Question::AllowAndReason(allow, reason) => {
            vec![(name(allow), Role::Decision), (name(reason), Role::Reason)]
        }
    }
}

/// The functions of the policy that the pack's entrypoints come to call.
fn reached(question: &Question<String>, rules: &[(u32, usize, String, decode::Decoded)]) -> BTreeSet<u32> {
    let all: BTreeSet<u32> = rules.iter().map(|(function, ..)| *function).collect();
    let mut ahead = Vec::new();
    for (entrypoint, _) in roles(question) {
        let before = ahead.len();
        ahead.extend(
            rules.iter().filter(|(_, _, name, _)| *name == entrypoint).map(|(function, ..)| *function),
        );
        if ahead.len() == before {
            // Not a rule but what stands above rules: `eval` makes it of them.
            ahead.extend(all.iter().copied());
        }
    }
    let mut reached = BTreeSet::new();
    while let Some(function) = ahead.pop() {
        if !reached.insert(function) {
            continue;
        }
        if let Some((.., decoded)) = rules.iter().find(|(known, ..)| *known == function) {
            if decoded.calls_any {
                return all;
            }
            ahead.extend(decoded.calls.intersection(&all));
        }
    }
    reached
}

fn heap_base(image: &Image<'_>) -> Result<Option<HeapBase>, ModuleError> {
    let (Some(init), Some(start)) = (image.function("opa_malloc_init"), image.function("_initialize")) else {
        return Ok(None);
    };
    let Some(body) = image.body_index(start) else { return Ok(None) };
    let Some(code) = image.bodies.get(body) else { return Ok(None) };
    let found = decode::argument_of(code, init)?;
    Ok(found.map(|(address, place)| HeapBase { body, place, address: address.cast_unsigned() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::OpaModule;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/modules/{name}.wasm", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn question(entrypoint: &str) -> Question<String> {
        Question::Decision(entrypoint.to_owned())
    }

    #[test]
    fn rules_are_named_by_their_path() {
        assert_eq!(
            rule_name("g0.data.tribunal.tool_allowlist.decision"),
            Some("tribunal.tool_allowlist.decision")
        );
        assert_eq!(rule_name("g12.data.t.a"), Some("t.a"));
        for other in ["opa_value_get", "g.data.t", "gx.data.t", "eval", "g0.t"] {
            assert_eq!(rule_name(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_an_entrypoint_reaches_is_a_rule_of_the_pack() {
        let bytes = fixture("decisions");
        let image = Image::read(&bytes).unwrap();
        let names = |entrypoint| {
            let plan = Plan::read(&image, &question(entrypoint)).unwrap();
            plan.rules.into_iter().map(|rule| rule.name).collect::<Vec<_>>()
        };
        assert_eq!(names("t/decision"), ["t.decision"]);
        // A package is all of its rules.
        assert!(names("t").len() > 10);
    }

    #[test]
    fn the_heap_begins_behind_the_data() {
        for name in ["decisions", "regex", "long_names"] {
            let bytes = fixture(name);
            let image = Image::read(&bytes).unwrap();
            let base = Plan::read(&image, &question("t/decision")).unwrap().heap_base.unwrap();
            assert_eq!(Some(base.address), image.data_end(), "{name}");
        }
    }

    #[test]
    fn a_module_written_unchanged_is_the_same() {
        for name in ["decisions", "regex", "long_names"] {
            let bytes = fixture(name);
            let image = Image::read(&bytes).unwrap();
            assert_eq!(image.write(&Default::default(), &[]), bytes, "{name}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(128))]

        /// Damage that leaves a valid module is read as far as it goes: never a panic.
        #[test]
        fn damage_is_no_panic(place in 0_usize..150_000, bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..4)) {
            let mut damaged = fixture("decisions");
            for (slot, byte) in damaged.iter_mut().skip(place).zip(&bytes) {
                *slot = *byte;
            }
            if OpaModule::read(&damaged).is_ok() {
                let image = Image::read(&damaged).unwrap();
                if let Ok(plan) = Plan::read(&image, &question("t")) {
                    crate::vocabulary::vocabulary(&image, &plan);
                }
            }
        }
    }
}
