import { describe, expect, it } from "vitest";
import { connectionDenial, denialsIn, describeDenial, withDenials } from "../../../src/core/denial.ts";
import { describeFailure } from "../../../src/core/failures.ts";
import { parsePermission } from "../../../src/core/permissions.ts";
import type { Step } from "../../../src/core/pipeline.ts";

const rules = (texts: readonly string[]) => texts.flatMap((text) => parsePermission(text) ?? []);
const permitted = (allow: readonly string[], deny: readonly string[] = []): Pick<Step, "permissions" | "sandbox"> => ({
  sandbox: "on",
  permissions: { layers: [{ source: "step", allow: rules(allow), deny: rules(deny) }] },
});

describe("a refused connection", () => {
  it("names the deny rule that covers the host, or the allow rules that do not", () => {
    const { permissions } = permitted(["network_access:*.test", "network_access:api.test:443"], ["network_access:evil.test"]);
    expect(describeDenial(connectionDenial(permissions, "evil.test:443"))).toBe(
      "denied by `network_access:evil.test`: connecting to evil.test:443",
    );
    expect(describeDenial(connectionDenial(permissions, "example.com:80"))).toBe(
      "denied by `network_access:*.test`, `network_access:api.test:443`: connecting to example.com:80",
    );
  });

  it("to a private address that no rule names is explained without a rule", () => {
    expect(describeDenial(connectionDenial(permitted(["network_access:*"]).permissions, "localhost:80"))).toMatch(
      /^denied: connecting to localhost:80, a private address/,
    );
  });
});

describe("the output of a child", () => {
  const step = permitted(["file_read:src/**", "network_access:api.test"], ["file_read:src/.env"]);
  const accesses = (output: string, of = step) => denialsIn(of, "/w", output).map(describeDenial);

  it("reveals a hidden file that a program reports as missing", () => {
    expect(accesses("cat: src/.env: No such file or directory\n")).toEqual([
      "denied by `file_read:src/.env`: reading src/.env, which is hidden from this step",
    ]);
    expect(accesses("Error: ENOENT: no such file or directory, open '/w/README.md'")).toEqual([
      "denied by `file_read:src/**`: reading README.md, which is hidden from this step",
    ]);
  });

  it("reveals a host that rules deny and a program could not resolve", () => {
    expect(accesses("curl: (6) Could not resolve host: example.com")).toEqual([
      "denied by `network_access:api.test`: connecting to example.com",
    ]);
  });

  it("shows no denial for files and hosts that rules allow, for paths outside the project, and without a sandbox", () => {
    expect(accesses("cat: src/gone.ts: No such file or directory\ncat: /etc/gone: No such file or directory\n")).toEqual([]);
    expect(accesses("getaddrinfo ENOTFOUND api.test")).toEqual([]);
    expect(denialsIn({ ...step, sandbox: "off" }, "/w", "cat: src/.env: No such file or directory")).toEqual([]);
  });
});

it("a failure lists each denied access once, before its other details", () => {
  const denial = { access: "connecting to a.test:80", rules: ["network_access:b.test"] };
  const failure = withDenials({ reason: "adapter-exit", exitCode: 7, tail: "curl: (56)\n" }, [denial, denial]);
  expect(describeFailure(failure)).toEqual({
    title: "the command exited with 7",
    detail: ["denied by `network_access:b.test`: connecting to a.test:80", "the end of its output:", "  curl: (56)"],
  });
});
