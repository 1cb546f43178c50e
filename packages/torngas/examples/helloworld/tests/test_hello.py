"""What the three pages say."""


def test_the_front_page_greets_in_chinese(torngas_client):
    assert "你好，世界" in torngas_client.get("/").text


def test_the_greeting_of_a_route_reaches_its_handler(torngas_client):
    assert "Hello, world" in torngas_client.get("/usa").text


def test_the_api_answers_json(torngas_client):
    answer = torngas_client.get("/api/hello", query={"name": "ada"})
    assert answer.json() == {"hello": "ada", "version": "2.0"}
