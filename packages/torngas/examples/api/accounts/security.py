"""Who may do what: one account, and the tokens that it logs in for."""

from torngas.auth import BearerAuth, Passwords, ScryptCost, Tokens

passwords = Passwords(ScryptCost(log_n=10))  # quick, since this is a demo; the default is dearer
tokens = Tokens("default", lifetime=3600)
bearer = BearerAuth(tokens)

# The password is "correct horse".
ACCOUNTS = {"ada": "$scrypt$ln=10,r=8,p=3$dIF6OeJCAJlRws9T8gy4BQ$FDT/fRhai3p0ZxmqcZch7AQMmLEZEnw7XxiyYo3xhuk"}
