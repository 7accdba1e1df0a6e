"""The demonstration's alert rules: what its incidents set off."""

RULES = """\
# Rules of the demonstration. Its incidents make them fire, one after the other. Try things out: edit them here or in Lightship.

[[rule]]
id = "checkout_slow"
name = "Checkout is slow"
metric = 'shop.latency{service=~"checkout|orders"}'
condition = { type = "threshold", operator = "gt", value = 1200, window = "1m", field = "p90", recovery = 800 }
for = "10s"
severity = "critical"
cooldown = "2m"
summary = "One {labels.service} request in ten takes more than {value} ms"
runbook_url = "https://wiki.shop.example/checkout-slow"
labels = { team = "checkout" }

[[rule]]
id = "orders_fail"
name = "Orders fail"
metric = 'shop.errors{service=~"checkout|orders|payments"}'
condition = { type = "threshold", operator = "gt", value = 10, window = "1m", field = "sum", recovery = 6 }
for = "5s"
severity = "critical"
cooldown = "2m"
summary = "{labels.service} failed {value} times within a minute"
runbook_url = "https://wiki.shop.example/orders-fail"
labels = { team = "checkout" }

[[rule]]
id = "provider_down"
name = "Payment provider is not well"
metric = 'datadog.service_check{check="paypoint.reachable"}'
condition = { type = "threshold", operator = "gte", value = 2, window = "1m", field = "last" }
severity = "warning"
cooldown = "5m"
summary = "Charges at {labels.provider} fail"
labels = { team = "payments" }

[[rule]]
id = "memory_leak"
name = "A process takes much memory"
metric = "process.memory.usage"
condition = { type = "threshold", operator = "gt", value = 1300000000, window = "1m", field = "last", recovery = 1100000000 }
severity = "warning"
cooldown = "2m"
summary = "{labels.service} uses {value} bytes"
labels = { team = "discovery" }

[[rule]]
id = "page_errors"
name = "Pages fail"
metric = 'shop.errors{service="edge"}'
condition = { type = "threshold", operator = "gt", value = 60, window = "1m", field = "sum", recovery = 30 }
severity = "critical"
cooldown = "2m"
summary = "Customers saw {value} failed pages within a minute"

[[rule]]
id = "search_slow"
name = "Search is slow"
metric = 'shop.latency{service="search"}'
condition = { type = "threshold", operator = "gt", value = 55, window = "1m", field = "p95", recovery = 42 }
severity = "warning"
cooldown = "2m"
summary = "One search in twenty takes more than {value} ms"

[[rule]]
id = "mail_waits"
name = "Confirmations wait"
metric = "shop.queue.depth"
condition = { type = "threshold", operator = "gt", value = 30, window = "1m", field = "last", recovery = 10 }
severity = "info"
cooldown = "5m"
summary = "{value} orders wait for their mail"
"""
CONFIG = """\
# Settings of the demonstration's collector: 'lightship config reference' explains all of them.
name = "demo shop"
traces_keep = "6h"
traces_size = "512 MiB"
history_size = "1 GiB"

[[derived]]
name = "shop.cache.hit_ratio"
formula = "shop.cache.hits / (shop.cache.hits + shop.cache.misses)"
unit = "ratio"
"""
