package main

import "context"

func measureChange(context.Context, options) error { return nil }
