package sandbox

// DaemonConfig is a program that lives beside the jobs, behind the same layers: a plugin. It is of those who run this
// service, and is held all the same, for it reads what candidates write.
type DaemonConfig struct {
	Path      string   // of the executable; its folder is all that it sees beside /usr
	Self      string   // in place of Path: a Worker of this program, which sees no files at all
	Args      []string // after its name
	Memory    int64    // bytes; 0 is 512 MiB
	Processes int      // and threads; 0 is 128
}

func (c DaemonConfig) fill() DaemonConfig {
	set(&c.Memory, 512<<20)
	set(&c.Processes, 128)
	return c
}
