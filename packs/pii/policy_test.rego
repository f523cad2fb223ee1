package tribunal.pii_test

import rego.v1

import data.tribunal.pii

scan(found, text) := {"found": found, "count": count(found), "text": text}

# What is decided about kinds found in a prompt, if those of the second list were replaced.
decide(found, replaced) := decision if {
	text := concat("", [concat(" ", replaced), "a text"])
	request := {
		"context": {"prompt": "a text"},
		"derived": {"prompt": scan(found, "clean"), "prompt_masked": scan(replaced, text)},
	}
	decision := pii.decision with input as request
		with data.detect as ["colour", "shape", "size"]
		with data.redact as ["shape"]
		with data.deny as ["size"]
}

test_nothing_found if decide([], []) == {"effect": "allow"}

test_a_kind_is_named if decide(["colour"], []) == {"effect": "allow", "reason": "colour"}

test_a_kind_is_replaced if {
	decision := decide(["colour", "shape"], ["shape"])
	decision.effect == "redact"
	decision.reason == "colour; shape"
	decision.patches == [{"op": "replace", "path": "/context/prompt", "value": "shapea text"}]
}

test_a_kind_is_refused if decide(["shape", "size"], ["shape"]) == {"effect": "deny", "reason": "shape; size"}

test_nothing_is_allowed_without_input if pii.decision == {"effect": "deny", "reason": "no_text"} with input as {}

test_nothing_is_allowed_unread if {
	pii.decision.effect == "deny" with input as {"context": {"prompt": "a text"}, "derived": {}}
}
