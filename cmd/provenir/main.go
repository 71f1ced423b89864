// Command provenir is every role of the mesh and every verb of its client.
package main

import (
	"os"

	"github.com/provenir/provenir/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
