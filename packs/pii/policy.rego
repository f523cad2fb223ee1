# What is done about the personal data and secrets that were found in the texts of a request.
package tribunal.pii

import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": kinds(refused)} if count(refused) > 0

else := {
	"effect": "redact",
	"reason": kinds(masked),
	"patches": [patch | some text in masked; patch := replaced(text)],
} if {
	count(masked) > 0
}

else := {"effect": "allow", "reason": kinds(read)} if kinds(read) != ""

# Rests on a text that has been read, not on the absence of findings.
else := {"effect": "allow"} if count(read) > 0

else := {"effect": "deny", "reason": "no_text"}

# The texts that are there, each with the kinds found in it.
found := {text: input.derived[text].found | some text in ["prompt", "input", "output"]}

read := object.keys(found)

refused := {text | some text, listed in found; some kind in listed; kind in data.deny}

masked := {text | some text in read; rewritten(text) != input.context[text]}

kinds(texts) := concat("; ", sort({kind | some text in texts; some kind in found[text]}))

replaced(text) := {
	"op": "replace",
	"path": concat("/", ["/context", text]),
	"value": rewritten(text),
}

rewritten(text) := input.derived[concat("_", [text, "masked"])].text
