# ruff: noqa: E501  # a file of tests is a line here
"""Files of unit tests of Prometheus rules, some of which fail: (name, tests), all of the same rules.

The order of groups is given where it matters: promtool has none of its own. So is the interval of series: older versions of
promtool take none for 0, newer ones for the evaluation interval.
"""

from __future__ import annotations

RULES = """
groups:
  - name: base
    rules:
      - {record: "job:up:sum", expr: "sum by (job) (up)"}
      - {record: "doubled", expr: "m * 2", labels: {team: web}}
  - name: alerts
    interval: 30s
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        labels: {severity: page, where: "{{ $labels.job }}"}
        annotations:
          summary: "{{ $labels.instance }} of {{ $labels.job }} is down"
          value: "{{ $value }} {{ $value | humanizePercentage }}"
      - alert: High
        expr: m > 10
        annotations: {summary: "{{ $value | humanize }}{{ if $labels.host }} on {{ $labels.host }}{{ end }}"}
      - alert: Kept
        expr: m > 100
        keep_firing_for: 5m
      - alert: Asking
        expr: m > 50
        annotations: {summary: '{{ with query "sum(m)" }}{{ . | first | value }}{{ end }} {{ $externalLabels.region }}'}
      - alert: ManyDown
        expr: job:up:sum < 2
        for: 1m
"""
UP = 'interval: 1m\n  input_series: [{series: "up{job=\\"a\\", instance=\\"i1\\"}", values: "1x5 0x20"}]'
M = "interval: 1m\n  input_series: [{series: 'm{host=\"x\"}', values: '0+5x30'}, {series: 'm{host=\"y\"}', values: '1 2 _x3 60 stale 5x20'}]"


def file(body: str, head: str = "evaluation_interval: 1m\ngroup_eval_order: [base, alerts]") -> str:
    return f"rule_files: [rules.yml]\n{head}\ntests:\n{body}"


DOWN = """{exp_labels: {severity: page, where: a, job: a, instance: i1}, exp_annotations: {summary: "i1 of a is down", value: "0 0%"}}"""
FILES: tuple[tuple[str, str], ...] = (
    ("pending is not firing", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 10m, alertname: Down, exp_alerts: []}}]\n")),
    ("fires after its time", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 11m, alertname: Down, exp_alerts: [{DOWN}]}}]\n")),
    ("wrong annotation", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 11m, alertname: Down, exp_alerts: [{DOWN.replace('0 0%', '1')}]}}]\n")),
    ("wrong label", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 11m, alertname: Down, exp_alerts: [{DOWN.replace('page', 'info')}]}}]\n")),
    ("none expected", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 15m, alertname: Down, exp_alerts: []}}]\n")),
    ("a name nobody has", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 15m, alertname: Nobody, exp_alerts: []}}]\n")),
    ("between two judgements", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 10m59s, alertname: Down}}, {{eval_time: 11m30s, alertname: Down, exp_alerts: [{DOWN}]}}]\n")),
    ("recorded", file(f"- {UP}\n  promql_expr_test: [{{expr: 'job:up:sum', eval_time: 4m, exp_samples: [{{labels: 'job:up:sum{{job=\"a\"}}', value: 1}}]}}]\n")),
    ("recorded otherwise", file(f"- {UP}\n  promql_expr_test: [{{expr: 'job:up:sum', eval_time: 4m, exp_samples: [{{labels: 'job:up:sum{{job=\"a\"}}', value: 2}}]}}]\n")),
    ("an alert on what is recorded", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 3m, alertname: ManyDown, exp_alerts: [{{exp_labels: {{job: a}}}}]}}]\n")),
    ("labels of recorded series", file(f"- {M}\n  promql_expr_test: [{{expr: 'doubled', eval_time: 1m, exp_samples: [{{labels: 'doubled{{host=\"x\", team=\"web\"}}', value: 10}}, {{labels: 'doubled{{host=\"y\", team=\"web\"}}', value: 4}}]}}]\n")),
    ("a series too few", file(f"- {M}\n  promql_expr_test: [{{expr: 'm', eval_time: 1m, exp_samples: [{{labels: 'm{{host=\"x\"}}', value: 5}}]}}]\n")),
    ("humanized", file(f"- {M}\n  alert_rule_test: [{{eval_time: 4m, alertname: High, exp_alerts: [{{exp_labels: {{host: x}}, exp_annotations: {{summary: '20 on x'}}}}]}}]\n")),
    ("stale ends it", file(f"- {M}\n  alert_rule_test: [{{eval_time: 6m, alertname: High, exp_alerts: [{{exp_labels: {{host: x}}, exp_annotations: {{summary: '30 on x'}}}}]}}]\n")),
    ("templates ask", file(f"- {M}\n  external_labels: {{region: eu}}\n  alert_rule_test: [{{eval_time: 5m, alertname: Asking, exp_alerts: [{{exp_labels: {{host: y}}, exp_annotations: {{summary: '85 eu'}}}}]}}]\n")),
    ("two tests, one fails", file(f"- {M}\n  promql_expr_test: [{{expr: 'sum(m)', eval_time: 1m, exp_samples: [{{labels: '{{}}', value: 7}}]}}]\n- {UP}\n  promql_expr_test: [{{expr: 'count(up)', eval_time: 2m, exp_samples: [{{value: 3}}]}}]\n")),
    ("a scalar and functions", file(f"- {M}\n  promql_expr_test: [{{expr: '1 + 2', eval_time: 0, exp_samples: [{{value: 3}}]}}, {{expr: 'max_over_time(m{{host=\"x\"}}[5m])', eval_time: 10m, exp_samples: [{{labels: '{{host=\"x\"}}', value: 50}}]}}]\n")),
    ("an interval of its own", file("- interval: 10s\n  input_series: [{series: 'm', values: '0+1x100'}]\n  promql_expr_test: [{expr: 'm', eval_time: 5m, exp_samples: [{labels: 'm', value: 30}]}]\n")),
    ("what alerts are written as", file(f"- {UP}\n  promql_expr_test: [{{expr: 'ALERTS{{alertname=\"Down\"}}', eval_time: 7m, exp_samples: [{{labels: 'ALERTS{{alertname=\"Down\", alertstate=\"pending\", instance=\"i1\", job=\"a\", severity=\"page\", where=\"a\"}}', value: 1}}]}}, {{expr: 'ALERTS_FOR_STATE', eval_time: 6m, exp_samples: [{{labels: 'ALERTS_FOR_STATE{{alertname=\"Down\", instance=\"i1\", job=\"a\", severity=\"page\", where=\"a\"}}', value: 360}}, {{labels: 'ALERTS_FOR_STATE{{alertname=\"ManyDown\", job=\"a\"}}', value: 0}}]}}]\n")),
    ("kept firing", file("- interval: 1m\n  input_series: [{series: m, values: '200 200 1x20'}]\n  alert_rule_test: [{eval_time: 5m, alertname: Kept, exp_alerts: [{}]}, {eval_time: 8m, alertname: Kept, exp_alerts: []}]\n")),
    ("an order of groups", file(f"- {UP}\n  alert_rule_test: [{{eval_time: 1m, alertname: ManyDown, exp_alerts: []}}, {{eval_time: 2m, alertname: ManyDown, exp_alerts: [{{exp_labels: {{job: a}}}}]}}]\n", "evaluation_interval: 1m\ngroup_eval_order: [alerts, base]")),
    ("a group twice in the order", file(f"- {UP}\n", "group_eval_order: [base, base]")),
    ("an unknown key", file(f"- {UP}\n  alert_rule_tests: []\n")),
    ("no such rule file", "rule_files: [nothing.yml]\ntests: []\n"),
    ("an expression that fails", file(f"- {M}\n  promql_expr_test: [{{expr: 'm + on() m', eval_time: 1m, exp_samples: []}}]\n")),
    ("not a series", file("- input_series: [{series: 'sum(m)', values: '1'}]\n  promql_expr_test: [{expr: m, eval_time: 0, exp_samples: []}]\n")),
    ("not values", file("- input_series: [{series: 'm', values: '1 b'}]\n  promql_expr_test: [{expr: m, eval_time: 0, exp_samples: []}]\n")),
    ("empty", ""),
)  # fmt: skip
