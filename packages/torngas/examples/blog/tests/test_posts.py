"""Reading and writing, as visitors and authors do it."""

import pytest
from posts.handlers import post_saved

POST = {"title": "A moth in a relay", "text": "Found at 15:45.", "tags": "Bugs, hardware"}


def test_the_front_page_shows_the_newest_posts(torngas_client):
    assert "Live by WebSocket" in torngas_client.get("/").text


@pytest.mark.parametrize(("query", "found"), [({"tag": "cache"}, "stampedes"), ({"search": "WEBSOCKET"}, "Live by")])
def test_posts_are_found_by_tag_and_by_word(torngas_client, query, found):
    page = torngas_client.get("/posts", query=query)
    assert found in page.text
    assert "Hello, Tornado" not in page.text


def test_a_page_takes_few_queries(torngas_client, torngas_assert_num_queries):
    with torngas_assert_num_queries(3):  # the count, the posts with their authors, the tags
        torngas_client.get("/posts", query={"page": 2})


def test_writing_needs_a_login_and_leads_back(torngas_client):
    page = torngas_client.get("/write")
    assert page.url.startswith("/login?next=%2Fwrite")
    page = torngas_client.post(page.url, data={"name": "ada", "password": "lovelace"})
    assert page.url == "/write"


def test_a_post_is_written_shown_and_announced(author, torngas_capture_signals):
    author.get("/")  # is cached now
    with torngas_capture_signals(post_saved) as sent:
        page = author.post("/write", data=POST)
    assert [one.status_code for one in page.history] == [302]
    assert "Saved." in page.text
    assert "hardware" in page.text
    assert len(sent) == 1
    assert POST["title"] in author.get("/").text


def test_a_post_without_a_title_is_refused_and_nothing_typed_is_lost(author):
    page = author.post("/write", data={**POST, "title": " "})
    assert page.status_code == 422
    assert POST["text"] in page.text


def test_only_its_author_and_staff_edit_a_post(author):
    assert author.get("/posts/1/edit").status_code == 403
    author.post("/logout")
    author.post("/login", data={"name": "ada", "password": "lovelace"})
    assert author.get("/posts/1/edit").status_code == 200


def test_a_comment_reaches_who_is_reading(author):
    with author.websocket("/posts/1/comments") as socket:
        socket.send("First!")
        assert socket.receive_json() == {"author": "grace", "text": "First!"}
    assert "First!" in author.get("/posts/1").text
