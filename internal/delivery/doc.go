// Package delivery runs editions, from the due tick to the last recorded outcome. New makes an
// Engine, and Engine.Run works until its context ends. Editors control editions with SendNow,
// Approve, Pause, Resume, Cancel and ResolveUncertain.
//
// Any number of engines may run on one store. They coordinate only through leases in the store,
// which record which node holds which chunk, and until when.
package delivery
