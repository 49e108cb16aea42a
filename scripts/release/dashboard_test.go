package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// checkDashboard compares a dashboard with Grafana's own types of dashboards, panels and queries, and returns it. The
// error has fields that they do not have, those that are missing, and values that Grafana refuses.
func checkDashboard(data []byte) (d dashboard.Dashboard, err error) {
	// It returns an empty list if it has found nothing, and leaves the panels out then.
	err = new(dashboard.Dashboard).UnmarshalJSONStrict(data)
	if problems := (cog.BuildErrors{}); errors.As(err, &problems) && len(problems) == 0 {
		err = nil
	}
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	return d, errors.Join(err, d.Validate())
}

func TestDashboardMatchesGrafanasTypes(t *testing.T) {
	t.Parallel()
	plugins.RegisterDefaultPlugins() // the types of panels and of queries of Prometheus
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "monitoring", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := checkDashboard(data)
	if err != nil {
		t.Fatal(err)
	}
	queries := 0
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue
		}
		for _, target := range p.Panel.Targets {
			if query, ok := target.(*prometheus.Dataquery); !ok {
				t.Errorf("%q has a query of type %T", *p.Panel.Title, target)
			} else if query.Expr == "" {
				t.Errorf("%q has an empty query", *p.Panel.Title)
			}
			queries++
		}
	}
	if queries == 0 {
		t.Error("the dashboard has no query")
	}
	// Each change has to be found, or the comparison proves nothing.
	for from, to := range map[string]string{`"gridPos"`: `"gridPosition"`, `"expr"`: `"expression"`, `"displayMode"`: `"displayModus"`, `"schemaVersion": 38`: `"schemaVersion": "38"`} {
		changed := bytes.Replace(data, []byte(from), []byte(to), 1)
		if _, err := checkDashboard(changed); bytes.Equal(changed, data) || err == nil {
			t.Error(errors.Join(err, errors.New(from+" can be replaced by "+to)))
		}
	}
}
