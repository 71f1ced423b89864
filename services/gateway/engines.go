package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/gateway/credential"
	"github.com/provenir/provenir/services/gateway/openenv"
	"github.com/provenir/provenir/services/gateway/rewardhttp"
)

// engines adds the handlers that training engines of other makers call.
func (s *Service) engines(root *http.ServeMux, cfg Config, d Deps) error {
	verifier := verifierv1.NewVerifierServiceClient(d.Verifier)
	environments, err := openenv.New(openenv.Config{Version: cfg.Version}, openenv.Deps{Verifier: verifier, Log: d.Log})
	if err != nil {
		return err
	}
	s.faces = append(s.faces, environments.Run)
	root.Handle("/openenv/", credential.Pass(environments.Handler()))
	rewardhttp.New(verifier).Add(root, credential.Pass)
	return nil
}

// NewEnvironment is a gateway that serves one environment at its root and nothing else.
func NewEnvironment(cfg openenv.Config, verifier grpc.ClientConnInterface, log *slog.Logger) (*Service, error) {
	if cfg.Environment == "" {
		return nil, errors.New("gateway: name the environment to serve")
	}
	face, err := openenv.New(cfg, openenv.Deps{Verifier: verifierv1.NewVerifierServiceClient(verifier), Log: log})
	if err != nil {
		return nil, err
	}
	return &Service{handler: guard(credential.Pass(face.Handler())), log: log, ready: func(context.Context) error { return nil },
		faces: []func(context.Context) error{face.Run}}, nil
}
