package tribunal.budget_caps_test

import rego.v1

import data.tribunal.budget_caps

spent(number) := {"tokens": number, "cost_micros": number, "wall_time_ms": number, "requests": number}

usage(number) := {"run": spent(number), "agent_class": spent(number), "session": spent(number)}

scope := {name: {"soft": 5, "hard": 9} | some name in ["tokens", "cost_micros", "wall_time_ms", "requests"]}

nothing := {name: {"soft": 0, "hard": 0} | some name in ["tokens", "cost_micros", "wall_time_ms", "requests"]}

plans := [
	{"plan": "none", "run": nothing, "agent_class": nothing, "session": nothing},
	{"plan": "of a writer", "run": scope, "agent_class": scope, "session": scope},
]

classes := [
	{"class": "default", "plan": "none", "unlimited": []},
	{"class": "writer", "plan": "of a writer", "unlimited": ["run_tokens"]},
	{"class": "poet", "plan": "of a poet", "unlimited": ["run_tokens"]},
]

decide(class, used, step_up, plan_data) := decision if {
	adding := spent(1)
	decision := budget_caps.decision with input as {
		"subject": {"id": concat("", ["spiffe://example.org/agents/mcp-client/", class, "/prod"])},
		"context": {"usage": used, "adding": adding, "step_up": step_up},
	}
		with data.issuers as [{"trust_domain": "example.org", "environment": "prod"}]
		with data.classes as classes
		with data.plans as plan_data
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
	without := json.patch(plans, [{"op": "remove", "path": "/1/session/cost_micros"}])
	decision := decide("writer", usage(0), {"satisfied": true}, without)
	decision == {"effect": "deny", "reason": "session_cost_micros_hard_cap"}
}

test_a_missing_plan_is_not_unlimited if {
	every plan_data in [[], {}, [{"plan": "of a writer"}]] {
		decision := decide("writer", usage(0), {"satisfied": true}, plan_data)
		decision.effect == "deny"
		count(split(decision.reason, "; ")) == 11
	}
}

test_a_class_that_is_not_there_is_the_first if {
	decision := decide("stranger", usage(0), {"satisfied": true}, plans)
	decision.effect == "deny"
	count(split(decision.reason, "; ")) == 12
}

test_a_plan_that_is_not_there_is_the_first_and_the_class_stays if {
	decision := decide("poet", usage(0), {"satisfied": true}, plans)
	decision.effect == "deny"
	count(split(decision.reason, "; ")) == 11
}

test_a_missing_soft_cap_asks if {
	without := json.patch(plans, [{"op": "remove", "path": "/1/run/requests/soft"}])
	decide("writer", usage(0), {}, without).reason == "run_requests_soft_cap"
}

test_a_missing_counter_denies if {
	decision := decide("writer", object.remove(usage(0), ["agent_class"]), {}, plans)
	decision.effect == "deny"
}

test_nothing_is_allowed_without_input if budget_caps.decision.effect == "deny" with input as {}
