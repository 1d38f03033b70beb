import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../src/words.mjs";

test("words are runs of letters and digits", () => {
  assert.deepEqual(words("Hello, wide world 2!"), ["Hello", "wide", "world", "2"]);
  assert.deepEqual(words("…"), []);
});
