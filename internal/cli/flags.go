package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tidegate/tidegate/internal/actions"
	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/spec"
)

// flags are those that all commands share.
type flags struct {
	env  Env
	mask *mask
	raw  io.Writer // stdout without the mask
	job  *job      // the Action's part; nil on the command line

	specPath, name, environment string
	images                      []string
	context, kubeconfig         string
	namespace                   string
	output                      string
	accept                      []string
	dryRun                      bool
	wait                        bool // a job stays while an approval waits or in a detached hold, so that it may be where users are on the new version
}

// register declares the flags. What is set already, from the Action's inputs, is their default.
func (f *flags) register(set *pflag.FlagSet) {
	set.StringVar(&f.specPath, "spec", f.specPath, "path of the deploy spec (default tidegate.yaml, then .github/tidegate.yaml)")
	set.StringVar(&f.name, "name", f.name, "only the service of this name")
	set.StringVar(&f.environment, "environment", f.environment, "environment of the spec to use")
	set.StringArrayVar(&f.images, "image", f.images, "the image to deploy: REF, CONTAINER=REF, or NAME=REF and NAME/CONTAINER=REF with several services")
	set.StringVar(&f.context, "context", f.context, "kubeconfig context (default: the spec's, then the current one)")
	set.StringVar(&f.kubeconfig, "kubeconfig", f.kubeconfig, "path of the kubeconfig (default: KUBECONFIG, then ~/.kube/config, then the pod's account)")
	set.StringVarP(&f.namespace, "namespace", "n", f.namespace, "namespace, when the spec names none")
	set.StringVarP(&f.output, "output", "o", "text", "text or json")
	set.BoolVar(&f.dryRun, "dry-run", f.dryRun, "change nothing: show what would be done")
	set.StringSliceVar(&f.accept, "accept", f.accept, "name of a preflight error to accept; may be repeated")
}

func (f *flags) json() bool { return f.output == "json" }

// checkOutput refuses unknown output formats.
func (f *flags) checkOutput() error {
	if f.output != "text" && f.output != "json" {
		return &usageError{fmt.Errorf("-o %s is unknown; it is text or json", f.output)}
	}
	return nil
}

// source reads the spec file.
func (f *flags) source() (text []byte, path string, err error) {
	if err := f.checkOutput(); err != nil {
		return nil, "", err
	}
	if f.job != nil {
		return f.job.source(f.specPath)
	}
	path = f.specPath
	if path == "" {
		if path, err = spec.Find(f.env.Dir); err != nil {
			return nil, "", &usageError{err}
		}
		text, err = fs.ReadFile(f.env.Dir, path)
	} else {
		text, err = readFile(path)
	}
	if err != nil {
		return nil, "", &usageError{fmt.Errorf("the spec cannot be read: %w", err)}
	}
	return text, path, nil
}

// readFile reads a file of at most the size that a spec may have, and one byte more so that the decoder can refuse it.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, spec.MaxSize+1))
}

// deploys decodes the services that are meant.
func (f *flags) deploys() ([]spec.Deploy, error) {
	text, path, err := f.source()
	if err != nil {
		return nil, err
	}
	file, err := spec.Load(text, spec.Options{File: path, Environment: f.environment, Name: f.name, AnyEnvironment: f.job != nil, Wait: f.wait})
	if err != nil {
		return nil, err
	}
	return file.Deploys, nil
}

// one decodes the one service that is meant, of commands that begin nothing new: what a rollout in flight has been allowed
// is no question any more.
func (f *flags) one() (spec.Deploy, error) {
	f.wait = true
	return f.only()
}

// only decodes the one service that is meant.
func (f *flags) only() (spec.Deploy, error) {
	deploys, err := f.deploys()
	if err != nil {
		return spec.Deploy{}, err
	}
	if len(deploys) != 1 {
		var names []string
		for _, d := range deploys {
			names = append(names, d.Metadata.Name)
		}
		return spec.Deploy{}, &usageError{fmt.Errorf("the spec has several services (%s): say which one with --name", strings.Join(names, ", "))}
	}
	return deploys[0], nil
}

// options are the call's for one service.
func (f *flags) options(d spec.Deploy) app.Options {
	o := app.Options{
		Deploy: d, Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace, Holder: f.env.holder(), Actor: f.env.actor(), Accept: f.accept,
		Getenv: f.env.Getenv, Clock: f.env.Clock, Secrets: f.mask.add,
		Warn: func(text string) { fmt.Fprintln(f.env.Stderr, "warning: "+actions.Plain(text)) },
	}
	if f.job != nil {
		o.KubeconfigText, o.InContainer = f.job.kube, f.job.runner.InContainer()
	}
	return o
}

// imagesFor sorts the --image values: the images by container for each service that gets one, in the spec's order.
func (f *flags) imagesFor(deploys []spec.Deploy) (map[string]map[string]string, error) {
	names := map[string]bool{}
	for _, d := range deploys {
		names[d.Metadata.Name] = true
	}
	all := map[string]map[string]string{}
	for _, value := range f.images {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			service, container, ref, err := splitImage(line, deploys, names)
			if err != nil {
				return nil, &usageError{err}
			}
			if all[service] == nil {
				all[service] = map[string]string{}
			}
			if _, twice := all[service][container]; twice {
				return nil, &usageError{fmt.Errorf("--image gives two images for the same container: %q", line)}
			}
			all[service][container] = ref
		}
	}
	return all, nil
}

func splitImage(line string, deploys []spec.Deploy, names map[string]bool) (service, container, ref string, err error) {
	key, ref, keyed := strings.Cut(line, "=")
	if !keyed {
		key, ref = "", line
	}
	if ref == "" || strings.ContainsAny(ref, " \t") {
		return "", "", "", fmt.Errorf("--image %q is no image reference; write registry/name:tag or registry/name@sha256:…", line)
	}
	service, container, _ = strings.Cut(key, "/")
	switch {
	case key == "" && len(deploys) > 1:
		return "", "", "", errors.New("--image needs NAME=REF (or NAME/CONTAINER=REF): the spec has several services")
	case key == "":
		service = deploys[0].Metadata.Name
	case !names[service] && len(deploys) == 1 && container == "":
		service, container = deploys[0].Metadata.Name, key
	case !names[service]:
		return "", "", "", fmt.Errorf("--image names the service %q, which the spec does not have", service)
	}
	return service, container, ref, nil
}
