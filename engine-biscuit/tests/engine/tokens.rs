//! Whom the engine believes.

use biscuit_auth::builder::{BiscuitBuilder, BlockBuilder};
use biscuit_auth::format::schema;
use biscuit_auth::{Algorithm, Biscuit, KeyPair};
use prost::Message;
use serde_json::json;
use tribunal_engine_core::engine::LoadErrorKind;
use tribunal_engine_core::fault::{FaultKind, TokenFault};

use crate::support::{TestPack, attenuate, mint, pack, revocation, text, tool};

fn required(root: &KeyPair) -> TestPack {
    pack("allow if action($t), right($t) trusting authority;").token("required").root(root)
}

fn fault(kind: TokenFault) -> serde_json::Value {
    json!(format!("fault:{}", FaultKind::Token(kind)))
}

#[test]
fn a_token_gives_what_it_says() {
    let root = KeyPair::new();
    let loaded = required(&root).loaded();
    let token = mint(&root, "right(\"search\");");
    assert_eq!(loaded.decision_with(&tool("search"), &text(&token)), json!({"effect": "allow"}));
    assert_eq!(loaded.decision_with(&tool("rm"), &text(&token)), json!({"effect": "deny"}));
}

#[test]
fn text_and_bytes_are_the_same_token() {
    let root = KeyPair::new();
    let loaded = required(&root).loaded();
    let token = mint(&root, "right(\"search\");");
    let text = String::from_utf8(text(&token)).unwrap();
    for shown in [
        token.to_vec().unwrap(),
        text.clone().into_bytes(),
        text.trim_end_matches('=').as_bytes().to_vec(),
        format!("biscuit:{text}").into_bytes(),
        format!(" {text}\n").into_bytes(),
    ] {
        assert_eq!(loaded.decision_with(&tool("search"), &shown), json!({"effect": "allow"}));
    }
}

#[test]
fn a_tokens_own_checks_narrow_it() {
    let root = KeyPair::new();
    let loaded = required(&root).loaded();
    let token = mint(&root, "right(\"search\"); right(\"rm\"); check if subject(\"agent\", $id);");
    let narrowed =
        attenuate(&token, "check if action(\"search\"); check if time($t), $t < 2026-01-01T00:00:00Z;");
    let shown = text(&narrowed);
    assert_eq!(
        loaded.decision_with(&tool("search"), &shown),
        json!({"effect": "deny", "reason": "token check failed: block 1 check 1"})
    );
    assert_eq!(
        loaded.decision_with(&tool("rm"), &shown),
        json!({"effect": "deny", "reason": "token check failed: block 1 check 0; token check failed: block 1 check 1"})
    );
    let verdict = loaded.decide_with(&tool("search"), &shown).unwrap();
    assert_eq!(verdict.rules.to_string(), "token block 1 check 1");
    let explanation = loaded.explain(&tool("search"), Some(&shown)).unwrap();
    assert_eq!(explanation.trace.last().unwrap().rule, "token block 1 check 1");
    let still =
        attenuate(&token, "check if action($a), [\"search\", \"read\"].contains($a); check if data($d);");
    assert_eq!(loaded.decision_with(&tool("search"), &text(&still)), json!({"effect": "allow"}));
}

#[test]
fn a_token_that_is_not_believed_is_a_fault() {
    let root = KeyPair::new();
    let other = KeyPair::new();
    let loaded = required(&root).loaded();
    let good = mint(&root, "right(\"search\");");
    assert_eq!(loaded.decision(&tool("search")), fault(TokenFault::Missing));
    assert_eq!(
        loaded.decision_with(&tool("search"), &text(&mint(&other, "right(\"search\");"))),
        fault(TokenFault::BadSignature)
    );
    let named =
        BiscuitBuilder::new().root_key_id(7).code("right(\"search\");").unwrap().build(&root).unwrap();
    assert_eq!(loaded.decision_with(&tool("search"), &text(&named)), fault(TokenFault::UnknownRootKey));
    for shown in [&b""[..], b"not base64!", b"AAAA", b"\x12\xff\xff", "é".as_bytes()] {
        assert_eq!(loaded.decision_with(&tool("search"), shown), fault(TokenFault::Malformed), "{shown:?}");
    }
    assert_eq!(loaded.decision_with(&tool("search"), &vec![b'A'; 1 << 20]), fault(TokenFault::TooLarge));
    // Every byte that is changed is noticed, or is one that says nothing.
    let bytes = good.to_vec().unwrap();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let decision = loaded.decision_with(&tool("search"), &changed);
        assert!(
            decision.as_str().is_some_and(|fault| fault.starts_with("fault:token:")),
            "byte {index}: {decision}"
        );
    }
}

#[test]
fn other_versions_are_said_to_be_unsupported() {
    let root = KeyPair::new();
    let loaded = required(&root).loaded();
    for version in [Some(2), Some(7), None] {
        let mut wire =
            schema::Biscuit::decode(mint(&root, "right(\"search\");").to_vec().unwrap().as_slice()).unwrap();
        let mut block = schema::Block::decode(wire.authority.block.as_slice()).unwrap();
        block.version = version;
        wire.authority.block = block.encode_to_vec();
        assert_eq!(
            loaded.decision_with(&tool("search"), &wire.encode_to_vec()),
            fault(TokenFault::UnsupportedVersion)
        );
    }
}

#[test]
fn root_keys_are_chosen_by_their_id() {
    let (zero, one, none) =
        (KeyPair::new(), KeyPair::new_with_algorithm(Algorithm::Secp256r1), KeyPair::new());
    let keys = [
        (Some(0), zero.public().to_string()),
        (Some(1), one.public().to_pem().unwrap()),
        (None, format!(" {}\n", none.public())),
    ];
    let loaded = required(&zero).trust(&keys, &[]).loaded();
    let token = |key: &KeyPair, id: Option<u32>| {
        let builder = BiscuitBuilder::new().code("right(\"search\");").unwrap();
        let builder = match id {
            Some(id) => builder.root_key_id(id),
            None => builder,
        };
        text(&builder.build(key).unwrap())
    };
    for (key, id) in [(&zero, Some(0)), (&one, Some(1)), (&none, None)] {
        assert_eq!(
            loaded.decision_with(&tool("search"), &token(key, id)),
            json!({"effect": "allow"}),
            "{id:?}"
        );
    }
    assert_eq!(
        loaded.decision_with(&tool("search"), &token(&zero, Some(1))),
        fault(TokenFault::BadSignature)
    );
    assert_eq!(
        loaded.decision_with(&tool("search"), &token(&zero, Some(2))),
        fault(TokenFault::UnknownRootKey)
    );
}

#[test]
fn keys_and_revocations_that_are_none_are_refused_at_load() {
    let root = KeyPair::new();
    let key = root.public().to_string();
    for (keys, revoked) in [
        (vec![(None, "ed25519/00".to_owned())], vec![]),
        (vec![(None, "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----".to_owned())], vec![]),
        (vec![(None, String::new())], vec![]),
        (vec![(Some(1), key.clone()), (Some(1), key.clone())], vec![]),
        (vec![(None, key.clone())], vec!["not hex".to_owned()]),
    ] {
        let errors = required(&root).trust(&keys, &revoked).errors();
        assert!(errors.has(LoadErrorKind::Invalid), "{errors}");
    }
    let errors = required(&root).trust(&[(None, "x".to_owned())], &[]).errors();
    assert!(errors.to_string().contains("root_keys: not a public key"), "{errors}");
    // A pack without tokens never looks at keys.
    pack("allow if true;").trust(&[(None, "x".to_owned())], &[]).loaded();
}

#[test]
fn a_revoked_block_revokes_all_that_was_made_from_it() {
    let root = KeyPair::new();
    let first = mint(&root, "right(\"search\");");
    let second = attenuate(&first, "check if action(\"search\");");
    let keys = [(None, root.public().to_string())];
    let decide = |revoked: &str, token: &Biscuit| {
        required(&root)
            .trust(&keys, &[revoked.to_owned()])
            .loaded()
            .decision_with(&tool("search"), &text(token))
    };
    assert_eq!(decide(&revocation(&first, 0), &first), fault(TokenFault::Revoked));
    assert_eq!(decide(&revocation(&first, 0), &second), fault(TokenFault::Revoked));
    assert_eq!(decide(&revocation(&second, 1), &second), fault(TokenFault::Revoked));
    assert_eq!(decide(&revocation(&second, 1), &first), json!({"effect": "allow"}));
}

/// Hazard 9: the signature of a P-256 block can be changed into another valid one, and so its revocation id.
#[test]
fn a_p256_token_cannot_shed_its_revocation() {
    let root = KeyPair::new_with_algorithm(Algorithm::Secp256r1);
    let token = mint(&root, "right(\"search\");");
    let mut wire = schema::Biscuit::decode(token.to_vec().unwrap().as_slice()).unwrap();
    let signature = p256::ecdsa::Signature::from_der(&wire.authority.signature).unwrap();
    let (r, s) = signature.split_scalars();
    let flipped = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-s).to_bytes()).unwrap();
    wire.authority.signature = flipped.to_der().as_bytes().to_vec();
    let other = wire.encode_to_vec();
    assert_ne!(hex::encode(&wire.authority.signature), revocation(&token, 0));

    let keys = [(None, root.public().to_string())];
    let open = required(&root).trust(&keys, &[]).loaded();
    assert_eq!(open.decision_with(&tool("search"), &other), json!({"effect": "allow"}));
    let ids = [revocation(&token, 0), hex::encode(&wire.authority.signature)];
    for id in ids {
        let closed = required(&root).trust(&keys, &[id]).loaded();
        assert_eq!(closed.decision_with(&tool("search"), &other), fault(TokenFault::Revoked));
        assert_eq!(closed.decision_with(&tool("search"), &text(&token)), fault(TokenFault::Revoked));
    }
}

#[test]
fn a_third_party_is_believed_by_its_key() {
    let (root, third, stranger) = (KeyPair::new(), KeyPair::new(), KeyPair::new());
    let policy = format!("allow if member($who) trusting {};", third.public());
    let loaded = pack(&policy).token("required").root(&root).loaded();
    let signed = |by: &KeyPair| {
        let token = mint(&root, "user(\"u\");");
        let request = token.third_party_request().unwrap();
        let block =
            request.create_block(&by.private(), BlockBuilder::new().code("member(\"u\");").unwrap()).unwrap();
        text(&token.append_third_party(by.public(), block).unwrap())
    };
    assert_eq!(loaded.decision_with(&tool("x"), &signed(&third)), json!({"effect": "allow"}));
    assert_eq!(loaded.decision_with(&tool("x"), &signed(&stranger)), json!({"effect": "deny"}));
    assert_eq!(
        loaded.decision_with(&tool("x"), &text(&mint(&root, "member(\"u\");"))),
        json!({"effect": "deny"})
    );
}

#[test]
fn too_many_blocks_are_too_large() {
    let root = KeyPair::new();
    let loaded = required(&root).loaded();
    let mut token = mint(&root, "right(\"search\");");
    for _ in 1..32 {
        token = attenuate(&token, "check if true;");
    }
    assert_eq!(loaded.decision_with(&tool("search"), &text(&token)), json!({"effect": "allow"}));
    assert_eq!(
        loaded.decision_with(&tool("search"), &text(&attenuate(&token, "check if true;"))),
        fault(TokenFault::TooLarge)
    );
}

#[test]
fn a_pack_without_tokens_never_reads_one() {
    let loaded = pack("allow if true;").loaded();
    assert_eq!(loaded.decision_with(&tool("x"), b"garbage"), json!({"effect": "allow"}));
}

#[test]
fn an_optional_token_is_checked_if_shown() {
    let root = KeyPair::new();
    let loaded = pack("allow if true;").token("optional").root(&root).loaded();
    assert_eq!(loaded.decision(&tool("x")), json!({"effect": "allow"}));
    assert_eq!(loaded.decision_with(&tool("x"), b"garbage"), fault(TokenFault::Malformed));
    let failing = mint(&root, "check if action(\"y\");");
    assert_eq!(
        loaded.decision_with(&tool("x"), &text(&failing)),
        json!({"effect": "deny", "reason": "token check failed: block 0 check 0"})
    );
}

#[test]
fn functions_of_the_hosts_are_not_there_for_tokens_either() {
    let root = KeyPair::new();
    let loaded = pack("allow if true;").token("optional").root(&root).loaded();
    let own = pack("allow if action($a), $a.matches(\"x\");").token("optional").root(&root).loaded();
    for code in [
        "reject if action($a), $a.extern::check().try_or(false);",
        "check if action($a), $a.extern::matches(\"x\");",
    ] {
        let token = mint(&root, code);
        assert_eq!(loaded.decision_with(&tool("x"), &text(&token)), fault(TokenFault::Malformed));
        assert_eq!(own.decision_with(&tool("x"), &text(&token)), fault(TokenFault::Malformed));
    }
}

#[test]
fn more_tokens_than_are_remembered_are_all_checked() {
    let root = KeyPair::new();
    let tokens: Vec<Vec<u8>> = (0..200).map(|n| text(&mint(&root, &format!("right(\"t{n}\");")))).collect();
    let loaded = required(&root).loaded();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (n, token) in tokens.iter().enumerate() {
                    assert_eq!(
                        loaded.decision_with(&tool(&format!("t{n}")), token),
                        json!({"effect": "allow"})
                    );
                    assert_eq!(loaded.decision_with(&tool("other"), token), json!({"effect": "deny"}));
                }
            });
        }
    });
}
