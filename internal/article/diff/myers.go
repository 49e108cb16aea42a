package diff

import "slices"

// edit replaces the elements from oldFrom to oldTo by those from newFrom to newTo.
type edit struct{ oldFrom, oldTo, newFrom, newTo int }

// maxChanges bounds the work and the memory of a comparison. Versions with more changed elements count
// as different from the first change to the last.
const maxChanges = 1000

// compare returns the edits that turn a into b, in order.
func compare(a, b []string) []edit {
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA--
		endB--
	}
	if endA == start && endB == start {
		return nil
	}
	edits, found := shortest(a[start:endA], b[start:endB])
	if !found {
		return []edit{{start, endA, start, endB}}
	}
	for i := range edits {
		e := &edits[i]
		e.oldFrom, e.oldTo, e.newFrom, e.newTo = e.oldFrom+start, e.oldTo+start, e.newFrom+start, e.newTo+start
	}
	return edits
}

// row holds, for each diagonal k from -d-1 to d+1, the furthest element of a that is reached. A
// diagonal is the difference of the positions in a and b.
type row []int

func (r row) at(k int) int { return r[k+len(r)/2] }

// from returns the diagonal from which step d reaches diagonal k: the one above after an insertion, the
// one below after a removal.
func (r row) from(k, d int) int {
	if k == -d || k != d && r.at(k-1) < r.at(k+1) {
		return k + 1
	}
	return k - 1
}

// shortest finds the fewest edits by the algorithm of Myers ("An O(ND) Difference Algorithm and Its
// Variations", 1986), if there are at most maxChanges.
func shortest(a, b []string) (edits []edit, found bool) {
	most := min(len(a)+len(b), maxChanges)
	all := make(row, 2*most+3)
	middle := most + 1
	var steps []row // all before each step
	for d := 0; d <= most; d++ {
		before := slices.Clone(all[middle-d-1 : middle+d+2])
		steps = append(steps, before)
		for k := -d; k <= d; k += 2 {
			x := 0
			if d > 0 {
				from := before.from(k, d)
				if x = before.at(from); from < k {
					x++
				}
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			if all[middle+k] = x; x >= len(a) && x-k >= len(b) {
				return trace(steps, len(a), len(b)), true
			}
		}
	}
	return nil, false
}

// trace follows the steps back from the ends of both texts, and joins edits that touch.
func trace(steps []row, x, y int) []edit {
	var edits []edit
	for d := len(steps) - 1; d > 0; d-- {
		from := steps[d].from(x-y, d)
		oldX := steps[d].at(from)
		e := edit{oldX, oldX, oldX - from, oldX - from}
		if from < x-y {
			e.oldTo++
		} else {
			e.newTo++
		}
		if n := len(edits); n > 0 && e.oldTo == edits[n-1].oldFrom && e.newTo == edits[n-1].newFrom {
			edits[n-1].oldFrom, edits[n-1].newFrom = e.oldFrom, e.newFrom
		} else {
			edits = append(edits, e)
		}
		x, y = oldX, oldX-from
	}
	slices.Reverse(edits)
	return edits
}
