package ledger

import "fmt"

// RecordType says what a record's payload is. Types that this version does not know are kept, hashed and listed as
// opaque: a newer recorder's log stays verifiable.
type RecordType uint16

// Types of the log events.
const (
	RunOpen         RecordType = 1
	Rollout         RecordType = 2
	Verdict         RecordType = 3
	Reward          RecordType = 4
	Step            RecordType = 5
	ModelCheckpoint RecordType = 6
	Eval            RecordType = 7
	Gate            RecordType = 8
	Config          RecordType = 10
	HeldoutVerdict  RecordType = 11
	DataOrder       RecordType = 12
	RunClose        RecordType = 15
)

// Types of the logs findings and timing.
const (
	EngineEvent   RecordType = 9
	Resume        RecordType = 13
	Gap           RecordType = 14
	Erasure       RecordType = 16
	Retention     RecordType = 17
	Hold          RecordType = 18
	Repair        RecordType = 19
	Anomaly       RecordType = 32
	Incident      RecordType = 33
	Ack           RecordType = 34
	DetectorState RecordType = 35
	Commit        RecordType = 48
)

const (
	// PrivateTypes is the first type that is free for anybody's own use.
	PrivateTypes RecordType = 0x8000
	// trailerType ends a sealed segment. It is no record: it is neither a leaf nor a link of the chain.
	trailerType RecordType = 0xFFFF
)

var typeNames = map[RecordType]string{
	RunOpen: "RUN_OPEN", Rollout: "ROLLOUT", Verdict: "VERDICT", Reward: "REWARD", Step: "STEP",
	ModelCheckpoint: "MODEL_CHECKPOINT", Eval: "EVAL", Gate: "GATE", EngineEvent: "ENGINE_EVENT", Config: "CONFIG",
	HeldoutVerdict: "HELDOUT_VERDICT", DataOrder: "DATA_ORDER", Resume: "RESUME", Gap: "GAP", RunClose: "RUN_CLOSE",
	Erasure: "ERASURE", Retention: "RETENTION", Hold: "HOLD", Repair: "REPAIR", Anomaly: "ANOMALY", Incident: "INCIDENT", Ack: "ACK", DetectorState: "DETECTOR_STATE",
	Commit: "COMMIT",
}

// String is the type's name, or its number when this version does not know it.
func (t RecordType) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("TYPE_%d", uint16(t))
}

// Valid tells whether a record may have this type: 0 is nobody's and 0xFFFF is the trailer's.
func (t RecordType) Valid() bool { return t != 0 && t != trailerType }
