package ingest

// LimitMemory sets how many bytes of parsed articles and media an import holds in memory.
func (im *Importer) LimitMemory(bytes int64) { im.memory = bytes }
