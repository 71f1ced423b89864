package mlflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

const (
	tagRun  = "provenir.run"
	tagNext = "provenir.next" // values that the server has
)

type keyed struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type remoteRun struct {
	Info struct {
		ID string `json:"run_id"`
	} `json:"info"`
	Data struct {
		Tags []keyed `json:"tags"`
	} `json:"data"`
}

// next is how many values an earlier call has brought there.
func (r remoteRun) next() (uint64, error) {
	for _, t := range r.Data.Tags {
		if t.Key == tagNext {
			n, err := strconv.ParseUint(t.Value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("tag %s of MLflow run %s is %q, want a number; delete that run and repeat", tagNext, r.Info.ID, t.Value)
			}
			return n, nil
		}
	}
	return 0, nil
}

func (c *Client) experiment(ctx context.Context) (string, error) {
	var got struct {
		Experiment struct {
			ID    string `json:"experiment_id"`
			Stage string `json:"lifecycle_stage"`
		} `json:"experiment"`
	}
	find := func() error {
		return c.call(ctx, http.MethodGet, "experiments/get-by-name?experiment_name="+url.QueryEscape(c.cfg.Experiment), nil, &got)
	}
	err := find()
	if is(err, "RESOURCE_DOES_NOT_EXIST") {
		err = c.call(ctx, http.MethodPost, "experiments/create", map[string]string{"name": c.cfg.Experiment}, nil)
		if err == nil || is(err, "RESOURCE_ALREADY_EXISTS") { // somebody else made it meanwhile
			err = find()
		}
	}
	if err != nil {
		return "", err
	}
	if got.Experiment.Stage == "deleted" {
		return "", fmt.Errorf("experiment %s is deleted there; restore it, or give another with --experiment", c.cfg.Experiment)
	}
	return got.Experiment.ID, nil
}

// run finds the run that an earlier call made, or makes it.
func (c *Client) run(ctx context.Context, experiment, uid string, start int64) (remoteRun, error) {
	var found struct {
		Runs []remoteRun `json:"runs"`
	}
	search := map[string]any{"experiment_ids": []string{experiment}, "filter": fmt.Sprintf("tags.`%s` = '%s'", tagRun, uid), "max_results": 2}
	if err := c.call(ctx, http.MethodPost, "runs/search", search, &found); err != nil {
		return remoteRun{}, err
	}
	switch len(found.Runs) {
	case 1:
		return found.Runs[0], nil
	case 2:
		return remoteRun{}, fmt.Errorf("several MLflow runs have the tag %s = %s; delete all but one", tagRun, uid)
	}
	var made struct {
		Run remoteRun `json:"run"`
	}
	create := map[string]any{"experiment_id": experiment, "run_name": uid, "start_time": start, "tags": []keyed{{tagRun, uid}}}
	if err := c.call(ctx, http.MethodPost, "runs/create", create, &made); err != nil {
		return remoteRun{}, err
	}
	if made.Run.Info.ID == "" {
		return remoteRun{}, errors.New("MLflow made a run and names none; is --to its address?")
	}
	return made.Run, nil
}
