# Which providers of models an agent of a class may use.
package tribunal.model_provider

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {"class": agent_class, "provider": input.context.model_provider} in data.grants

else := {"effect": "deny", "reason": "provider_not_authorized"}

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
