package tribunal.budget_caps_test

import rego.v1

import data.tribunal.budget_caps

spent(number) := {"tokens": number, "cost_micros": number, "wall_time_ms": number, "requests": number}

usage(number) := {"run": spent(number), "agent_class": spent(number), "session": spent(number)}

scope := {name: {"soft": 5, "hard": 9} | some name in ["tokens", "cost_micros", "wall_time_ms", "requests"]}

caps := {"run": scope, "agent_class": scope, "session": scope}

plans := {
	"small": {"classes": ["writer"], "caps": caps},
	"standard": {"classes": [], "caps": {}},
	"large": {"classes": [], "caps": {}},
	"default": {"caps": {}},
}

decide(class, used, step_up, plan_data) := decision if {
	adding := spent(1)
	decision := budget_caps.decision with input as {
		"subject": {"id": concat("", ["spiffe://example.org/agents/mcp-client/", class, "/prod"])},
		"context": {"usage": used, "adding": adding, "step_up": step_up},
	}
		with data.trust_domain as "example.org"
		with data.environment as "prod"
		with data.plans as plan_data
		with data.unlimited as [{"class": "writer", "cap": "run_tokens"}]
}

test_up_to_the_soft_cap if decide("writer", usage(4), {}, plans) == {"effect": "allow"}

test_over_every_soft_cap if {
	decision := decide("writer", usage(5), {}, plans)
	decision.effect == "step_up"
	count(split(decision.reason, "; ")) == 11
	startswith(decision.reason, "agent_class_cost_micros_soft_cap; ")
}

test_approved_up_to_the_hard_cap if decide("writer", usage(8), {"satisfied": true}, plans) == {"effect": "allow"}

test_only_true_approves if {
	every value in [false, null, "true", 1, {}] {
		decide("writer", usage(5), {"satisfied": value}, plans).effect == "step_up"
	}
}

test_over_one_hard_cap if {
	used := object.union(usage(1), {"session": {"requests": 9}})
	decision := decide("writer", used, {"satisfied": true}, plans)
	decision == {"effect": "deny", "reason": "session_requests_hard_cap"}
}

# The schema of the data lets no cap be missing. Without it a missing one denies all the same.
test_a_missing_cap_is_not_unlimited if {
	without := json.remove(plans, ["/small/caps/session/cost_micros"])
	decision := decide("writer", usage(0), {"satisfied": true}, without)
	decision == {"effect": "deny", "reason": "session_cost_micros_hard_cap"}
}

test_a_missing_plan_is_not_unlimited if {
	every plan_data in [{}, null, plans] {
		decide("stranger", usage(0), {"satisfied": true}, plan_data).effect == "deny"
	}
}

test_a_missing_soft_cap_asks if {
	without := json.remove(plans, ["/small/caps/run/requests/soft"])
	decide("writer", usage(0), {}, without).reason == "run_requests_soft_cap"
}

test_a_missing_counter_denies if {
	decision := decide("writer", object.remove(usage(0), ["agent_class"]), {}, plans)
	decision.effect == "deny"
}

test_nothing_is_allowed_without_input if budget_caps.decision.effect == "deny" with input as {}
