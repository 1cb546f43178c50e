"""Names, passwords, staff and languages."""


def test_a_name_belongs_to_who_took_it_first(author):
    author.post("/logout")
    page = author.post("/register", data={"name": "grace", "password": "something else"})
    assert page.status_code == 422
    assert "taken" in page.text


def test_nobody_learns_which_names_there_are(torngas_client):
    for name in ("ada", "eve"):
        page = torngas_client.post("/login", data={"name": name, "password": "wrong"})
        assert page.status_code == 422
        assert "No user with this name and password." in page.text


def test_staff_pages_are_for_staff(author):
    assert author.get("/staff").status_code == 403
    author.post("/logout")
    author.post("/login", data={"name": "ada", "password": "lovelace"})
    assert "12" in author.get("/staff").text


def test_a_visitor_chooses_the_language(torngas_client):
    page = torngas_client.post("/language", data={"language": "zh_CN", "next": "/posts"})
    assert '<html lang="zh-CN"' in page.text
    assert torngas_client.cookies["language"] == "zh_CN"
