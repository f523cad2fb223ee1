# The Todo application of the AuthZEN interoperability tests.
package tribunal.authzen_todo

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if permitted

else := {"effect": "deny"}

permitted if {
	input.action.name == "can_read_user"
	input.resource.type == "user"
	"viewer" in roles
}

permitted if {
	input.resource.type == "todo"
	some role in roles
	input.action.name in granted[role]
}

permitted if {
	input.resource.type == "todo"
	input.action.name in {"can_update_todo", "can_delete_todo"}
	"editor" in roles
	some user in users
	user.email == input.resource.properties.ownerID
}

granted := {
	"viewer": {"can_read_todos"},
	"editor": {"can_create_todo"},
	"admin": {"can_delete_todo"},
	"evil_genius": {"can_update_todo"},
}

# A role has all that the roles it includes have.
included := {
	"viewer": {"viewer"},
	"editor": {"editor", "viewer"},
	"admin": {"admin", "editor", "viewer"},
	"evil_genius": {"evil_genius", "editor", "viewer"},
}

roles contains role if {
	some user in users
	some assigned in user.roles
	some role in included[assigned]
}

users contains user if {
	some user in data.users
	user.id == input.subject.id
}
