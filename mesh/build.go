package mesh

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/cache"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/services/evaluator"
	"github.com/provenir/provenir/services/governance"
	"github.com/provenir/provenir/services/orchestrator"
	"github.com/provenir/provenir/services/orchestrator/loop"
	"github.com/provenir/provenir/services/recorder"
	"github.com/provenir/provenir/services/recorder/alert"
	"github.com/provenir/provenir/services/recorder/disk"
	"github.com/provenir/provenir/services/recorder/retain"
	recorderstore "github.com/provenir/provenir/services/recorder/store"
	"github.com/provenir/provenir/services/trainer"
	"github.com/provenir/provenir/services/verifier"
	"github.com/provenir/provenir/services/verifier/plugin"
	"github.com/provenir/provenir/services/verifier/sandbox"
)

// build makes one role and registers it.
func (b *builder) build(ctx context.Context, r Role) error {
	switch r {
	case Recorder:
		return b.recorder(ctx)
	case Governance:
		return b.governance(ctx)
	case Verifier:
		return b.verifier()
	case Evaluator:
		return b.evaluator(ctx)
	case Trainer:
		return b.trainer(ctx)
	case Orchestrator:
		return b.orchestrator(ctx)
	default:
		return fmt.Errorf("no such role")
	}
}

// tokenKey signs resume and page tokens. It follows from the mesh's token, so it is the same after a restart and another
// on every mesh.
func (b *builder) tokenKey(r Role) []byte {
	h := hmac.New(sha256.New, []byte(b.tokens.Service()))
	h.Write([]byte("provenir/cursor/v1/" + string(r)))
	return h.Sum(nil)
}

func (b *builder) recorder(ctx context.Context) error {
	db, err := b.database(ctx, Recorder, recorder.Migrations())
	if err != nil {
		return err
	}
	signer, vkey, err := recorder.LoadKey(filepath.Join(b.data, "keys"), "provenir.dev/recorder")
	if err != nil {
		return err
	}
	files, err := disk.OpenDir(filepath.Join(b.data, "ledger"))
	if err != nil {
		return err
	}
	d := recorder.Deps{Disk: files, DB: db, Signer: signer, VKey: vkey, Blobs: b.blobs, Transit: b.blobs, Tokens: cursor.NewSigner(b.tokenKey(Recorder)),
		Publish: b.publish, Clock: b.clock, Metrics: b.metrics, Fault: b.cfg.Fault, Log: b.log}
	sinks, err := b.sinks()
	if err != nil {
		return err
	}
	governs, err := b.governs()
	if err != nil {
		return err
	}
	if governs != nil {
		d.Countersigner, d.Auditor = governs, governs
	}
	shipping, err := b.shipping(&d)
	if err != nil {
		return err
	}
	rule, err := retain.Parse(b.cfg.Settings.Get("recorder.retain.events"))
	if err != nil {
		return fmt.Errorf("recorder.retain.events: %w", err)
	}
	s, err := recorder.New(recorder.Config{Store: recorderstore.Config{Host: hostname()}, Sinks: sinks, Ship: shipping, Retain: rule}, d)
	if err != nil {
		return err
	}
	b.add(Recorder, s)
	return nil
}

// sinks are those of the file alerts.file. A mesh inside of a verb sends too, as long as it lives; what it did not get
// rid of waits in the table for the next one on this folder.
func (b *builder) sinks() ([]alert.Sink, error) {
	path := b.cfg.Settings.Get("alerts.file")
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("alerts.file: %w", err)
	}
	return alert.ParseSinks(path, text)
}

// governs is nil on a mesh without governance: a recorder alone is of use, its checkpoints say that nobody cosigned, and what
// is done to its logs waits to be audited. The connection is dialled when it is first used, so it does not matter that
// governance is built later.
func (b *builder) governs() (governancev1.GovernanceServiceClient, error) {
	if !b.runs(Governance) && b.cfg.Settings.Get("peers."+string(Governance)) == "" {
		return nil, nil
	}
	conn, err := b.conn(Governance)
	if err != nil {
		return nil, err
	}
	return governancev1.NewGovernanceServiceClient(conn), nil
}

func (b *builder) governance(ctx context.Context) error {
	db, err := b.database(ctx, Governance, governance.Migrations())
	if err != nil {
		return err
	}
	conn, err := b.conn(Trainer)
	if err != nil {
		return err
	}
	passphrase, err := b.passphrase()
	if err != nil {
		return err
	}
	s, err := governance.New(governance.Config{Dir: filepath.Join(b.data, "passports"), KeyDir: filepath.Join(b.data, "keys"), Passphrase: passphrase},
		governance.Deps{DB: db, Blobs: b.blobs, Trainer: trainerv1.NewTrainerServiceClient(conn), Publish: b.publish, Clock: b.clock, Log: b.log})
	if err != nil {
		return err
	}
	b.add(Governance, s)
	return nil
}

func (b *builder) passphrase() (string, error) {
	path := b.cfg.Settings.Get("keys.passphrase_file")
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("keys.passphrase_file: %w", err)
	}
	p := strings.TrimRight(string(text), "\r\n")
	if p == "" {
		return "", fmt.Errorf("keys.passphrase_file: %s is empty", path)
	}
	return p, nil
}

func (b *builder) verifier() error {
	jobs, err := strconv.Atoi(b.cfg.Settings.Get("sandbox.jobs"))
	if err != nil || jobs < 0 || jobs > 1024 {
		return fmt.Errorf("sandbox.jobs is %q; want 0 to 1024", b.cfg.Settings.Get("sandbox.jobs"))
	}
	plugins, err := plugin.Parse(b.cfg.Settings.Get("verifier.plugins"))
	if err != nil {
		return err
	}
	var folders []string
	for folder := range strings.SplitSeq(b.cfg.Settings.Get("verifier.environments"), ",") {
		if folder = strings.TrimSpace(folder); folder != "" {
			folders = append(folders, folder)
		}
	}
	s, err := verifier.New(verifier.Config{Plugins: plugins, Environments: folders, Sandbox: sandbox.Config{Python: b.cfg.Settings.Get("sandbox.python"), PoolSize: jobs, AllowUnsandboxed: b.cfg.AllowUnsandboxed}}, verifier.Deps{Blobs: b.blobs, Metrics: b.metrics, Clock: b.clock, Log: b.log})
	if err != nil {
		return err
	}
	b.add(Verifier, s)
	return nil
}

func (b *builder) evaluator(ctx context.Context) error {
	db, err := b.database(ctx, Evaluator, evaluator.Migrations())
	if err != nil {
		return err
	}
	c, err := cache.Open(b.cfg.Settings.Get("cache.url"))
	if err != nil {
		return err
	}
	b.closers = append(b.closers, c.Close)
	train, err := b.conn(Trainer)
	if err != nil {
		return err
	}
	verify, err := b.conn(Verifier)
	if err != nil {
		return err
	}
	s, err := evaluator.New(evaluator.Deps{DB: db, Blobs: b.blobs, Cache: c, Trainer: trainerv1.NewTrainerServiceClient(train),
		Verifier: verifierv1.NewVerifierServiceClient(verify), Log: b.log})
	if err != nil {
		return err
	}
	b.add(Evaluator, s)
	return nil
}

func (b *builder) trainer(ctx context.Context) error {
	db, err := b.database(ctx, Trainer, trainer.Migrations())
	if err != nil {
		return err
	}
	threads := b.cfg.Settings.Threads()
	spin := b.cfg.Settings.Get("engine.spin") == "true"
	s, err := trainer.New(trainer.Config{Dir: filepath.Join(b.data, "trainer"), Threads: threads}, trainer.Deps{DB: db, Blobs: b.blobs, Clock: b.clock,
		Fault: b.cfg.Fault, Log: b.log, Env: environment(),
		Engines: []trainer.Backend{builtinBackend(b.cfg.Settings.Get("onnx.library"), spin, threads), trainer.Tabular()}})
	if err != nil {
		return err
	}
	b.add(Trainer, s)
	return nil
}

func (b *builder) orchestrator(ctx context.Context) error {
	db, err := b.database(ctx, Orchestrator, orchestrator.Migrations())
	if err != nil {
		return err
	}
	release, sole, err := lock(b.data, Orchestrator)
	if err != nil {
		return err
	}
	b.closers = append(b.closers, release)
	peers, err := b.peers()
	if err != nil {
		return err
	}
	s, err := orchestrator.New(orchestrator.Config{Sole: sole, TokenKey: b.tokenKey(Orchestrator)}, orchestrator.Deps{DB: db, Blobs: b.blobs,
		Peers: peers, Publish: b.publish, Clock: b.clock, Fault: b.cfg.Fault, Log: b.log})
	if err != nil {
		return err
	}
	b.add(Orchestrator, s)
	return nil
}

func (b *builder) peers() (loop.Peers, error) {
	var p loop.Peers
	for _, r := range []Role{Trainer, Verifier, Recorder, Evaluator, Governance} {
		c, err := b.conn(r)
		if err != nil {
			return p, err
		}
		switch r {
		case Trainer:
			p.Trainer = trainerv1.NewTrainerServiceClient(c)
		case Verifier:
			p.Verifier = verifierv1.NewVerifierServiceClient(c)
		case Recorder:
			p.Recorder = recorderv1.NewRecorderServiceClient(c)
		case Evaluator:
			p.Evaluator = evaluatorv1.NewEvaluatorServiceClient(c)
		default:
			p.Governance = governancev1.NewGovernanceServiceClient(c)
		}
	}
	return p, nil
}
