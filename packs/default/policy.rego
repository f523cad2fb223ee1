# The findings on a request, and what the strictness at its boundary makes of them.
package tribunal.default_pack

import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": named(enforced & stopping)} if count(enforced & stopping) > 0

else := {
	"effect": "step_up",
	"reason": named(enforced & asking),
	"step_up": {"method": "human_approval"},
} if {
	count(enforced & asking) > 0
	not approved
}

# A text that is changed is cleaned of everything that was found in it.
else := {
	"effect": "redact",
	"reason": named(in_text),
	"patches": [{"op": "replace", "path": "/context/prompt", "value": input.derived.text.text}],
} if {
	count(enforced & in_text) > 0
}

# Both rest on a boundary whose strictness is known, not on the absence of findings.
else := {"effect": "allow", "reason": named(findings)} if {
	is_string(strictness)
	count(findings) > 0
}

else := {"effect": "allow"} if is_string(strictness)

else := {"effect": "deny", "reason": "unknown_boundary"}

named(names) := concat("; ", sort(names))

stopping := {
	"instruction_override", "exfiltration", "forced_tool",
	"unknown_tool", "unknown_destination", "budget_over",
}

asking := {"high_risk_tool", "budget_near"}

strictness := row.level if {
	some row in data.strictness
	row.boundary == input.boundary
}

# What takes effect here; the other findings are only named.
enforced := findings if strictness == "strict"

else := {name | some name in findings; name in data.standard} if strictness == "standard"

else := set()

approved if input.context.step_up.satisfied == true

findings := in_text | in_request

in_text := {name | some name in input.derived.text.found}

in_request contains "unknown_tool" if {
	input.resource.type == "tool"
	not input.resource.id in data.tools.known
}

in_request contains "high_risk_tool" if {
	input.resource.type == "tool"
	input.resource.id in data.tools.high_risk
}

in_request contains "unknown_destination" if {
	is_string(input.context.url)
	not input.derived.host in data.hosts
}

in_request contains "budget_near" if input.context.session_request_count >= data.budget.near

in_request contains "budget_over" if input.context.session_request_count >= data.budget.over
