__pycache__/
*.py[co]
.venv/
.pytest_cache/
logs/*
!logs/.gitkeep
*.db
