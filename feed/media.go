package feed

import "encoding/xml"

// media returns the Media RSS elements for an entry's image. It adds no media:description,
// which many programs take for the item's description.
func (e *entry) media() ([]mediaContent, *mediaThumbnail) {
	image := e.image
	if image == nil {
		return nil, nil
	}
	content := mediaContent{URL: image.URL, Type: image.Type, Bytes: image.Bytes, Medium: "image", Width: image.Width, Height: image.Height}
	return []mediaContent{content}, &mediaThumbnail{URL: image.URL, Width: image.Width, Height: image.Height}
}

type mediaContent struct {
	XMLName xml.Name `xml:"media:content"`
	URL     string   `xml:"url,attr"`
	Type    string   `xml:"type,attr,omitempty"`
	Bytes   int64    `xml:"fileSize,attr,omitempty"`
	Medium  string   `xml:"medium,attr"`
	Width   int      `xml:"width,attr,omitempty"`
	Height  int      `xml:"height,attr,omitempty"`
}

type mediaThumbnail struct {
	XMLName xml.Name `xml:"media:thumbnail"`
	URL     string   `xml:"url,attr"`
	Width   int      `xml:"width,attr,omitempty"`
	Height  int      `xml:"height,attr,omitempty"`
}
