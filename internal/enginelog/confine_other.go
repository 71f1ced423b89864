//go:build !unix

package enginelog

import "errors"

func confine(uint64, uint64) error {
	return errors.New("Parquet is not read on this system, which cannot bound the process that would: convert it")
}
