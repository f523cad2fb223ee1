# Denies texts that take over a model or carry secrets out, takes what is suspicious out of others.
package tribunal.prompt_injection

import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": concat("; ", sort(found | harmful))} if count(harmful) > 0

else := {
	"effect": "redact",
	"reason": concat("; ", sort(found)),
	"patches": [{"op": "replace", "path": "/context/prompt", "value": input.derived.injection.text}],
} if {
	count(found) > 0
}

# Links are counted in what is left when nothing else has to be taken out.
else := {
	"effect": "redact",
	"reason": "too_many_links",
	"patches": [{"op": "replace", "path": "/context/prompt", "value": input.derived.links.text}],
} if {
	flooded
	data.links.effect == "redact"
}

# Rests on the host having looked and found nothing, not on the absence of findings.
else := {"effect": "allow"} if input.derived.injection.count == 0

found := {finding | some finding in input.derived.injection.found}

harmful contains finding if {
	some finding in found
	finding in data.deny
}

harmful contains "too_many_links" if {
	flooded
	data.links.effect == "deny"
}

flooded if input.derived.links.count > data.links.most
