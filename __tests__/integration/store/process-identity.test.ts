import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { isAlive, processIdentity } from "../../../src/platform/process-identity.ts";
import { bundledChild } from "../../rig/bundled-child.ts";

describe("a process", () => {
  test("recognizes itself", () => {
    expect(processIdentity()).toEqual({ pid: process.pid, processStart: expect.any(String), host: hostname() });
    expect(isAlive(processIdentity())).toBe(true);
  });

  test("with another start time is another process", () => {
    expect(isAlive({ ...processIdentity(), processStart: "before" })).toBe(false);
  });

  test("of another host counts as alive", () => {
    expect(isAlive({ pid: 2 ** 22 + 1, processStart: "1", host: "elsewhere" })).toBe(true);
  });

  test("is alive until it is killed, by the identity that it reports itself", async () => {
    const fixture = await bundledChild(new URL("../../rig/identity-child.ts", import.meta.url));
    const { child, untilLines, lines, ended } = fixture.start([]);
    await untilLines(1);
    const identity = JSON.parse(lines()[0] ?? "");
    expect(identity.pid).toBe(child.pid);
    expect(isAlive(identity)).toBe(true);
    child.kill("SIGKILL");
    await ended;
    expect(isAlive(identity)).toBe(false);
    fixture.close();
  });

  test.runIf(process.platform === "linux")("is dead even before its exit status is collected", async () => {
    // The shell starts a child that ends at once, then becomes a program that never collects its status.
    const shell = spawn("sh", ["-c", 'sh -c "echo \\$\\$" & exec sleep 60'], { stdio: ["ignore", "pipe", "ignore"] });
    const [text] = (await once(shell.stdout, "data")) as [Buffer];
    const pid = Number(text.toString());
    await expect.poll(() => isAlive({ pid, processStart: "", host: hostname() }), { interval: 5 }).toBe(false);
    expect(() => process.kill(pid, 0)).not.toThrow();
    shell.kill("SIGKILL");
  });
});
