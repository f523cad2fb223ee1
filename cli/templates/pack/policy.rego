# Which tools an agent may call, and which of them need a human's approval.
package guard

import rego.v1

decision := {"effect": "allow"} if input.resource.id in data.allowed

else := {"effect": "step_up", "reason": "needs_approval", "step_up": {"method": "human_approval"}} if {
	input.resource.id in data.approval
}

else := {"effect": "deny", "reason": "tool_not_allowed"}
