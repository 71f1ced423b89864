package hack

// The model of Score: logistic regression and Platt's calibration on the families of corpus that are not for testing, seed 20261125.
// Made by `go run ./services/recorder/hack/corpus/hackgen > services/recorder/hack/weights.go` (to a temporary name first: the
// program is built from this file). TestWeightsReproduce fits again and compares.
const (
	intercept  = -2.3912
	plattScale = 2.0100
	plattShift = 0.0608
)

var weights = [Features]float64{3.8585, 0.0000, 6.0866, 0.0000, 1.2885, 2.1976, 2.2781, 0.0000}

// Fitted gives the numbers of the model, for the test that makes them again.
func Fitted() (b float64, w [Features]float64, scale, shift float64) {
	return intercept, weights, plattScale, plattShift
}
