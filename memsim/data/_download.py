"""One file from the network to disk: resumed where it stopped, checked, and moved into place when it is whole."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROUNDS = 3  # over all addresses
WAIT = 1.0  # seconds before the second round; doubled for each further one
TIMEOUT = 30.0  # seconds of silence
BLOCK = 2**18  # bytes

Show = Callable[[int, int | None], None]  # bytes on disk so far, bytes in all where the server says


def download(urls: tuple[str, ...], target: Path, checksum: str, *, show: Show = lambda done, total: None) -> None:
    """Fetches `target` from the first of `urls` that delivers a file with this `checksum`.

    What has arrived is kept in `target.partial`: the next round, or the next call after an interruption, asks only for
    the rest. A server that cannot resume sends everything again. A file with another checksum is deleted; if it was
    put together from parts it is fetched once more as a whole.

    **Arguments:**

    - `urls`: Addresses of the same file.
    - `target`: Where it goes; it appears there whole or not at all.
    - `checksum`: "md5:..." or "sha256:...".
    - `show`: Told about every block.

    Raises `ConnectionError` where no address delivered the whole file, and `ValueError` for an address that is not of
    the web and where all that delivered a file had another checksum.
    """
    for url in urls:
        check_address(url)
    partial = target.with_name(target.name + ".partial")
    faults: dict[str, str] = {}
    wrong: set[str] = set()
    for attempt in range(ROUNDS):
        for url in (url for url in urls if url not in wrong):
            resumed = partial.is_file() and partial.stat().st_size > 0
            try:
                _fetch(url, partial, show)
            # urllib: OSError for the network and for HTTP statuses, HTTPException for what breaks the protocol.
            except (OSError, http.client.HTTPException) as error:
                faults[url] = f"{type(error).__name__}: {error}"
                continue
            found = file_checksum(partial, checksum)
            if found == checksum:
                os.replace(partial, target)
                return
            faults[url] = f"a file of {partial.stat().st_size} bytes with {found}"
            partial.unlink()
            if not resumed:
                wrong.add(url)
        if wrong == set(urls):
            break
        if attempt + 1 < ROUNDS:
            time.sleep(WAIT * 2**attempt)
    raise _failure(target, checksum, faults, partial, all_wrong=wrong == set(urls))


def file_checksum(path: Path, like: str) -> str:
    """The checksum of a file by the algorithm that `like` names before its colon."""
    algorithm = like.partition(":")[0]
    with open(path, "rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, lambda: _hasher(algorithm)).hexdigest()}"


def check_address(url: str) -> None:
    """Raises `ValueError` unless the address is one of http or https: no file of this machine, no other protocol."""
    scheme = urllib.parse.urlsplit(url).scheme.lower() if isinstance(url, str) else None
    if scheme not in ("http", "https"):
        raise ValueError(f"An address to download from must begin with http:// or https://. Got {url!r}.")


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows a server to another address only within the web."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        try:
            check_address(newurl)
        except ValueError as error:
            raise ConnectionError(f"the server sent us elsewhere. {error}") from error
        return urllib.request.HTTPRedirectHandler.redirect_request(self, req, fp, code, msg, headers, newurl)


def _hasher(algorithm: str):
    return hashlib.new(algorithm, usedforsecurity=False)  # md5 is what publishers give; some systems forbid it else


def _fetch(url: str, partial: Path, show: Show) -> None:
    """Appends to `partial` what is missing. Raises `OSError` or `HTTPException` for whatever goes wrong."""
    have = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "memsim"} | _range(have))
    try:
        response = urllib.request.build_opener(_WebOnly).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # nothing after what we have: the checksum tells whether that is all
            return
        raise
    with response:
        start = _start(response, have, partial)
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with open(partial, "r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            done = start
            while block := response.read(BLOCK):
                file.write(block)
                done += len(block)
                show(done, total)
    if total is not None and done != total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _range(have: int) -> dict[str, str]:
    return {"Range": f"bytes={have}-"} if have else {}


def _start(response: http.client.HTTPResponse, have: int, partial: Path) -> int:
    """The place in the file at which the response begins: 0 where the server ignored the range."""
    if response.status != 206:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != have:
        partial.unlink()
        raise ConnectionError(f"asked for bytes from {have} and got {response.headers.get('Content-Range')}")
    return have


def _failure(target: Path, checksum: str, faults: dict[str, str], partial: Path, *, all_wrong: bool) -> Exception:
    came = "; ".join(f"{url} gave {fault}" for url, fault in faults.items())
    if all_wrong:
        return ValueError(
            f"{target.name} must have the checksum {checksum}. But {came}. The published file has changed or is "
            f"damaged on its way: try again later, or put a file with this checksum at {target} yourself."
        )
    kept = f" The {partial.stat().st_size} bytes that arrived are kept." if partial.is_file() else ""
    return ConnectionError(
        f"{target.name} must come from one of {len(faults)} addresses. But {came}.{kept} "
        f"Try again later, or put the file at {target} yourself."
    )
