package unit

import (
	"math/big"
	"strings"
)

// table has the units that answers use, by symbol and by name. Factors to metre, kilogram, second, ampere, kelvin,
// mole, candela, bit, radian and currency are exact by definition: SI brochure (9th edition), the international yard and
// pound of 1959, and the US liquid gallon of 231 cubic inches.
var table = build(`
m meter metre | m 1 | 1
km kilometer kilometre | m 1 | 1000
cm centimeter centimetre | m 1 | 1/100
mm millimeter millimetre | m 1 | 1/1000
dm decimeter | m 1 | 1/10
um micrometer micron | m 1 | 1/1000000
nm nanometer | m 1 | 1/1000000000
in inch inches | m 1 | 254/10000
ft foot feet | m 1 | 3048/10000
yd yard | m 1 | 9144/10000
mi mile | m 1 | 1609344/1000
ha hectare | m 2 | 10000
acre | m 2 | 40468564224/10000000
L l liter litre | m 3 | 1/1000
mL ml milliliter millilitre cc | m 3 | 1/1000000
cL cl centiliter | m 3 | 1/100000
gal gallon | m 3 | 3785411784/1000000000000
qt quart | m 3 | 946352946/1000000000000
pt pint | m 3 | 473176473/1000000000000
cup | m 3 | 2365882365/10000000000000
floz | m 3 | 295735295625/10000000000000000
tbsp tablespoon | m 3 | 1478676478125/100000000000000000
tsp teaspoon | m 3 | 492892159375/100000000000000000
kg kilogram | kg 1 | 1
g gram | kg 1 | 1/1000
mg milligram | kg 1 | 1/1000000
t ton tonne | kg 1 | 1000
lb lbs pound | kg 1 | 45359237/100000000
oz ounce | kg 1 | 45359237/1600000000
s sec second | s 1 | 1
ms millisecond | s 1 | 1/1000
us microsecond | s 1 | 1/1000000
ns nanosecond | s 1 | 1/1000000000
min minute | s 1 | 60
h hr hour | s 1 | 3600
day | s 1 | 86400
week | s 1 | 604800
month | month 1 | 1
yr year | month 1 | 12
mph | m 1 s -1 | 1609344/3600000
kph | m 1 s -1 | 1000/3600
Hz hertz | s -1 | 1
kHz | s -1 | 1000
MHz | s -1 | 1000000
rpm | s -1 | 1/60
N newton | kg 1 m 1 s -2 | 1
kN | kg 1 m 1 s -2 | 1000
Pa pascal | kg 1 m -1 s -2 | 1
kPa | kg 1 m -1 s -2 | 1000
MPa | kg 1 m -1 s -2 | 1000000
bar | kg 1 m -1 s -2 | 100000
atm atmosphere | kg 1 m -1 s -2 | 101325
J joule | kg 1 m 2 s -2 | 1
kJ kilojoule | kg 1 m 2 s -2 | 1000
MJ | kg 1 m 2 s -2 | 1000000
cal calorie | kg 1 m 2 s -2 | 4184/1000
kcal kilocalorie | kg 1 m 2 s -2 | 4184
eV | kg 1 m 2 s -2 | 1602176634/10000000000000000000000000000
kWh | kg 1 m 2 s -2 | 3600000
W watt | kg 1 m 2 s -3 | 1
kW kilowatt | kg 1 m 2 s -3 | 1000
MW megawatt | kg 1 m 2 s -3 | 1000000
hp horsepower | kg 1 m 2 s -3 | 74569987158227022/100000000000000
A amp ampere | A 1 | 1
mA | A 1 | 1/1000
C coulomb | A 1 s 1 | 1
V volt | kg 1 m 2 s -3 A -1 | 1
kV | kg 1 m 2 s -3 A -1 | 1000
ohm Ohm | kg 1 m 2 s -3 A -2 | 1
F farad | kg -1 m -2 s 4 A 2 | 1
T tesla | kg 1 s -2 A -1 | 1
Wb weber | kg 1 m 2 s -2 A -1 | 1
K kelvin | K 1 | 1
mol mole | mol 1 | 1
M molar | mol 1 m -3 | 1000
cd candela | cd 1 | 1
rad radian | - | 1
deg degree ° | degree 1 | 1
bit | bit 1 | 1
B byte | bit 1 | 8
KB kB kilobyte | bit 1 | 8000
MB megabyte | bit 1 | 8000000
GB gigabyte | bit 1 | 8000000000
TB terabyte | bit 1 | 8000000000000
$ dollar usd USD buck | usd 1 | 1
cent ¢ penny pennies | usd 1 | 1/100
nickel | usd 1 | 5/100
dime | usd 1 | 10/100
€ euro eur EUR | eur 1 | 1
£ gbp GBP | gbp 1 | 1
¥ yen jpy JPY | jpy 1 | 1
₹ rupee inr INR | inr 1 | 1
`)

// build reads the table; a wrong row would be a unit that is not there, which the table's test sees.
func build(rows string) map[string]*Unit {
	out := map[string]*Unit{}
	for row := range strings.SplitSeq(strings.TrimSpace(rows), "\n") {
		cells := strings.Split(row, " | ")
		if len(cells) != 3 {
			continue
		}
		factor, ok := new(big.Rat).SetString(cells[2])
		if !ok {
			continue
		}
		names := strings.Fields(cells[0])
		u := &Unit{Name: names[0], Dim: map[string]int{}, Factor: factor}
		dims := strings.Fields(cells[1])
		for i := 0; i+1 < len(dims); i += 2 {
			n := 0
			neg := strings.HasPrefix(dims[i+1], "-")
			for _, c := range strings.TrimPrefix(dims[i+1], "-") {
				n = n*10 + int(c-'0')
			}
			if neg {
				n = -n
			}
			u.Dim[dims[i]] = n
		}
		for _, n := range names {
			out[n] = u
		}
	}
	// Temperatures on scales with another zero: kelvin = (t + offset) · factor.
	celsius := &Unit{Name: "°C", Dim: map[string]int{"K": 1}, Factor: big.NewRat(1, 1), Offset: big.NewRat(27315, 100)}
	fahrenheit := &Unit{Name: "°F", Dim: map[string]int{"K": 1}, Factor: big.NewRat(5, 9), Offset: big.NewRat(45967, 100)}
	out["°C"], out["celsius"] = celsius, celsius
	out["°F"], out["fahrenheit"] = fahrenheit, fahrenheit
	return out
}
