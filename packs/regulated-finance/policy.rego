# Which account data, card data and inside information may leave, and to whom.
package tribunal.regulated_finance

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	cleared
	masked
	counted
}

else := {"effect": "step_up", "reason": "bulk_disclosure", "step_up": {"method": "second_person"}} if {
	cleared
	masked
}

else := {
	"effect": "redact",
	"reason": "account_data",
	"patches": [{"op": "replace", "path": "/context/text", "value": input.derived.accounts.text}],
} if {
	cleared
}

else := {"effect": "deny", "reason": concat("; ", sort(refusals))}

cleared if {
	unauthenticating
	walled
	contracted
	sealed
	unmarketed
}

refusals contains "sensitive_authentication_data" if not unauthenticating

refusals contains "information_barrier" if not walled

refusals contains "no_contract" if not contracted

refusals contains "not_encrypted" if not sealed

refusals contains "account_number_for_marketing" if not unmarketed

# A processor in the middle of a payment: nobody keeps what it is shown.
entitled if {
	input.resource.id in data.processors
	input.boundary in {"tool", "egress"}
}

unauthenticating if input.derived.authentication.count == 0

unauthenticating if entitled

walled if {
	every label in input.derived.labels {
		every inside in data.inside_labels { inside != label }
	}
}

walled if {"recipient": input.resource.id, "deal": input.context.deal} in data.insiders

impersonal if {
	every label in input.derived.labels {
		every customer in data.customer_labels { customer != label }
	}
}

contracted if impersonal

contracted if {"recipient": input.resource.id, "purpose": input.context.purpose} in data.contracts

sealed if {
	impersonal
	input.derived.accounts.count == 0
	input.derived.authentication.count == 0
}

sealed if input.boundary in {"tool", "memory_write"}

sealed if input.context.encrypted == true

unmarketed if input.derived.accounts.count == 0

unmarketed if every purpose in data.marketing_purposes { purpose != input.context.purpose }

masked if input.derived.accounts.count == 0

masked if entitled

counted if input.derived.accounts.count < data.bulk

counted if input.context.step_up.satisfied == true
