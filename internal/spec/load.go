package spec

import (
	"fmt"
	"slices"
)

// Options choose what is decoded.
type Options struct {
	File        string // name of the file in problems; tidegate.yaml if empty
	Environment string // the overlay to merge
	// AnyEnvironment lets a service that defines no environments be asked for any: the name then only says where it goes.
	AnyEnvironment bool
	Name           string // only the service of this name, if not empty
	// Wait lets approvals be where users are on the new version: a job stays, and its gates watch.
	Wait bool
}

// Load decodes a file for one environment. Its error is Problems: every mistake
// at once. Variables are left unexpanded.
func Load(src []byte, o Options) (File, error) {
	f := open(src, o)
	f.choose(o.Environment)
	f.checkBases()
	file := f.decode(o.Environment)
	return file, f.problems.err()
}

// Check decodes a file for every environment that it defines, or for one if it
// is chosen, and gives back one File per environment. Its error is Problems.
func Check(src []byte, o Options) ([]File, error) {
	if o.Environment != "" {
		file, err := Load(src, o)
		return []File{file}, err
	}
	f := open(src, o)
	f.checkBases()
	names := f.environments()
	if len(names) == 0 {
		file := f.decode("")
		return []File{file}, f.problems.err()
	}
	var files []File
	perEnvironment := map[string]Problems{}
	before := f.problems
	for _, name := range names {
		f.problems = nil
		files = append(files, f.decode(name))
		perEnvironment[name] = f.problems
	}
	f.problems = append(before, combine(before, perEnvironment, names)...)
	return files, f.problems.err()
}

// combine joins the problems of several environments. One that not every
// environment has, in a part that all of them share, says which do.
func combine(known Problems, per map[string]Problems, names []string) Problems {
	type key struct {
		line, column  int
		path, message string
	}
	keyOf := func(p Problem) key { return key{p.Line, p.Column, p.Path, p.Message} }
	found := map[key][]string{}
	var all Problems
	for _, p := range known {
		found[keyOf(p)] = names
	}
	for _, name := range names {
		for _, p := range per[name].sorted() {
			k := keyOf(p)
			if found[k] == nil {
				all = append(all, p)
			}
			if !slices.Contains(found[k], name) {
				found[k] = append(found[k], name)
			}
		}
	}
	for i, p := range all {
		in := found[keyOf(p)]
		if len(in) < len(names) && !inOverlay(p.Path) {
			all[i].Message = fmt.Sprintf("%s (in %s)", p.Message, list(in, " and "))
		}
	}
	return all
}
