"""PyTorch's pickled weights, checked as far as that goes without unpickling, which would run their code."""

from __future__ import annotations

from mg_provider.preflight.findings import Finding, error
from mg_provider.preflight.folder import Folder, disguised

_ZIP = b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_HEAD_BYTES = 512
_END_BYTES = 1024


def check_pytorch_files(folder: Folder, files: list[str]) -> list[Finding]:
    """Whether each file begins, and where it is a zip also ends, as torch.save writes it.

    Raises:
        CloudError: a file cannot be read.
    """
    found = folder.each(files, lambda name: _check(folder, name))
    return [finding for finding in found if finding is not None]


def _check(folder: Folder, name: str) -> Finding | None:
    head = folder.read(name, 0, _HEAD_BYTES)
    if disguise := disguised(folder, name, head):
        return disguise
    if head.startswith(_ZIP):
        size = folder.sizes[name]
        end = folder.read(name, max(0, size - _END_BYTES), min(size, _END_BYTES))
        if _ZIP_END in end:
            return None
        return error("bad_pytorch_file", f"{name} is cut off: upload it again", folder.object(name))
    if head.startswith(_PICKLES):
        return None
    message = f"{name} is not a file that torch.save writes: upload it again, or the weights as safetensors"
    return error("bad_pytorch_file", message, folder.object(name))
