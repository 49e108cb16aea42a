# Reads feeds with feedparser and prints what it found as JSON, a line a file.
import json, sys
import feedparser

for name in sys.argv[1:]:
    with open(name, "rb") as f:
        d = feedparser.parse(f.read())

    print(json.dumps({
        "bozo": bool(d.bozo),
        "problem": str(d.get("bozo_exception", "")),
        "version": d.version,
        "title": d.feed.get("title", ""),
        "ids": [e.get("id", "") for e in d.entries],
        "titles": [e.get("title", "") for e in d.entries],
        "links": [e.get("link", "") for e in d.entries],
        "updated": [e.get("updated", "")[:19] for e in d.entries],
        "contents": [len(e.get("content", [])) for e in d.entries],
        "enclosures": [[l.get("href") for l in e.get("enclosures", [])] for e in d.entries],
    }))
