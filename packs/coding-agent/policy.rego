# What an agent that writes code may read, write, run, push and connect to.
package tribunal.coding_agent

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if {
	cleared
	settled
}

else := {"effect": "step_up", "reason": awaited, "step_up": {"method": "human_approval"}} if cleared

else := {"effect": "deny", "reason": concat("; ", sort(refusals))}

# What has to be known of an action before it is anything but denied.
cleared if {
	input.action.name == "file/read"
	public
}

cleared if {
	input.action.name == "file/write"
	public
	apart(data.guard)
	inside
}

cleared if {
	input.action.name == "command/run"
	direct
	unpushing
	off_production
}

cleared if {
	input.action.name == "git/push"
	unprotected
}

cleared if {
	input.action.name == "mcp/connect"
	known_server
	confined
	visible
}

# What has to be known of it before it goes ahead without a person.
settled if input.context.step_up.satisfied == true

settled if input.action.name in {"file/read", "mcp/connect"}

settled if {
	input.action.name == "file/write"
	apart(data.pipeline)
}

settled if {
	input.action.name == "command/run"
	listed(input.context.argv[0])
}

settled if {
	input.action.name == "git/push"
	input.context.force == false
	every refspec in input.context.refspecs {
		regex.match("^[+:]", refspec) == false
	}
}

awaited := "pipeline_file" if input.action.name == "file/write"

awaited := "destructive_push" if input.action.name == "git/push"

awaited := "infrastructure_change" if {
	input.action.name == "command/run"
	tool in data.infrastructure
}

awaited := "unlisted_command" if {
	input.action.name == "command/run"
	every program in data.infrastructure { program != tool }
}

refusals contains "sensitive_file" if {
	input.action.name in {"file/read", "file/write"}
	not public
}

refusals contains "guard_file" if {
	input.action.name == "file/write"
	not apart(data.guard)
}

refusals contains "outside_workspace" if {
	input.action.name == "file/write"
	not inside
}

refusals contains "shell_command" if {
	input.action.name == "command/run"
	not direct
}

refusals contains "push_as_command" if {
	input.action.name == "command/run"
	not unpushing
}

refusals contains "production_change" if {
	input.action.name == "command/run"
	not off_production
}

# Nothing else is asked of a push.
refusals contains "protected_branch" if input.action.name == "git/push"

refusals contains "unknown_mcp_server" if {
	input.action.name == "mcp/connect"
	not known_server
}

refusals contains "root_outside_workspace" if {
	input.action.name == "mcp/connect"
	not confined
}

refusals contains "hidden_root" if {
	input.action.name == "mcp/connect"
	not visible
}

# Files. No list is passed by a path that is not there: `!=` with nothing is undefined.
segments := split(input.derived.path, "/")

file := segments[count(segments) - 1]

apart(list) if {
	every segment in segments {
		every directory in list.directories { directory != segment }
	}
	every name in list.names { name != file }
}

public if {
	apart(data.secrets)
	every extension in data.secrets.extensions { endswith(file, extension) == false }
	harmless_stem
}

harmless_stem if {
	every stem in data.secrets.stems {
		file != stem
		every mark in [".", "~"] { startswith(file, concat("", [stem, mark])) == false }
	}
}

harmless_stem if {
	some extension in data.secrets.harmless
	endswith(file, extension)
}

inside if startswith(input.derived.path, "/") == false

# Commands. A shell is one wherever it lies; what is listed is listed as it is called.
tool := trim_suffix(called[count(called) - 1], ".exe")

called := split(replace(input.derived.words[0], "\\", "/"), "/")

direct if every shell in data.shells { shell != tool }

listed(program) if program in data.programs

listed(program) if known_command(program)

known_command(program) if {"program": program, "subcommand": input.context.argv[1]} in data.commands

# A push is asked for as `git/push`, which says what it changes.
unpushing if tool != "git"

unpushing if {
	every push in data.pushes {
		every word in subcommands { word != push }
	}
}

# Behind an option, any word may be git's subcommand: `git -C x push`.
subcommands := input.derived.words if startswith(input.derived.words[1], "-")

else := array.slice(input.derived.words, 1, 2)

off_production if every program in data.infrastructure { program != tool }

# Terraform may be listed with all that it does, and still changes nothing in production.
off_production if known_command(tool)

off_production if {
	every production in data.production {
		production != beginning(object.get(input.derived, "selected", ""))
		every word in input.derived.words { elsewhere(word, production) }
	}
}

# Of `-var-file=envs/eu/prod-1.tfvars`: neither `prod` nor `eu`.
elsewhere(word, production) if {
	assigned := split(word, "=")
	parts := split(assigned[count(assigned) - 1], "/")
	production != beginning(parts[count(parts) - 1])
	folders := [part | some part in array.slice(parts, 0, count(parts) - 1); not part in {"", "."}]
	every folder in array.slice(folders, count(folders) - 1, count(folders)) { production != beginning(folder) }
}

beginning(name) := regex.split("[.,_-]", name)[0]

# Branches.
unprotected if {
	every refspec in input.derived.pushed {
		every branch in data.protected_branches { branch != pushed_to(refspec) }
	}
}

# The first segment of the branch that is changed: `release` of `+HEAD:refs/heads/release/2`.
pushed_to(refspec) := segment if {
	sides := split(trim_prefix(refspec, "+"), ":")
	branch := trim_prefix(trim_prefix(sides[count(sides) - 1], "refs/"), "heads/")
	segment := split(branch, "/")[0]
}

# Servers.
known_server if input.resource.id in data.mcp_servers

confined if every root in input.context.roots { startswith(root, "/") == false }

# The workspace itself is `.`.
visible if {
	every root in input.context.roots {
		regex.match("(^|/)[.].", root) == false
	}
}
