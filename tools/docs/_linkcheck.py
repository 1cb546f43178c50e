"""The finished site, read as a browser would: no dead link, no missing anchor, nothing fetched from the network."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "preconnect", "manifest", "modulepreload"}


class _Page(HTMLParser):
    """Collects the anchors, the links and what the browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "link" and set(found.get("rel", "").split()) & LOADED_LINKS:
            self.fetched.append(found.get("href", ""))


def _is_remote(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in {"http", "https"}


def problems(site: Path) -> list[str]:
    """All complaints, as `page: what`."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        shown = path.relative_to(site.resolve())
        found += [f"{shown}: fetches {address} from the network" for address in page.fetched if _is_remote(address)]
        local = [a for a in (*page.links, *page.fetched) if a and not _is_remote(a) and not urlsplit(a).scheme]
        for address in local:
            target, anchor = urldefrag(address)
            file = (path.parent / unquote(urlsplit(target).path)).resolve() if target else path
            file = file / "index.html" if file.is_dir() else file
            if not file.exists():
                found.append(f"{shown}: dead link {address}")
            elif file in pages and unquote(anchor) not in pages[file].anchors:
                found.append(f"{shown}: no anchor for {address}")
    for style in site.rglob("*.css"):
        if "url(http" in (text := style.read_text(encoding="utf-8")) or "@import" in text:
            found.append(f"{style.relative_to(site)}: fetches something from the network")
    return found
