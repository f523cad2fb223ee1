# Which class of agent may call which tool.
package tribunal.tool_allowlist

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if granted

else := {"effect": "deny", "reason": "tool_not_allowed"}

granted if input.subject.id in data.admins

granted if {
	# With "/" as the delimiter `*` is one segment of the path. With no delimiters it would be
	# anything but a dot: more segments than one, and no `dspy.v2-researcher`.
	glob.match(agents, ["/"], input.subject.id)
	{"class": agent_class, "tool": input.resource.id} in data.grants
}

agents := concat("", ["spiffe://", data.trust_domain, "/agents/mcp-client/*/", data.environment])

# The last word of the segment: `researcher` in `spiffe://…/agents/mcp-client/dspy-researcher/dev`.
agent_class := class if {
	words := split(split(input.subject.id, "/")[5], "-")
	class := words[count(words) - 1]
}
