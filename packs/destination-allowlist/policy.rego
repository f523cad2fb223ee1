# Which hosts an agent may reach.
package tribunal.destination_allowlist

import future.keywords.not
import rego.v1

decision := {"effect": "allow"} if host in data.approved

else := {"effect": "deny", "reason": "destination_not_approved"}

# Names are compared as DNS does: without case, and one dot at the end is the root.
host := trim_suffix(lower(input.context.destination_host), ".")
