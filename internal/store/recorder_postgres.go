package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// places says which note is about which edition and subscriber.
func (b bulk) places() map[[2]int64]int {
	out := make(map[[2]int64]int, b.n)
	for i := range b.n {
		row := b.values(i)
		out[[2]int64{row[0].(int64), row[1].(int64)}] = i
	}
	return out
}

// hear tells a note that its row was changed.
func (b bulk) hear(places map[[2]int64]int, edition, subscriber int64) {
	if at, found := places[[2]int64{edition, subscriber}]; found {
		b.changed(at)
	}
}

// changeAll runs a query for all notes at once.
func (c *conn) changeAll(ctx context.Context, b bulk) error {
	places := b.places()
	return c.Each(ctx, b.query, b.columns(), func(rows *sql.Rows) error {
		var edition, subscriber int64
		if err := rows.Scan(&edition, &subscriber); err != nil {
			return err
		}
		b.hear(places, edition, subscriber)
		return nil
	})
}

// columns are the values of all notes, an array of numbers or texts for each
// parameter of the query.
func (b bulk) columns() []any {
	var columns []any
	for i := range b.n {
		for at, value := range b.values(i) {
			switch value := value.(type) {
			case int64:
				if len(columns) == at {
					columns = append(columns, make([]int64, 0, b.n))
				}
				columns[at] = append(columns[at].([]int64), value)
			case string:
				if len(columns) == at {
					columns = append(columns, make([]string, 0, b.n))
				}
				columns[at] = append(columns[at].([]string), value)
			}
		}
	}
	return columns
}

// atOnce commits outcomes, intents or both by one statement: to PostgreSQL a
// transaction of two statements is four journeys. No row is in both, as an intent is
// for another mail. It may be run again when nobody knows whether it was
// committed: outcomes find nothing to change then, and intents find themselves.
func (c *conn) atOnce(ctx context.Context, outcomes, intents bulk) error {
	switch {
	case outcomes.n == 0:
		return c.change(ctx, intents)
	case intents.n == 0:
		return c.change(ctx, outcomes)
	}
	kinds, places := [2]bulk{outcomes, intents}, [2]map[[2]int64]int{outcomes.places(), intents.places()}
	return c.Each(ctx, "delivery.record", append(outcomes.columns(), intents.columns()...), func(rows *sql.Rows) error {
		var which int
		var edition, subscriber int64
		if err := rows.Scan(&which, &edition, &subscriber); err != nil {
			return err
		}
		kinds[which].hear(places[which], edition, subscriber)
		return nil
	})
}

// combineRecords makes one statement of those for outcomes and intents.
func combineRecords(q *sqldb.Queries) string {
	outcomes, intents := q.Text(Postgres, "delivery.results"), q.Text(Postgres, "delivery.intents")
	own := parameter.FindAllString(outcomes, -1)
	shifted := parameter.ReplaceAllStringFunc(intents, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		return "$" + strconv.Itoa(n+highest(own))
	})
	return fmt.Sprintf("WITH done AS (%s), next AS (%s) SELECT 0, edition, subscriber FROM done UNION ALL SELECT 1, edition, subscriber FROM next", outcomes, shifted)
}

var parameter = regexp.MustCompile(`\$\d+`)

// highest is the highest number of some parameters.
func highest(parameters []string) int {
	most := 0
	for _, p := range parameters {
		n, _ := strconv.Atoi(p[1:])
		most = max(most, n)
	}
	return most
}
