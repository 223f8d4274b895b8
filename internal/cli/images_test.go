package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
)

func named(names ...string) []spec.Deploy {
	var all []spec.Deploy
	for _, n := range names {
		var d spec.Deploy
		d.Metadata.Name = n
		all = append(all, d)
	}
	return all
}

func TestImagesFor(t *testing.T) {
	one, two := named("checkout"), named("checkout", "cart")
	const digest = "r.example.com:5000/shop/checkout@sha256:0123456789abcdef"
	for _, tc := range []struct {
		name    string
		deploys []spec.Deploy
		images  []string
		want    string // the map as fmt prints it, or part of the error
		fails   bool
	}{
		{"none", one, nil, "map[]", false},
		{"bare", one, []string{"checkout:v2"}, "map[checkout:map[:checkout:v2]]", false},
		{"registry with a port", one, []string{"r.example.com:5000/shop/checkout:v2"}, "map[checkout:map[:r.example.com:5000/shop/checkout:v2]]", false},
		{"digest", one, []string{digest}, "map[checkout:map[:" + digest + "]]", false},
		{"by container", one, []string{"app=checkout:v2", "side=proxy:v3"}, "map[checkout:map[app:checkout:v2 side:proxy:v3]]", false},
		{"by the service's name", one, []string{"checkout=checkout:v2"}, "map[checkout:map[:checkout:v2]]", false},
		{"by service and container", one, []string{"checkout/app=checkout:v2"}, "map[checkout:map[app:checkout:v2]]", false},
		{"lines", two, []string{"checkout=a:1\n\n  cart/app=b:2  \n"}, "map[cart:map[app:b:2] checkout:map[:a:1]]", false},
		{"only one of two", two, []string{"cart=b:2"}, "map[cart:map[:b:2]]", false},
		{"bare with several services", two, []string{"checkout:v2"}, "needs NAME=REF", true},
		{"unknown service", two, []string{"card=b:2"}, `the service "card", which the spec does not have`, true},
		{"unknown service with container", one, []string{"cart/app=b:2"}, `the service "cart"`, true},
		{"twice", one, []string{"a:1", "a:2"}, "two images for the same container", true},
		{"twice in lines", two, []string{"cart=a:1\ncart=a:1"}, "two images", true},
		{"no reference", one, []string{"app="}, "is no image reference", true},
		{"spaces inside", one, []string{"checkout v2"}, "is no image reference", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &flags{images: tc.images}
			got, err := f.imagesFor(tc.deploys)
			var usage *usageError
			switch {
			case tc.fails && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want %q", err, tc.want)
			case !tc.fails && (err != nil || fmt.Sprint(got) != tc.want):
				t.Errorf("got %v, %v; want %s", got, err, tc.want)
			}
		})
	}
}
