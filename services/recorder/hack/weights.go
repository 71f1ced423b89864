package hack

var (
	intercept  = -3.0
	weights    = [Features]float64{5, 2, 4, 1, 1.5, 1, 2, 1}
	plattScale = 1.0
	plattShift = 0.0
)
