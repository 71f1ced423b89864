package otlp

import "go.opentelemetry.io/otel/attribute"

// SchemaURL names the meaning of the attributes and events below; a change of meaning gets another.
const SchemaURL = "https://provenir.dev/schemas/rl/1.0.0"

// Attributes of schema 1.0.0. There is no convention of OpenTelemetry for post-training yet; when there is one, another
// schema follows it.
const (
	System    = attribute.Key("rl.system")    // of the resource: who recorded
	RunID     = attribute.Key("rl.run.id")    // of the resource
	Algorithm = attribute.Key("rl.algorithm") // of the resource; missing where the mesh does not know it
	Step      = attribute.Key("rl.step")
	Attempt   = attribute.Key("rl.attempt")
	Scope     = attribute.Key("rl.scope")
	Estimator = attribute.Key("rl.estimator")
	Reduction = attribute.Key("rl.reduction")
	Kind      = attribute.Key("rl.incident.kind")
	Incident  = attribute.Key("rl.incident.id")
	Resolved  = attribute.Key("rl.incident.resolved_step")
)

// Events of schema 1.0.0.
const (
	EventStep     = "rl.step"     // the body maps metric to value; one that is not finite is a word
	EventIncident = "rl.incident" // the body is its text
)
