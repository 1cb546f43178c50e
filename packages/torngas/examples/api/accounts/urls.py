from torngas import Url, route

u = Url("accounts.handlers")
urls = route(
    u.path("/tokens", "AllTokens", name="Tokens"),
    u.path("/tokens/<str:token_id>", "OneToken", name="Token"),
)
