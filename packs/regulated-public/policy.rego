# Which marked, criminal justice and personal information an agency may let go, and to whom.
package tribunal.regulated_public

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	cleared
	reviewed
	anonymous
}

else := {
	"effect": "redact",
	"reason": "national_identifier",
	"patches": [{"op": "replace", "path": "/context/text", "value": input.derived.persons.text}],
} if {
	cleared
	reviewed
}

else := {"effect": "step_up", "reason": "release_not_reviewed", "step_up": {"method": "release_review"}} if {
	cleared
}

else := {"effect": "deny", "reason": concat("; ", sort(refusals))}

cleared if {
	marked
	accredited
	releasable
	exchangeable
	resident
	sealed
}

refusals contains "not_marked" if not marked

refusals contains "recipient_not_cleared" if not accredited

refusals contains "foreign_release" if not releasable

refusals contains "no_exchange_agreement" if not exchangeable

refusals contains "transfer_abroad" if not resident

refusals contains "not_encrypted" if not sealed

# What the labels say, and what the text itself says.
markings := array.concat(input.derived.labels, input.derived.markings.found)

levels := {"cui", "confidential", "secret", "top_secret"}

marked if "unclassified" in markings

marked if {
	some marking in markings
	marking in levels
}

# No level includes another: whoever is cleared for what is secret need not be for what is merely controlled.
accredited if every marking in markings { fit(marking) }

fit(marking) if every level in levels { level != marking }

fit(marking) if input.resource.id in data.cleared[marking]

releasable if every marking in markings { marking != "noforn" }

releasable if input.resource.id in data.domestic

# Each label was looked up, and none is about crime or punishment.
civil if {
	every label in input.derived.labels {
		every justice in data.justice_labels { justice != label }
	}
}

exchangeable if civil

exchangeable if {"recipient": input.resource.id, "purpose": input.context.purpose} in data.justice

# Each label was looked up, and neither they nor the text are about a person.
impersonal if {
	every label in input.derived.labels {
		every personal in data.personal_labels { personal != label }
	}
	input.derived.persons.count == 0
}

resident if impersonal

resident if input.resource.id in data.in_region

sealed if {
	civil
	impersonal
	every marking in markings {
		every level in levels { level != marking }
	}
}

sealed if input.boundary in {"tool", "memory_write"}

sealed if input.context.encrypted == true

reviewed if every channel in data.public_channels { channel != input.resource.id }

reviewed if input.context.step_up.satisfied == true

anonymous if input.derived.persons.count == 0

anonymous if input.context.purpose in data.identifying_purposes
