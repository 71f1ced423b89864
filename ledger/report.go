package ledger

// SignatureState is what is known about who signed.
type SignatureState string

const (
	SignatureVerified  SignatureState = "verified"  // every checkpoint is signed by a trusted key
	SignatureUnchecked SignatureState = "unchecked" // no key was given: nothing is said about who wrote the log
	SignatureInvalid   SignatureState = "invalid"   // at least one is not
	SignatureAbsent    SignatureState = "absent"    // there is no checkpoint
)

// maxDamages bounds a report: a shredded log names its first damages and counts the rest.
const maxDamages = 256

// Report is what [Verify] found in a log.
type Report struct {
	Origin    string         `json:"origin"`
	Log       Log            `json:"log"`
	Segments  int            `json:"segments"`
	Bytes     int64          `json:"bytes"`
	Records   uint64         `json:"records"`
	Chain     Hash           `json:"chain"`
	Root      Hash           `json:"root"` // of all records; meaningless when some are damaged or missing, zero when some are away with their leaves
	Signature SignatureState `json:"signature"`
	Cosigners []string       `json:"cosigners,omitempty"` // witnesses whose signature is on the newest checkpoint
	// Covered is the size of the newest checkpoint whose root was recomputed. Records after it can be cut off without a
	// trace, so whoever relies on them asks for a checkpoint.
	Covered        uint64 `json:"covered"`
	Checkpoints    int    `json:"checkpoints"`     // compared
	BlobsUnchecked uint64 `json:"blobs_unchecked"` // payloads that lie in the blob store and were not read
	// EncryptedUnchecked payloads are encrypted, and nobody here has the key: their entries are proved, and that the stored
	// bytes are theirs is not. A report with any is no pass.
	EncryptedUnchecked uint64 `json:"encrypted_unchecked,omitempty"`
	TilesMissing       int    `json:"tiles_missing"` // not stored; they can be rebuilt and are no damage
	TornTail           int64  `json:"torn_tail"`     // bytes of a write that a crash cut off, after everything covered
	// Away are segments that were moved to another store: what they hold is not checked. A report with any is no pass.
	Away []AwaySegment `json:"away,omitempty"`
	// Retired are segments whose payloads a rule of retention took away: entries, links and proofs were checked, and there is
	// no payload left to check. One that is not Declared was not looked up in findings; a report with any such is no pass.
	Retired []RetiredSegment `json:"retired,omitempty"`
	// Retentions are what findings says of payloads that were taken away, as far as a checkpoint covers it.
	Retentions     []RetentionNote `json:"retentions,omitempty"`
	Damages        []Damage        `json:"damages"`
	DamagesOmitted int             `json:"damages_omitted"`
}

// OK tells that nothing that was read of the log is wrong. It says nothing about who signed it, see Signature, nor about
// segments that are not here, see Away.
func (r *Report) OK() bool { return len(r.Damages) == 0 }

func (r *Report) add(d Damage) {
	if len(r.Damages) == maxDamages {
		r.DamagesOmitted++
		return
	}
	r.Damages = append(r.Damages, d)
}

// Has tells whether a kind of damage was found.
func (r *Report) Has(kind DamageKind) bool {
	for _, d := range r.Damages {
		if d.Kind == kind {
			return true
		}
	}
	return false
}
