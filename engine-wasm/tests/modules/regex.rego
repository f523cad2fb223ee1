# Patterns of the request: what the module keeps of one evaluation must not reach the next.
# entrypoints: r/decision
package r

default decision := {"effect": "deny"}

decision := {"effect": "allow"} if {
	some pattern in input.patterns
	regex.match(pattern, input.text)
}
