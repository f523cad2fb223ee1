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

# A cap is held by a number that was found, or by a row under `unlimited`: one that is missing is not.
within_hard contains name if {
	some scope, resources in limits
	some resource, cap in resources
	input.context.usage[scope][resource] + input.context.adding[resource] <= cap.hard
	name := concat("_", [scope, resource])
}

within_hard contains name if some name in unlimited

within_soft contains name if {
	some scope, resources in limits
	some resource, cap in resources
	input.context.usage[scope][resource] + input.context.adding[resource] <= cap.soft
	name := concat("_", [scope, resource])
}

within_soft contains name if some name in unlimited

unlimited := {row.cap | some row in data.unlimited; row.class == agent_class}

limits := data.plans.small.caps if {
	agent_class in data.plans.small.classes
} else := data.plans.standard.caps if {
	agent_class in data.plans.standard.classes
} else := data.plans.large.caps if {
	agent_class in data.plans.large.classes
} else := data.plans.default.caps

strangers := {"unknown_agent" | not known_agent}

known_agent if {
	parts[2] == data.trust_domain
	parts[6] == data.environment
}

# `spiffe://poc.local/agents/mcp-client/dspy-researcher/dev` in seven; its class is the last word of the sixth.
parts := split(input.subject.id, "/")

agent_class := class if {
	words := split(parts[5], "-")
	class := words[count(words) - 1]
}
