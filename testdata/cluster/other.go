//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cluster: a cluster needs Linux: point KUBECONFIG at a cluster you have")
	os.Exit(3)
}
