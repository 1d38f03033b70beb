/** Tests what the proxy refuses under any rule, and that no input of a child or a server can end it. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePermission } from "../../../src/core/permissions.ts";
import { policyOfStep } from "../../../src/sandbox/network-policy.ts";
import type { NetworkProxy } from "../../../src/sandbox/network-proxy.ts";
import { openNetworkProxy } from "../../../src/sandbox/network-proxy.ts";
import { step } from "../../rig/plan-fixtures.ts";

let base: string;
let server: Server;
let port: number;
let answer: string;
const proxies: NetworkProxy[] = [];

beforeEach(async () => {
  base = mkdtempSync(path.join(tmpdir(), "wave-proxy-"));
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  await new Promise((closed) => server.close(closed));
  rmSync(base, { recursive: true, force: true });
});

/** Opens a proxy for rules, and returns a function that requests a host: the status, or the error's code. */
async function asking(allow: readonly string[], deny: readonly string[] = [], resolve?: (name: string) => Promise<readonly string[]>) {
  const rules = (patterns: readonly string[]) => patterns.flatMap((pattern) => parsePermission(`network_access:${pattern}`) ?? []);
  const permissions = { layers: [{ source: "step", allow: rules(allow), deny: rules(deny) }] } as const;
  const policy = policyOfStep(step("a", { permissions }));
  if (policy.kind !== "hosts") throw new Error(`the policy is ${policy.kind}`);
  const socket = path.join(base, `${proxies.length}.sock`);
  const opened = await openNetworkProxy({ socket, rules: policy, ...(resolve === undefined ? {} : { resolve }) });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  proxies.push(opened.value);
  return (method: "GET" | "CONNECT", target: string) =>
    new Promise<number | string | undefined>((resolve) => {
      const asked = request({ socketPath: socket, method, path: target, agent: false });
      asked.on("connect", ({ statusCode }, tunnel) => {
        tunnel.destroy();
        resolve(statusCode);
      });
      asked.on("response", (response) => response.resume().on("close", () => resolve(response.statusCode)));
      asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
      asked.end();
    });
}

test("`*` covers only the outside world: inner addresses have to be spelled", async () => {
  const ask = await asking(["*"], ["evil.example"]);
  const inner = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::1]",
    "[0:0:0:0:0:0:0:1]",
    "0177.0.0.1",
    "0x7f000001",
  ];
  const around = [
    ...["10.0.0.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "192.168.1.1", "100.64.0.1", "0.0.0.0"],
    ...["168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "[fd00::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001::1]"],
    ...["[::ffff:a9fe:a9fe]", "[::ffff:169.254.169.254]", "[::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[64:ff9b::a9fe:a9fe]"],
    ...["[64:ff9b:1::a9fe:a9fe]", "[64:ff9b:1:a9fe:a9:fe00::]", "[fd00:ec2::254]"],
  ];
  for (const host of [...inner, ...around]) expect([host, await ask("CONNECT", `${host}:${port}`)]).toEqual([host, 403]);
  expect(await ask("GET", `http://localhost:${port}/`)).toBe(403);
});

test("inner addresses that a rule spells are reached", async () => {
  expect(await (await asking(["127.0.0.1"]))("GET", `http://127.0.0.1:${port}/`)).toBe(200);
  const byName = await asking([`localhost:${port}`]);
  expect([await byName("CONNECT", `localhost:${port}`), await byName("CONNECT", `127.0.0.1:${port}`)]).toEqual([200, 403]);
});

test("a wildcard does not cover this machine's own addresses", async () => {
  const ask = await asking(["*"]);
  const own = Object.values(networkInterfaces()).flatMap((networks) => networks ?? []);
  expect(own.length).toBeGreaterThan(0);
  for (const { address, family } of own) {
    const target = `${family === "IPv6" ? `[${address}]` : address}:${port}`;
    expect([target, await ask("CONNECT", target)]).toEqual([target, 403]);
  }
});

test("a rule that spells only a part of an address does not name it", async () => {
  for (const rule of ["127.*", "*.0.0.1", "127.0.0.?", "1*", "*1", "local*", "[::*]"]) {
    const ask = await asking([rule]);
    const statuses = await Promise.all(["127.0.0.1", "localhost", "[::1]"].map((host) => ask("CONNECT", `${host}:${port}`)));
    expect([rule, ...statuses]).toEqual([rule, 403, 403, 403]);
  }
});

test("next to a wildcard, a rule for an inner address opens only that address", async () => {
  const ask = await asking(["*", `127.0.0.1:${port}`]);
  expect([await ask("CONNECT", `127.0.0.1:${port}`), await ask("CONNECT", `127.0.0.2:${port}`)]).toEqual([200, 403]);
});

test("a name of an inner address is refused, and the proxy connects to the address it checked", async () => {
  const answers = [["169.254.169.254", "::1", "10.0.0.1"], ["127.0.0.1"]];
  let asked = 0;
  const ask = await asking(["rebind.example"], [], async () => answers[Math.min(asked++, 1)] ?? []);
  expect([await ask("CONNECT", `rebind.example:${port}`), asked]).toEqual([403, 1]);
  expect([await ask("GET", `http://rebind.example:${port}/`), asked]).toEqual([403, 2]);
});

test("a name is resolved once per connection", async () => {
  let asked = 0;
  const ask = await asking([`localhost:${port}`], [], async () => (asked++ === 0 ? ["127.0.0.1"] : ["127.0.0.9"]));
  expect([await ask("GET", `http://localhost:${port}/`), asked]).toEqual([200, 1]);
});

test("a denied address is denied in every spelling and through every name", async () => {
  const ask = await asking(["*", "localhost", "127.0.0.1"], ["127.0.0.1", "[2606:4700::1111]", "bücher.example"], async () => [
    "127.0.0.1",
  ]);
  const hosts = ["127.0.0.1", "127.1", "2130706433", "localhost", "other.example", "[2606:4700:0:0:0:0:0:1111]", "xn--bcher-kva.example"];
  for (const host of hosts) expect([host, await ask("CONNECT", `${host}:${port}`)]).toEqual([host, 403]);
});

test("a rule for an IPv6 address applies with and without brackets", async () => {
  for (const rule of ["::1", "[::1]", `[::1]:${port}`]) {
    const asked = await (await asking([rule]))("CONNECT", `[::1]:${port}`);
    // No server listens there, or there is no such network: the proxy permitted the connection all the same.
    expect([rule, asked === 403]).toEqual([rule, false]);
  }
});

test("invalid requests are refused, and the proxy keeps running", async () => {
  const ask = await asking(["127.0.0.1"]);
  const targets = [
    "127.0.0.1:99999",
    "127.0.0.1:0",
    "127.0.0.1",
    ":80",
    "127.0.0.1:80:80",
    "[::1",
    "[fe80::1%lo]:80",
    "a b:80".replace(" ", "%20"),
  ];
  for (const target of targets) expect([target, await ask("CONNECT", target)]).toEqual([target, 403]);
  for (const target of ["http://127.0.0.1:99999/", "ftp://127.0.0.1/", "/", "http://"])
    expect([target, await ask("GET", target)]).toEqual([target, 403]);
  expect(await ask("GET", `http://127.0.0.1:${port}/`)).toBe(200);
});

test.each(["HTTP/1.1 000 x\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n", "nonsense\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])(
  "a server that responds with %j does not end the proxy",
  async (given) => {
    const ask = await asking(["127.0.0.1"]);
    answer = given;
    await ask("GET", `http://127.0.0.1:${port}/`);
    answer = "HTTP/1.1 204 None\r\n\r\n";
    expect(await ask("GET", `http://127.0.0.1:${port}/`)).toBe(204);
  },
);
