package inspect

const (
	joinAt = 0.8 // Jaccard index of two texts of one template
	// A text is compared with those that agree with it in one band of 4 hashes of 16: at an index of 0.8 that finds
	// 1 − (1 − 0.8⁴)¹⁶ = 99.98 % of the pairs.
	bandRows = 4
	bands    = Hashes / bandRows
	// clusterMost bounds the rollouts of a step that are compared.
	clusterMost = 4096
)

// Clusters finds the largest set of near-equal texts of one step. The zero value is ready.
type Clusters struct {
	sketches []Sketch
	prompts  []uint64
	parent   []int
	buckets  map[bucket]int // first text with these hashes
	skipped  uint64
}

type bucket struct {
	band int
	hash uint64
}

// Reset begins a step.
func (c *Clusters) Reset() {
	c.sketches, c.prompts, c.parent, c.skipped = c.sketches[:0], c.prompts[:0], c.parent[:0], 0
	clear(c.buckets)
}

// Add takes a rollout's sketch and a hash of its prompt. Rollouts beyond 4,096 of a step are left out.
func (c *Clusters) Add(prompt uint64, s *Sketch) {
	if c.buckets == nil {
		c.buckets = map[bucket]int{}
	}
	if len(c.sketches) == clusterMost {
		c.skipped++
		return
	}
	i := len(c.sketches)
	c.sketches, c.prompts, c.parent = append(c.sketches, *s), append(c.prompts, prompt), append(c.parent, i)
	for b := range bands {
		h := uint64(b)
		for k := range bandRows {
			h = mix(h ^ uint64(s[b*bandRows+k]))
		}
		key := bucket{b, h}
		first, known := c.buckets[key]
		if !known {
			c.buckets[key] = i
			continue
		}
		if c.root(first) != c.root(i) && s.Jaccard(&c.sketches[first]) >= joinAt {
			c.parent[c.root(i)] = c.root(first)
		}
	}
}

func (c *Clusters) root(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

// Share is the share of rollouts in the largest cluster that spans at least two prompts, and of how many. Rollouts of one
// prompt are near-equal when a policy is sure of its answer, and no template; with a single prompt there is nothing to
// tell, and n is 0.
func (c *Clusters) Share() (share float64, n uint64) {
	if len(c.sketches) == 0 {
		return 0, 0
	}
	several := false
	size := make([]int, len(c.sketches))
	across := make([]bool, len(c.sketches))
	for i := range c.sketches {
		r := c.root(i)
		size[r]++
		across[r] = across[r] || c.prompts[i] != c.prompts[r]
		several = several || c.prompts[i] != c.prompts[0]
	}
	if !several {
		return 0, 0
	}
	most := 0
	for r, k := range size {
		if across[r] {
			most = max(most, k)
		}
	}
	return float64(most) / float64(len(c.sketches)), uint64(len(c.sketches))
}

// Skipped is how many rollouts of the step were left out.
func (c *Clusters) Skipped() uint64 { return c.skipped }
