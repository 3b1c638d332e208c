"""Certificates that cannot be verified are reported or refused; valid ones are not mentioned."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import DAY, article, url_of
from tests.support.site import Answer, SiteProxy

FIRST = 4774001
NOW = datetime.now(timezone.utc)
URL = url_of(FIRST).replace("http:", "https:")
NAMES = ["zjol.com.cn", "*.zjol.com.cn"]
WARNING = "zjolcrawl: https://zjnews.zjol.com.cn: its certificate cannot be verified ("

Key = ec.EllipticCurvePrivateKey


class Authority:
    """An unknown certificate authority and its certificates for hosts."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name("Authority of a test")
        self.certificate = _signed(self.name, self.name, self.key, self.key, [], NOW, ca=True)

    def certify(self, key: Key, names: list[str], until: datetime) -> x509.Certificate:
        return _signed(_name(names[0] if names else "a"), self.name, key, self.key, names, until)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed(
    subject: x509.Name, issuer: x509.Name, key: Key, signer: Key, names: list[str], until: datetime,
    *, ca: bool = False,
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(until + timedelta(days=30 if ca else 0))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        held = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(held, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _serving(folder: Path, key: Key, certificate: x509.Certificate) -> ssl.SSLContext:
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the crawls of the test trust."""
    made = Authority()
    file = tmp_path / "authorities.pem"
    file.write_bytes(made.certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return made


def serve(site: SiteProxy, folder: Path, authority: Authority, kind: str) -> None:
    """Serves the article over https with a given kind of certificate."""
    site.set(URL, Answer(body=article(DAY, FIRST), headers={"Content-Type": "text/html"}))
    key = ec.generate_private_key(ec.SECP256R1())
    later = NOW + timedelta(days=30)
    name = _name(NAMES[0])
    made = {
        "good": lambda: authority.certify(key, NAMES, later),
        "self-signed": lambda: _signed(name, name, key, key, NAMES, later),
        "expired": lambda: authority.certify(key, NAMES, NOW - timedelta(days=9)),
        "other host": lambda: authority.certify(key, ["www.example.org"], later),
        "parent host": lambda: authority.certify(key, ["zjol.com.cn"], later),
        "unknown authority": lambda: Authority().certify(key, NAMES, later),
        "no name": lambda: authority.certify(key, [], later),
        "self-signed, no name": lambda: _signed(name, name, key, key, [], later),
    }
    site.tls = _serving(folder, key, made[kind]())


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("self-signed", "CN=zjol.com.cn, self-signed"),
        ("expired", f"issued by CN=Authority of a test, valid until {NOW - timedelta(days=9):%Y-%m-%d}"),
        ("other host", "CN=www.example.org"),
        ("parent host", "CN=zjol.com.cn, issued by"),
        ("unknown authority", "issued by CN=Authority of a test"),
        ("no name", "issued by CN=Authority of a test"),
        ("self-signed, no name", "CN=zjol.com.cn, self-signed"),
    ],
)  # fmt: skip
def test_bad_certificate_is_said_or_refused(
    kind: str, words: str, authority: Authority, site: SiteProxy, db: Database[Any], crawl: Crawl,
    tmp_path: Path,
) -> None:  # fmt: skip
    serve(site, tmp_path, authority, kind)
    refused = crawl("article", url=URL, DOWNLOAD_VERIFY_CERTIFICATES=True, DOWNLOAD_TIMEOUT=20)
    assert refused.returncode == 1
    assert site.requests == []
    row = db.frontier.find_one()
    assert row is not None
    assert row["state"] == "failed"
    assert "robots.txt cannot be fetched: DownloadFailedError" in row["last_error"]
    done = crawl("article", url=URL, DOWNLOAD_TIMEOUT=20)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr
    (line,) = [each for each in done.stderr.splitlines() if each.startswith(WARNING)]
    assert words in line
    assert line.removeprefix("zjolcrawl: ") in db.runs.find_one(sort=[("$natural", -1)])["warnings"]  # type: ignore[index]
    assert [each["_id"] for each in db.articles.find()] == [url_of(FIRST)]
    assert site.urls() == ["https://zjnews.zjol.com.cn/robots.txt", URL]


@pytest.mark.parametrize("verified", [True, False])
def test_good_certificate_is_not_mentioned(
    verified: bool, authority: Authority, site: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    serve(site, tmp_path, authority, "good")
    done = crawl("article", url=URL, DOWNLOAD_VERIFY_CERTIFICATES=verified)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_host_without_tls_is_a_failure_and_no_certificate(
    authority: Authority, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    site.set(URL, Answer(fault="reset"))
    done = crawl("article", url=URL, DOWNLOAD_TIMEOUT=20)
    assert done.returncode == 1
    assert [row["state"] for row in db.frontier.find()] == ["failed"]
