# Which health information may leave, to whom, for what purpose and how much of it.
package tribunal.regulated_health

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	cleared
	verified
	minimal
}

else := {
	"effect": "redact",
	"reason": "minimum_necessary",
	"patches": [{"op": "replace", "path": "/context/text", "value": input.derived.identifiers.text}],
} if {
	cleared
	verified
}

else := {
	"effect": "step_up",
	"reason": "recipient_not_verified",
	"step_up": {"method": "identity_verification"},
} if {
	cleared
}

else := {"effect": "deny", "reason": concat("; ", sort(refusals))}

cleared if impersonal

cleared if {
	grounded
	sealed
	authorized
}

refusals contains "no_basis_for_disclosure" if not grounded

refusals contains "not_encrypted" if not sealed

refusals contains "no_authorization" if not authorized

# Each label and each finding was looked up, and none is about anybody's health.
impersonal if {
	every label in input.derived.labels {
		every health in data.health_labels { health != label }
		every special in data.authorized_labels { special != label }
	}
	every finding in input.derived.identifiers.found {
		every health in data.health_findings { health != finding }
	}
}

grounded if {"recipient": input.resource.id, "purpose": input.context.purpose} in data.disclosures

sealed if input.boundary in {"tool", "memory_write"}

sealed if input.context.encrypted == true

authorized if input.context.authorization.documented == true

authorized if {
	every label in input.derived.labels {
		every special in data.authorized_labels { special != label }
	}
	every purpose in data.authorized_purposes { purpose != input.context.purpose }
}

verified if impersonal

verified if input.context.step_up.satisfied == true

verified if every purpose in data.verified_purposes { purpose != input.context.purpose }

minimal if impersonal

minimal if input.derived.identifiers.count == 0

minimal if {
	input.boundary in {"tool", "egress"}
	input.context.purpose in data.whole_purposes
}
