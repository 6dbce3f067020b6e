"""FreeSWITCH's XML dialplan, as far as the stand-in runs it: files, conditions, variables and actions."""

import glob
import os
import re
from xml.etree import ElementTree


def preprocessed(directory, path):
    """Returns a file's XML, with the values of vars.xml in the places of their names, as FreeSWITCH reads it."""
    with open(os.path.join(directory, "vars.xml"), encoding="utf-8") as file:
        values = dict(re.findall(r'cmd="set" data="([^=]+)=([^"]*)"', file.read()))
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\$\$\{([^}]*)\}", lambda found: values.get(found[1], ""), file.read())
    return ElementTree.fromstring(text)


def read_all(directory, pattern, tag, log):
    """Returns the elements of some files, in the order of their names. A file that is no XML is told of, and left out."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, pattern))):
        try:
            found += preprocessed(directory, path).iter(tag)
        except (ElementTree.ParseError, OSError) as error:
            log(f"{path} is not read: {error}")
    return found


def gateways(directory, log):
    """Returns {name: {parameter: value}} of the profile `external`."""
    found = read_all(directory, "sip_profiles/external/*.xml", "gateway", log)
    return {one.get("name"): {param.get("name"): param.get("value", "") for param in one.iter("param")} for one in found}


def expanded(text, variables, api):
    """Returns a text with the values of ${variable} and ${command(arguments)}, the innermost first."""
    while True:
        found = re.search(r"\$\{([^${}]*)\}", text)
        if not found:
            return text
        called = re.fullmatch(r"(\w+)\((.*)\)", found[1])
        value = api(called[1], called[2]) if called else variables.get(found[1], "")
        text = text[: found.start()] + value + text[found.end() :]


def value_of(field, variables, api):
    return expanded(field, variables, api) if "${" in field else variables.get(field, "")


def matching(condition, variables, api):
    """Returns the match of a condition; None where it does not hold."""
    if condition.get("regex"):
        results = [re.search(one.get("expression"), value_of(one.get("field"), variables, api)) for one in condition.iter("regex")]
        holds = {"any": any, "all": all}[condition.get("regex")](results)
        return (next(filter(None, results), None)) if holds else None
    return re.search(condition.get("expression", ""), value_of(condition.get("field", ""), variables, api))


def actions_of(extensions, variables, api):
    """Returns the name and the actions, as (application, data), of the first extension that matches; (None, []) without."""
    for extension in extensions:
        actions: list = []
        for condition in extension.iter("condition"):
            match = matching(condition, variables, api)
            if match is None:
                break
            for action in condition.iter("action"):
                data = action.get("data", "")
                for group in set(re.findall(r"\$(\d)", data)):
                    data = data.replace(f"${group}", match[int(group)] or "")
                actions.append((action.get("application"), data))
        else:
            return extension.get("name"), actions
    return None, []
