package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

// largeRow is a rollout whose payload no frame holds.
func largeRow(seq int, size int) string {
	return fmt.Sprintf(`{"seq":%d,"type":"rollout","id":"big","turns":[{"role":"assistant","text":"%s"}]}`, seq, strings.Repeat("x", size))
}

// A rollout that is too large for a frame is recorded by its digest, its bytes lie in the blob store, the logs verify, and
// sending it again, also into the sealed run, is nothing new.
func TestALargeRolloutOfATracker(t *testing.T) {
	r := newRig(t).withBlobs(t).start()
	c := r.person()
	rows := append(trackedRows(1, calm)[:3], largeRow(3, 2<<20), `{"seq":4,"type":"close","outcome":"completed"}`)
	for range 2 {
		if got, err := track(c, 5, rows[:4]...); err != nil || got.GetNextSeq() != 4 {
			t.Fatalf("%v, %v", got, err)
		}
	}
	for range 2 {
		if _, err := track(c, 5, rows...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := track(c, 5, largeRow(3, 2<<20-1)); rpc.Reason(err) != "DIVERGENT_REPLAY" {
		t.Errorf("another one in its place: %v", err)
	}
	page, err := c.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: trackedRun, Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ROLLOUT}})
	if err != nil || len(page.GetEvents()) != 1 {
		t.Fatalf("%v, %v", page, err)
	}
	e := page.GetEvents()[0]
	b, err := r.blobs.Read(t.Context(), blob.Digest(e.GetBlob().GetDigest()), 4<<20)
	var kept corev1.Rollout
	if err != nil || proto.Unmarshal(b, &kept) != nil || len(kept.GetSegments()[0].GetText()) != 2<<20 || kept.GetRolloutId() != "big" {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if d := sha256.Sum256(b); hex.EncodeToString(d[:]) != hex.EncodeToString(e.GetDigest()) || e.GetBlob().GetMediaType() != rolloutMedia {
		t.Error("the record has another digest than the bytes")
	}
	got, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: trackedRun})
	if err != nil || len(got.GetDamages()) > 0 || len(got.GetUnchecked()) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	if err := os.WriteFile(r.blobFile(e.GetBlob().GetDigest()), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err = r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: trackedRun}); err != nil || len(got.GetDamages()) == 0 {
		t.Errorf("changed bytes are not noticed: %v, %v", got, err)
	}
}

// What may be large is a rollout of a plain run, where there is a blob store; all else is refused, and nothing of it is kept.
func TestWhatIsTooLarge(t *testing.T) {
	rows := trackedRows(1, calm)[:3]
	salted := strings.Replace(rows[0], `"name":"n"`, `"name":"n","privacy":"salted"`, 1)
	for _, c := range []struct {
		name, open, row string
		blobs           bool
		reason          string
	}{
		{"without a blob store", rows[0], largeRow(3, 300<<10), false, "RECORD_TOO_LARGE"},
		{"in a salted run", salted, largeRow(3, 300<<10), true, "RECORD_TOO_LARGE"},
		{"a configuration", rows[0], `{"seq":3,"type":"config","config":{"a":"` + strings.Repeat("x", 300<<10) + `"}}`, true, "RECORD_TOO_LARGE"},
		{"more than a row", rows[0], largeRow(3, 3<<20), true, "INVALID_ARGUMENT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			if c.blobs {
				r.withBlobs(t)
			}
			r.start()
			p := r.person()
			if _, err := track(p, 5, c.open, rows[1], rows[2]); err != nil {
				t.Fatal(err)
			}
			if _, err := track(p, 5, c.row); rpc.Reason(err) != c.reason {
				t.Errorf("%v", err)
			}
			if got, err := track(p, 5); err != nil || got.GetNextSeq() != 3 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// A tracker may ask that its payloads are encrypted, name whose they are, and have one's taken away.
func TestASaltedRunOfATracker(t *testing.T) {
	r := newRig(t).start()
	c := r.person()
	rows := trackedRows(1, calm)
	rows[0] = strings.Replace(rows[0], `"name":"n"`, `"name":"n","privacy":"salted"`, 1)
	secret := "a secret that alice told"
	rows = append(rows[:3], `{"seq":3,"type":"rollout","id":"a","turns":[{"role":"user","text":"`+secret+`"},{"role":"assistant","text":"x"}],"erasure_group":"alice"}`,
		`{"seq":4,"type":"verdict","id":"a","reward":1,"erasure_group":"alice"}`, `{"seq":5,"type":"rollout","id":"b","turns":[{"role":"assistant","text":"y"}]}`,
		`{"seq":6,"type":"close","outcome":"completed"}`)
	if _, err := track(c, 5, rows...); err != nil {
		t.Fatal(err)
	}
	if got, err := track(c, 5, rows...); err != nil || got.GetNextSeq() != uint64(len(rows)) { // an import that is made again
		t.Errorf("again: %v, %v", got, err)
	}
	if _, err := track(c, 5, strings.Replace(rows[3], secret, "another", 1)); rpc.Reason(err) != "DIVERGENT_REPLAY" {
		t.Errorf("another row in its place: %v", err)
	}
	if found := r.onDisk(t, []byte(secret)); len(found) > 0 {
		t.Errorf("it lies bare in %v", found)
	}
	if x := trackedGet(t, c, trackedRun); x.GetPrivacy() != recorderv1.Privacy_PRIVACY_SALTED {
		t.Errorf("%v", x)
	}
	erased, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: trackedRun, Group: "alice", Reason: "asked to"})
	if err != nil || erased.GetRecords() != 2 {
		t.Fatalf("%v, %v", erased, err)
	}
	if _, err := track(c, 5, rows...); rpc.Reason(err) != "PAYLOAD_ERASED" {
		t.Errorf("what is gone was compared: %v", err)
	}
	page, err := c.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: trackedRun})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.GetEvents() {
		if gone := e.GetPayloadAbsent() == corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED; gone != (e.GetSeq() == 3 || e.GetSeq() == 4) {
			t.Errorf("record %d: %v", e.GetSeq(), e.GetPayloadAbsent())
		}
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: trackedRun, Group: wholeRun, Reason: "all of it"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.service.d.DB.Exec(t.Context(), `DELETE FROM tracked_runs`); err != nil {
		t.Fatal(err)
	}
	r.restart()
	// How it ended was in a record that is gone, and is not made up.
	if x := trackedGet(t, r.person(), trackedRun); x.GetState() != recorderv1.TrackedState_TRACKED_STATE_UNREADABLE || x.GetConfig() != "" || !x.GetPartial() {
		t.Errorf("%v", x)
	}
}

func TestPrivacyOfRows(t *testing.T) {
	r := newRig(t).start()
	c := r.person()
	rows := trackedRows(1, calm)
	if _, err := track(c, 5, strings.Replace(rows[0], `"name":"n"`, `"privacy":"secret"`, 1)); rpc.Reason(err) != "INVALID_ARGUMENT" || !strings.Contains(err.Error(), "plain or salted") {
		t.Errorf("a privacy that is none: %v", err)
	}
	if _, err := track(c, 5, rows[:3]...); err != nil {
		t.Fatal(err)
	}
	if _, err := track(c, 5, `{"seq":3,"type":"verdict","id":"a","reward":1,"erasure_group":"alice"}`); rpc.Reason(err) != "INVALID_ARGUMENT" || !strings.Contains(err.Error(), "not salted") {
		t.Errorf("a group in a plain run: %v", err)
	}
	if _, err := track(c, 5, strings.Replace(rows[0], `"name":"n"`, `"name":"n","privacy":"salted"`, 1)); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a run does not change in the middle: %v", err)
	}
}
