# The findings on a request, and what the strictness at its boundary makes of them.
package tribunal.default_pack

import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": concat("; ", having(effects.deny))} if count(having(effects.deny)) > 0

else := {
	"effect": "step_up",
	"reason": concat("; ", having(effects.step_up)),
	"step_up": {"method": "human_approval"},
} if {
	count(having(effects.step_up)) > 0
	not approved
}

# A text that is changed is cleaned of everything that was found in it.
else := {
	"effect": "redact",
	"reason": concat("; ", having(effects.redact)),
	"patches": [{"op": "replace", "path": "/context/prompt", "value": input.derived.text.text}],
} if {
	count(having(effects.redact)) > 0
}

# Both rest on a boundary whose strictness is known, not on the absence of findings.
else := {"effect": "allow", "reason": concat("; ", sort(findings))} if {
	is_object(effects)
	count(findings) > 0
}

else := {"effect": "allow"} if is_object(effects)

else := {"effect": "deny", "reason": "unknown_boundary"}

# What the strictness of this boundary means.
effects := data.effects[data.strictness[input.boundary]]

# The findings of a list, sorted, and with one in the text all others that are there.
having(listed) := sort({name |
	some name in listed
	name in in_request
} | {name |
	some name in in_text
	some other in listed
	other in in_text
})

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
