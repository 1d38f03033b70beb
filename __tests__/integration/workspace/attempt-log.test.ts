import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { openAttemptLog } from "../../../src/workspace/attempt-log.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "wave-log-"));
  file = path.join(directory, "logs/run1/one.1.log");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const redactor = createRedactor(["hunter22"]);
const bytes = (text: string) => Buffer.from(text);

describe("an attempt's log", () => {
  test("contains both streams, redacted across chunks, like the live text", async () => {
    let live = "";
    const log = openAttemptLog({
      path: file,
      redactor,
      onText: (text) => {
        live += text;
      },
    });
    log.write(bytes("one hunt"), "stdout");
    log.write(bytes("err\n"), "stderr");
    log.write(bytes("er22 two\n"), "stdout");
    expect(log.tail()).toBe("one err\n*** two\n");
    expect(await log.close()).toEqual({ ok: true, value: { path: file, size: 16 } });
    expect([readFileSync(file, "utf8"), live]).toEqual(["one err\n*** two\n", "one err\n*** two\n"]);
  });

  test("creates no file without output", async () => {
    const log = openAttemptLog({ path: file, redactor });
    expect([log.tail(), await log.close(), existsSync(directory) && existsSync(path.dirname(file))]).toEqual([
      "",
      { ok: true, value: { path: file, size: 0 } },
      false,
    ]);
  });

  test("writes a possible start of a secret when it is closed", async () => {
    const log = openAttemptLog({ path: file, redactor });
    log.write(bytes("hunt"), "stdout");
    await log.close();
    expect(readFileSync(file, "utf8")).toBe("hunt");
  });

  test("keeps the start and the end of an output that is too long", async () => {
    const log = openAttemptLog({ path: file, redactor, headLimit: 1000 });
    for (let line = 0; line < 30_000; line++) log.write(bytes(`line ${String(line).padStart(6, "0")}\n`), "stdout");
    const closed = await log.close();
    const text = readFileSync(file, "utf8");
    const [head = "", end = ""] = text.split(/\n\[wave: .* of output omitted\]\n/);
    expect({ head: head.length, end: end.length, first: head.slice(0, 12), last: end.slice(-12) }).toEqual({
      head: 1000,
      end: 65_536,
      first: "line 000000\n",
      last: "line 029999\n",
    });
    expect(closed).toEqual({ ok: true, value: { path: file, size: text.length } });
  });

  test("keeps all of an output just above the limit", async () => {
    const log = openAttemptLog({ path: file, redactor, headLimit: 4 });
    log.write(bytes("abc"), "stdout");
    log.write(bytes("defghi"), "stdout");
    await log.close();
    expect(readFileSync(file, "utf8")).toBe("abcdefghi");
  });

  test("returns the last 8 KiB as text that is safe for terminals", async () => {
    const log = openAttemptLog({ path: file, redactor });
    log.write(bytes("é".repeat(10_000)), "stdout");
    log.write(bytes("\u001b[31mred\u001b[0m \u001b]0;title\u0007\u0000\tbell\u0007\r\n"), "stderr");
    log.write(Buffer.from([0xff, 0xfe, 0x41]), "stdout");
    const tail = log.tail();
    await log.close();
    expect(tail).toMatch(/^é+red \tbell\n\ufffd\ufffdA$/);
    expect(tail.length).toBeGreaterThan(4000);
    expect(tail.length).toBeLessThan(4200);
  });

  test("writes binary output unchanged", async () => {
    const log = openAttemptLog({ path: file, redactor });
    log.write(Buffer.from([0, 255, 254, 10]), "stdout");
    await log.close();
    expect([...readFileSync(file)]).toEqual([0, 255, 254, 10]);
  });

  test("reports a full disk when it is closed, and still keeps the tail", async () => {
    writeFileSync(path.join(directory, "logs"), "a file");
    const log = openAttemptLog({ path: file, redactor });
    log.write(bytes("x".repeat(100_000)), "stdout");
    log.write(bytes("the end"), "stdout");
    expect(log.tail().slice(-7)).toBe("the end");
    expect(await log.close()).toMatchObject({ ok: false, error: { reason: "state-unwritable", path: file, code: "ENOTDIR" } });
  });

  test("writes output before it is closed, for readers that follow", async () => {
    const log = openAttemptLog({ path: file, redactor });
    log.write(bytes("soon\n"), "stdout");
    await expect.poll(() => existsSync(file) && readFileSync(file, "utf8")).toBe("soon\n");
    await log.close();
  });
});
