import { python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeEach(() => (host = new FakeHost()));
afterEach(() => host.remove());

/** Result of a call of a format's function, or the reason why it can't be. */
async function call(format: string, name: string, ...args: unknown[]): Promise<unknown> {
  const output = await python(
    host,
    `import keyed_text
try:
    print(json.dumps(getattr(keyed_text.FORMATS["${format}"], "${name}")(*json.loads(${JSON.stringify(JSON.stringify(args))}))))
except keyed_text.Unreadable as error:
    print(json.dumps({"unreadable": str(error)}))
`,
  );
  return JSON.parse(output);
}

/** Sets a key, and takes it back. */
async function thereAndBack(format: string, text: string, key: unknown, value: unknown) {
  const raw = await call(format, "raw", text, key);
  const made = await call(format, "put", text, key, value);
  return [made, await call(format, "value", made, key), await call(format, "put_raw", made, key, raw)];
}

describe("Java properties", () => {
  test.each([
    ["a key that is there", "# mine\na=1\nb = 2\n", "a", "3", "# mine\na=3\nb = 2\n"],
    ["one that is not", "a=1", "b", "2", "a=1\nb=2\n", "a=1\n"],
    ["one with a colon", "a : 1\n", "a", "2", "a=2\n"],
    ["one with a blank", "a 1\n", "a", "2", "a=2\n"],
    ["one in comments alone", "#a=1\n! a=1\n", "a", "2", "#a=1\n! a=1\na=2\n"],
    ["one over several lines", "a=1\\\n  2\\\n  3\nb=4\n", "a", "x", "a=x\nb=4\n"],
    ["one that begins like another", "ab=1\na.b=1\n", "a", "2", "ab=1\na.b=1\na=2\n"],
    ["one without a value", "a=\n", "a", "2", "a=2\n"],
    [
      "one beside letters that end lines elsewhere",
      "b=x\u0085a=1\u2028a=2\n",
      "a",
      "3",
      "b=x\u0085a=1\u2028a=2\na=3\n",
    ],
    ["one in a file of Windows", "a=1\r\nb=2\r\n", "a", "3", "a=3\nb=2\r\n"],
  ])("%s is set, and goes back", async (_, text, key, value, made, back = text) => {
    expect(await thereAndBack("properties", text, key, value)).toEqual([made, value, back]);
  });

  test("the last of several counts; they come back together", async () => {
    expect(await thereAndBack("properties", "a=1\nb=0\na=2\nc=0\n", "a", "3")).toEqual([
      "b=0\na=3\nc=0\n",
      "3",
      "b=0\na=1\na=2\nc=0\n",
    ]);
    expect(await call("properties", "value", "a=1\na=2\n", "a")).toBe("2");
  });

  test.each([
    ["Grüße", "Gr\\u00FC\\u00DFe"],
    ["مرحبا", "\\u0645\\u0631\\u062D\\u0628\\u0627"],
    ["👋 hi", "\\uD83D\\uDC4B hi"],
    ["two\nlines", "two\\nlines"],
    ["C:\\new = 100 % \"quoted\" 'so' #!", "C:\\\\new = 100 % \"quoted\" 'so' #!"],
    ["  begins with blanks", "\\  begins with blanks"],
    ["ends with a backslash\\", "ends with a backslash\\\\"],
    ["%%CONFNAME%%", "%%CONFNAME%%"],
    ["", ""],
  ])("the text %j is written as ASCII, and read again", async (value, written) => {
    expect(await thereAndBack("properties", "x=1\n", "a", value)).toEqual([
      `x=1\na=${written}\n`,
      value,
      "x=1\n",
    ]);
  });
});

describe("YAML", () => {
  const file = `# mine
public:
  app: # the app
    clientTitle: Ours # by me
    list:
      - one # first
      # between
      - two

  # about the kurento
  kurento:
    enableVideo: true
private: {a: 1}
`;

  test.each([
    ["a text", ["public", "app", "clientTitle"], "Schule", "clientTitle: Ours", 'clientTitle: "Schule"'],
    ["a flag", ["public", "kurento", "enableVideo"], false, "enableVideo: true", "enableVideo: false"],
    [
      "a list",
      ["public", "app", "list"],
      ["x", 1],
      "list:\n      - one # first\n      # between\n      - two",
      'list: ["x", 1]',
    ],
    ["a new key", ["public", "kurento", "x"], 1, "enableVideo: true\n", "enableVideo: true\n    x: 1\n"],
    [
      "new maps",
      ["public", "media", "audio", "wasm"],
      true,
      "enableVideo: true\n",
      "enableVideo: true\n  media:\n    audio:\n      wasm: true\n",
    ],
    ["a new top", ["other", "a"], 1, "private: {a: 1}\n", "private: {a: 1}\nother:\n  a: 1\n"],
    ["one in a map on a line", ["private", "b"], "x", "{a: 1}", '{"a": 1, "b": "x"}'],
  ])("%s is set; comments, order and the rest stay; it goes back", async (_, key, value, old, made) => {
    const [after, read, back] = await thereAndBack("yaml", file, key, value);
    expect([after, read]).toEqual([file.replace(old, made), value]);
    // Only a map on one line comes back in another writing.
    expect(back).toBe(key[0] === "private" ? file.replace("{a: 1}", '{"a": 1}') : file);
  });

  test.each([
    ["", "public:\n  a: 1\n"],
    ["# nothing but a comment", "# nothing but a comment\npublic:\n  a: 1\n"],
    ["---\n", "---\npublic:\n  a: 1\n"],
    ["public:\n", "public:\n  a: 1\n"],
    ["public: {}\n", 'public: {"a": 1}\n'],
    ["public:\n  text: |\n    long\n    text\n", "public:\n  text: |\n    long\n    text\n  a: 1\n"],
    ["public:\n    b: 2", "public:\n    b: 2\n    a: 1\n"],
    ["{}\n", '{"public": {"a": 1}}\n'],
  ])("in %j", async (text, made) => {
    expect(await call("yaml", "put", text, ["public", "a"], 1)).toBe(made);
  });

  test("letters of all kinds are as they are", async () => {
    const value = 'Grüße "an" مرحبا 👋 100 % \n\\n: #x';
    const made = await call("yaml", "put", "", ["a", "b.c", "no"], value);
    expect(made).toBe(`a:\n  b.c:\n    "no": ${JSON.stringify(value)}\n`);
    expect(await call("yaml", "value", made, ["a", "b.c", "no"])).toBe(value);
  });

  test.each([
    ["public: [1]\n", "is no map"],
    ["public: text\n", "is no map"],
    ["a: &x {b: 1}\npublic: *x\n", "can't be set without a change of something else"],
    ["public: [\n", "it is no YAML, in line 2"],
  ])("%j is refused", async (text, reason) => {
    expect(await call("yaml", "put", text, ["public", "a"], 1)).toEqual({
      unreadable: expect.stringContaining(reason),
    });
  });

  test("1 is not true", async () => {
    expect(await python(host, "from keyed_text import same\nprint(same(1, True), same([1], [1]))")).toBe(
      "False True\n",
    );
  });
});

test.each([
  ["hocon", '// mine\ninclude "x"\n', "services.poll", 5, '// mine\ninclude "x"\nservices.poll = 5\n'],
  ["env", "A=1\nB='x'\n", "B", "2", "A=1\nB=2\n"],
])("%s: a key is set, and goes back", async (format, text, key, value, made) => {
  expect(await thereAndBack(format, text, key, value)).toEqual([made, value, text]);
});
