# Reads feeds with feedparser and prints what it found as JSON, a line a file.
import html, json, sys, time
import feedparser


def markup(entry):
    detail = entry.content[0] if entry.get("content") else entry.get("summary_detail")
    if not detail:
        return ""
    return html.escape(detail.value) if detail.type == "text/plain" else detail.value


def date(entry, name):
    parsed = entry.get(name + "_parsed")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", parsed) if parsed else ""


for name in sys.argv[1:]:
    with open(name, "rb") as f:
        d = feedparser.parse(f.read())

    print(json.dumps({
        "bozo": bool(d.bozo),
        "problem": str(d.get("bozo_exception", "")),
        "title": d.feed.get("title", ""),
        "items": [{
            "id": e.get("id", ""),
            "title": e.get("title", ""),
            "link": e.get("link", ""),
            "published": date(e, "published") if "published" in e else "",
            "updated": date(e, "updated") if "updated" in e else "",
            "content": markup(e),
            "enclosures": [l.get("href") for l in e.get("enclosures", [])],
            "authors": [a.get("name", "") for a in e.get("authors", [])],
            "categories": [t.get("term", "") for t in e.get("tags", [])],
        } for e in d.entries],
    }))
