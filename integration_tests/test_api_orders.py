"""The example of an API: a login, scopes, pages, versions, an order that is placed once, and news of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

API = Path(__file__).resolve().parents[1] / "packages/torngas/examples/api"
PROGRAM = """
import asyncio, sys
sys.path.insert(0, ".")
from torngas.testing import Client
from torngas.testing.project import project_application

with project_application("settings.settings") as application, Client(application) as client:
    def login(**more):
        return client.post("/tokens", json={"name": "ada", "password": "correct horse", **more}).json()

    assert client.post("/tokens", json={"name": "ada", "password": "wrong"}).status_code == 403
    assert client.post("/tokens", json={"name": "eve", "password": "wrong"}).status_code == 403
    issued = login()
    ada = {"Authorization": "Bearer " + issued["token"]}
    reader = {"Authorization": "Bearer " + login(may_write=False)["token"]}

    # scopes
    order = {"product": "coffee"}
    assert client.post("/orders", json=order).status_code == 401
    assert client.post("/orders", json={}).status_code == 401, "who may not is told so before what is wrong"
    refused = client.post("/orders", json=order, headers=reader)
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="orders:write"' in refused.headers["WWW-Authenticate"]

    # once
    key = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first, second = (client.post("/orders", json=order, headers={**ada, **key}) for _ in range(2))
    assert (first.status_code, first.body, first.location) == (201, second.body, "/orders/2")
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    other = client.post("/orders", json={"product": "tea"}, headers={**ada, **key})
    assert other.status_code == 422

    # pages
    page = client.get("/orders?per_page=1")
    assert [one["product"] for one in page.json()] == ["tea"]
    assert page.headers["X-Total-Count"] == "2"
    assert '</orders?page=2&per_page=1>; rel="next"' in page.headers["Link"]
    assert client.get("/orders?page=9").status_code == 404

    # versions
    tag = client.get("/orders/2").headers["ETag"]
    assert client.get("/orders/2", headers={"If-None-Match": tag}).status_code == 304
    assert client.put("/orders/2", json=order, headers=ada).status_code == 428
    changed = client.put("/orders/2", json={**order, "size": "large"}, headers={**ada, "If-Match": tag})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.headers["ETag"] != tag
    assert client.put("/orders/2", json=order, headers={**ada, "If-Match": tag}).status_code == 412

    # the document
    paths = client.get("/openapi.json").json()
    assert paths["paths"]["/orders"]["post"]["security"] == [{"bearer": ["orders:write"]}]
    assert paths["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert "security" not in paths["paths"]["/orders"]["get"]

    # news
    async def news():
        reader, writer = await asyncio.open_connection("127.0.0.1", client._transport()._port)
        writer.write(b"GET /orders/events HTTP/1.0\\r\\nHost: localhost\\r\\nLast-Event-ID: 2\\r\\n\\r\\n")
        assert b"text/event-stream" in await reader.readuntil(b"\\r\\n\\r\\n")
        await client.apost("/orders", json={"product": "milk"}, headers=ada)
        event = await reader.readuntil(b"\\n\\n")
        writer.close()
        await writer.wait_closed()
        return event

    assert client.run(asyncio.wait_for(news(), 30)).startswith(b"event: order\\nid: 3\\ndata: ")

    # out
    listed = client.get("/tokens", headers=ada).json()
    assert [one["scopes"] for one in listed] == [["orders:write"], []]
    assert [one["token"] for one in listed] == [None, None]
    assert client.delete("/tokens/" + issued["id"], headers=ada).status_code == 204
    assert client.post("/orders", json=order, headers=ada).status_code == 401
print("all of it")
"""


def test_the_example_does_all_of_it(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=API,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it\n")
    assert "correct horse" not in done.stdout + done.stderr
