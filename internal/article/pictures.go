package article

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// Pictures are the stored images of articles, by their names. An article refers to the image of a name
// as "/media/" + name.
type Pictures map[string]Picture

// Picture describes a stored image and its copies.
type Picture struct {
	Copy
	Animated bool
	Copies   []Copy // by width; JPEG or PNG; one of them can be the image itself
}

// Copy is an image that is stored under a name.
type Copy struct {
	Name          string
	Type          string // media type
	Width, Height int    // pixels
	Bytes         int64
}

// Path returns the path of the image on this site.
func (c Copy) Path() string { return mediaPath + c.Name }

const mediaPath = "/media/"

var mediaReference = regexp.MustCompile(`(?:^|[" ,])/media/([A-Za-z0-9][A-Za-z0-9._-]*)`)

// MediaNames returns the names of the media to which an article refers, each once.
func (a *Article) MediaNames() []string {
	var names []string
	seen := map[string]bool{}
	add := func(text string) {
		for _, found := range mediaReference.FindAllStringSubmatch(text, -1) {
			if name := found[1]; !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	if a.Image != nil {
		add(a.Image.URL)
	}
	for _, author := range a.Authors {
		add(author.Portrait)
	}
	if strings.Contains(a.HTML, mediaPath) {
		add(a.HTML)
	}
	return names
}

// At returns the image at a path or an absolute URL of this site.
func (p Pictures) At(link, site string) (Picture, bool) {
	link = strings.TrimPrefix(link, strings.TrimSuffix(site, "/"))
	name, found := strings.CutPrefix(link, mediaPath)
	picture, known := p[name]
	return picture, found && known
}

// IsMedia reports whether a path or URL is that of a medium of this site.
func IsMedia(link, site string) bool {
	return strings.HasPrefix(strings.TrimPrefix(link, strings.TrimSuffix(site, "/")), mediaPath)
}

// still reports whether browsers may choose among the copies: an animation would stop, and WebP and
// AVIF are smaller than their copies.
func (p Picture) still() bool {
	return len(p.Copies) > 0 && !p.Animated && (p.Type == "image/jpeg" || p.Type == "image/png")
}

// Largest returns the copy for feeds and for browsers that do not choose, or the image itself.
func (p Picture) Largest() Copy {
	if p.still() {
		return p.Copies[len(p.Copies)-1]
	}
	return p.Copy
}

// Srcset returns the copies in the syntax of the attribute srcset, or an empty string if there is
// nothing to choose.
func (p Picture) Srcset() string {
	if !p.still() || len(p.Copies) < 2 {
		return ""
	}
	candidates := make([]string, len(p.Copies))
	for i, c := range p.Copies {
		candidates[i] = c.Path() + " " + strconv.Itoa(c.Width) + "w"
	}
	return strings.Join(candidates, ", ")
}

// Lead returns a lead image that refers to the largest copy, with what is known of it.
func (p Picture) Lead(image *Image) *Image {
	c := p.Largest()
	return &Image{URL: c.Path(), Alt: image.Alt, Type: c.Type, Bytes: c.Bytes, Width: c.Width, Height: c.Height}
}

// The most bytes of an image in a mail. An animation may have more, since its first frame would
// show less.
const (
	mailBytes          = 300_000
	mailAnimationBytes = 1_000_000
)

// ForMail returns the copy for a column of a mail: twice as wide as it is shown, for sharp screens, or
// narrower if that has too many bytes. It returns false if there is none that mail programs show.
func (p Picture) ForMail(column int) (Copy, bool) {
	if p.Type == "image/gif" && p.Animated && p.Bytes <= mailAnimationBytes {
		return p.Copy, true
	}
	if len(p.Copies) == 0 {
		return Copy{}, false // it could not be read
	}
	best := p.Copies[0]
	for _, c := range p.Copies[1:] {
		if best.Width < 2*column && c.Bytes <= mailBytes {
			best = c
		}
	}
	return best, true
}

// PageHTML returns HTML for a page: each stored image has its width and height, and copies for the
// browser to choose from. sizes is the value of the attribute of that name: how wide the page shows images.
func (p Pictures) PageHTML(source, sizes string) string {
	return p.rewrite(source, func(t *html.Token, picture Picture) {
		setSize(t, picture.Copy)
		if srcset := picture.Srcset(); srcset != "" && TokenAttribute(t, "srcset") == "" {
			SetTokenAttribute(t, "src", picture.Largest().Path())
			SetTokenAttribute(t, "srcset", srcset)
			SetTokenAttribute(t, "sizes", sizes)
		}
	})
}

// FeedHTML returns HTML for a feed: each stored image has a width and height, and one that is larger
// than a screen is replaced by a copy.
func (p Pictures) FeedHTML(source string) string {
	return p.rewrite(source, func(t *html.Token, picture Picture) {
		setSize(t, picture.Largest())
		SetTokenAttribute(t, "src", picture.Largest().Path())
	})
}

// rewrite calls change for each img element with a stored image of known size. All other bytes stay as
// they are.
func (p Pictures) rewrite(source string, change func(*html.Token, Picture)) string {
	if len(p) == 0 || !strings.Contains(source, mediaPath) {
		return source
	}
	var out strings.Builder
	out.Grow(len(source) + len(source)/8)
	for z := html.NewTokenizer(strings.NewReader(source)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		raw := z.Raw()
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken || !bytes.HasPrefix(raw, []byte("<img")) {
			out.Write(raw)
			continue
		}
		before := string(raw) // reading the token changes it
		t := z.Token()
		picture, known := p.At(TokenAttribute(&t, "src"), "")
		if !known || picture.Width <= 0 || picture.Height <= 0 {
			out.WriteString(before)
			continue
		}
		change(&t, picture)
		out.WriteString(t.String())
	}
}

// Size returns the size at which an image is shown. A width or height that the author gives stays, and
// the other is in proportion; 0 means that it is not given.
func (c Copy) Size(width, height int) (int, int) {
	switch {
	case width > 0 && height > 0 || c.Width <= 0 || c.Height <= 0:
		return width, height
	case width > 0:
		return width, max(1, c.Height*width/c.Width)
	case height > 0:
		return max(1, c.Width*height/c.Height), height
	}
	return c.Width, c.Height
}

func setSize(t *html.Token, c Copy) {
	width, _ := strconv.Atoi(TokenAttribute(t, "width"))
	height, _ := strconv.Atoi(TokenAttribute(t, "height"))
	width, height = c.Size(width, height)
	SetTokenAttribute(t, "width", strconv.Itoa(width))
	SetTokenAttribute(t, "height", strconv.Itoa(height))
}

// TokenAttribute returns the value of an attribute of an HTML token, empty without it.
func TokenAttribute(t *html.Token, name string) string {
	for _, at := range t.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

// SetTokenAttribute sets an attribute of an HTML token, and adds it if the token lacks it.
func SetTokenAttribute(t *html.Token, name, value string) {
	for i := range t.Attr {
		if t.Attr[i].Key == name {
			t.Attr[i].Val = value
			return
		}
	}
	t.Attr = append(t.Attr, html.Attribute{Key: name, Val: value})
}
