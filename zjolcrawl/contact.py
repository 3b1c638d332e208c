"""The setting CONTACT: who runs this crawler, told to the site in the User-Agent."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from urllib.parse import urlsplit

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from zjolcrawl import __version__

NOT_SET = (
    "CONTACT is not set, so the site cannot tell who runs this crawler."
    " Set it to an e-mail address or a web page of yours, for example with -s CONTACT=news-archive@example.org"
)
_EXPECTED = (
    "expected an e-mail address or an http(s) URL, as in news-archive@example.org or"
    " https://example.org/news-archive"
)


def user_agent(contact: str) -> str:
    """The User-Agent: `zjolcrawl/0.1.0 (+CONTACT)`, without the brackets if `contact` is empty."""
    return f"zjolcrawl/{__version__}" + (f" (+{contact})" if contact else "")


def check_contact(contact: str) -> None:
    """Raises ValueError unless it is empty, an e-mail address or an http(s) URL that fits a header."""
    if contact and not (_fits_header(contact) and (is_mail(contact) or _is_page(contact))):
        raise ValueError(f"setting CONTACT={contact}: {_EXPECTED}")


def contact_warning(settings: BaseSettings) -> str | None:
    """The warning of a run that does not say who runs it; None if CONTACT or USER_AGENT is set."""
    own_agent = (settings.getpriority("USER_AGENT") or 0) > SETTINGS_PRIORITIES["addon"]
    return None if settings.get("CONTACT") or own_agent else NOT_SET


class ContactAddon:
    """Scrapy add-on that puts CONTACT into USER_AGENT, unless a setting gives USER_AGENT itself.

    An add-on, because settings.py is read before `-s CONTACT=…`.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        """Scrapy's hook, called once the settings of a crawl are complete."""
        agent = user_agent(str(settings.get("CONTACT") or ""))
        settings.set("USER_AGENT", agent, "addon")


def _fits_header(text: str) -> bool:
    """Whether the text can stand in a comment of a header (RFC 9110, 5.6.5)."""
    return text.isascii() and text.isprintable() and not set(text) & set(' ()\\"<>')


def is_mail(text: str) -> bool:
    """Whether it is an e-mail address."""
    try:
        return _is_host(Address(addr_spec=text).domain)
    except (MessageError, ValueError, IndexError):  # it raises each of them for some broken address
        return False


def _is_page(text: str) -> bool:
    """Whether it is an http(s) URL without a user."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and not parts.username and _is_host(parts.hostname)
    except ValueError:
        return False


def _is_host(name: str | None) -> bool:
    labels = (name or "").split(".")
    return len(labels) > 1 and all(
        label and label.replace("-", "").isalnum() and label.strip("-") == label for label in labels
    )
