"""Rendering through torngas' loaders against the engines alone: a page of 50 rows with Tornado's names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import jinja2
import tornado.template
from harness import Bench
from mako.lookup import TemplateLookup

from torngas.template.base import AppsLoader
from torngas.template.jinja2_loader import Jinja2TemplateLoader
from torngas.template.mako_loader import MakoTemplateLoader

bench = Bench("torngas-templates", __doc__, unit="us", rounds=15)
HOLDER = tempfile.TemporaryDirectory(prefix="torngas-bench-")  # removed when this process ends
FOLDER = Path(HOLDER.name)
ROWS = [{"name": f"row {n}", "value": n * 1.5} for n in range(50)]
SOURCES = {
    "tornado": "{% for row in rows %}<tr><td>{{ row['name'] }}<td>{{ row['value'] }}</tr>{% end %}",
    "jinja2": "{% for row in rows %}<tr><td>{{ row.name }}<td>{{ row.value }}</tr>{% endfor %}",
    "mako": "\n% for row in rows:\n<tr><td>${row['name']}<td>${row['value']}</tr>\n% endfor\n",
}
for engine, source in SOURCES.items():
    (FOLDER / f"{engine}.html").write_text(f"<h1>title</h1><table>{source}</table>")


def names() -> dict[str, Any]:
    """What Tornado's `get_template_namespace` gives a template."""
    made = dict.fromkeys(("handler", "request", "current_user", "locale", "_", "static_url", "reverse_url", "modules"))
    return {**made, "xsrf_form_html": lambda: "", "rows": ROWS}


def rendering(render: Any) -> Any:
    def run(n: int) -> None:
        for _ in range(n):
            render(names())

    return run


@bench.peer("engine alone")
def alone() -> dict[str, Any]:
    loader = tornado.template.Loader(str(FOLDER))
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(str(FOLDER)), autoescape=True)
    lookup = TemplateLookup([str(FOLDER)], default_filters=["h"])
    return {
        "tornado": rendering(lambda space: loader.load("tornado.html").generate(**space)),
        "jinja2": rendering(lambda space: environment.get_template("jinja2.html").render(space).encode()),
        "mako": rendering(lambda space: lookup.get_template("mako.html").render_unicode(**space).encode()),
    }


@bench.peer("torngas", package="torngas")
def ours() -> dict[str, Any]:
    loaders = {
        "tornado": AppsLoader([FOLDER]),
        "jinja2": Jinja2TemplateLoader([FOLDER]),
        "mako": MakoTemplateLoader([FOLDER]),
    }

    def of(engine: str, loader: Any) -> Any:
        return rendering(lambda space: loader.load(f"{engine}.html").generate(**space))

    return {engine: of(engine, loader) for engine, loader in loaders.items()}


for engine in SOURCES:
    bench.target(engine, peer="torngas", at_most=1.05, of="engine alone")


if __name__ == "__main__":
    raise SystemExit(bench.run())
