package config

// Key is a setting that a person may give as a flag, in the environment or in provenir.yaml.
type Key struct {
	Name    string
	Default string
	Doc     string
}

// Env is the variable of a key: grpc.listen is PROVENIR_GRPC_LISTEN.
func (k Key) Env() string { return envName(k.Name) }

// Keys are all settings of a mesh, in the order in which `config check` prints them.
func Keys() []Key {
	return []Key{
		{"data", ".provenir", "folder of everything that is kept"},
		{"grpc.listen", "127.0.0.1:9090", "address of gRPC"},
		{"http.listen", "127.0.0.1:8080", "address of REST, SSE and the dashboard"},
		{"nats.listen", "127.0.0.1:4222", "address of the embedded NATS; off keeps it inside the process"},
		{"nats.url", "", "NATS cluster; empty starts the embedded one beside the recorder"},
		{"cache.url", "", "Redis, as redis://host:port; empty caches in the process"},
		{"store.url", "", "SQL server; empty keeps one SQLite file a role"},
		{"mesh.token_file", "", "file of the mesh's token; empty is <data>/token"},
		{"peers.recorder", "", "address of the recorder, where another process runs it"},
		{"peers.governance", "", "address of governance"},
		{"peers.verifier", "", "address of the verifier"},
		{"peers.evaluator", "", "address of the evaluator"},
		{"peers.trainer", "", "address of the trainer"},
		{"peers.orchestrator", "", "address of the orchestrator"},
		{"onnx.library", "", "path of the ONNX Runtime library; empty looks beside the binary"},
		{"engine.threads", "2", "threads of the built-in engine"},
		{"engine.spin", "false", "true lets idle engine threads spin: faster decoding, busier cores"},
		{"sandbox.python", "", "Python that runs untrusted programs; empty looks in PATH, then /usr/bin/python3"},
		{"sandbox.jobs", "0", "untrusted programs at once; 0 is one a core"},
		{"verifier.plugins", "", "programs that judge, as name=/path/of/the/executable, separated by commas (docs/verifiers.md)"},
		{"verifier.environments", "", "folders of environments in Starlark or Python, separated by commas (docs/verifiers.md)"},
		{"alerts.file", "", "YAML file with the list of sinks that are told of anomalies (docs/alerts.md); empty tells nobody"},
		{"recorder.ship.endpoint", "", "S3-compatible store that sealed ledger segments are copied to, as https://host; empty copies nothing (docs/ledger.md)"},
		{"recorder.ship.region", "us-east-1", "region of that store"},
		{"recorder.ship.bucket", "", "bucket of the copies"},
		{"recorder.ship.credentials_file", "", "file in the form of ~/.aws/credentials, section default; empty takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		{"recorder.ship.lock", "", "Object Lock of the copies: governance or compliance; empty locks nothing"},
		{"recorder.ship.lock_days", "0", "days that copies are locked"},
		{"recorder.ship.tail_every", "5m", "how often the end of a live run's logs is shipped before its segment is full; 0 is not before the run has ended"},
		{"recorder.ship.keep_local", "", "how long a shipped segment stays on the local disk, as 720h; empty is for ever"},
		{"recorder.retain.events", "24", "months that the payloads of an ended run's events are kept, at least 6; never keeps them for ever. Entries, proofs and checkpoints stay (docs/ledger.md)"},
		{"log.level", "warn", "debug, info, warn or error"},
		{"telemetry.otlp", "", "OTLP gRPC endpoint for traces; empty traces nothing"},
		{"keys.passphrase_file", "", "file with the passphrase of the signing key; empty keeps the key unencrypted (mode 0600)"},
	}
}
