package rl

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/provenir/provenir/cli/app"
	blobv1 "github.com/provenir/provenir/gen/provenir/blob/v1"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blobrpc"
)

// fill uploads what the flags name and puts references into the spec.
func (o *options) fill(ctx context.Context, a *app.App, s *app.Session, spec *orchestratorv1.RunSpec) error {
	eval := evaluatorv1.NewEvaluatorServiceClient(s.Conn)
	for _, d := range []struct {
		path string
		into **corev1.DatasetRef
	}{{o.dataset, &spec.Train}, {o.eval, &spec.Eval}} {
		if d.path == "" {
			continue
		}
		ref, err := ingestFile(ctx, a, eval, d.path)
		if err != nil {
			return err
		}
		*d.into = ref
	}
	if o.warmup != "" {
		ref, err := ingestFile(ctx, a, eval, o.warmup)
		if err != nil {
			return err
		}
		if spec.Warmup == nil {
			spec.Warmup = &orchestratorv1.Warmup{Steps: 200, BatchSize: 32}
		}
		spec.Warmup.Dataset = ref
	}
	if err := o.verifiers(spec); err != nil {
		return err
	}
	if o.model == "" {
		return nil
	}
	m, err := model(ctx, s, o.model)
	spec.Model = m
	return err
}

func (o *options) verifiers(spec *orchestratorv1.RunSpec) error {
	text := o.verifier
	if text == "" && spec.GetVerifier() == nil {
		text = "math"
	}
	for _, v := range []struct {
		text string
		into **verifierv1.Spec
	}{{text, &spec.Verifier}, {o.heldout, &spec.HeldoutVerifier}} {
		if v.text == "" {
			continue
		}
		parsed, err := ParseVerifier(v.text)
		if err != nil {
			return app.Usage(err)
		}
		*v.into = parsed
	}
	return nil
}

var digestName = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// model takes a checkpoint digest, RUN@STEP, or a folder, whose files are uploaded by content.
func model(ctx context.Context, s *app.Session, name string) (*trainerv1.ModelRef, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return upload(ctx, s, name)
	}
	if i := strings.LastIndex(name, "@"); i > 0 { // RUN@STEP, and a run may be a prefix or @last
		got, err := orchestratorv1.NewOrchestratorServiceClient(s.Conn).GetRun(ctx, &orchestratorv1.GetRunRequest{Run: name[:i]})
		if err != nil {
			return nil, fmt.Errorf("--model %s: %w", name, err)
		}
		return &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: got.GetRun().GetUid() + name[i:]}}, nil
	}
	if digestName.MatchString(name) {
		return &trainerv1.ModelRef{From: &trainerv1.ModelRef_Checkpoint{Checkpoint: name}}, nil
	}
	return nil, app.Usage(fmt.Errorf("--model %s: is no folder, no digest, and no RUN@STEP", name))
}

func upload(ctx context.Context, s *app.Session, dir string) (*trainerv1.ModelRef, error) {
	blobs := blobv1.NewBlobServiceClient(s.Conn)
	out := &trainerv1.ModelFolder{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(rel, ".git") {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		digest, size, err := blobrpc.Upload(ctx, blobs, f)
		if err != nil {
			return fmt.Errorf("upload %s: %w", rel, err)
		}
		out.Files = append(out.Files, &corev1.FileRef{Path: filepath.ToSlash(rel), Digest: digest[:], SizeBytes: uint64(size)})
		return nil
	})
	if err == nil && len(out.GetFiles()) == 0 {
		err = app.Usage(fmt.Errorf("--model %s: the folder is empty", dir))
	}
	return &trainerv1.ModelRef{From: &trainerv1.ModelRef_Folder{Folder: out}}, err
}

// ingestFile sends a file's bytes.
func ingestFile(ctx context.Context, a *app.App, c evaluatorv1.EvaluatorServiceClient, path string) (*corev1.DatasetRef, error) {
	f, err := a.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	name := filepath.Base(path)
	if path == "-" {
		name = "stdin"
	}
	return ingest(ctx, c, name, f)
}
