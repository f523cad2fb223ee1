# Which URLs an agent may fetch, wherever they lead.
package tribunal.egress_allowlist

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if passed == checks

else := {"effect": "deny", "reason": concat("; ", sort(checks - passed))}

checks := {
	"address_blocked",
	"address_not_public",
	"address_not_resolved",
	"credentials_in_url",
	"destination_not_allowed",
	"redirect_not_allowed",
}

# A check is passed by what was found: one that finds nothing to look at denies.
passed contains "destination_not_allowed" if is_allowed(input.derived.prefixes)

passed contains "redirect_not_allowed" if {
	every prefixes in object.get(input.derived, "redirect_prefixes", []) {
		is_allowed(prefixes)
	}
}

passed contains "credentials_in_url" if {
	every url in urls {
		url.credentials == false
	}
}

passed contains "address_not_public" if {
	every url in urls {
		is_public(url)
	}
	every scope in object.get(input.derived, "resolved_scopes", []) {
		scope == "global"
	}
}

passed contains "address_blocked" if {
	every is_blocked in object.get(input.derived, "resolved_blocked", []) {
		is_blocked == false
	}
}

passed contains "address_not_resolved" if data.require_resolved == false

passed contains "address_not_resolved" if count(input.context.resolved) > 0

urls := array.concat([input.derived.url], object.get(input.derived, "redirect_urls", []))

# One of a URL's beginnings is in the list.
is_allowed(prefixes) if {
	some prefix in prefixes
	prefix in data.allow
}

is_public(url) if url.host_kind == "domain"

is_public(url) if url.scope == "global"
