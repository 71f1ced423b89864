package doctor

// DataRequest says which data would help.
type DataRequest struct {
	Slices        []string
	RowsPerSlice  uint32
	FreshnessDays *float64 // set where the data is stale
	Verifier      string   // that must accept the rows
}

func request(in *Input) *DataRequest {
	r := &DataRequest{Slices: in.failing(), RowsPerSlice: uint32(in.limit("min_examples_per_slice")), Verifier: "the run's own verifier, with its reference answers checked (provenir verify --check-tasks)"}
	if len(r.Slices) == 0 {
		r.Slices = []string{"overall"}
	}
	if stale := in.limit("stale_data_days"); in.AgeDays != nil && *in.AgeDays > stale {
		r.FreshnessDays = &stale
	}
	return r
}
