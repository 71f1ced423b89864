package objective

import (
	"fmt"
	"math"
	"slices"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Estimator turns the rewards of a group into advantages.
type Estimator string

// Estimators. std is the sample standard deviation of the group (batch_std: of the whole batch).
const (
	GroupStd  Estimator = "group_std"  // (r − mean)/(std + eps)
	GroupMean Estimator = "group_mean" // r − mean
	BatchStd  Estimator = "batch_std"  // (r − group mean)/(batch std + eps)
	RLOO      Estimator = "rloo"       // (r − mean)·n/(n−1): the mean leaves the row itself out
	MaxRL     Estimator = "maxrl"      // (r − mean)/mean
)

// Estimators lists the names that Advantages takes.
func Estimators() []Estimator { return []Estimator{GroupStd, GroupMean, BatchStd, RLOO, MaxRL} }

// Reward is one row's verdict. A row that is not Scored has no reward: its Value is not read.
type Reward struct {
	Value  float64
	Scored bool
	Group  int // rows of one prompt share a number
}

// AdvantageParams are the options of Advantages; the zero value is the table's default.
type AdvantageParams struct {
	Population bool     // divide by n in place of n−1
	Eps        *float64 // added to the standard deviation; nil: 1e-4
}

// flat is the standard deviation below which rewards count as equal (torch.isclose with its default tolerance).
const flat = 1e-8

// Advantages gives every row its advantage. An unscored row and a non-finite reward are out of every statistic and get
// 0; so does a row whose group has no second scored row to be compared with. A group of one row is refused: it can
// never learn.
func Advantages(e Estimator, rewards []Reward, p AdvantageParams) (Result, error) {
	if !slices.Contains(Estimators(), e) {
		return Result{}, &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: fmt.Sprintf(
			"no advantage estimator is called %q; there are %v", e, Estimators())}
	}
	eps := 1e-4
	if p.Eps != nil {
		eps = *p.Eps
	}
	res := Result{Advantages: make([]float64, len(rewards))}
	groups, order := byGroup(rewards)
	for _, g := range order {
		if len(groups[g]) < 2 {
			return Result{}, fmt.Errorf("group %d has one row: group_size must be at least 2", g)
		}
	}
	var all []float64
	for i, r := range rewards {
		if usable(r) {
			all = append(all, r.Value)
		} else if rewards[i].Scored {
			res.NonFinite++
		}
	}
	res.Scored = len(all)
	res.Reward, res.RewardStd = moments(all, false)
	_, batchStd := moments(all, p.Population)
	for _, g := range order {
		var rs []float64
		for _, i := range groups[g] {
			if usable(rewards[i]) {
				rs = append(rs, rewards[i].Value)
			}
		}
		mean, std := moments(rs, p.Population)
		res.count(len(rs), std)
		if len(rs) < 2 || !(std > flat) {
			continue
		}
		n := float64(len(rs))
		for _, i := range groups[g] {
			if !usable(rewards[i]) {
				continue
			}
			a := rewards[i].Value - mean
			switch e {
			case GroupStd:
				a /= std + eps
			case BatchStd:
				a /= batchStd + eps
			case RLOO:
				a *= n / (n - 1)
			case MaxRL:
				if a /= mean; mean == 0 {
					a = 0
				}
			}
			res.Advantages[i] = a
		}
	}
	return res, nil
}

func usable(r Reward) bool { return r.Scored && !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0) }

func byGroup(rewards []Reward) (map[int][]int, []int) {
	groups, order := map[int][]int{}, []int(nil)
	for i, r := range rewards {
		if _, ok := groups[r.Group]; !ok {
			order = append(order, r.Group)
		}
		groups[r.Group] = append(groups[r.Group], i)
	}
	return groups, order
}

// moments are mean and standard deviation; NaN where there are too few values.
func moments(v []float64, population bool) (mean, std float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += x
	}
	mean /= n
	for _, x := range v {
		std += (x - mean) * (x - mean)
	}
	if population {
		return mean, math.Sqrt(std / n)
	}
	if len(v) < 2 {
		return mean, math.NaN()
	}
	return mean, math.Sqrt(std / (n - 1))
}
