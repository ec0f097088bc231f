package recordings

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"hash"
)

// wholeRead compares what is read with the recording's SHA-256, if all of it is read in order (g of clients/README.md).
// It begins anew whenever reading does at the first byte; a read with a gap in it can't be compared.
type wholeRead struct {
	sum hash.Hash
	// next is what comes next in a read without a gap.
	next int64
}

// take takes bytes that are about to be handed out. It gives an error if with them the whole recording would have been,
// and it is another one: then they count as not taken.
func (w *wholeRead) take(place int64, data []byte, opened *opening) error {
	if place == 0 {
		w.sum, w.next = sha256.New(), 0
	}
	if w.sum == nil || place != w.next || len(data) == 0 {
		return nil
	}
	next := place + int64(len(data))
	if next == opened.completeLength && opened.sha256 != "" {
		// The next read begins with these again, so the sum is kept as it is.
		return w.compare(data, opened)
	}
	w.sum.Write(data)
	w.next = next
	return nil
}

func (w *wholeRead) compare(last []byte, opened *opening) error {
	before, err := w.sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return err
	}
	whole := sha256.New()
	if err := whole.(encoding.BinaryUnmarshaler).UnmarshalBinary(before); err != nil {
		return err
	}
	whole.Write(last)
	if hex.EncodeToString(whole.Sum(nil)) != opened.sha256 {
		return checksumMismatch(opened)
	}
	return nil
}

func checksumMismatch(opened *opening) error {
	return &ChecksumMismatchError{RecordingsError{
		Message:  "what was read is not what the recording's SHA-256 says",
		Metadata: map[string]string{"recordingSid": opened.recording.GetRecordingSid()},
	}}
}
