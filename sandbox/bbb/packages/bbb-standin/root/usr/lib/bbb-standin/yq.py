#!/usr/bin/python3
"""Stand-in for mikefarah's yq, version 4: reads and sets one path.

    yq e [-i] '.a.b[0].c = "value"' FILE
    yq e [-i] '.a.b' FILE

Sets strings, numbers, booleans and null; prints the value of a path, null for a path that doesn't exist.
"""

import re
import sys

import yaml


def steps_of(path):
    return [int(index) if index else name or quoted for name, quoted, index in re.findall(r'([\w@-]+)|"([^"]+)"|\[(\d+)\]', path)]


def get(data, steps):
    for step in steps:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def put(data, steps, value):
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        data = data if isinstance(data, list) else []
        data += [None] * (step + 1 - len(data))
    else:
        data = data if isinstance(data, dict) else {}
    data[step] = put(data[step] if isinstance(step, int) else data.get(step), rest, value)
    return data


def show(value):
    if isinstance(value, (dict, list)):
        return yaml.safe_dump(value, sort_keys=False).rstrip()
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument not in ("e", "eval", "-i", "--inplace", "-r")]
    if "--version" in sys.argv or "-V" in sys.argv:
        print("yq (stand-in for https://github.com/mikefarah/yq/) version v4.0.0")
        return
    if len(arguments) != 2 or not arguments[0].startswith("."):
        sys.exit("yq (stand-in): takes one path or assignment and one file")
    path, assigned, value = arguments[0].partition("=")
    steps = steps_of(path)
    with open(arguments[1], encoding="utf-8") as file:
        data = yaml.safe_load(file)
    if not assigned:
        print(show(get(data, steps)))
        return
    text = yaml.safe_dump(put(data, steps, yaml.safe_load(value)), sort_keys=False, allow_unicode=True)
    if "-i" in sys.argv or "--inplace" in sys.argv:
        with open(arguments[1], "w", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
