"""Reads and sets single keys in the text of a configuration file, and leaves every other byte of it as it is.

Each format is an object with the same three functions:

    value(text, key)         the value that the program which reads the file sees; None for a key that is not there
    raw(text, key)           the text of the key's entry, to put it back later; None
    put(text, key, value)    the text with that value
    put_raw(text, key, raw)  the text with an entry as `raw` returned it; None removes the key

A key of `properties`, `env` and `hocon` is a text, one of `yaml` a list of names. Python 3.8 or newer; YAML needs
python3-yaml.
"""

import json
import re
from typing import Any


class Unreadable(Exception):
    """Reason why a key of a file can't be set, without any value of it."""


def same(one, other):
    """True for equal values; True and 1 are not."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


# --- files with an entry a line -------------------------------------------------------------------------------------


class Lines:
    """Format in which a later entry of the same key wins."""

    def __init__(self, pattern, encode, decode, continued=False):
        self.pattern = re.compile(pattern)
        self.encode = encode
        self.decode = decode
        self.continued = continued

    def entries(self, text):
        """Returns [(key or None, entry with its line break)] of the whole text."""
        # Only these end a line for those who read such files; splitlines() knows more.
        found, lines = [], re.findall(r"[^\n]*\n|[^\n]+", text)
        while lines:
            entry = lines.pop(0)
            match = self.pattern.match(entry)
            while match and self.continued and lines and ends_open(entry):
                entry += lines.pop(0)
            found.append((unescaped(match[1]) if match and self.continued else match[1] if match else None, entry))
        return found

    def value(self, text, key):
        entries = [entry for name, entry in self.entries(text) if name == key]
        match = self.pattern.match(entries[-1]) if entries else None
        return self.decode(entries[-1][match.end() :].rstrip("\r\n")) if match else None

    def raw(self, text, key):
        return "".join(with_break(entry) for name, entry in self.entries(text) if name == key) or None

    def put(self, text, key, value):
        return self.put_raw(text, key, self.encode(key, value) + "\n")

    def put_raw(self, text, key, raw):
        entries = self.entries(text)
        places = [number for number, (name, _) in enumerate(entries) if name == key]
        if not places:
            if raw is None:
                return text
            return "".join(with_break(entry) for _, entry in entries) + raw
        kept = [raw or "" if number == places[-1] else entry for number, (_, entry) in enumerate(entries) if number not in places[:-1]]
        return "".join(kept)


def with_break(entry):
    return entry if entry.endswith("\n") else entry + "\n"


def ends_open(line):
    """True for a line of Java properties that the next one continues."""
    body = line.rstrip("\r\n")
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def escaped(value):
    """Returns a text as the value of a Java property: ASCII, the rest as \\uXXXX of UTF-16."""
    made = []
    for letter in value:
        if letter in ESCAPES:
            made.append(ESCAPES[letter])
        elif " " <= letter <= "~":
            made.append(letter)
        else:
            units = letter.encode("utf-16-be", "surrogatepass")
            made += [f"\\u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2)]
    text = "".join(made)
    return f"\\{text}" if text.startswith(" ") else text


def unescaped(text):
    """Returns the value of a Java property as Java reads it."""
    text = re.sub(r"\\\r?\n[ \t\f]*", "", text)
    letters = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}

    def letter(found):
        return chr(int(found[2], 16)) if found[2] else letters.get(found[1], found[1])

    read = re.sub(r"\\(u([0-9a-fA-F]{4})|.)", letter, text, flags=re.DOTALL)
    return read.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def quoted(text):
    """Returns the value of a line of a shell's variables without its quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def json_or_text(text):
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


# --- YAML ------------------------------------------------------------------------------------------------------------


def shown(value):
    """Returns a value on one line: JSON, which is YAML, with all letters as they are."""
    return json.dumps(value, ensure_ascii=False)


class Yaml:
    """Format of which the parser tells where each value is; so an operator's comments and order stay."""

    def value(self, text, key):
        data = self.data(text)
        for step in key:
            if not isinstance(data, dict) or step not in data:
                return None
            data = data[step]
        return data

    def raw(self, text, key):
        _, entry = self.find(text, key)
        return None if entry is None else text[entry[0].end_mark.index : end_of(entry[1], text)]

    def put(self, text, key, value):
        return self.proven(text, key, value, self.with_raw(text, key, f": {shown(value)}"))

    def put_raw(self, text, key, raw):
        if raw is None:
            return self.without(text, key)
        value = self.data(f"key{raw}")["key"]
        made = self.with_raw(text, key, raw)
        try:
            return self.proven(text, key, value, made)
        except Unreadable:
            # The place in which it stood is another now.
            return self.put(text, key, value)

    def data(self, text):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise Unreadable(f"it is no YAML{f', in line {mark.line + 1}' if mark else ''}") from None

    def proven(self, text, key, value, made):
        """Returns the new text if it says what it should, and nothing else has changed."""
        wanted = deep_set(self.data(text), key, value)
        try:
            found = self.data(made)
        except Unreadable:
            found = None
        if not same(found, wanted):
            raise Unreadable(f"{'.'.join(key)} can't be set without a change of something else in it")
        return made

    def find(self, text, key):
        """Returns the innermost nodes on the way to a key that are there, and the key's own (name, value) or None."""
        import yaml

        self.data(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        way: list = []
        for step in key:
            if not isinstance(node, yaml.MappingNode):
                way.append((node, None))
                return way, None
            entry = next(((name, value) for name, value in node.value if name.value == step), None)
            way.append((node, entry))
            if entry is None:
                return way, None
            node = entry[1]
        return way, way[-1][1]

    def with_raw(self, text, key, raw):
        import yaml

        way, entry = self.find(text, key)
        if entry:
            return text[: entry[0].end_mark.index] + raw + text[end_of(entry[1], text) :]
        depth, node = len(way) - 1, way[-1][0]
        if node is None or (depth == 0 and is_empty(node)):
            return (with_break(text) if text else "") + nested(key, 0, raw)
        if is_empty(node):
            # "name:" without a value.
            name = way[-2][1][0]
            column = name.start_mark.column + 2
            after = end_of(node, text)
            return text[: name.end_mark.index] + ":\n" + nested(key[depth:], column, raw).rstrip("\n") + text[after:]
        if not isinstance(node, yaml.MappingNode):
            raise Unreadable(f"{'.'.join(key[:depth]) or 'it'} is no map")
        if node.flow_style:
            value = self.data(f"key{raw}")["key"]
            merged = deep_set(self.data(text[node.start_mark.index : node.end_mark.index]), key[depth:], value)
            return text[: node.start_mark.index] + shown(merged) + text[node.end_mark.index :]
        at = end_of_line(text, end_of(node.value[-1][1], text))
        return with_break(text[:at]) + nested(key[depth:], node.start_mark.column, raw) + text[at:]

    def without(self, text, key):
        way, entry = self.find(text, key)
        if entry is None:
            return text
        # A map that has nothing else goes with it.
        while len(way) > 1 and len(way[-1][0].value) == 1:
            way.pop()
        node, (name, value) = way[-1]
        if node.flow_style:
            rest = self.data(text[node.start_mark.index : node.end_mark.index])
            del rest[name.value]
            return text[: node.start_mark.index] + shown(rest) + text[node.end_mark.index :]
        begin = text.rfind("\n", 0, name.start_mark.index) + 1
        return text[:begin] + text[end_of_line(text, end_of(value, text)) :]


def is_empty(node):
    return node.tag == "tag:yaml.org,2002:null" or (node.value == [] and not node.flow_style)


def nested(names, column, raw):
    """Returns a new entry in block style, its maps around it."""
    lines = [f"{' ' * (column + 2 * depth)}{name_of(name)}:" for depth, name in enumerate(names)]
    return "\n".join(lines)[:-1] + raw + "\n"


def name_of(name):
    return name if re.fullmatch(r"[A-Za-z_][\w.-]*", name) and name.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n") else shown(name)


def end_of(node, text):
    """Returns the place at which a value ends, without comments and empty lines after it."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        end = node.end_mark.index
        return len(text[:end].rstrip("\n")) if node.style in ("|", ">") else end
    if node.flow_style or not node.value:
        return node.end_mark.index
    last = node.value[-1]
    return end_of(last[1] if isinstance(last, tuple) else last, text)


def end_of_line(text, at):
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def deep_set(data, key, value):
    if not key:
        return value
    step, rest = key[0], key[1:]
    made = dict(data or {})
    made[step] = deep_set(made.get(step), rest, value)
    return made


FORMATS: "dict[str, Any]" = {
    "properties": Lines(
        r"^[ \t\f]*(?![#!])((?:\\.|[^\\=:\s])+)[ \t\f]*(?:[=:][ \t\f]*|(?=\S)|(?=\r?$))",
        lambda key, value: f"{key}={escaped(value)}",
        unescaped,
        continued=True,
    ),
    "env": Lines(r"^(?:export[ ]+)?([A-Za-z_]\w*)=", lambda key, value: f"{key}={value}", quoted),
    "hocon": Lines(r"^([A-Za-z][\w.-]*)[ \t]*[=:][ \t]*", lambda key, value: f"{key} = {shown(value)}", json_or_text),
    "yaml": Yaml(),
}
