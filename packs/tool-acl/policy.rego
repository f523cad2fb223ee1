# What a registry of capabilities lets a class of agent do, through which adapter, and how often.
package tribunal.tool_acl

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	permitted
	entry.step_up == false
}

else := {"effect": "allow"} if {
	permitted
	input.context.step_up.satisfied == true
	input.context.step_up.method == entry.step_up_method
}

else := {
	"effect": "step_up",
	"reason": "step_up_required",
	"step_up": {"method": entry.step_up_method},
} if {
	permitted
}

else := {"effect": "deny", "reason": concat("; ", sort(denials))}

entry := found if {
	some found in data.capabilities
	found.id == input.resource.id
}

# A check is passed by what was found: one that finds nothing to look at denies.
permitted if passed == checks

denials := checks - passed if entry

denials := {"unknown_capability", "capability_not_granted"} - passed if not entry

checks := {
	"action_not_authorized",
	"capability_not_granted",
	"requests_per_minute_exceeded",
	"resource_not_authorized",
	"tokens_per_minute_exceeded",
	"tool_not_in_capability",
	"wrong_adapter",
	"wrong_endpoint",
	"wrong_protocol",
}

passed contains "capability_not_granted" if {"class": agent_class, "capability": input.resource.id} in data.grants

passed contains "wrong_adapter" if input.context.call.adapter == entry.adapter

passed contains "wrong_protocol" if input.context.call.protocol == entry.protocol

passed contains "wrong_endpoint" if object.get(input.context.call, "endpoint", null) == object.get(entry, "endpoint", null)

passed contains "action_not_authorized" if input.action.name == entry.authorization.action

passed contains "resource_not_authorized" if within == entry.authorization.resource

passed contains "tool_not_in_capability" if input.context.call.tool in entry.tools.allow

passed contains "tool_not_in_capability" if {
	object.get(entry, "tools", null) == null
	object.get(input.context.call, "tool", null) == null
}

passed contains name if {
	some name in ["requests_per_minute_exceeded", "tokens_per_minute_exceeded"]
	object.get(entry, "rate_limit", null) == null
}

passed contains "requests_per_minute_exceeded" if {
	input.context.last_minute.requests < entry.rate_limit.requests_per_minute
}

passed contains "tokens_per_minute_exceeded" if input.context.last_minute.tokens < entry.rate_limit.tokens_per_minute

# All but the last segment of the path: `mcp/` in `mcp/web_search`.
within := trim_suffix(input.context.call.resource, name) if {
	segments := split(input.context.call.resource, "/")
	name := segments[count(segments) - 1]
}

# The last word of the segment after `mcp-client`: `researcher` in
# `spiffe://poc.local/agents/mcp-client/dspy-researcher/dev`, which has seven parts.
agent_class := class if {
	startswith(input.subject.id, concat("", ["spiffe://", data.trust_domain, "/agents/mcp-client/"]))
	parts := split(input.subject.id, "/")
	count(parts) == 7
	parts[6] == data.environment
	words := split(parts[5], "-")
	class := words[count(words) - 1]
}
