# Denies prompts that override instructions or carry secrets out, filters suspicious ones.
package tribunal.prompt_injection

import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": concat("; ", sort(harmful))} if count(harmful) > 0

else := {
	"effect": "redact",
	"reason": concat("; ", sort(suspicious)),
	"patches": [{"op": "replace", "path": "/context/prompt", "value": "[filtered-prompt-injection]"}],
} if {
	count(suspicious) > 0
}

# Rests on every pattern having looked and found nothing, not on the absence of findings.
else := {"effect": "allow"} if {
	every pattern in object.union(harmful_patterns, suspicious_patterns) {
		regex.match(pattern, input.context.prompt) == false
	}
}

else := {"effect": "deny"}

harmful contains finding if {
	some finding, pattern in harmful_patterns
	regex.match(pattern, input.context.prompt)
}

suspicious contains finding if {
	some finding, pattern in suspicious_patterns
	regex.match(pattern, input.context.prompt)
}

# Between two words stands anything but an ASCII letter or digit: spaces, line ends, markup, invisible characters.
harmful_patterns := {
	"instruction_override": `(?i)(?:ignore|disregard|forget|override|bypass)[^a-z0-9]+(?:(?:all|any|each|every|of|the|your|my|our|these|those|this|that)[^a-z0-9]+)*(?:previous|prior|above|earlier|preceding|foregoing|original|initial|system|developer)[^a-z0-9]+(?:instruction|message|prompt|rule|direction|directive|guideline|command|context)`,
	"exfiltration": `(?i)(?:(?:send|post|upload|forward|transmit|export|email|leak)[^a-z0-9.!?][^.!?]*(?:(?:api|private)[^a-z0-9]+key|access[^a-z0-9]+token|system[^a-z0-9]+prompt|secret|password|credential)[^.!?]*[^a-z0-9.!?]to[^a-z0-9]|exfiltrate[^a-z0-9]|(?:reveal|print|show|repeat|output|tell)[^a-z0-9](?:[^.!?]*[^a-z0-9.!?])?(?:your|the)[^a-z0-9]+(?:(?:hidden|secret|full|entire)[^a-z0-9]+)?system[^a-z0-9]+prompt)`,
}

suspicious_patterns := {
	"suspicious_phrase": `(?i)(?:for[^a-z0-9]+research[^a-z0-9]+purposes[^a-z0-9]+only|do[^a-z0-9]+anything[^a-z0-9]+now|developer[^a-z0-9]+mode|jailbreak|run[^a-z0-9]+(?:this|the[^a-z0-9]+following)[^a-z0-9]+(?:(?:shell|bash)[^a-z0-9]+)?(?:command|script)|you[^a-z0-9]+must[^a-z0-9]+(?:call|use)[^a-z0-9]+the[^a-z0-9]+[a-z0-9_]+[^a-z0-9]+tool|<!--|display *: *none|data:text/html|(?:api[_-]?key|password|secret) *[:=] *[a-z0-9_+/-]{8})`,
	"link_heavy": `(?is)https?://(?:.*?https?://){4}`,
}
