package asserts

// builtinCalls are names that Python knows by itself. A call of one in a test is the built-in, not the candidate's, so it is
// for a judge in Python.
var builtinCalls = func() map[string]bool {
	out := map[string]bool{}
	for _, n := range []string{
		"abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes", "callable", "chr", "classmethod", "compile", "complex",
		"delattr", "dict", "dir", "divmod", "enumerate", "eval", "exec", "filter", "float", "format", "frozenset", "getattr", "globals", "hasattr", "hash", "help",
		"hex", "id", "input", "int", "isinstance", "issubclass", "iter", "len", "list", "locals", "map", "max", "memoryview", "min", "next", "object", "oct", "open",
		"ord", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple",
		"type", "vars", "zip", "__import__", "lambda", "not", "and", "or", "if", "else", "await", "yield",
		// Not built in, but the library's wherever tests use them without an import; the judge in Python holds the same list.
		"isclose", "isnan", "isinf", "Counter", "defaultdict", "OrderedDict", "deque", "namedtuple", "deepcopy", "Decimal", "Fraction", "approx", "raises",
	} {
		out[n] = true
	}
	return out
}()

// IsBuiltin says whether Python itself knows a name that can be called.
func IsBuiltin(name string) bool { return builtinCalls[name] }
