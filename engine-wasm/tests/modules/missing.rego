# Functions that no guardrail should call, and that this host does not have.
# entrypoints: m/decision
package m

default decision := {"effect": "deny"}

decision := {"effect": "allow"} if http.send({"method": "get", "url": input.url}).status_code == 200

decision := {"effect": "allow"} if opa.runtime().env.ALLOW == "1"
