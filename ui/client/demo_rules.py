"""The rule files of the demonstration."""

SHOP = """\
# What the shop's customers feel. Edit here or in Lightship: comments and order stay.

[[rule]]
id = "high_error_rate"
metric = ["foundation", "service", "error"]
condition = { type = "threshold", operator = "gt", value = 100, window = "last_5_minutes" }
severity = "critical"
actions = ["log"]
cooldown = "5m"

[[rule]]
id = "checkout_fails"
name = "Checkout fails"
metric = 'shop.errors{service=~"checkout|orders"}'
condition = { type = "threshold", operator = "gt", value = 5, window = "last_1_minute", field = "rate", recovery = 2 }
severity = "critical"
for = "1m"
summary = "{labels.service} fails {value} times a second"
runbook_url = "https://wiki.example.net/checkout-fails"

[[rule]]
id = "slow_latency"
name = "Requests are slow"
metric = "shop.latency"
condition = { type = "threshold", operator = "gt", value = 1000, window = "last_5_minutes", field = "p95" }
severity = "critical"
for = "1m"
summary = "{labels.service} takes {value} ms"
runbook_url = "https://wiki.example.net/slow"

[[rule]]
id = "error_volume"
name = "Error ratio"
metric = "shop.errors"
condition = { type = "threshold", operator = "gt", value = 10, window = "last_1_minute", field = "rate" }
severity = "warning"

[[rule]]
id = "bounces"
name = "Bounces above 2 %"
metric = "shop.errors{service=mailer}"
condition = { type = "threshold", operator = "gt", value = 60, window = "last_5_minutes", field = "sum" }
severity = "info"

[[rule]]
id = "queue_grows"
name = "Queue grows"
metric = "shop.queue.depth"
condition = { type = "threshold", operator = "gt", value = 500, window = "last_1_minute" }
severity = "warning"
for = "5m"   # a burst is fine
"""

SYSTEM = """\
[[rule]]
id = "cpu_busy"
name = "Processor is busy"
metric = "host.cpu.busy"
condition = { type = "threshold", operator = "gt", value = 90, window = "last_5_minutes", field = "mean" }
severity = "warning"
for = "5m"

[[rule]]
id = "memory_full"
name = "Memory is nearly full"
metric = "host.memory.percent"
condition = { type = "threshold", operator = "gt", value = 92, window = "last_1_minute" }
severity = "critical"

[[rule]]
id = "disk_full"
name = "Disk 90 % full"
metric = "host.fs.percent"
condition = { type = "threshold", operator = "gte", value = 90, window = "last_5_minutes" }
severity = "warning"
cooldown = "6h"

[[rule]]
id = "host_silent"
name = "Host is silent"
metric = "host.cpu.busy"
condition = { type = "threshold", operator = "gt", value = 60, window = "last_1_minute", field = "age" }
severity = "warning"

[[rule]]
id = "backup_old"
name = "Backup older than 26 h"
metric = "backup.age"
condition = { type = "threshold", operator = "gt", value = 93600, window = "last_1_hour" }
severity = "info"
enabled = false
"""
