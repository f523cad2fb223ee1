package tribunal.prompt_injection_test

import rego.v1

import data.tribunal.prompt_injection

derived(found, links) := {
	"injection": {"found": found, "count": count(found), "text": "filtered"},
	"links": {"found": [], "count": links, "text": "without links"},
}

decide(found, links, deny, limit) := decision if {
	members := derived(found, links)
	decision := prompt_injection.decision with input as {"context": {"prompt": "x"}, "derived": members}
		with data.deny as deny
		with data.links as limit
}

redacted(value) := [{"op": "replace", "path": "/context/prompt", "value": value}]

few := {"most": 2, "effect": "redact"}

test_nothing if decide([], 2, ["a"], few) == {"effect": "allow"}

test_what_denies_tells_all_that_was_found if {
	decide(["b", "a"], 0, ["a"], few) == {"effect": "deny", "reason": "a; b"}
}

test_what_does_not_deny_is_taken_out if {
	decide(["b", "a"], 0, [], few) == {"effect": "redact", "reason": "a; b", "patches": redacted("filtered")}
}

test_too_many_links_are_taken_out if {
	decide([], 3, [], few) == {"effect": "redact", "reason": "too_many_links", "patches": redacted("without links")}
}

test_links_come_last if {
	decide(["a"], 3, [], few) == {"effect": "redact", "reason": "a", "patches": redacted("filtered")}
}

test_too_many_links_can_deny if {
	decide(["a"], 3, [], {"most": 2, "effect": "deny"}) == {"effect": "deny", "reason": "a; too_many_links"}
}

test_links_can_be_off if decide([], 3, ["a"], {"most": 2, "effect": "off"}) == {"effect": "allow"}

test_a_higher_limit if decide([], 3, [], {"most": 3, "effect": "deny"}) == {"effect": "allow"}
