package trainer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
)

// with gives f an engine that holds the named checkpoint.
func (s *Service) with(ctx context.Context, name string, f func(e engine.Engine, digest []byte) error) error {
	c, err := s.checkpoints.Find(ctx, name)
	if err != nil {
		return problem(err)
	}
	folder, err := s.checkpoints.Open(c)
	if err != nil {
		return problem(err)
	}
	load := func() ([]byte, func(engine.Engine) error, error) {
		shape, err := fs.ReadFile(folder, "config.json")
		return shape, func(e engine.Engine) error { return e.Load(ctx, checkpoint.WithoutOptimizer(folder)) }, err
	}
	return problem(s.reader.use(ctx, c, load, func(e engine.Engine) error { return f(e, c.GetDigest()) }))
}

// openCheckpoint opens the engine that a checkpoint's config.json asks for.
func (s *Service) openCheckpoint(ctx context.Context, c *trainerv1.Checkpoint) (engine.Engine, error) {
	folder, err := s.checkpoints.Open(c)
	if err != nil {
		return nil, err
	}
	b, err := fs.ReadFile(folder, "config.json")
	if err != nil {
		return nil, err
	}
	var config struct {
		Type    string `json:"model_type"`
		Answers []byte `json:"answers"`
	}
	if err := json.Unmarshal(b, &config); err != nil {
		return nil, &engine.Error{Reason: "CHECKPOINT_CORRUPT", Detail: "config.json", Err: err}
	}
	name := "builtin"
	if config.Type == "provenir_tabular" {
		name = "tabular"
	}
	backend, err := s.named(name)
	if err != nil {
		return nil, err
	}
	return backend.Open(ctx, Open{Folder: checkpoint.WithoutOptimizer(folder), Threads: s.cfg.Threads, Device: "auto"})
}

// Generate samples from a checkpoint, one frame a finished row.
func (s *Service) Generate(req *trainerv1.GenerateRequest, out trainerv1.TrainerService_GenerateServer) error {
	if n := len(req.GetRowKeys()); n != 0 && n != len(req.GetPrompts()) {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%d row_keys for %d prompts", n, len(req.GetPrompts())).
			Field("row_keys", "one a prompt, or none")
	}
	return s.with(out.Context(), req.GetCheckpoint(), func(e engine.Engine, digest []byte) error {
		r := engine.SampleRequest{MaxTokens: int(req.GetMaxTokens()), Temperature: req.GetTemperature(), TopP: req.GetTopP(),
			TopK: int(req.GetTopK()), MinP: req.GetMinP(), Stop: req.GetStop()}
		const chunk = 256 // rows a call: bounded memory, and frames come while others are sampled
		for from := 0; from < len(req.GetPrompts()); from += chunk {
			to := min(from+chunk, len(req.GetPrompts()))
			r.Prompts = r.Prompts[:0]
			for i := from; i < to; i++ {
				p, err := prompt(e, req, i)
				if err != nil {
					return err
				}
				r.Prompts = append(r.Prompts, p)
			}
			rows, err := e.Sample(out.Context(), r)
			if err != nil {
				return err
			}
			for i, row := range rows {
				m, err := generated(e, row, uint32(from+i), digest)
				if err != nil {
					return err
				}
				if err := out.Send(m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func prompt(e engine.Engine, req *trainerv1.GenerateRequest, i int) (engine.Prompt, error) {
	ids, err := tokens(e.Tokenizer(), req.GetPrompts()[i])
	if err != nil {
		return engine.Prompt{}, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "prompt %d: %w", i, err)
	}
	if n, room := len(ids), e.Info().Context-int(req.GetMaxTokens()); n > room {
		return engine.Prompt{}, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"prompt %d has %d tokens; with max_tokens %d the context of %d leaves room for %d", i, n, req.GetMaxTokens(), e.Info().Context, room)
	}
	key := engine.Key{Seed: req.GetSeed(), Prompt: uint64(i)}
	if k := req.GetRowKeys(); len(k) > 0 {
		key = engine.Key{Seed: k[i].GetSeed(), Branch: k[i].GetBranch(), Step: k[i].GetStep(), Prompt: k[i].GetPrompt(), Sample: k[i].GetSample()}
	}
	return engine.Prompt{Tokens: ids, Key: key}, nil
}

func tokens(t engine.Tokenizer, text []byte) ([]int32, error) {
	ids, err := t.Encode(text)
	if err != nil {
		return nil, err
	}
	if bos, ok := t.BOS(); ok {
		ids = append([]int32{bos}, ids...)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("it has no tokens")
	}
	return ids, nil
}

func generated(e engine.Engine, row engine.Row, index uint32, digest []byte) (*trainerv1.GenerateResponse, error) {
	text, err := e.Tokenizer().Decode(row.Text())
	if err != nil {
		return nil, err
	}
	return &trainerv1.GenerateResponse{Index: index, Text: text, Tokens: int32s(row.Tokens), Logprobs: float32s(row.LogProbs),
		Entropy: float32s(row.Entropy), StopReason: string(row.Stop), Checkpoint: digest}, nil
}

func int32s(x []int32) []byte {
	out := make([]byte, 0, 4*len(x))
	for _, v := range x {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return out
}

func float32s(x []float32) []byte {
	out := make([]byte, 0, 4*len(x))
	for _, v := range x {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}
