package delivery

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/store"
)

// NoticeKind is the kind of the jobs that send a mail to one person.
const NoticeKind = "notice"

// Notice is a mail to one person that is no edition: a request to confirm, or a
// welcome.
type Notice struct {
	Mail       string   `json:"mail"` // template: "confirm" or "welcome"
	Subscriber int64    `json:"subscriber"`
	Digests    []string `json:"digests"` // names that it is about
}

// Job is the job that sends the notice. While one is waiting, another of the same
// is not added.
func (n Notice) Job() (store.Job, error) {
	payload, err := json.Marshal(n)
	key := fmt.Sprintf("%s:%d:%s", n.Mail, n.Subscriber, strings.Join(n.Digests, ","))
	return store.Job{Kind: NoticeKind, Key: key, Payload: payload}, err
}
