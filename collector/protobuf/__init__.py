"""Protobuf by hand: the messages of Prometheus' remote write and remote read, to and from columns."""
