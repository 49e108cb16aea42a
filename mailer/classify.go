package mailer

// Class says what to do about a mail.
type Class string

// The classes.
const (
	Accepted  Class = "accepted"  // the server has it
	Suppress  Class = "suppress"  // there is no such address: never mail it again
	Soft      Class = "soft"      // refused for a reason that may pass: count, suppress after several
	OurFault  Class = "our fault" // refused for what we are or send: never suppress, stop and tell
	Later     Class = "later"     // not now: back off and try again
	Retry     Class = "retry"     // nothing was accepted: try again on a new connection
	Uncertain Class = "uncertain" // the server may or may not have it
)

// Classify says what the outcome of Ready or Deliver means: err is the error they
// returned, or nil.
func Classify(reply Reply, err error) Class { return Uncertain }
