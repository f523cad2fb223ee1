# What a run, a class of agents and a session may spend in tokens, money, time and requests.
package tribunal.budget_caps

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	permitted
	settled
}

else := {
	"effect": "step_up",
	"reason": concat("; ", sort({concat("_", [cap, "soft_cap"]) | some cap in (caps - within_soft)})),
	"step_up": {"method": "human_approval"},
} if {
	permitted
}

else := {"effect": "deny", "reason": concat("; ", sort(refusals))}

permitted if {
	known_agent
	within_hard == caps
}

settled if within_soft == caps

settled if input.context.step_up.satisfied == true

refusals := {concat("_", [cap, "hard_cap"]) | some cap in (caps - within_hard)} | strangers

caps := {
	"run_tokens",
	"run_cost_micros",
	"run_wall_time_ms",
	"run_requests",
	"agent_class_tokens",
	"agent_class_cost_micros",
	"agent_class_wall_time_ms",
	"agent_class_requests",
	"session_tokens",
	"session_cost_micros",
	"session_wall_time_ms",
	"session_requests",
}

# A cap is held by a number that was found, or by its name under `unlimited`: one that is missing is not.
within_hard contains name if {
	some scope in ["run", "agent_class", "session"]
	some resource, cap in plan[scope]
	input.context.usage[scope][resource] + input.context.adding[resource] <= cap.hard
	name := concat("_", [scope, resource])
}

within_hard contains name if some name in class.unlimited

within_soft contains name if {
	some scope in ["run", "agent_class", "session"]
	some resource, cap in plan[scope]
	input.context.usage[scope][resource] + input.context.adding[resource] <= cap.soft
	name := concat("_", [scope, resource])
}

within_soft contains name if some name in class.unlimited

# The first class, `default`, and the first plan, `none`, stand for those that are not there.
class := found if {
	some found in data.classes
	found.class == agent_class
} else := data.classes[0]

plan := found if {
	some found in data.plans
	found.plan == class.plan
} else := data.plans[0]

strangers := {"unknown_agent" | not known_agent}

known_agent if {"trust_domain": parts[2], "environment": parts[6]} in data.issuers

# `spiffe://poc.local/agents/mcp-client/dspy-researcher/dev` in seven; its class is the last word of the sixth.
parts := split(input.subject.id, "/")

agent_class := word if {
	words := split(parts[5], "-")
	word := words[count(words) - 1]
}
