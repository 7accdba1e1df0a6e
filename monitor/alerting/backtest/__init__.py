"""What a rule would have said of the past: the life of its alerts over values of the history, without a notification."""

from monitor.alerting.backtest.life import Life as Life
from monitor.alerting.backtest.outcome import Backtest as Backtest
from monitor.alerting.backtest.outcome import Fired as Fired
from monitor.alerting.backtest.run import BacktestError as BacktestError
from monitor.alerting.backtest.run import backtest as backtest
