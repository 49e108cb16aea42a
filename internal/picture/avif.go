package picture

import "encoding/binary"

// inspectAVIF reads the size of an AVIF image from its properties (ISO/IEC 23008-12, section 6.5): the
// largest size, since tiles and thumbnails have smaller ones, turned as it is shown.
func inspectAVIF(data []byte) (Info, error) {
	info := Info{Type: AVIF, Orientation: 1, Animated: string(data[8:12]) == "avis"}
	turned := false
	boxes(data, 0, func(name string, content []byte) {
		switch {
		case name == "ispe" && len(content) >= 12:
			width, height := int(binary.BigEndian.Uint32(content[4:])), int(binary.BigEndian.Uint32(content[8:]))
			if width > 0 && height > 0 && width < 1<<16 && height < 1<<16 && width*height > info.Width*info.Height {
				info.Width, info.Height = width, height
			}
		case name == "irot" && len(content) >= 1:
			turned = content[0]&1 == 1
		}
	})
	if info.Width == 0 {
		return info, ErrUnknown
	}
	if turned {
		info.Width, info.Height = info.Height, info.Width
	}
	return info, nil
}

// avifOrientation returns the orientation of an AVIF image from its properties irot and imir
// (ISO/IEC 23008-12, sections 6.5.10 and 6.5.12), as EXIF numbers it. They are those of the first
// image that has any; images and their transparency are turned alike.
func avifOrientation(data []byte) int {
	quarters, mirrored, upsideDown := 0, false, false
	boxes(data, 0, func(name string, content []byte) {
		switch {
		case name == "irot" && len(content) >= 1:
			quarters = int(content[0] & 3) // anti-clockwise
		case name == "imir" && len(content) >= 1:
			mirrored, upsideDown = true, content[0]&1 == 0
		}
	})
	if mirrored && upsideDown { // top and bottom exchanged: mirrored, after half a turn
		quarters = (quarters + 2) % 4
	}
	if mirrored {
		return [4]int{2, 7, 4, 5}[quarters]
	}
	return [4]int{1, 8, 3, 6}[quarters]
}

// containers are the boxes that contain boxes, with the bytes before these.
var containers = map[string]int{"meta": 4, "iprp": 0, "ipco": 0, "iinf": 6}

// boxes calls visit for each box of an ISO base media file, and for those inside the containers.
func boxes(data []byte, depth int, visit func(name string, content []byte)) {
	for len(data) >= 8 && depth < 8 {
		size := int64(binary.BigEndian.Uint32(data))
		head := int64(8)
		switch {
		case size == 1 && len(data) >= 16:
			size, head = int64(binary.BigEndian.Uint64(data[8:])), 16 //nolint:gosec // checked below
		case size == 0:
			size = int64(len(data))
		}
		if size < head || size > int64(len(data)) {
			return
		}
		name, content := string(data[4:8]), data[head:size]
		visit(name, content)
		if skip, found := containers[name]; found && len(content) >= skip {
			boxes(content[skip:], depth+1, visit)
		}
		data = data[size:]
	}
}

// cleanAVIF returns an AVIF image with zeros in place of its EXIF and XMP data. Removing them would
// move the pixels, whose positions the file names.
func cleanAVIF(data []byte) []byte {
	private := map[uint32]bool{} // ids of the items
	var places []byte
	inner := uint64(len(data)) // where the data begin that the meta box itself has; the end if it has none
	boxes(data, 0, func(name string, content []byte) {
		switch {
		case name == "infe":
			if id, kind := itemInfo(content); kind == "Exif" || kind == "mime" {
				private[id] = true
			}
		case name == "iloc":
			places = content
		case name == "idat":
			inner = uint64(cap(data) - cap(content)) // both reach to the same end
		}
	})
	if len(private) == 0 {
		return data
	}
	out := append([]byte(nil), data...)
	for _, e := range itemExtents(places, inner) {
		if private[e.item] && e.from <= uint64(len(out)) && e.length <= uint64(len(out))-e.from {
			clear(out[e.from : e.from+e.length])
		}
	}
	return out
}

// itemInfo returns the id and the kind of an item from its infe box of version 2 or 3 (ISO/IEC 14496-12,
// section 8.11.6).
func itemInfo(box []byte) (id uint32, kind string) {
	switch {
	case len(box) >= 12 && box[0] == 2:
		return uint32(binary.BigEndian.Uint16(box[4:])), string(box[8:12])
	case len(box) >= 14 && box[0] == 3:
		return binary.BigEndian.Uint32(box[4:]), string(box[10:14])
	}
	return 0, ""
}

// extent is a part of a file that belongs to an item.
type extent struct {
	item         uint32
	from, length uint64
}

// itemExtents reads an iloc box of version 0, 1 or 2 (ISO/IEC 14496-12, section 8.11.3): the extents that are
// positions in the file, or in the idat box, which begins at inner.
func itemExtents(box []byte, inner uint64) []extent {
	r := reader{data: box}
	version := r.number(4) >> 24
	sizes := r.number(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	idSize := 2
	switch {
	case version > 2:
		return nil
	case version == 2:
		idSize = 4
	case version == 0:
		indexSize = 0
	}
	var out []extent
	for range r.number(idSize) {
		item := uint32(r.number(idSize)) //nolint:gosec // at most four bytes
		method := uint64(0)
		if version > 0 {
			method = r.number(2) & 15
		}
		r.number(2) // the file that contains it: this one
		base := r.number(baseSize)
		if method == 1 {
			base += inner
		}
		for range r.number(2) {
			r.number(indexSize)
			from := base + r.number(offsetSize)
			if length := r.number(lengthSize); method < 2 && !r.failed {
				out = append(out, extent{item, from, length})
			}
			if r.failed || indexSize+offsetSize+lengthSize == 0 { // numbers without bytes could be repeated at will
				break
			}
		}
		if r.failed {
			break
		}
	}
	return out
}

// reader reads numbers from a box.
type reader struct {
	data   []byte
	failed bool // the box ended too early
}

func (r *reader) number(bytes int) uint64 {
	if len(r.data) < bytes {
		r.failed = true
		return 0
	}
	var n uint64
	for _, b := range r.data[:bytes] {
		n = n<<8 | uint64(b)
	}
	r.data = r.data[bytes:]
	return n
}
