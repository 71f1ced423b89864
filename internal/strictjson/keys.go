package strictjson

import "encoding/json"

// unquote reads a key; most have no escapes.
func unquote(raw []byte) (string, error) {
	body := raw[1 : len(raw)-1]
	for _, c := range body {
		if c == '\\' {
			var s string
			err := json.Unmarshal(raw, &s)
			return s, err
		}
	}
	return string(body), nil
}

// keySet looks through a few keys and makes a map of many.
type keySet struct {
	few  [8]string
	many map[string]struct{}
	n    int
}

// add says whether the key was there.
func (k *keySet) add(key string) bool {
	if k.many != nil {
		_, there := k.many[key]
		k.many[key] = struct{}{}
		k.n++
		return there
	}
	for _, old := range k.few[:k.n] {
		if old == key {
			return true
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return false
	}
	k.many = make(map[string]struct{}, 16)
	for _, old := range k.few {
		k.many[old] = struct{}{}
	}
	k.many[key] = struct{}{}
	k.n++
	return false
}
