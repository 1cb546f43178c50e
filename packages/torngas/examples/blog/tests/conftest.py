"""Every test has a database of its own, with the dozen posts of the seed in it."""

import pytest

from torngas.settings_manager import Settings, load_settings


@pytest.fixture
def torngas_settings(tmp_path):
    database = {"default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{tmp_path / 'blog.db'}"}]}}
    return Settings({**load_settings("settings.settings"), "DATABASE_CONNECTION": database})


@pytest.fixture
def torngas_app(torngas_app):
    import seed

    seed.fill_if_empty()
    return torngas_app


@pytest.fixture
def author(torngas_client):
    """A visitor who has just registered."""
    torngas_client.post("/register", data={"name": "grace", "password": "nanoseconds"})
    return torngas_client
