// Package engine is what the trainer asks of a thing that samples and learns.
//
// An engine holds one policy: weights, optimizer state, and the frozen reference of the running stage. It knows nothing
// of runs, rewards, rollout ids or streams; package runner above it turns prompts into rows and rewards into batches.
// Every call is deterministic in its arguments and the engine's state (Info.Repeatable), for any number of threads.
package engine

import (
	"context"
	"io"
	"io/fs"
)

// Engine is implemented by the built-in ONNX engine and by the tabular engine of the tests.
// Calls never overlap, except Generate-style Sample and Score of another engine value on the same library.
type Engine interface {
	// Info never changes after construction.
	Info() Info
	// Tokenizer maps text to the ids that Sample and Score take.
	Tokenizer() Tokenizer
	// BeginStage freezes the present weights as the reference policy and resets the optimizer.
	BeginStage(ctx context.Context) error
	// Sample completes each prompt. Row i belongs to prompt i; a row's tokens depend on its prompt, its key, the seed
	// and the weights, never on the other rows of the call.
	Sample(ctx context.Context, r SampleRequest) ([]Row, error)
	// Score gives the log probability of every token from Sequence.Start on.
	Score(ctx context.Context, r ScoreRequest) ([]Scores, error)
	// Step makes one optimizer step over the whole batch, split into micro-batches as the engine likes. A non-finite
	// loss or gradient leaves every state as it was and answers Applied=false, Reason "NON_FINITE".
	Step(ctx context.Context, b Batch, h Hyper) (StepResult, error)
	// WeightsDigest is SHA-256 over the SHA-256 of each 4 MiB of the flat trained parameters.
	WeightsDigest() [32]byte
	// Save writes a Hugging Face folder (config.json, model.safetensors, tokenizer.json, generation_config.json) and,
	// with optimizer, optimizer.safetensors. Load restores from the same files; without optimizer.safetensors the
	// optimizer starts afresh.
	Save(ctx context.Context, to Sink, optimizer bool) error
	Load(ctx context.Context, from fs.FS) error
	// Reference replaces the frozen reference by the weights in the folder (resume within a stage).
	Reference(ctx context.Context, from fs.FS) error
	Close() error
}

// Info says what the engine is and on what it runs.
type Info struct {
	Name        string            // "builtin" or "tabular"
	Repeatable  bool              // same spec, seed and calls give the same bytes
	Parameters  int64             // trained parameters
	Vocab       int               // size of the vocabulary
	Context     int               // longest sequence in tokens, prompt and completion together
	Device      string            // "cpu" or "cuda"
	DeviceNote  string            // why auto chose it; empty when it was asked for
	Environment map[string]string // library version and digest, CPU features, threads: recorded beside the tree
	ConfigJSON  []byte            // the model's config.json
}

// Tokenizer turns bytes into ids and back. Decode(Encode(x)) == x for every x.
type Tokenizer interface {
	Encode(text []byte) ([]int32, error)
	Decode(ids []int32) ([]byte, error)
	BOS() (int32, bool)
	EOS() (int32, bool)
	// Digest is the SHA-256 of the tokenizer.json that Save writes.
	Digest() [32]byte
}

// Key names the random stream of one sampled row: PCG seeded by SHA-256(seed, branch, step, prompt, sample).
type Key struct {
	Seed   uint64
	Branch uint32
	Step   uint64
	Prompt uint64
	Sample uint32
}

// Prompt is what to complete.
type Prompt struct {
	Tokens []int32
	Key    Key
}

// SampleRequest asks for one completion a prompt.
type SampleRequest struct {
	Prompts     []Prompt
	MaxTokens   int     // most new tokens a row, EOS counted
	Temperature float64 // scales logits; 0 means greedy
	TopP        float64 // 0 or 1: off
	TopK        int     // 0: off
	MinP        float64 // 0: off
	Stop        [][]byte
}

// StopReason says why a row ended.
type StopReason string

// Stop reasons.
const (
	StopEOS    StopReason = "eos"
	StopLength StopReason = "length"
	StopString StopReason = "stop"
)

// Row is one completion.
type Row struct {
	Tokens   []int32   // new tokens, EOS included when it was sampled
	LogProbs []float32 // of each new token under the sampling temperature, before top-p, top-k and min-p
	Entropy  []float32 // nats, over the whole vocabulary, at each new token
	Stop     StopReason
}

// Text is the row's tokens without the end token, which a tokenizer may print as text.
func (r Row) Text() []int32 {
	if r.Stop == StopEOS && len(r.Tokens) > 0 {
		return r.Tokens[:len(r.Tokens)-1]
	}
	return r.Tokens
}

// Sequence is a text to score from token Start on (Start ≥ 1).
type Sequence struct {
	Tokens []int32
	Start  int
}

// ScoreRequest asks for log probabilities under the policy, or under the frozen reference.
type ScoreRequest struct {
	Sequences   []Sequence
	Temperature float64 // as in SampleRequest; 0 counts as 1
	Reference   bool
	TopK        int // ≤ 20; 0: none
}

// Scores belong to the tokens from Start on.
type Scores struct {
	LogProbs []float32
	Entropy  []float32
	Top      [][]Candidate // one list a token, best first; nil without TopK
}

// Candidate is one entry of a top-k list.
type Candidate struct {
	ID      int32
	LogProb float32
}

// Batch is everything one optimizer step sees. Weights carry the aggregation, computed over the whole batch.
type Batch struct {
	Rows []TrainRow
}

// TrainRow is a sequence whose tokens from Start on are trained. Slices are of len(Tokens)-Start.
type TrainRow struct {
	Tokens    []int32
	Start     int
	Weight    []float32 // loss weight a token; 0 masks it
	Advantage float32
	Old       []float32 // log probs of the sampling policy; nil: on-policy (ratio 1 by stop-gradient)
	Ref       []float32 // log probs of the reference; nil only when Hyper.KL is 0
}

// Hyper is what one step uses; field meanings are those of the objective table in package objective.
type Hyper struct {
	LR, Beta1, Beta2, Eps, WeightDecay, MaxNorm float64
	ClipLow, ClipHigh                           float64 // ε below and above 1
	DualClip                                    float64 // c; 0: off
	Delta                                       float64 // two-sided ratio cap; 0: off
	KL                                          float64 // β
	EntropyCoef                                 float64
	SequenceRatio                               bool    // GSPO
	Temperature                                 float64 // 0 counts as 1
	MicroBatch                                  int     // rows; 0: the engine chooses
}

// StepResult is what happened. Metrics holds only what was measured, under the recorder's canonical names
// (loss.policy, kl.ref, kl.update, policy.entropy, policy.nll, optim.grad_norm, clip.low, clip.high, clip.region,
// clip.dual, ratio.max, ratio.first_dev, …); NaN and Inf are values and stay.
type StepResult struct {
	Applied bool
	Reason  string // empty when applied; else NON_FINITE
	Metrics map[string]float64
}

// Sink receives a folder's files; a file is complete when its writer is closed without error.
type Sink interface {
	Create(name string) (io.WriteCloser, error)
}
