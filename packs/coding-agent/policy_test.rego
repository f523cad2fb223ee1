package tribunal.coding_agent_test

import rego.v1

import data.tribunal.coding_agent

decide(action, id, context, derived) := decision if {
	decision := coding_agent.decision with input as {
		"action": {"name": action},
		"resource": {"id": id},
		"context": context,
		"derived": derived,
	}
}

test_a_file if decide("file/read", "a", {}, {"path": "a"}) == {"effect": "allow"}

# Nothing is read of a file without a path, or of lists that are not there.
test_no_path if decide("file/read", "a", {}, {}).effect == "deny"

test_no_path_to_write if decide("file/write", "a", {}, {}).effect == "deny"

test_no_secrets if {
	decision := coding_agent.decision with input as {"action": {"name": "file/read"}, "derived": {"path": "a"}}
		with data.secrets as null
	decision.effect == "deny"
}

test_no_words if decide("command/run", "ls", {"argv": ["ls"]}, {}).effect == "deny"

test_no_branches if decide("git/push", "r", {"force": false}, {}).effect == "deny"

test_no_roots if decide("mcp/connect", "filesystem", {}, {}).effect == "deny"

test_nothing_is_allowed_without_input if coding_agent.decision.effect == "deny" with input as {}
