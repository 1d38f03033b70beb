import { describe, expect, test } from "vitest";
import { sourceLines } from "../../../../src/contracts/test-suite/source-locations.ts";

const esc = "\u001b";

/** `file:line:column message`, with the rule in front unless it is `test`. */
function locationsIn(text: string, chunk = text.length): string[] {
  const reader = sourceLines((file) =>
    file.startsWith("/p/") ? file.slice(3) : file.startsWith("/") ? undefined : file.replace(/^\.\//, ""),
  );
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunk) reader.push(bytes.subarray(at, at + chunk), "stdout");
  return reader.found().locations.map(({ message, rule, candidates }) => {
    const [place] = candidates;
    return `${rule === "test" ? "" : `[${rule}] `}${place?.file}:${place?.line}:${place?.column} ${message}`;
  });
}

const outputs: readonly (readonly [string, string, readonly string[]])[] = [
  ["tsc", "src/a.ts(3,5): error TS2304: no x\n", ["src/a.ts:3:5 error TS2304: no x"]],
  ["tsc with parentheses in a path", "app/(in)/a.ts(3,5): error TS1: x\n", ["app/(in)/a.ts:3:5 error TS1: x"]],
  ["tsc --pretty without colour", "src/a.ts:3:5 - error TS2304: no x\n\n3 x;\n  ~\n", ["src/a.ts:3:5 error TS2304: no x"]],
  [
    "tsc --pretty with colour",
    `${esc}[96msrc/a.ts${esc}[0m:${esc}[93m3${esc}[0m:${esc}[93m5${esc}[0m - ${esc}[91merror${esc}[0m${esc}[90m TS2304: ${esc}[0mno x\n`,
    ["src/a.ts:3:5 error TS2304: no x"],
  ],
  [
    "gcc with colour and links",
    `${esc}[01m${esc}[Ksrc/a.c:2:1:${esc}[m${esc}[K ${esc}[01;31m${esc}[Kerror: ${esc}[m${esc}[Kbad ${esc}]8;;https://gcc.gnu.org/x${esc}\\-Wx${esc}]8;;${esc}\\\n`,
    ["src/a.c:2:1 error: bad -Wx"],
  ],
  ["a compiler's warning", "src/a.c:2:1: warning: unused x\n", ["[warning] src/a.c:2:1 warning: unused x"]],
  ["a compiler's note", "src/a.c:2:1: note: declared here\n", ["[note] src/a.c:2:1 note: declared here"]],
  ["a message that only begins like a warning", "src/a.c:2: warning signs are missing\n", ["src/a.c:2:1 warning signs are missing"]],
  [
    "ESLint stylish",
    "\n/p/src/a.js\n  1:10  error    'x' is not defined  no-undef\n  2:1   warning  Missing semicolon   semi\n\n  3:3  error  in no file\n✖ 2 problems\n",
    ["src/a.js:1:10 error  'x' is not defined  no-undef", "[warning] src/a.js:2:1 warning  Missing semicolon  semi"],
  ],
  ["stylelint", "src/a.css\n  1:3  ✖  Unexpected unit  unit-no-unknown\n", ["src/a.css:1:3 ✖  Unexpected unit  unit-no-unknown"]],
  [
    "a Python traceback",
    'Traceback (most recent call last):\n  File "/p/src/a.py", line 9, in <module>\n    f()\n  File "/p/src/b.py", line 2, in f\n    raise ValueError("boom")\n  File "/usr/lib/python3/json.py", line 1, in g\nValueError: boom\n',
    ["src/b.py:2:1 ValueError: boom"],
  ],
  [
    "a Python syntax error",
    '  File "src/a.py", line 3\n    x = \n        ^\nSyntaxError: invalid syntax\n',
    ["src/a.py:3:1 SyntaxError: invalid syntax"],
  ],
  ["a traceback that ends the output", '  File "src/a.py", line 3, in f\n', ["src/a.py:3:1 a test failed here"]],
  [
    "a stack of V8",
    "/p/src/a.js:3\n    throw x\n\nTypeError: x is not a function\n    at f (/p/node_modules/x/i.js:1:1)\n    at async g (file:///p/src/a%20b.js:3:9)\n    at node:internal/main:1:2\n    at /p/src/c.js:4:5\n",
    ["src/a b.js:3:9 TypeError: x is not a function"],
  ],
  [
    "jest",
    "  ● adds › two numbers\n\n    expect(received).toBe(expected)\n\n    > 2 | x\n\n      at Object.toBe (src/a.test.js:2:10)\n      at new Promise (<anonymous>)\n\n  ● adds › none\n\n      at src/a.test.js:9:1\n",
    ["src/a.test.js:2:10 ● adds › two numbers", "src/a.test.js:9:1 ● adds › none"],
  ],
  ["webpack without a column", "ERROR in src/a.ts:2\nTS2304: no x\n", ["src/a.ts:2:1 TS2304: no x"]],
  [
    "webpack 5",
    "ERROR in ./src/a.ts 3:5-10\nTS2304: no x\nERROR in ./b.ts:1:1\n",
    ["src/a.ts:3:5 TS2304: no x", "b.ts:1:1 a test failed here"],
  ],
  ["webpack's warning", "WARNING in ./src/a.ts 3:5\nunused\n", ["[warning] src/a.ts:3:5 unused"]],
  [
    "rustc",
    "error[E0425]: no `x`\n --> src/a.rs:3:5\nwarning: unused\n --> src/a.rs:4:1\n",
    ["src/a.rs:3:5 error[E0425]: no `x`", "[warning] src/a.rs:4:1 warning: unused"],
  ],
  ["a panic of Rust", "thread 'main' panicked at src/a.rs:3:5:\nboom\n", ["src/a.rs:3:5 boom"]],
  ["TAP", "not ok 1 - adds up\n  location: '/p/a.test.js:3:1'\n", ["a.test.js:3:1 adds up"]],
  ["vitest", " FAIL  a.test.ts > adds\n ❯ a.test.ts:3:5\n", ["a.test.ts:3:5 FAIL  a.test.ts > adds"]],
  ["a progress bar before a place", "10%\r90%\rsrc/a.c:1:2: bad\r\n", ["src/a.c:1:2 bad"]],
];

describe("sourceLines", () => {
  test.each(outputs)("finds the locations of %s", (_, text, locations) => {
    expect(locationsIn(text)).toEqual(locations);
  });

  test.each(outputs)("finds the locations of %s in chunks of three bytes", (_, text, locations) => {
    expect(locationsIn(text, 3)).toEqual(locations);
  });

  test("cuts a long line within its message, at a character boundary", () => {
    const [place = ""] = locationsIn(`src/a.c:1:1: ${"😀".repeat(5000)}\n`);
    expect(place.startsWith("src/a.c:1:1 😀")).toBe(true);
    expect(place.endsWith("😀…")).toBe(true);
    expect(place.length).toBeLessThan(2_100);
  });

  test("keeps 500 locations and counts the others by file, without duplicates", () => {
    const reader = sourceLines((file) => file);
    for (let round = 0; round < 2; round += 1) {
      for (let line = 1; line <= 700; line += 1) reader.push(Buffer.from(`a.c:${line}:1: bad\n`), "stderr");
    }
    const { locations, omitted } = reader.found();
    expect([locations.length, [...omitted]]).toEqual([500, [["a.c", 200]]]);
  });

  test("does not mix the lines of the two streams", () => {
    const reader = sourceLines((file) => file);
    reader.push(Buffer.from("a.c:1:1: ba"), "stdout");
    reader.push(Buffer.from("b.c:2:2: worse\n"), "stderr");
    reader.push(Buffer.from("d\n"), "stdout");
    expect(reader.found().locations.map(({ message }) => message)).toEqual(["worse", "bad"]);
  });
});
