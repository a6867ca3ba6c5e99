"""Shapes of Google's JSON, without any I/O.

One class a Google schema, under the schema's own name. Fields are snake_case here and camelCase on the wire. Source of
every field: the discovery documents aiplatform v1beta1 and v1 and compute v1 (revision 20261106), storage v1 and
bigquery v2 (revision 20261009). The tests hold every field against them.
"""
