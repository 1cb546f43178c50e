from torngas import Url, route

u = Url("accounts.handlers")
urls = route(
    u(name="Register", pattern=r"/register", handler="Register"),
    u(name="Login", pattern=r"/login", handler="Login"),
    u(name="Logout", pattern=r"/logout", handler="Logout"),
    u(name="Language", pattern=r"/language", handler="Language"),
)
