package task

// Packs are all packs, sorted by name.
func Packs() []Pack {
	return []Pack{arithmetic{}, calculator{}, codeFunctions{}, countdown{}, jsonExtract{}, linearSystem{}, lookup{}, regexSynth{}, sorting{}, toolCall{}}
}

// Lookup finds a pack; the error is an *UnknownPackError.
func Lookup(name string) (Pack, error) {
	var known []string
	for _, p := range Packs() {
		if p.Name() == name {
			return p, nil
		}
		known = append(known, p.Name())
	}
	return nil, &UnknownPackError{Name: name, Known: known}
}
