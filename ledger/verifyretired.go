package ledger

// payload checks what a frame stores.
func (w *segmentWalk) payload(f *Frame, at int64) {
	if f.Retired() {
		if w.form != formRetired { // in the middle of a segment that has its payloads
			w.damage(PayloadMissing, w.n, at, f.Seq, f.Seq, "the payload was taken out of a segment that is not retired")
		}
		return
	}
	state := f.CheckDigest()
	if f.Flags&(StoredEncrypted|StoredAsBlob) != 0 && w.opt.Payload != nil {
		state = w.opt.Payload(f)
	}
	switch {
	case state == DigestWrong:
		w.damage(AlteredPayload, w.n, at, f.Seq, f.Seq, "the payload is not the one whose digest was recorded")
	case state == DigestMissing:
		w.damage(PayloadMissing, w.n, at, f.Seq, f.Seq, "the payload is not in the blob store")
	case state == DigestUnchecked && f.Flags&StoredEncrypted != 0:
		w.report.EncryptedUnchecked++
	case state == DigestUnchecked:
		w.report.BlobsUnchecked++
	case f.Type == Retention && w.report.Log == Findings:
		w.noteRetention(f, at)
	}
}

// noteRetention keeps what findings says of payloads that were taken away.
func (w *segmentWalk) noteRetention(f *Frame, at int64) {
	n, err := ParseRetentionNote(f.Stored)
	if err != nil {
		w.damage(AlteredPayload, w.n, at, f.Seq, f.Seq, "%v", err)
		return
	}
	n.Seq = f.Seq
	w.report.Retentions = append(w.report.Retentions, n)
}

// retired reports a segment without payloads, and by whose rule they are gone.
func (w *segmentWalk) retired(t Trailer) {
	s := RetiredSegment{Segment: uint64(w.n), FirstSeq: t.FirstSeq, LastSeq: t.LastSeq, SHA256: t.File}
	if n, ok := declares(w.opt.Retentions, w.report.Log, s); ok {
		s.Declared, s.Rule, s.By, s.At = true, n.Rule, n.By, n.At
	} else if w.opt.Retentions != nil {
		w.damage(PayloadMissing, w.n, 0, t.FirstSeq, t.LastSeq, "the payloads are gone, and no RETENTION record under a checkpoint of findings says by what rule")
	}
	w.report.Retired = append(w.report.Retired, s)
}
