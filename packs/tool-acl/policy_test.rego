package tribunal.tool_acl_test

import rego.v1

import data.tribunal.tool_acl

search := {
	"id": "tool.search",
	"adapter": "mcp",
	"protocol": "stdio",
	"tools": {"allow": ["web_search"]},
	"authorization": {"action": "tools/call", "resource": "mcp/"},
	"step_up": false,
}

call := {"adapter": "mcp", "protocol": "stdio", "tool": "web_search", "resource": "mcp/web_search"}

migrated := {"adapter": "http", "protocol": "https", "endpoint": "https://tools.example.org"}

decide(entries, made, step_up) := decision if {
	decision := tool_acl.decision with input as {
		"subject": {"id": "spiffe://example.org/agents/mcp-client/analyst/prod"},
		"action": {"name": "tools/call"},
		"resource": {"id": "tool.search"},
		"context": {"call": made, "last_minute": {"requests": 0, "tokens": 0}, "step_up": step_up},
	}
		with data.trust_domain as "example.org"
		with data.environment as "prod"
		with data.grants as [{"class": "analyst", "capability": "tool.search"}]
		with data.capabilities as entries
}

test_a_call_that_is_registered if decide([search], call, {}) == {"effect": "allow"}

# A tool migrates to another adapter: the registry changes, and no policy does.
test_the_new_adapter_after_a_migration if {
	decide([object.union(search, migrated)], object.union(call, migrated), {}) == {"effect": "allow"}
}

test_the_old_adapter_after_a_migration if {
	decision := decide([object.union(search, migrated)], call, {})
	decision == {"effect": "deny", "reason": "wrong_adapter; wrong_endpoint; wrong_protocol"}
}

test_the_method_is_the_registry_s if {
	entry := object.union(search, {"step_up": true, "step_up_method": "mfa"})
	decision := decide([entry], call, {"satisfied": true, "method": "human_approval"})
	decision == {"effect": "step_up", "reason": "step_up_required", "step_up": {"method": "mfa"}}
	decide([entry], call, {"satisfied": true, "method": "mfa"}) == {"effect": "allow"}
}

test_only_true_approves if {
	entry := object.union(search, {"step_up": true, "step_up_method": "mfa"})
	every value in [false, null, "true", 1, {}] {
		decide([entry], call, {"satisfied": value, "method": "mfa"}).effect == "step_up"
	}
}

# The schema of the data lets neither of these be. Without it nothing is allowed all the same.
test_an_entry_without_step_up_is_not_one_that_needs_none if {
	decide([object.remove(search, ["step_up"])], call, {}).effect == "deny"
}

test_an_entry_that_lacks_anything_allows_nothing if {
	every name in ["id", "adapter", "protocol", "tools", "authorization"] {
		decide([object.remove(search, [name])], call, {}).effect == "deny"
	}
}

test_a_rate_that_lacks_a_number_allows_nothing if {
	decision := decide([object.union(search, {"rate_limit": {"requests_per_minute": 9}})], call, {})
	decision == {"effect": "deny", "reason": "tokens_per_minute_exceeded"}
}

test_an_empty_registry if {
	decide([], call, {}) == {"effect": "deny", "reason": "unknown_capability"}
}

test_nothing_is_allowed_without_input if tool_acl.decision.effect == "deny" with input as {}
