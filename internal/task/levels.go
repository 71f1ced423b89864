package task

import (
	"encoding/json"
	"strconv"
)

// plainDifficulty resolves the setting of a pack without presets.
func plainDifficulty(pack string, s Setting) (int, error) {
	switch {
	case s.Preset != "":
		return 0, &SettingError{Pack: pack, Field: "preset", Value: s.Preset, Allowed: "none"}
	case s.Difficulty == 0:
		return 1, nil
	case s.Difficulty < 1 || s.Difficulty > 10:
		return 0, &SettingError{Pack: pack, Field: "difficulty", Value: strconv.Itoa(s.Difficulty), Allowed: "1 to 10"}
	}
	return s.Difficulty, nil
}

// rising spreads lo to hi over the difficulties.
func rising(lo, hi, difficulty int) int { return lo + (hi-lo)*(difficulty-1)/9 }

// jsonText writes a value as JSON; keys of maps come sorted, so that an instance is the same on every machine.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // only texts, integers, lists and maps of them are written here
	}
	return string(b)
}
