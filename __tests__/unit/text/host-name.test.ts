/** Normalized hosts. */
import { expect, test } from "vitest";
import { canonicalHost } from "../../../src/text/host-name.ts";

test.each([
  ["EXAMPLE.com", "example.com"],
  ["example.com.", "example.com"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["127.1", "127.0.0.1"],
  ["2130706433", "127.0.0.1"],
  ["0x7f.1", "127.0.0.1"],
  ["0177.0.0.1", "127.0.0.1"],
  ["１２７.0.0.1", "127.0.0.1"],
  ["[::1]", "::1"],
  ["2606:4700:0:0:0:0:0:1111", "2606:4700::1111"],
  ["::ffff:127.0.0.1", "::ffff:7f00:1"],
  ["my_host", "my_host"],
])("normalizes %s to %s", (text, expected) => {
  expect(canonicalHost(text)).toBe(expected);
});

test.each([
  "",
  ".",
  "a b",
  "a/b",
  "a@b",
  "a#b",
  "a?b",
  "a\\b",
  "ex%61mple.com",
  "fe80::1%lo",
  "[::1",
  "evil.127.0.0.1",
  "1.2.3.4.5",
  "a\nb",
])("rejects %j, which is not a host", (text) => {
  expect(canonicalHost(text)).toBeUndefined();
});
