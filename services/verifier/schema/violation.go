package schema

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// violation says where a document breaks the schema: the place and the rule of the first cause by place, so that it is
// the same on every repeat although maps are walked in any order.
func violation(err error) string {
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return err.Error()
	}
	p := message.NewPrinter(language.English)
	best := ""
	var walk func(v *jsonschema.ValidationError)
	walk = func(v *jsonschema.ValidationError) {
		if len(v.Causes) == 0 {
			at := "/" + strings.Join(v.InstanceLocation, "/")
			if text := at + ": " + v.ErrorKind.LocalizedString(p); best == "" || text < best {
				best = text
			}
			return
		}
		for _, c := range v.Causes {
			walk(c)
		}
	}
	walk(v)
	const most = 400 // it repeats values of the document
	if len(best) > most {
		best = strings.ToValidUTF8(best[:most], "") + "…"
	}
	return best
}
