# How many requests an agent of a class may make in one session.
package tribunal.session_budget

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	is_number(input.context.session_request_count)
	input.context.session_request_count < budget
}

else := {"effect": "deny", "reason": "session_budget_exhausted"} if is_number(budget)

else := {"effect": "deny", "reason": "unknown_agent_class"}

budget := data.budget[agent_class]

# The last word of the segment after `mcp-client`: `researcher` in
# `spiffe://poc.local/agents/mcp-client/dspy-researcher/dev`, whose fifth part is `mcp-client` for every agent.
agent_class := class if {
	parts := split(input.subject.id, "/")
	count(parts) == 7
	array.slice(parts, 0, 5) == ["spiffe:", "", data.trust_domain, "agents", "mcp-client"]
	parts[6] == data.environment
	words := split(parts[5], "-")
	class := words[count(words) - 1]
}
