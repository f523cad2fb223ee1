package tribunal.tool_allowlist_test

import rego.v1

import data.tribunal.tool_allowlist

admins := ["spiffe://example.org/gateway"]

grants := [{"class": "analyst", "tool": "sql_read"}]

decide(caller, tool) := decision if {
	decision := tool_allowlist.decision with input as {"subject": {"id": caller}, "resource": {"id": tool}}
		with data.trust_domain as "example.org"
		with data.environment as "prod"
		with data.admins as admins
		with data.grants as grants
}

test_a_granted_tool if decide("spiffe://example.org/agents/mcp-client/analyst/prod", "sql_read").effect == "allow"

test_a_prefix_before_the_class if decide("spiffe://example.org/agents/mcp-client/a-b-analyst/prod", "sql_read").effect == "allow"

test_another_tool if {
	decision := decide("spiffe://example.org/agents/mcp-client/analyst/prod", "sql_write")
	decision == {"effect": "deny", "reason": "tool_not_allowed"}
}

test_another_environment if decide("spiffe://example.org/agents/mcp-client/analyst/dev", "sql_read").effect == "deny"

test_another_trust_domain if decide("spiffe://example.net/agents/mcp-client/analyst/prod", "sql_read").effect == "deny"

test_an_extra_segment if decide("spiffe://example.org/agents/mcp-client/x/analyst/prod", "sql_read").effect == "deny"

test_an_admin_uses_any_tool if decide("spiffe://example.org/gateway", "anything").effect == "allow"

test_nothing_is_allowed_without_input if tool_allowlist.decision.effect == "deny" with input as {}
