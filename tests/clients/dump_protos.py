"""Write the protos of Google's Vertex AI client as one descriptor set; run by the environment of the real clients."""

from __future__ import annotations

import sys
from pathlib import Path

from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2

files: dict[str, descriptor_pb2.FileDescriptorProto] = {}


def add(file):
    for dependency in file.dependencies:
        add(dependency)
    if file.name not in files:
        files[file.name] = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(files[file.name])


add(operations_pb2.DESCRIPTOR)
add(error_details_pb2.DESCRIPTOR)
for library in (aiplatform_v1, aiplatform_v1beta1):
    for name in library.types.__all__:
        message = getattr(library.types, name)
        if hasattr(message, "pb"):
            add(message.pb().DESCRIPTOR.file)
target = Path(sys.argv[1])
partial = target.with_suffix(".partial")
partial.write_bytes(descriptor_pb2.FileDescriptorSet(file=files.values()).SerializeToString())
partial.rename(target)
