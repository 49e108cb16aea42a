package main

import (
	"cmp"
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
		Short:   "Write a configuration file to start from",
		Long:    "Init writes a commented configuration file that works unchanged. FILE is config.yaml by default.",
		Example: "  tidings init\n  tidings init /etc/tidings/config.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := cmp.Or(a.configPath, os.Getenv("TIDINGS_CONFIG"), localConfig)
			if len(args) > 0 {
				path = args[0]
			}
			if err := writeStarter(path, force); err != nil {
				return err
			}
			return a.report(map[string]string{"file": path}, "wrote %s; edit site, digests and relays in it, then run:\n  tidings config check\n  tidings article import FOLDER\n  tidings serve", path)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return c
}

func writeStarter(path string, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(path, mode, 0o600) // passwords may be added to it
	if errors.Is(err, os.ErrExist) {
		return usagef("%s exists already; choose another name, or add --force to overwrite it", path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(file, config.Starter())
	return errors.Join(err, file.Chmod(0o600), file.Close()) // an existing file would keep its mode
}
