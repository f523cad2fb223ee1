//! Declarations compiled at load, in the order in which they need each other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::function::Function;
use super::function::shared_search::{Captor, SharedSearch};
use super::objection::PackData;
use super::room::Room;
use super::spec::DeriveSpec;
use crate::contract::Pointer;
use crate::contract::request::DERIVED;
use crate::document::{Document, with_nearest};
use crate::engine::{LoadErrorKind, LoadErrors};
use crate::fault::{Fault, FaultKind};

/// What a pack derives from each request, over the data in force.
#[derive(Debug, Clone, Default)]
pub struct DerivePlan {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    /// `None` for the clock.
    source: Option<Pointer>,
    /// One, or several that one search finds.
    members: Vec<Member>,
    /// What finds the members of a text together.
    search: Option<Arc<SharedSearch>>,
}

#[derive(Debug, Clone)]
struct Member {
    name: String,
    function: Function,
}

impl DerivePlan {
    /// Compiles the declarations of a manifest over the pack's data; `manifest` is for places.
    ///
    /// # Errors
    /// Every declaration that cannot work, each derived source that does not exist, circles, and data that a function
    /// cannot use.
    pub fn compile(
        specs: &BTreeMap<String, DeriveSpec>,
        manifest: &Document,
        data: PackData<'_>,
    ) -> Result<Self, LoadErrors> {
        let mut errors = Vec::new();
        let mut waiting: Vec<(Option<&Pointer>, Member)> = Vec::new();
        for (name, spec) in specs {
            match Function::compile(spec, data.value()) {
                Ok(function) => waiting.push((spec.source(), Member { name: name.clone(), function })),
                Err(objections) => errors.extend(
                    objections.into_iter().map(|objection| objection.placed(name, spec, manifest, data)),
                ),
            }
        }
        let at_source = |name: &str, message: String| {
            let function = specs.get(name).map_or("", DeriveSpec::function);
            let place = Pointer::from_tokens(["derive", name, function, "source"]);
            manifest.error(LoadErrorKind::Invalid, &place, message)
        };
        for (name, spec) in specs {
            let Some(source) = spec.source().filter(|source| is_derived(source)) else { continue };
            match derived_source(source) {
                None => errors.push(at_source(
                    name,
                    format!("`{source}` is not a derived member: write `/{DERIVED}/name`"),
                )),
                Some((needed, _)) if !specs.contains_key(needed) => {
                    let known: Vec<String> = specs.keys().cloned().collect();
                    let error = at_source(name, format!("`{needed}` is not derived"));
                    errors.push(with_nearest(error, needed, &known));
                }
                Some(_) => {}
            }
        }
        LoadErrors::check(errors)?;
        let mut ordered: Vec<(Option<&Pointer>, Member)> = Vec::new();
        while !waiting.is_empty() {
            let is_ready = |(source, _): &(Option<&Pointer>, Member)| {
                let needed = source.and_then(derived_source);
                needed.is_none_or(|(needed, _)| ordered.iter().any(|(_, done)| done.name == needed))
            };
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
            if ready.is_empty() {
                let circle = rest.iter().map(|(_, Member { name, .. })| {
                    at_source(name, format!("`{name}` is derived from itself"))
                });
                LoadErrors::check(circle.collect())?;
                break;
            }
            ordered.extend(ready);
            waiting = rest;
        }
        Ok(Self { steps: steps(ordered, specs) })
    }

    /// Whether there is nothing to derive.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The payload with its derived members; borrowed where the pack derives nothing.
    ///
    /// # Errors
    /// [`FaultKind::Derive`] for a source that cannot be read, and for members that outgrow their bound. The detail names
    /// the member and its source and does not quote it.
    pub fn apply<'p>(&self, payload: &'p Value, now: Timestamp) -> Result<Cow<'p, Value>, Fault> {
        if self.is_empty() {
            return Ok(Cow::Borrowed(payload));
        }
        let mut derived = Map::with_capacity(self.steps.iter().map(|step| step.members.len()).sum());
        let mut room = Room::new();
        for Step { source: place, members, search } in &self.steps {
            let source = match place {
                None => None,
                Some(pointer) => match lookup(pointer, payload, &derived) {
                    Some(value) => Some(value),
                    None => continue,
                },
            };
            let failed = |name: &str, why: String| {
                let source = place.as_ref().map_or_else(|| "the clock".to_owned(), Pointer::to_string);
                Fault::new(FaultKind::Derive, format!("`{name}`: `{source}` {why}"))
            };
            let mut found = Vec::with_capacity(members.len());
            match (search, source) {
                (Some(search), Some(Value::String(text))) => {
                    for (Member { name, .. }, captured) in members.iter().zip(search.of_text(text)) {
                        found.push((name, room.charged(captured).map_err(|why| failed(name, why))?));
                    }
                }
                _ => {
                    for Member { name, function } in members {
                        let member =
                            function.call(source, now, &mut room).map_err(|why| failed(name, why))?;
                        found.push((name, member));
                    }
                }
            }
            for (name, member) in found {
                if let Some(member) = member {
                    derived.insert(name.clone(), member);
                }
            }
        }
        let Some(given) = payload.as_object() else { return Ok(Cow::Borrowed(payload)) };
        // Room for one member more: inserting it into a copy would hash all the others again.
        let mut members = Map::with_capacity(given.len() + 1);
        members.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        members.insert(DERIVED.to_owned(), Value::Object(derived));
        Ok(Cow::Owned(Value::Object(members)))
    }
}

/// Members in the order in which they need each other, those together that one search finds.
fn steps(ordered: Vec<(Option<&Pointer>, Member)>, specs: &BTreeMap<String, DeriveSpec>) -> Vec<Step> {
    let mut steps: Vec<(Step, Option<Captor>)> = Vec::new();
    for (source, member) in ordered {
        let captor = match specs.get(&member.name) {
            Some(DeriveSpec::Regex(spec)) => Captor::of(spec),
            _ => None,
        };
        // An earlier step has the same source, so what that needs is there.
        let earlier = captor.as_ref().and_then(|captor| {
            let mut open = steps.iter_mut();
            open.find_map(|(step, other)| other.as_mut()?.take_in(captor).then_some(step))
        });
        match earlier {
            Some(step) => step.members.push(member),
            None => {
                steps.push((Step { source: source.cloned(), members: vec![member], search: None }, captor))
            }
        }
    }
    let searching = |(step, captor): (Step, Option<Captor>)| Step {
        search: captor.and_then(|captor| captor.search()).map(Arc::new),
        ..step
    };
    steps.into_iter().map(searching).collect()
}

fn is_derived(pointer: &Pointer) -> bool {
    pointer.tokens().first().is_some_and(|first| first == DERIVED)
}

/// The derived member that a pointer leads to or into, if it leads to one, and the place within it.
fn derived_source(pointer: &Pointer) -> Option<(&str, Pointer)> {
    match pointer.tokens() {
        [first, name, within @ ..] if first == DERIVED => Some((name, Pointer::from_tokens(within))),
        _ => None,
    }
}

fn lookup<'v>(pointer: &Pointer, payload: &'v Value, derived: &'v Map<String, Value>) -> Option<&'v Value> {
    match derived_source(pointer) {
        Some((name, within)) => within.get(derived.get(name)?),
        None => pointer.get(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(yaml: &str) -> Result<DerivePlan, LoadErrors> {
        let document = Document::parse("pack.yaml", yaml.as_bytes())?;
        let specs = serde_json::from_value(document.value["derive"].clone()).unwrap();
        let data = document.value.get("data").cloned().unwrap_or_else(|| json!({}));
        DerivePlan::compile(&specs, &document, PackData::from(&data))
    }

    fn derive(yaml: &str, payload: &Value) -> Result<Value, Fault> {
        let now = "2026-11-21T23:30:05Z".parse().unwrap();
        Ok(plan(yaml).unwrap().apply(payload, now)?["derived"].clone())
    }

    #[test]
    fn members_are_derived_as_declared() {
        let yaml = r"
derive:
  class: {regex: {source: /subject/id, pattern: '^spiffe://[^/]+/agents/(?P<class>[^/]+)/', capture: class}}
  known: {regex: {source: /derived/class, pattern: '^res', }}
  first: {regex: {source: /subject/id, pattern: '^(s)(x)?', capture: 2}}
  lower: {lower: {source: /name}}
  chars: {length: {source: /name}}
  items: {length: {source: /list}}
  none: {length: {source: /absent}}
  host: {url: {source: /url, part: host}}
  port: {url: {source: /url, part: port}}
  query: {url: {source: /url, part: query}}
  hour: {time: {part: hour, zone: Europe/Zurich}}
  weekday: {time: {part: weekday}}
  day: {time: {part: day, source: /when}}
";
        let payload = json!({
            "subject": {"id": "spiffe://poc.local/agents/researcher/dev"}, "name": "ÄÖß", "list": [1, 2],
            "url": "HTTPS://user@EXAMPLE.org/%41", "when": "2026-01-02T03:04:05+02:00",
        });
        assert_eq!(
            derive(yaml, &payload).unwrap(),
            json!({
                "class": "researcher", "known": true, "lower": "äöß", "chars": 3, "items": 2, "host": "example.org",
                "port": 443, "hour": 0, "weekday": 6, "day": 2,
            })
        );
    }

    #[test]
    fn members_that_one_search_finds_are_those_of_their_own_searches() {
        let yaml = r"
derive:
  a_domain: {regex: {source: /id, pattern: '^spiffe://([^/]+)/(?:[^/]*-)?[^/-]+$', capture: 1}}
  b_whole: {regex: {source: /id, pattern: '^spiffe://[^/]+/(?:[^/]*-)?[^/-]+$', capture: 0}}
  c_class: {regex: {source: /id, pattern: '^spiffe://[^/]+/(?:[^/]*-)?([^/-]+)$', capture: 1}}
  d_other: {regex: {source: /other, pattern: '^spiffe://[^/]+/(?:[^/]*-)?([^/-]+)$', capture: 1}}
  e_team: {regex: {source: /id, pattern: '^spiffe://[^/]+/(?:([^/]*)-)?[^/-]+$', capture: 1}}
";
        let searches = plan(yaml).unwrap().steps.iter().map(|step| step.members.len()).collect::<Vec<_>>();
        assert_eq!(searches, [4, 1]);
        let whole = "spiffe://d/team-class";
        let one = json!({"a_domain": "d", "b_whole": whole, "c_class": "class", "e_team": "team"});
        assert_eq!(derive(yaml, &json!({"id": whole})).unwrap(), one);
        let bare =
            json!({"a_domain": "d", "b_whole": "spiffe://d/class", "c_class": "class", "d_other": "x"});
        let payload = json!({"id": "spiffe://d/class", "other": "spiffe://e/x"});
        assert_eq!(derive(yaml, &payload).unwrap(), bare);
        assert_eq!(derive(yaml, &json!({"id": "someone"})).unwrap(), json!({}));
        let lists = json!({"id": [whole]});
        let fault = derive(yaml, &json!({"id": ["someone"]})).unwrap_err();
        assert!(fault.detail.contains("`a_domain`: `/id` holds an element of which"), "{}", fault.detail);
        assert_eq!(derive(yaml, &lists).unwrap()["c_class"], json!(["class"]));
        assert_eq!(derive(yaml, &json!({"id": 7})).unwrap_err().kind, FaultKind::Derive);
    }

    #[test]
    fn a_function_of_a_text_takes_a_list_of_texts() {
        let yaml = r"
derive:
  lower: {lower: {source: /texts}}
  numbers: {regex: {source: /texts, pattern: '[0-9]{1,9}', capture: 0, all: true}}
  known: {regex: {source: /derived/lower, pattern: '^a'}}
  none: {fold_case: {source: /none}}
  length: {length: {source: /texts}}
  hosts: {url: {source: /urls, part: host}}
  urls: {url: {source: /urls}}
  hours: {time: {source: /times, part: hour}}
  inside: {lower: {source: /derived/urls/1/host}}
  deep: {length: {source: /derived/parts/name}}
  parts: {captures: {source: /texts/0, pattern: '(?P<name>[A-Z])(?P<no>x)?(?P<digits>[0-9]+)'}}
";
        let payload = json!({
            "texts": ["A12b3", "Ä"], "none": [], "urls": ["https://A.example", "http://10.0.0.1:81/x"],
            "times": ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z"],
        });
        let first = json!({"scheme": "https", "host": "a.example", "host_kind": "domain", "port": 443, "path": "/",
                           "credentials": false});
        let second = json!({"scheme": "http", "host": "10.0.0.1", "host_kind": "ipv4", "scope": "private", "port": 81,
                            "path": "/x", "credentials": false});
        assert_eq!(
            derive(yaml, &payload).unwrap(),
            json!({
                "lower": ["a12b3", "ä"], "numbers": [["12", "3"], []], "known": [true, false], "none": [], "length": 2,
                "hosts": ["a.example", "10.0.0.1"], "urls": [first, second], "hours": [3, 4], "inside": "10.0.0.1",
                "parts": {"name": "A", "digits": "12"}, "deep": 1,
            })
        );
        for (yaml, payload, says) in [
            (
                "derive: {a: {lower: {source: /x}}}",
                json!({"x": ["a", 1]}),
                "`a`: `/x` holds an element that is not a text",
            ),
            (
                "derive: {a: {lower: {source: /x}}}",
                json!({"x": {}}),
                "`a`: `/x` is not a text, nor a list of texts",
            ),
            (
                "derive: {a: {url: {source: /x, part: query}}}",
                json!({"x": ["http://h/?q", "http://h/"]}),
                "`a`: `/x` holds an element of which the function makes nothing",
            ),
            (
                "derive: {a: {url: {source: /x, part: query}}}",
                json!({"x": ["http://h/?q", "h"]}),
                "`a`: `/x` holds an element that is not a URL",
            ),
        ] {
            let fault = derive(yaml, &payload).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Derive);
            assert!(fault.detail.contains(says), "{}", fault.detail);
        }
    }

    #[test]
    fn what_has_nothing_to_say_is_absent() {
        let yaml = r"
derive:
  regex: {regex: {source: /text, pattern: 'x(y)?', capture: 1}}
  captures: {captures: {source: /text, pattern: '(?P<a>q)'}}
  decode: {decode: {source: /text, encoding: base64}}
  ip: {ip: {source: /text}}
  in_ranges: {in_ranges: {source: /text, ranges: [10.0.0.0/8]}}
  prefixes: {url_prefixes: {source: /url}}
  behind: {lower: {source: /derived/ip/scope}}
";
        assert_eq!(derive(yaml, &json!({"text": "x!", "url": "data:,x"})).unwrap(), json!({}));
    }

    #[test]
    fn replacing_is_complete_and_bounded() {
        let yaml = r"
derive:
  swapped: {replace: {source: /x, pattern: '(?P<a>[a-z])([0-9])', with: '${2}$a$$'}}
  grown: {replace: {source: /y, pattern: '.', with: '$0$0$0$0$0'}}
";
        let derived = derive(yaml, &json!({"x": "a1-b2"})).unwrap();
        assert_eq!(derived, json!({"swapped": "1a$-2b$"}));
        let fault = derive(yaml, &json!({"y": "x".repeat(1 << 20)})).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Derive);
        assert!(fault.detail.contains("`grown`: `/y` gives more than the 4 MiB of text"), "{}", fault.detail);
    }

    #[test]
    fn the_members_share_one_bound() {
        let yaml = "derive: {a: {lower: {source: /x}}, b: {lower: {source: /x}}, c: {lower: {source: /y}}}";
        let half = "x".repeat(2 << 20);
        assert!(derive(yaml, &json!({"x": half})).is_ok());
        let fault = derive(yaml, &json!({"x": half, "y": "x"})).unwrap_err();
        assert!(fault.detail.contains("`c`: `/y` gives more than the 4 MiB of text"), "{}", fault.detail);

        let list = |length| json!({"x": vec!["x"; length]});
        assert!(derive(yaml, &list(49_999)).is_ok());
        let fault = derive(yaml, &list(50_000)).unwrap_err();
        assert!(fault.detail.contains("gives more than the 100000 values"), "{}", fault.detail);
        let every = "derive: {a: {regex: {source: /x, pattern: x, capture: 0, all: true}}}";
        let fault = derive(every, &json!({"x": "x".repeat(100_001)})).unwrap_err();
        assert!(fault.detail.contains("gives more than the 100000 values"), "{}", fault.detail);
    }

    #[test]
    fn declarations_read_the_data_in_force() {
        let manifest = "derive: {a: {in_ranges: {source: /x, ranges: {data: /net/inside}}}}";
        let document = Document::parse("pack.yaml", manifest.as_bytes()).unwrap();
        let specs = serde_json::from_value(document.value["derive"].clone()).unwrap();
        let over = |data: &str| {
            let data = Document::parse("data.json", data.as_bytes()).unwrap();
            DerivePlan::compile(&specs, &document, PackData::from(&data))
        };
        let now = "2026-11-21T23:30:05Z".parse().unwrap();
        for (ranges, inside) in [("[]", false), (r#"["10.0.0.0/8"]"#, true), (r#"["10.0.0.0/24"]"#, false)] {
            let plan = over(&format!("{{\"net\": {{\"inside\": {ranges}}}}}")).unwrap();
            let payload = json!({"x": "10.1.2.3"});
            assert_eq!(plan.apply(&payload, now).unwrap()["derived"], json!({"a": inside}), "{ranges}");
        }
        for (data, says) in [
            ("{\n \"net\": {}}", "data.json:2:2: there is no `/net/inside` in the data"),
            ("{\n \"net\": {\"inside\": {}}}", "data.json:2:10: a list of texts is wanted here"),
            ("{\n \"net\": {\"inside\": [\"10.0.0.0/8\",\n 7]}}", "data.json:3:2: a text is wanted here"),
            ("{\n \"net\": {\"inside\": [\"10.0.0.0/8\",\n \"10/8\"]}}", "data.json:3:2: `10/8` is no range"),
        ] {
            let errors = over(data).unwrap_err().to_string();
            assert!(errors.contains(says) && errors.contains("`derive.a`"), "{data}: {errors}");
        }
        let unplaced =
            DerivePlan::compile(&specs, &document, PackData::from(&json!({}))).unwrap_err().to_string();
        assert!(unplaced.contains("`/net/inside` of the data: "), "{unplaced}");
    }

    #[test]
    fn a_source_of_another_type_is_a_fault() {
        for (yaml, payload) in [
            ("derive: {a: {lower: {source: /x}}}", json!({"x": 1})),
            ("derive: {a: {length: {source: /x}}}", json!({"x": true})),
            ("derive: {a: {url: {source: /x, part: host}}}", json!({"x": "not a url"})),
            ("derive: {a: {time: {source: /x, part: day}}}", json!({"x": "yesterday"})),
            ("derive: {a: {regex: {source: /x, pattern: a}}}", json!({"x": null})),
            ("derive: {a: {distinct: {source: /x}}}", json!({"x": "text"})),
            ("derive: {a: {sum: {source: /x}}}", json!({"x": {"a": 1}})),
            ("derive: {a: {url_prefixes: {source: /x}}}", json!({"x": "http://h/%252e%252e/"})),
            ("derive: {a: {decode: {source: /x, encoding: percent}}}", json!({"x": "%2525"})),
        ] {
            assert_eq!(derive(yaml, &payload).unwrap_err().kind, FaultKind::Derive, "{yaml}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_at_load() {
        for (yaml, says) in [
            ("derive: {a: {regex: {source: /x, pattern: a, all: true}}}", "pack.yaml:1:46: `all` of what?"),
            (
                "derive: {a: {captures: {source: /x, pattern: (a)}}}",
                "pack.yaml:1:37: the pattern names no group",
            ),
            ("derive: {a: {replace: {source: /x, pattern: '(', with: b}}}", "the pattern does not compile"),
            ("derive: {a: {replace: {source: /x, pattern: (a), with: $1st}}}", "has no group `1st`"),
            ("derive: {a: {replace: {source: /x, pattern: (a), with: '${2}'}}}", "has no group `2`"),
            (
                "derive: {a: {in_ranges: {source: /x, ranges: [10.0.0.0/8, 10.0.0.1/8]}}}",
                "pack.yaml:1:59: `10.0.0.1/8` does not begin",
            ),
            (
                "derive: {a: {regex: {source: /x, pattern: 'a+', capture: 0, all: true}}}",
                "pack.yaml:1:34: every match of this is looked for",
            ),
            (
                "derive: {a: {replace: {source: /x, pattern: '.*x|y', with: ''}}}",
                "every match of this is looked for",
            ),
            ("derive: {a: {replace: {source: /x, pattern: 'a{1,8193}', with: ''}}}", "at most 8192 bytes"),
            (
                "derive: {a: {regex: {source: /x, pattern: '('}}}",
                "pack.yaml:1:34: the pattern does not compile",
            ),
            ("derive: {a: {regex: {source: /x, pattern: a, capture: 1}}}", "no such group"),
            ("derive: {a: {time: {part: day, zone: Mars/Base}}}", "no time zone `Mars/Base`"),
            ("derive: {a: {lower: {source: /derived}}, b: {lower: {source: /x}}}", "is not a derived member"),
            (
                "derive: {aa: {lower: {source: /derived/ab}}, ac: {lower: {source: /x}}}",
                "`ab` is not derived",
            ),
            (
                "derive: {a: {lower: {source: /derived/b}}, b: {lower: {source: /derived/a}}}",
                "derived from itself",
            ),
        ] {
            let errors = plan(yaml).unwrap_err().to_string();
            assert!(errors.contains(says), "{yaml}: {errors}");
        }
    }
}
