"""The curl lines that a stack prints, run as they stand against the emulator, which stands for their hosts."""

import json
import shlex
import urllib.request
from urllib.parse import urlsplit


def lines(outputs):
    """Each printed line, by the output that it is in."""
    found = {}
    for kind in ("models", "endpoints"):
        for name, told in outputs[kind].items():
            if "curl" in told:
                found[f"{kind}.{name}"] = told["curl"], told.get("ip_address")
    return found


def asked(emulator, line, address=None):
    """The answer to a printed line; HTTPError where it is refused."""
    words = shlex.split(line)
    assert words[0] == "curl"
    headers = dict(words[index + 1].split(": ", 1) for index, word in enumerate(words) if word == "-H")
    assert headers.pop("Authorization") == "Bearer $(gcloud auth print-access-token)"
    (url,) = (word for word in words if word.startswith("http"))
    parts = urlsplit(url)
    there = emulator.url if address is None else emulator.addresses()[address]
    data = words[words.index("-d") + 1].encode()
    request = urllib.request.Request(there + parts.path, data=data, headers={**headers, "Host": parts.netloc})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
