// Package delivery runs editions: from the tick that is due to the last outcome
// that is recorded. New makes an Engine, Engine.Run works until its context ends,
// and SendNow, Approve, Pause, Resume, Cancel and Decide are an editor's levers.
//
// Any number of engines may run on one store. They know nothing of each other: the
// rows of the store say who has what, and for how long.
package delivery
