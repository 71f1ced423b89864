package docs

// unraised are the reasons that no code raises yet, each with why.
var unraised = map[string]string{
	"OPERATION_NOT_FOUND":   "sealing ends within its call; OperationService comes with the jobs that do not",
	"TOKEN_EXPIRED":         "nothing is pruned yet, so no token points at what is gone; comes with retention",
	"BUDGET_EXCEEDED":       "a run's limits end it by a gate, which is a state and no error; comes with judges that cost money",
	"ENGINE_BUSY":           "engines run one stage a process and calls wait; comes with engines that are shared",
	"WOULD_NOT_FIT":         "memory is not estimated before a run yet; comes with the estimate",
	"BUNDLE_MALFORMED":      "verification answers with the check bundle_form, so that the other checks are listed as well; comes with import of bundles",
	"JSON_NOT_CANONICAL":    "verification answers with the check payload_form; comes with import of statements",
	"INSUFFICIENT_EVIDENCE": "a diagnosis says it as its decision and what to log; comes with a gate that asks for one",
	"CONFIG_INVALID":        "settings are read before any call is served: the program says it and exits 2",
}
