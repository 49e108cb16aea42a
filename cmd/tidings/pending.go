package main

import "github.com/spf13/cobra"

func newDemo(a *app) *cobra.Command {
	return &cobra.Command{Use: "demo", Short: "Show it all on sample articles, with an inbox of its own", RunE: soon}
}
func newServe(a *app) *cobra.Command {
	return &cobra.Command{Use: "serve", Short: "Run the service", RunE: soon}
}
func newWorker(a *app) *cobra.Command {
	return &cobra.Command{Use: "worker", Short: "Send mail without serving pages", RunE: soon}
}
func newEditor(a *app) *cobra.Command {
	return &cobra.Command{Use: "editor", Short: "Add editors", RunE: soon}
}
func soon(*cobra.Command, []string) error { return nil }
