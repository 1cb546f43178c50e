torngas>=2.0,<3
pytest>=8
