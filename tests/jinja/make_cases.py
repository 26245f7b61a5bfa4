#!/usr/bin/env python3
"""Fills in what Python's jinja2 makes of the templates in cases.json.

The templates are ours; the expectations are an independent implementation's: jinja2 3.1, set up as
Hugging Face transformers sets it up. Add a line {"template": "..."} and run this again.
"""
import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

PATH = pathlib.Path(__file__).with_name("cases.json")
NOW = datetime.datetime(2024, 7, 26, 9, 30)


class Generation(jinja2.ext.Extension):
    """{% generation %} … {% endgeneration %} prints its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("body"), [], [], body).set_lineno(line)

    def body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.TemplateError(message)


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def main():
    data = json.loads(PATH.read_text())
    env = environment()
    lines = []
    for case in data["cases"]:
        context = json.loads(json.dumps(data["context"]))
        result = {"template": case["template"]}
        try:
            result["expected"] = env.from_string(case["template"]).render(**context)
        except Exception as error:  # whatever jinja2 or Python raise
            result["error"] = type(error).__name__
        lines.append(json.dumps(result, ensure_ascii=False))
    context = json.dumps(data["context"], ensure_ascii=False)
    PATH.write_text('{"context": %s,\n "cases": [\n%s\n]}\n' % (context, ",\n".join(lines)))


if __name__ == "__main__":
    main()
