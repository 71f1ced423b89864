package enginelog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	pq "github.com/parquet-go/parquet-go"
)

const (
	parquetMemory  = 512 << 20 // that the process tries to stay within; four times that ends it
	parquetSeconds = 120       // of processor
	parquetColumns = 1 << 14
)

// Init must be the first call of a program that reads Parquet: where the program was started as the process that decodes
// one, it does that and ends.
func Init() {
	if len(os.Args) == 0 || os.Args[0] != parquetName {
		return
	}
	debug.SetMemoryLimit(parquetMemory)
	err := confine(4*parquetMemory, parquetSeconds)
	if err == nil {
		err = printRows(os.NewFile(3, "input"), os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
	os.Exit(0)
}

// printRows writes a file's rows as JSON lines behind a greeting. A panic of the library is an error of the file.
func printRows(f *os.File, to io.Writer) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the Parquet file is damaged: %v", cause)
		}
	}()
	out := bufio.NewWriterSize(to, 64<<10)
	if _, err := out.WriteString(parquetHello + "\n"); err != nil {
		return err
	}
	if err := out.Flush(); err != nil { // before anything can go wrong: who reads must know that this is the reader
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := pq.OpenFile(f, info.Size(), pq.SkipPageIndex(true), pq.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("no Parquet file: %w", err)
	}
	columns := file.Schema().Columns()
	if len(columns) > parquetColumns {
		return fmt.Errorf("%d columns; a log has at most %d", len(columns), parquetColumns)
	}
	names := make([]string, len(columns))
	for i, path := range columns {
		names[i] = strings.Join(path, ".")
	}
	buf := make([]pq.Row, 64)
	for _, group := range file.RowGroups() {
		if err := printGroup(group, names, buf, out); err != nil {
			return fmt.Errorf("the Parquet file is damaged: %w", err)
		}
	}
	return out.Flush()
}

func printGroup(group pq.RowGroup, names []string, buf []pq.Row, out *bufio.Writer) (err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		n, err := rows.ReadRows(buf)
		for _, row := range buf[:n] {
			line, err := rowJSON(row, names)
			if err != nil {
				return err
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrNoProgress
		}
	}
}

// rowJSON is a row by the names of its columns. Lists and what else has several values are left out: no metric has.
func rowJSON(row pq.Row, names []string) ([]byte, error) {
	out := map[string]any{}
	var several []string
	for _, v := range row {
		if v.Column() < 0 || v.Column() >= len(names) {
			return nil, fmt.Errorf("a value of column %d of %d", v.Column(), len(names))
		}
		name := names[v.Column()]
		if _, twice := out[name]; twice || v.RepetitionLevel() > 0 {
			several = append(several, name)
			continue
		}
		if x, ok := scalar(v); ok {
			out[name] = x
		}
	}
	for _, name := range slices.Compact(several) {
		delete(out, name)
	}
	return json.Marshal(out)
}

// scalar is a value as JSON has it; null is null, and ok is false for what is no number, text or bool.
func scalar(v pq.Value) (any, bool) {
	if v.IsNull() {
		return nil, true
	}
	switch v.Kind() {
	case pq.Boolean:
		return v.Boolean(), true
	case pq.Int32:
		return v.Int32(), true
	case pq.Int64:
		return v.Int64(), true
	case pq.Float:
		return Number(float64(v.Float())), true
	case pq.Double:
		return Number(v.Double()), true
	case pq.ByteArray:
		return string(v.ByteArray()), true
	case pq.Int96, pq.FixedLenByteArray:
	}
	return nil, false
}
