# Every construct that a vocabulary or a mutant is made from.
package p

import rego.v1

import input.subject as who

default decision := {"effect": "deny", "reason": "no rule"}

decision := {"effect": "deny", "reason": "not a member"} if not member

else := {
	"effect": "redact",
	"reason": concat(", ", sort(leaks)),
	"patches": [{"op": "remove", "path": "/context/note"}, {"op": "remove", "path": "/context/memo"}],
} if {
	count(leaks) > 0
	input.action.name != "read"
}

else := {"effect": "step_up", "step_up": {"method": "otp"}} if {
	limit := object.get(input, ["context", "limit"], 3)
	limit >= tariff[input.resource.type]
	input.context["dry-run"] == false
}

else := {"effect": "allow"} if every tag in input.context.tags { tag in {"public", "internal"} }

default member := false

member if who.id in {"alice", "bob"}

member if {
	parts := split(who.id, "@")
	parts[1] == "example.org"
	startswith(parts[0], "svc-")
}

member if {
	some role in who.roles
	role == "admin"; endswith(lower(input.resource.id), ".txt")
}

member if {
	some grant in input.context.grants
	grant.kind == "member"
	grant.level + 1 < 10
}

member if glob.match(concat("", ["spiffe://", data.domain, "/*/", "**"]), ["/", ":"], who.id)

member if {
	glob.match("team-*", [], input.context.team)
	"vip" in input.context.tags
	is_trusted(input.derived.zone, "eu")
}

is_trusted("local", _) := true

is_trusted(zone, region) if contains(zone, region)

leaks contains name if {
	some name, pattern in patterns
	regex.match(pattern, input.context.prompt)
}

leaks contains "escape" if regex.match(`^(?i)x(?:y|\||z)$`, input.context.prompt)

leaks contains sprintf("tag %s", [tag]) if {
	some tag in input.context.tags
	not strings.any_prefix_match(tag, ["a", "b"])
}

patterns := {
	"key": "(?is)(?:api|private)\\.key$",
	"word": `\bsecret\b`,
}

tariff := {"file": 2, "image": -5}

unreached if input.context.unread == "never"
