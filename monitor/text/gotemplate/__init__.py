"""Go's text/template: `parse` reads one, `execute` fills it in, within bounds. Source: pkg.go.dev/text/template."""

from monitor.text.gotemplate.execute import Bounds as Bounds
from monitor.text.gotemplate.execute import TemplateError as TemplateError
from monitor.text.gotemplate.execute import execute as execute
from monitor.text.gotemplate.parser import Template as Template
from monitor.text.gotemplate.parser import TemplateSyntaxError as TemplateSyntaxError
from monitor.text.gotemplate.parser import parse as parse
