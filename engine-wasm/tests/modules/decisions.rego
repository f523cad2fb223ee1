# Answers of every shape, right and wrong, each under its own entrypoint.
# entrypoints: t/decision t/allow t/reason t/by_data t/step_up t/redact t/name t/undefined t/conflict t/object_conflict t/unknown_effect t/no_effect t/extra_member t/number t/allow_with_patches t/bad_patch t/set_of_reasons t/absent_input t/busy t/hungry t/long t/echo
package t

import future.keywords.not

default decision := {"effect": "deny", "reason": "no_tool"}

decision := {"effect": "allow"} if input.tool == "search"

decision := {"effect": "deny", "reason": "forbidden_tool"} if input.tool == "shell"

default allow := false

allow if input.tool == "search"

reason := "not_search" if input.tool != "search"

default by_data := false

by_data if input.tool in data.tools

step_up := {"effect": "step_up", "reason": "money", "step_up": {"method": "human_approval", "amr": ["hwk"]}}

redact := {"effect": "redact", "patches": [{"op": "replace", "path": "/context/prompt", "value": "[filtered]"}]}

name := "deny"

undefined := "allow" if input.nothing == "there"

conflict := "allow" if input.tool

conflict := "deny" if input.tool == "shell"

object_conflict := {key: value | some pair in input.pairs; key := pair[0]; value := pair[1]}

unknown_effect := {"effect": "permit"}

no_effect := {"reason": "half"}

extra_member := {"effect": "allow", "because": "x"}

number := 1

allow_with_patches := {"effect": "allow", "patches": [{"op": "remove", "path": "/context/prompt"}]}

bad_patch := {"effect": "redact", "patches": [{"op": "add", "path": "/context/prompt", "value": 1}]}

set_of_reasons := {"effect": "deny", "reason": {"zeta", "alpha", "mu"}}

# What must not be reached by an input that the module could not read.
absent_input := {"effect": "allow", "reason": "there is no input"} if not input.tool

busy := {"effect": "allow"} if {
	some x in input.list
	some y in input.list
	some z in input.list
	some w in input.list
	x + y + z + w == -1
}

hungry := {"effect": "allow"} if count(numbers.range(1, input.many)) > 0

long := {"effect": "deny", "reason": concat("", [input.word | some _ in numbers.range(1, input.times)])}

echo := {"effect": "deny", "reason": input.tool}
