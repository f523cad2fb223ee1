package tribunal.default_pack_test

import rego.v1

import data.tribunal.default_pack

request := {
	"boundary": "tool",
	"resource": {"type": "tool", "id": "reboot"},
	"context": {"prompt": "a text"},
	"derived": {"text": {"found": ["email"], "count": 1, "text": "[filtered]"}},
}

# What is decided where the tool's boundary has this strictness, and these findings are standard.
decide(asked, strictness, standard) := decision if {
	decision := default_pack.decision with input as asked
		with data.strictness as [{"boundary": "tool", "level": strictness}]
		with data.standard as standard
		with data.tools as {"known": ["clock", "reboot"], "high_risk": ["reboot"]}
		with data.hosts as ["example.org"]
		with data.budget as {"near": 1, "over": 2}
}

every_finding := ["email", "high_risk_tool", "unknown_tool", "budget_over", "unknown_destination"]

test_observed if decide(request, "observe", every_finding) == {"effect": "allow", "reason": "email; high_risk_tool"}

test_strict if decide(request, "strict", []).effect == "step_up"

test_standard_without_findings_that_count if {
	decide(request, "standard", []) == {"effect": "allow", "reason": "email; high_risk_tool"}
}

test_standard_with_one if decide(request, "standard", ["email"]).effect == "redact"

test_standard_with_another if decide(request, "standard", ["high_risk_tool"]).effect == "step_up"

test_another_boundary if {
	asked := object.union(request, {"boundary": "egress"})
	decide(asked, "strict", every_finding) == {"effect": "deny", "reason": "unknown_boundary"}
}

test_an_unknown_host if {
	asked := object.union(request, {"context": {"url": "https://example.net"}, "derived": {"host": "example.net"}})
	decide(asked, "strict", []).reason == "unknown_destination"
}

test_a_spent_budget if {
	asked := object.union(request, {"context": {"session_request_count": 2}})
	decide(asked, "standard", every_finding).reason == "budget_over"
}

test_nothing_is_allowed_without_input if decide({}, "observe", []).effect == "deny"
