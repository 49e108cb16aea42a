package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

func newSubscriberExport(a *cli) *cobra.Command {
	var query store.SubscriberQuery
	c := &cobra.Command{
		Use:     "export [FILE]",
		Short:   "Export a list (CSV) that import can read",
		Example: "  tidings subscriber export readers.csv\n  tidings subscriber export --digest weekly --state active > active.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				if len(args) == 0 || args[0] == "-" {
					return p.Subscribers().Export(c.Context(), a.stdout, query)
				}
				file, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // personal data
				if err != nil {
					return err
				}
				if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
					err = file.Chmod(0o600) // an existing file would keep its mode
					if err != nil {
						return errors.Join(err, file.Close())
					}
				}
				return errors.Join(p.Subscribers().Export(c.Context(), file, query), file.Close())
			})
		},
	}
	queryFlags(c, &query)
	return c
}

func queryFlags(c *cobra.Command, query *store.SubscriberQuery) {
	c.Flags().StringVar(&query.Digest, "digest", "", "only subscribers of this digest")
	c.Flags().Var((*stateValue)(&query.State), "state", "only this state, such as active")
}

// stateValue is the state of a subscriber. It implements pflag.Value.
type stateValue subscriber.State

// Set reads the state.
func (v *stateValue) Set(text string) error {
	if !slices.Contains(subscriber.States, subscriber.State(text)) {
		return fmt.Errorf("use one of: %s", joined(subscriber.States))
	}
	*v = stateValue(text)
	return nil
}

// String returns the state.
func (v *stateValue) String() string { return string(*v) }

// Type names the kind of the value in help.
func (v *stateValue) Type() string { return "string" }

func newSubscriberList(a *cli) *cobra.Command {
	var query store.SubscriberQuery
	c := &cobra.Command{
		Use:     "list",
		Short:   "List subscribers",
		Example: "  tidings subscriber list --state pending\n  tidings subscriber list --digest weekly --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				list := []shownPerson{}
				for listed, err := range p.Store.Subscribers(c.Context(), query) {
					if err != nil {
						return err
					}
					list = append(list, showPerson(listed.Subscriber, listed.Subscriptions))
				}
				counts, err := p.Store.CountSubscribers(c.Context())
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) { printPeople(w, list, counts) })
			})
		},
	}
	queryFlags(c, &query)
	limitFlag(c, &query.Limit, 100, 0, "how many; 0 for all")
	return c
}

func printPeople(w io.Writer, list []shownPerson, counts map[subscriber.State]int64) {
	for _, one := range list {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", one.ID, one.Address, one.State, one.Name, one.Created.Format(time.DateOnly))
	}
	fmt.Fprintf(w, "%d shown; total:", len(list))
	for _, state := range subscriber.States {
		if counts[state] > 0 {
			fmt.Fprintf(w, " %d %s", counts[state], state)
		}
	}
	fmt.Fprintln(w)
}
