package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/config"
)

func newInit(a *cli) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:     "init [FILE]",
		Short:   "Write a configuration to start from",
		Long:    "Init writes a commented configuration that works as it stands. Without FILE it is config.yaml.",
		Example: "  tidings init\n  tidings init /etc/tidings/config.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := a.path()
			if len(args) > 0 {
				path = args[0]
			}
			if err := writeStarter(path, force); err != nil {
				return err
			}
			a.say("%s is written. Look at site, digests and relays in it; then:\n  tidings config check\n  tidings article import FOLDER\n  tidings serve", path)
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	return c
}

func writeStarter(path string, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(path, mode, 0o600) // a password will stand in it
	if errors.Is(err, os.ErrExist) {
		return usagef("%s is there already; right would be: another name, or --force to write over it", path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(file, config.Starter())
	return errors.Join(err, file.Chmod(0o600), file.Close()) // a file that was there keeps its mode otherwise
}
