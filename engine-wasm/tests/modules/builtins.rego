# What the host has to give: functions that OPA does not compile into its modules.
# entrypoints: b/text b/sets b/clock b/undefined b/fails b/keys
package b

import future.keywords.not

text := {"effect": "deny", "reason": sprintf("%s may not call %v (%d times)", [input.agent, input.tool, input.times])}

# A set has to arrive as a set.
sets := {"effect": "deny", "reason": sprintf("%v", [{x | some x in input.list}])}

# So has an object whose keys are no strings.
keys := {"effect": "deny", "reason": sprintf("%v", [{x: true | some x in input.list}])}

clock := {"effect": "deny", "reason": sprintf("%d", [time.now_ns()])}

undefined := {"effect": "allow"} if strings.count(input.tool, "a") == 1

default fails := {"effect": "deny", "reason": "undefined"}

fails := {"effect": "allow"} if semver.compare(input.tool, "1.0.0") == 0
