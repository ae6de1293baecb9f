"""What browsers are told with every answer of ours, so that a mistake elsewhere does less harm."""

from flask import Flask, Response

_A_YEAR = 365 * 24 * 60 * 60

_FROM_US = ("script", "style", "font", "media", "connect")
_CONTENT = (
    "default-src 'none'; "
    + "".join(f"{kind}-src 'self'; " for kind in _FROM_US)
    + "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT,
    "X-Content-Type-Options": "nosniff",
    # For browsers that do not know frame-ancestors.
    "X-Frame-Options": "DENY",
    # Addresses of ours are nobody else's business; our own pages may know them.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def set_headers(application: Flask, *, is_https: bool) -> None:
    """Add them to every answer of the application; what a view sets itself stays."""

    def protect(answer: Response) -> Response:
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        if is_https:
            answer.headers.setdefault("Strict-Transport-Security", f"max-age={_A_YEAR}; includeSubDomains")
        return answer

    application.after_request(protect)
