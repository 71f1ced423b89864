package schema

import "strings"

// violation says where a document breaks the schema, in the same words on every repeat although objects are walked in
// any order.
func (c *compiled) violation(doc any) string {
	all := (&Checker{whole: c.whole}).Check(doc)
	if len(all) == 0 {
		return ""
	}
	const most = 400 // it repeats values of the document
	first := all[0].Detail
	if len(first) > most {
		first = strings.ToValidUTF8(first[:most], "") + "…"
	}
	return first
}
