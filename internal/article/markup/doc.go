// Package markup converts what people write to safe HTML. Start with Markdown and Sanitize. The HTML of
// every article, and of what editors write into an edition, comes from here.
package markup
