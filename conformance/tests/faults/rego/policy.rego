package faults.rego

import rego.v1

decision := "allow" if input.action.name == "go"

decision := "allow" if input.action.name == "conflict"

decision := "deny" if input.action.name == "conflict"

decision := "permit" if input.action.name == "unknown-effect"

decision := {"effect": "allow", "because": "so"} if input.action.name == "unknown-member"

decision := {"effect": "redact"} if input.action.name == "no-patch"

decision := 1 if input.action.name == "number"

decision := {"effect": "redact", "patches": [{"op": "add", "path": "/context/more", "value": "x"}]} if {
	input.action.name == "unknown-operation"
}

# No request has a text that is a number.
decision := "allow" if {
	input.action.name == "builtin"
	to_number(input.context.text) > 0
}

decision := {"effect": "deny", "reason": concat(",", [format_int(n, 10) | some n in numbers.range(1, 1000)])} if {
	input.action.name == "output"
}

decision := "allow" if {
	input.action.name == "fuel"
	some a in digits
	some b in digits
	some c in digits
	some d in digits
	a == b
	c == d
	a == "never"
}

digits := ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "64", "65", "66", "67", "68", "69", "70", "71", "72", "73", "74", "75", "76", "77", "78", "79", "80", "81", "82", "83", "84", "85", "86", "87", "88", "89", "90", "91", "92", "93", "94", "95", "96", "97", "98", "99"]

decision := "allow" if {
	input.action.name == "memory"
	numbers.range(1, 100000)[_] == 50000
}
