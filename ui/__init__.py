"""What people see and touch: the client connection, toolkit-neutral view models, and one painter package a toolkit."""
