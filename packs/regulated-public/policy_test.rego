package tribunal.regulated_public_test

import rego.v1

import data.tribunal.regulated_public

decide(derived) := decision if {
	decision := regulated_public.decision with input as {
		"resource": {"id": "somebody.example"},
		"boundary": "egress",
		"context": {"text": "", "purpose": "support", "encrypted": true},
		"derived": derived,
	}
}

test_a_harmless_text if decide({"labels": ["unclassified"], "markings": {"found": [], "count": 0, "text": ""}, "persons": {"found": [], "count": 0, "text": ""}}) == {"effect": "allow"}

# Nothing is allowed of a text that was not scanned, of labels that are not there, or by lists that are not.
test_not_scanned if decide({"labels": ["unclassified"]}).effect == "deny"

test_nothing_derived if decide({}).effect == "deny"

test_nothing_is_allowed_without_input if regulated_public.decision.effect == "deny" with input as {}
