// Command play is an action for tests: it does what the lines of PLAY say, or of PLAY_POST where it is called by a name
// that ends in "post". It is built without cgo, so that it runs in an empty root filesystem.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	play := os.Getenv("PLAY")
	if strings.HasSuffix(os.Args[0], "post") {
		play = os.Getenv("PLAY_POST")
	}
	signals := make(chan os.Signal, 8)
	for line := range strings.Lines(play) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		do(verb, rest, signals)
	}
}

func do(verb, rest string, signals chan os.Signal) {
	switch verb {
	case "print":
		fmt.Println(text(rest))
	case "say": // without a line end
		fmt.Print(text(rest))
	case "complain":
		fmt.Fprintln(os.Stderr, text(rest))
	case "write": // VARIABLE "text": append to the file that the variable names
		name, value, _ := strings.Cut(rest, " ")
		appendTo(os.Getenv(name), text(value))
	case "fill": // VARIABLE bytes
		name, size, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(size)
		must(err)
		appendTo(os.Getenv(name), strings.Repeat("x", n))
	case "touch": // /path "text"
		name, value, _ := strings.Cut(rest, " ")
		appendTo(name, text(value))
	case "read":
		content, err := os.ReadFile(rest)
		fmt.Printf("read %s %q %v\n", rest, content, err)
	case "remove":
		must(os.Remove(os.Getenv(rest)))
	case "env":
		env := os.Environ()
		slices.Sort(env)
		for _, kv := range env {
			fmt.Printf("env %q\n", kv)
		}
	case "called":
		dir, err := os.Getwd()
		must(err)
		fmt.Printf("called %q in %s\n", os.Args, dir)
	case "catch":
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	case "until": // a signal by its name; those before it are told and passed over
		for s := range signals {
			fmt.Printf("got %s\n", s)
			if s.String() == rest {
				return
			}
		}
	case "hang": // without catching anything
		r, _, err := os.Pipe()
		must(err)
		_, err = r.Read(make([]byte, 1))
		must(err)
	case "exit":
		code, err := strconv.Atoi(rest)
		must(err)
		os.Exit(code)
	case "":
	default:
		must(fmt.Errorf("there is no verb %q", verb))
	}
}

func text(quoted string) string {
	s, err := strconv.Unquote(quoted)
	must(err)
	return s
}

func appendTo(path, content string) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(err)
	_, err = f.WriteString(content)
	must(err)
	must(f.Close())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(99)
	}
}
