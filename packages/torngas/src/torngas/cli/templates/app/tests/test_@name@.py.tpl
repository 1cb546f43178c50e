def test_the_page_of_$name(torngas_client):
    page = torngas_client.get("/$name/")
    assert page.status_code == 200
    assert "<h1>$name</h1>" in page.text
