# Tools of high risk wait for a person's approval.
package tribunal.step_up_tools

import future.keywords.not
import rego.v1

decision := {
	"effect": "step_up",
	"reason": "high_risk_tool",
	"step_up": {"method": "human_approval"},
} if {
	high_risk
	not approved
}

# Says what it rests on: with no list of tools, or no tool, nothing is known to be harmless.
else := {"effect": "allow"} if {
	is_array(data.high_risk)
	is_string(input.resource.id)
}

else := {"effect": "deny"}

high_risk if input.resource.id in data.high_risk

approved if input.context.step_up.satisfied == true
