import { expect, test } from "vitest";
import { detailLines } from "../../../../src/reporters/console/failure-lines.ts";
import { paletteOf } from "../../../../src/reporters/console/palette.ts";

test("quoted output has its bar in one column and keeps its own indentation", () => {
  const detail = ["the end of its output:", "  def f():", "      return 1", "  ", "    \u001b[31m^ here"];
  expect(detailLines({ title: "failed", detail, hint: "fix it" }, 4, paletteOf(false))).toEqual([
    "    the end of its output:",
    "      │ def f():",
    "      │     return 1",
    "      │ ",
    "      │   ^ here",
    "    hint: fix it",
  ]);
});
