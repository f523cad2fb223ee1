package faults.shared

import rego.v1

decision := "allow" if input.action.name == "go"

decision := {"effect": "redact", "patches": [{"op": "replace", "path": "/context/text", "value": "again"}]} if {
	input.action.name == "endless"
}

decision := {"effect": "redact", "patches": [{"op": "remove", "path": "/context/other"}]} if {
	input.action.name == "outside"
}
