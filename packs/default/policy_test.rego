package tribunal.default_pack_test

import rego.v1

import data.tribunal.default_pack

request := {
	"boundary": "tool",
	"resource": {"type": "tool", "id": "reboot"},
	"context": {"prompt": "a text"},
	"derived": {"text": {"found": ["email"], "count": 1, "text": "[filtered]"}},
}

# What is decided where the tool's boundary has these effects.
decide(asked, effects) := decision if {
	all_effects := object.union({"deny": [], "step_up": [], "redact": []}, effects)
	decision := default_pack.decision with input as asked
		with data.strictness as {"tool": "strict"}
		with data.effects as {"strict": all_effects}
		with data.tools as {"known": ["clock", "reboot"], "high_risk": ["reboot"]}
		with data.hosts as ["example.org"]
		with data.budget as {"near": 1, "over": 2}
}

test_observed if decide(request, {}) == {"effect": "allow", "reason": "email; high_risk_tool"}

test_a_text_is_cleaned if decide(request, {"redact": ["email", "phone"]}).patches[0].value == "[filtered]"

test_a_person_is_asked if decide(request, {"redact": ["email"], "step_up": ["high_risk_tool"]}).effect == "step_up"

test_a_text_is_refused if {
	decide(request, {"deny": ["email"], "step_up": ["high_risk_tool"]}) == {"effect": "deny", "reason": "email"}
}

test_another_boundary if {
	asked := object.union(request, {"boundary": "egress"})
	decide(asked, {"deny": ["email"]}) == {"effect": "deny", "reason": "unknown_boundary"}
}

test_an_unknown_host if {
	asked := object.union(request, {"context": {"url": "https://example.net"}, "derived": {"host": "example.net"}})
	decide(asked, {"deny": ["unknown_destination"]}).reason == "unknown_destination"
}

test_a_spent_budget if {
	asked := object.union(request, {"context": {"session_request_count": 2}})
	decide(asked, {"deny": ["budget_over"]}).reason == "budget_over"
}

test_nothing_is_allowed_without_input if decide({}, {}).effect == "deny"
