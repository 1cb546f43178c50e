def test_the_front_page_counts_visits(torngas_client):
    assert "1 time" in torngas_client.get("/").text
    page = torngas_client.get("/")
    assert page.status_code == 200
    assert "2 times" in page.text
    with torngas_client.session() as session:
        assert session["visits"] == 2


def test_what_is_not_there_is_404(torngas_client):
    assert torngas_client.get("/nothing-here").status_code == 404
