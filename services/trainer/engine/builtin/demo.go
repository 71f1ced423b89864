package builtin

// Demo is the model of `provenir rl --demo`: 0.23 M parameters that learn two-digit sums and differences from bytes in
// under two minutes. The context is that of the longest demonstration; a longer one costs time and nothing else.
func Demo() Init { return Init{Dim: 64, Layers: 4, Heads: 2, FFN: 192, Context: 44} }

// DemoStage are the settings of one half of the demo, found by trying: with them seeds 1–3 end above .95 held-out. The
// learning rate warms up in a line and falls to 0 in half a cosine.
type DemoStage struct {
	Objective   string
	Steps       int
	Prompts     int // a step; SFT: rows
	GroupSize   int // 0: no groups
	Minibatch   int // rows of one optimizer step
	LR          float64
	Warmup      int
	WeightDecay float64
	KL          float64
	Working     float64 // share of demonstrations that show their working
	Rows        int     // demonstrations
}

// DemoSFT comes first: reward only sharpens what the model can say already. 800 steps would do on most seeds; 1200 cost a
// few seconds more and let every seed begin with four to five right samples of ten.
func DemoSFT() DemoStage {
	return DemoStage{Objective: "sft", Steps: 1200, Prompts: 32, Minibatch: 32, LR: 3e-3, Warmup: 20, WeightDecay: .01,
		Working: .5, Rows: 6000}
}

// DemoRL follows, with fresh optimizer moments. Two optimizer steps are made of each round of 256 rows. The learning rate
// must fall towards the end: at a constant 3e-4 the policy keeps wandering and ends at .86–.92.
func DemoRL() DemoStage {
	return DemoStage{Objective: "grpo", Steps: 150, Prompts: 32, GroupSize: 8, Minibatch: 128, LR: 3e-4, Warmup: 5, KL: .005}
}
