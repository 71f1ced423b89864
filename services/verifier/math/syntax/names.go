package syntax

// functions and how many arguments they take; −1 for any number.
var functions = map[string]int{
	"sin": 1, "cos": 1, "tan": 1, "cot": 1, "sec": 1, "csc": 1, "arcsin": 1, "arccos": 1, "arctan": 1, "arccot": 1, "arcsec": 1, "arccsc": 1,
	"asin": 1, "acos": 1, "atan": 1, "sinh": 1, "cosh": 1, "tanh": 1, "coth": 1, "sech": 1, "csch": 1, "arcsinh": 1, "arccosh": 1, "arctanh": 1,
	"arsinh": 1, "arcosh": 1, "artanh": 1, "asinh": 1, "acosh": 1, "atanh": 1, "log": 1, "ln": 1, "lg": 1, "exp": 1, "abs": 1, "floor": 1, "ceil": 1,
	"sqrt": 1, "cbrt": 1, "factorial": 1, "Gamma": 1, "gamma": 0, "max": -1, "min": -1, "gcd": -1, "lcm": -1, "binomial": 2, "binom": 2, "sgn": 1, "sign": 1,
}

// spelling brings the names of a function to one.
var spelling = map[string]string{
	"asin": "arcsin", "acos": "arccos", "atan": "arctan", "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "asinh": "arcsinh",
	"acosh": "arccosh", "atanh": "arctanh", "binomial": "binom", "sign": "sgn",
}

func knownFunction(name string) bool { return functions[name] != 0 }

// constantWords are constants as people type them.
var constantWords = map[string]string{"pi": "pi", "Pi": "pi", "PI": "pi", "infinity": "infinity", "inf": "infinity", "Infinity": "infinity", "oo": "infinity"}

// greek are commands that are names.
var greek = map[string]string{
	`\alpha`: "alpha", `\beta`: "beta", `\gamma`: "gamma", `\delta`: "delta", `\epsilon`: "epsilon", `\varepsilon`: "epsilon", `\zeta`: "zeta",
	`\eta`: "eta", `\theta`: "theta", `\vartheta`: "theta", `\iota`: "iota", `\kappa`: "kappa", `\lambda`: "lambda", `\mu`: "mu", `\nu`: "nu",
	`\xi`: "xi", `\omicron`: "omicron", `\pi`: "pi", `\varpi`: "pi", `\rho`: "rho", `\varrho`: "rho", `\sigma`: "sigma", `\varsigma`: "sigma",
	`\tau`: "tau", `\upsilon`: "upsilon", `\phi`: "phi", `\varphi`: "phi", `\chi`: "chi", `\psi`: "psi", `\omega`: "omega", `\Gamma`: "Gamma",
	`\Delta`: "Delta", `\Theta`: "Theta", `\Lambda`: "Lambda", `\Xi`: "Xi", `\Pi`: "Pi", `\Sigma`: "Sigma", `\Upsilon`: "Upsilon", `\Phi`: "Phi",
	`\Psi`: "Psi", `\Omega`: "Omega", `\ell`: "l", `\hbar`: "hbar", `\aleph`: "aleph", `\imath`: "i", `\jmath`: "j",
}

// greekWords are the same without the backslash; those that are also common words or units are not.
var greekWords = map[string]bool{
	"alpha": true, "beta": true, "gamma": true, "delta": true, "epsilon": true, "theta": true, "lambda": true, "sigma": true, "omega": true,
	"phi": true, "psi": true, "rho": true, "tau": true, "zeta": true, "kappa": true, "mu": true, "nu": true, "xi": true, "eta": true, "chi": true,
}

// symbol makes a name or a constant. e, i and π are numbers everywhere; φ is the golden ratio unless both sides of a
// comparison have it, which the comparison decides.
func symbol(name string) *Node {
	switch name {
	case "e", "i", "pi", "phi", "infinity":
		return &Node{Kind: Constant, Text: name}
	default:
		return &Node{Kind: Name, Text: name}
	}
}

// accents are commands that make a name of what they cover.
var accents = map[string]string{
	`\overline`: "bar", `\bar`: "bar", `\vec`: "vec", `\hat`: "hat", `\widehat`: "hat", `\tilde`: "tilde", `\widetilde`: "tilde",
	`\overrightarrow`: "vec", `\overleftrightarrow`: "line", `\dot`: "dot", `\ddot`: "ddot", `\angle`: "angle", `\measuredangle`: "angle",
	`\triangle`: "triangle", `\mathcal`: "cal", `\mathscr`: "cal", `\mathfrak`: "frak", `\overarc`: "arc", `\overset\frown`: "arc",
}

func functionText(s string) bool { return functions[s] != 0 }

// glued are functions that people write without a blank before one symbol: sinx, lnx.
var glued = [...]string{"sin", "cos", "tan", "ln", "log", "cot", "sec", "csc", "sqrt"}
