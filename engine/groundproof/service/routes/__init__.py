"""One file for each family of addresses. Thin: they read a request, call the service, name the answer."""
