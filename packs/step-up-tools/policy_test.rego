package tribunal.step_up_tools_test

import rego.v1

import data.tribunal.step_up_tools

decide(request) := decision if {
	decision := step_up_tools.decision with input as request
		with data.high_risk as ["reboot"]
}

test_a_harmless_tool if decide({"resource": {"id": "clock"}}) == {"effect": "allow"}

test_a_tool_of_high_risk if {
	decision := decide({"resource": {"id": "reboot"}})
	decision.effect == "step_up"
	decision.step_up.method == "human_approval"
}

test_an_approved_tool if decide({"resource": {"id": "reboot"}, "context": {"step_up": {"satisfied": true}}}).effect == "allow"

test_only_true_approves if {
	every value in [false, null, "true", 1, {}] {
		decide({"resource": {"id": "reboot"}, "context": {"step_up": {"satisfied": value}}}).effect == "step_up"
	}
}

test_nothing_is_allowed_without_input if decide({}).effect == "deny"

test_nothing_is_allowed_without_data if {
	decision := step_up_tools.decision with input as {"resource": {"id": "clock"}} with data.high_risk as null
	decision.effect == "deny"
}
