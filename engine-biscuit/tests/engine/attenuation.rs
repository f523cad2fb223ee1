//! What the holder of a token can make of it.

use biscuit_auth::{Algorithm, KeyPair};
use jiff::Timestamp;
use serde_json::json;
use tribunal_engine_biscuit::{Only, attenuations};
use tribunal_engine_core::contract::Token;
use tribunal_engine_core::fault::{FaultKind, TokenFault};

use crate::support::{NOW, mint, pack, text, tool};

fn only() -> Vec<Only> {
    let now: Timestamp = NOW.parse().unwrap();
    vec![
        Only::Action("search".to_owned()),
        Only::Action("rm\"); effect(\"allow".to_owned()),
        Only::Resource("t1".to_owned()),
        Only::Before(now),
        Only::Before(now + jiff::SignedDuration::from_secs(1)),
    ]
}

#[test]
fn nothing_made_of_a_token_allows_more() {
    let policies = [
        "allow if action($t), right($t) trusting authority; effect(\"step_up\") <- action(\"pay\");",
        "deny if action(\"rm\"); allow if true;",
        "allow if subject($t, $i), allow(true) trusting authority;",
        "reject if action(\"rm\"); allow if action($t), right($t) trusting authority;",
    ];
    for algorithm in [Algorithm::Ed25519, Algorithm::Secp256r1] {
        let root = KeyPair::new_with_algorithm(algorithm);
        for authority in ["right(\"search\"); right(\"rm\");", "allow(true);", "check if action(\"search\");"]
        {
            let token = mint(&root, authority);
            let made = attenuations(&Token::new(text(&token)), &only()).unwrap();
            for policy in policies {
                let loaded = pack(policy).token("required").root(&root).loaded();
                for action in ["search", "rm", "pay"] {
                    let request = tool(action);
                    let allowed =
                        |token: &[u8]| loaded.decision_with(&request, token) == json!({"effect": "allow"});
                    let before = allowed(&text(&token));
                    for attenuated in &made {
                        let after = allowed(attenuated.token.as_bytes());
                        let what = &attenuated.description;
                        assert!(before || !after, "{policy} {authority} {action} {what}");
                        if ["with a check that always holds", "sealed"].contains(&what.as_str()) {
                            assert_eq!(before, after, "{policy} {authority} {action} {what}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn each_does_what_it_says() {
    let root = KeyPair::new();
    let token = mint(&root, "right(\"search\"); right(\"rm\");");
    let loaded =
        pack("allow if action($t), right($t) trusting authority;").token("required").root(&root).loaded();
    let made = attenuations(&Token::new(text(&token)), &only()).unwrap();
    let decided: Vec<String> = made
        .iter()
        .map(|attenuated| {
            let decisions = ["search", "rm"].map(|action| {
                let decision = loaded.decision_with(&tool(action), attenuated.token.as_bytes());
                decision.get("effect").unwrap_or(&decision).as_str().unwrap().to_owned()
            });
            format!("{}: {}", attenuated.description, decisions.join(", "))
        })
        .collect();
    insta::assert_snapshot!(decided.join("\n"));
}

#[test]
fn nothing_is_made_of_what_is_sealed_or_no_token() {
    let root = KeyPair::new();
    let sealed = mint(&root, "right(\"search\");").seal().unwrap();
    assert!(attenuations(&Token::new(text(&sealed)), &only()).unwrap().is_empty());
    for (shown, kind) in [
        (&b"garbage!"[..], TokenFault::Malformed),
        (b"", TokenFault::Malformed),
        (&[b'A'; 1 << 20], TokenFault::TooLarge),
    ] {
        assert_eq!(attenuations(&Token::new(shown), &[]).unwrap_err().kind, FaultKind::Token(kind));
    }
    let early = [Only::Before("1960-01-01T00:00:00Z".parse().unwrap())];
    let token = Token::new(text(&mint(&root, "right(\"search\");")));
    assert_eq!(attenuations(&token, &early).unwrap_err().kind, FaultKind::Token(TokenFault::Malformed));
}
