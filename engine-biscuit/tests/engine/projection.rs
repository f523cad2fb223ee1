//! A query that is given the members it reads says what the query says that is given everything.

use biscuit_auth::KeyPair;
use biscuit_auth::builder::{BiscuitBuilder, Fact, Term};
use serde_json::{Value, json};
use tribunal_engine_core::fault::{FaultKind, LimitKind};
use tribunal_engine_core::limits::Limits;

use crate::support::{load, pack, payloads, shipped, shipped_files, tool, wire, with_context};

/// The maps under other names: the engine leaves these whole.
fn whole(policy: &str) -> String {
    let mut policy = policy.to_owned();
    for map in ["request", "derived", "data"] {
        policy = policy.replace(&format!("{map}($"), &format!("whole_{map}($"));
        policy.push_str(&format!("\nwhole_{map}($whole) <- {map}($whole);"));
    }
    policy
}

#[test]
fn shipped_packs_decide_alike_either_way() {
    for name in shipped() {
        let files = shipped_files(&name);
        let text = String::from_utf8(files.get("policy.biscuit").unwrap().to_vec()).unwrap();
        let mut others = files.clone();
        others.insert("policy.biscuit".to_owned(), whole(&text).into_bytes());
        let (projected, written) = (load(&name, files).unwrap(), load(&name, others).unwrap());
        for payload in payloads(&name) {
            assert_eq!(wire(projected.decide(&payload)), wire(written.decide(&payload)), "{name}: {payload}");
        }
    }
}

#[test]
fn queries_say_what_they_say_of_the_whole() {
    let fault = json!("fault:evaluation_error");
    let (allow, deny) = (json!({"effect": "allow"}), json!({"effect": "deny"}));
    let amount = |amount: Value| with_context(json!({"amount": amount}));
    let owner = |team: &str| with_context(json!({"owner": {"team": team}}));
    let over = "allow if request($r), $r.get(\"context\").get(\"amount\") > 10;";
    let guarded = "allow if request($r), $r.get(\"context\").get(\"owner\").type() === \"map\"
        && $r.get(\"context\").get(\"owner\").get(\"team\") === \"red\";";
    let unguarded = "allow if request($r), $r.get(\"context\").get(\"owner\").get(\"team\") === \"red\";";
    let tried =
        "allow if request($r), ($r.get(\"context\").get(\"owner\").get(\"team\") === \"red\").try_or(true);";
    let walked = "allow if data($d), request($r), $d.get(\"teams\").any($team -> $r.get(\"context\").get(\"owner\").get(\"team\") === $team);";
    let used = "allow if data($d), $d.get(\"on\"), $d.length() === 3;";
    let handed_on = "kept($d) <- data($d), $d.get(\"on\"); allow if kept($d), $d.get(\"on\");";
    let twice = "allow if data($a), data($b), $a.get(\"on\"), $b.get(\"teams\").contains(\"red\");";
    let not_a_map = "allow if data($d), $d.get(\"teams\").get(\"red\") === null;";
    let indexed =
        "allow if data($d), $d.get(\"teams\").get(0) === \"red\" && $d.get(\"a/b\").get(\"~\") === 1;";
    for (policy, request, wanted) in [
        (over, amount(json!(11)), &allow),
        (over, amount(json!(10)), &deny),
        (over, tool("search"), &fault),
        (guarded, owner("red"), &allow),
        (guarded, owner("blue"), &deny),
        (guarded, tool("search"), &deny),
        (unguarded, owner("red"), &allow),
        (unguarded, tool("search"), &fault),
        (tried, owner("blue"), &deny),
        (tried, tool("search"), &allow),
        (walked, owner("red"), &allow),
        (walked, owner("blue"), &deny),
        (walked, tool("search"), &fault),
        (used, tool("search"), &allow),
        (handed_on, tool("search"), &allow),
        (twice, tool("search"), &allow),
        (not_a_map, tool("search"), &fault),
        (indexed, tool("search"), &allow),
    ] {
        for policy in [policy.to_owned(), whole(policy)] {
            let data = json!({"on": true, "teams": ["red", "green"], "a/b": {"~": 1}});
            assert_eq!(pack(&policy).data(data).loaded().decision(&request), *wanted, "{policy}: {request}");
        }
    }
}

#[test]
fn the_limit_on_facts_counts_what_is_written() {
    let three = "n(1); allow if data($d), $d.get(\"a\") === 1, $d.get(\"b\") === 2, $d.get(\"c\") === 3;";
    let derives = "n(1) <- data($d), $d.get(\"a\") === 1, $d.get(\"b\") === 2; n(2) <- n(1); allow if n(2);";
    for (policy, needed) in [(three, 2), (derives, 3)] {
        let within = |facts| {
            let limits = Limits { facts: Some(facts), ..Limits::default() };
            pack(policy).data(json!({"a": 1, "b": 2, "c": 3})).limits(limits).loaded()
        };
        assert_eq!(within(needed).decision(&tool("x")), json!({"effect": "allow"}), "{policy}");
        assert_eq!(within(needed - 1).fault(&tool("x")), FaultKind::Limit(LimitKind::Facts), "{policy}");
    }
}

#[test]
fn a_token_states_no_member() {
    let key = KeyPair::new();
    let forged = Fact::new("data/on".to_owned(), vec![Term::Bool(true)]);
    let token = BiscuitBuilder::new().fact(forged).unwrap().build(&key).unwrap().to_vec().unwrap();
    for policy in
        ["allow if data($d), $d.get(\"on\");", "allow if data($d), $d.get(\"on\") trusting authority;"]
    {
        let loaded = |on: bool| pack(policy).token("required").root(&key).data(json!({"on": on})).loaded();
        assert_eq!(loaded(false).decision_with(&tool("x"), &token), json!({"effect": "deny"}), "{policy}");
        assert_eq!(loaded(true).decision_with(&tool("x"), &token), json!({"effect": "allow"}), "{policy}");
    }
}

#[test]
fn only_data_that_is_read_counts_for_the_work_it_could_cause() {
    let nested = "allow if request($r), $r.get(\"context\").get(\"tags\").any($a -> $r.get(\"context\").get(\"tags\").any($b -> $a === $b))";
    let data = json!({"names": vec!["x"; 10_000]});
    let loads = |policy: &str| pack(policy).data(data.clone()).load().is_ok();
    assert!(loads(&format!("{nested};")));
    assert!(!loads(&format!("{nested}, data($d), $d.get(\"names\").length() > 0;")));
    let loaded = pack(&format!("{nested};")).data(data.clone()).loaded();
    let tags = |count: usize| with_context(json!({"tags": vec!["x"; count]}));
    assert_eq!(loaded.decision(&tags(10)), json!({"effect": "allow"}));
    assert_eq!(loaded.fault(&tags(10_000)), FaultKind::Limit(LimitKind::Facts));
}
