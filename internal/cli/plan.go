package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/preflight"
	"github.com/tidegate/tidegate/internal/report"
)

func planCommand(f *flags) *cobra.Command {
	var force, wait bool
	cmd := &cobra.Command{Use: "plan", Short: "Show what a deploy would do, and what would make it fail", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.wait = wait
			return f.plan(cmd.Context(), force)
		}}
	cmd.Flags().BoolVar(&force, "force", false, "plan from a base that is not whole")
	cmd.Flags().BoolVar(&wait, "wait", false, "for a deploy that stays while an approval waits and in detached holds")
	return cmd
}

func (f *flags) plan(ctx context.Context, force bool) error {
	deploys, err := f.deploys()
	if err != nil {
		return err
	}
	images, err := f.imagesFor(deploys)
	if err != nil {
		return err
	}
	if len(images) == 0 {
		return &usageError{fmt.Errorf("no image was given: what should be planned? Give --image REF")}
	}
	for _, d := range deploys {
		o := f.options(d)
		o.Images, o.Force = images[d.Metadata.Name], force
		if len(o.Images) == 0 {
			continue
		}
		if err := f.planOne(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (f *flags) planOne(ctx context.Context, o app.Options) error {
	p, err := app.Plan(ctx, o)
	if err != nil {
		return err
	}
	return f.planned(p)
}

// planned shows a plan.
func (f *flags) planned(p app.Planned) error {
	if f.json() {
		if err := report.PlanDocumentJSON(f.env.Stdout, document(p)); err != nil {
			return err
		}
		return found(p)
	}
	if p.Unchanged {
		fmt.Fprintf(f.env.Stdout, "This version already runs: a deploy would do nothing. If it did not:\n\n")
	}
	if len(p.Leftovers) > 0 {
		fmt.Fprintf(f.env.Stdout, "An earlier rollout left %v without a record: a deploy takes that back first.\n\n", p.Leftovers)
	}
	if err := report.Plan(f.env.Stdout, p.Plan, findings(p.Findings)...); err != nil {
		return err
	}
	if len(p.Needs) > 0 {
		fmt.Fprintf(f.env.Stdout, "The gates need these environment variables: %s\n", strings.Join(p.Needs, ", "))
	}
	if p.Then != nil {
		fmt.Fprintf(f.env.Stdout, "\nWhen that has succeeded:\n\n")
		return errors.Join(p.Findings.Err(), f.planned(*p.Then))
	}
	return p.Findings.Err()
}

// document is the JSON form of a plan and of what follows it.
func document(p app.Planned) report.PlanDocument {
	d := report.NewPlanDocument(p.Plan, findings(p.Findings)...)
	if p.Then != nil {
		then := document(*p.Then)
		d.Then = &then
	}
	return d
}

// found is what would make the plan, or what follows it, fail.
func found(p app.Planned) error {
	if p.Then == nil {
		return p.Findings.Err()
	}
	return errors.Join(p.Findings.Err(), found(*p.Then))
}

func findings(all preflight.Findings) []report.Finding {
	var list []report.Finding
	for _, x := range all {
		list = append(list, report.Finding{Name: x.Name, Level: report.Level(x.Level), Object: x.Object, Message: x.Message,
			Remedy: x.Remedy, Accepted: x.Accepted, Override: x.Override()})
	}
	return list
}
