/** What the proxy refuses whatever the rule, and that nothing a child or a server sends can end it. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAllowed, parsePermission } from "../../../src/model/permissions.ts";
import type { NetworkProxy } from "../../../src/workspace/fence/network-proxy.ts";
import { openNetworkProxy } from "../../../src/workspace/fence/network-proxy.ts";

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

/** Opens a proxy for rules, and gives the way to ask it: the status, or the error's code. */
async function asking(allow: readonly string[], deny: readonly string[] = []) {
  const rules = (patterns: readonly string[]) => patterns.flatMap((pattern) => parsePermission(`network_access:${pattern}`) ?? []);
  const permissions = { layers: [{ source: "step", allow: rules(allow), deny: rules(deny) }] } as const;
  const socket = path.join(base, `${proxies.length}.sock`);
  const opened = await openNetworkProxy({ socket, allows: (subject) => isAllowed(permissions, "network_access", subject) });
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

test("`*` means the world outside: this machine and its surroundings have to be spelled", async () => {
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
  ];
  const around = ["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "[fd00::1]", "[fe80::1]", "0.0.0.0"];
  for (const host of [...inner, ...around]) expect([host, await ask("CONNECT", `${host}:${port}`)]).toEqual([host, 403]);
  expect(await ask("GET", `http://localhost:${port}/`)).toBe(403);
});

test("spelled, they are reached", async () => {
  expect(await (await asking(["127.0.0.1"]))("GET", `http://127.0.0.1:${port}/`)).toBe(200);
  const byName = await asking([`localhost:${port}`]);
  expect([await byName("CONNECT", `localhost:${port}`), await byName("CONNECT", `127.0.0.1:${port}`)]).toEqual([200, 403]);
});

test("a rule for an IPv6 address holds for it with and without brackets", async () => {
  for (const rule of ["::1", "[::1]", `[::1]:${port}`]) {
    const asked = await (await asking([rule]))("CONNECT", `[::1]:${port}`);
    // Nothing listens there, or there is no such network: it was let through all the same.
    expect([rule, asked === 403]).toEqual([rule, false]);
  }
});

test("what makes no sense is refused, and the proxy goes on", async () => {
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
  "a server that answers %j does not end the proxy",
  async (given) => {
    const ask = await asking(["127.0.0.1"]);
    answer = given;
    await ask("GET", `http://127.0.0.1:${port}/`);
    answer = "HTTP/1.1 204 None\r\n\r\n";
    expect(await ask("GET", `http://127.0.0.1:${port}/`)).toBe(204);
  },
);
