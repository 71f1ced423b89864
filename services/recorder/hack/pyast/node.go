// Package pyast reads Python into a tree that is good enough to see what code does, whatever the code is.
//
// It is tolerant: a line that cannot be read is an Opaque node and counts as bad, and the lines around it are read; a block
// below such a line is kept. A lone decorator, an indented body without its head and a single statement are read too. Time
// is linear in the source, depth is bounded, and every node lies inside the source.
package pyast

// Kind of a node.
type Kind uint8

// The kinds of expressions.
const (
	Opaque Kind = iota
	Name        // Text
	Attr        // Kids[0].Text
	Call        // Kids[0] called with Kids[1:]; a Keyword among them has a Text and a value
	Keyword
	Star // *x or **x
	Str  // one or more pieces, Kids; a piece has no Kids
	Num
	Tuple
	List
	Set
	Dict    // keys and values in turn; a Star has no key
	Compare // operands; Text is the first operator
	Bool    // and, or
	Binary  // Text is the operator
	Unary
	Lambda // Kids are the parameters, then the body
	Subscript
	Slice
	Comp
	IfExp // then, condition, else
	Walrus
	Await
)

// The kinds of statements.
const (
	Import     Kind = iota + 64 // Kids are Alias
	ImportFrom                  // Text is the module, Kids are Alias
	Alias                       // Text is the name, Alias of Kids[0] where it is renamed
	Def                         // Text; Kids are Param; Body
	Param                       // Text, default in Kids
	Class                       // Text; Kids are bases and keywords; Body
	Return
	Raise
	Assert
	Assign // targets, then the value
	AugAssign
	AnnAssign // target, annotation, value where there is one
	Del
	With // Kids: items, as-targets in between; Body
	Try  // Body; Else holds handlers and what follows
	Except
	If // Kids[0], Body, Else
	For
	While
	Match // Kids[0], Body of Case
	Case
	Global
	Expr
	Pass // pass, break, continue
)

// Node is a piece of the tree.
type Node struct {
	Kind       Kind
	Async      bool
	Start, End int32 // bytes of the source
	Text       string
	Kids       []*Node
	Body       []*Node
	Else       []*Node
	Decorators []*Node
}

// Module is a whole source.
type Module struct {
	Src  string
	Body []*Node
	// Good and Bad count logical lines that were read and that were not.
	Good, Bad int
	// Strong counts those that prose hardly ever is: definitions, imports, assignments, calls.
	Strong int
}

// Walk calls f for a node and all below it, in source order; where f says no, not below it.
func Walk(n *Node, f func(*Node) bool) {
	if n == nil || !f(n) {
		return
	}
	for _, list := range [...][]*Node{n.Decorators, n.Kids, n.Body, n.Else} {
		for _, k := range list {
			Walk(k, f)
		}
	}
}
