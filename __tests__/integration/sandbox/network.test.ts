/** Tests the proxy through which sandboxed children reach hosts: as a server alone, and from inside a sandbox. */
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type NetworkProxy, openNetworkProxy } from "../../../src/sandbox/network-proxy.ts";
import { buildableModes, runSandboxed, type SandboxPlace, sandboxPlace } from "../../rig/sandbox-rig.ts";

let directory: string;
let target: Server;
let port: number;
const open: NetworkProxy[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "wave-proxy-"));
  target = createServer((request, response) => response.end(`reached ${request.url}`));
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  port = (target.address() as AddressInfo).port;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((proxy) => proxy.close()));
});
afterAll(() => {
  target.closeAllConnections();
  target.close();
  rmSync(directory, { recursive: true, force: true });
});

let sockets = 0;
/** `names`: the hosts that a rule spells. */
async function proxyThat(allows: (subject: string) => boolean, names = allows): Promise<NetworkProxy> {
  const rules = { allows, names, deniesAddress: () => false };
  const opened = await openNetworkProxy({ socket: path.join(directory, `s${++sockets}`), rules });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  open.push(opened.value);
  return opened.value;
}

/** The proxy's response to bytes, until it closes the connection or sends the awaited text. */
function say(proxy: NetworkProxy, text: string, until = "\r\n"): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(proxy.socket);
    let answer = "";
    const end = () => {
      connection.destroy();
      resolve(answer);
    };
    connection.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.includes(until)) end();
    });
    connection.on("error", end);
    connection.on("close", end);
    connection.write(text);
  });
}

const tunnel = (proxy: NetworkProxy, subject: string) =>
  say(proxy, `CONNECT ${subject} HTTP/1.1\r\nHost: x\r\n\r\n`).then((answer) => Number(answer.split(" ")[1]));

describe("the proxy", () => {
  test("tunnels to permitted hosts, and forwards plain requests", async () => {
    const proxy = await proxyThat((subject) => subject === `127.0.0.1:${port}`);
    expect(await tunnel(proxy, `127.0.0.1:${port}`)).toBe(200);
    const answer = await say(proxy, `GET http://127.0.0.1:${port}/path?q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, "/path?q");
    expect(answer).toContain("reached /path?q");
  });

  test("refuses the rest, says which permission is missing, and remembers what was asked for", async () => {
    const proxy = await proxyThat(() => false);
    expect(await tunnel(proxy, "example.com:443")).toBe(403);
    const answer = await say(proxy, "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", "through");
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*example\.org:80 is not allowed: no `network_access` rule/);
    expect([...proxy.refused]).toEqual(["example.com:443", "example.org:80"]);
  });

  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
  ])("does not reach %s under a rule for everything", async (host) => {
    expect(
      await tunnel(
        await proxyThat(
          () => true,
          () => false,
        ),
        `${host}:${port}`,
      ),
    ).toBe(403);
  });

  test("reaches only the inner address that a rule spells", async () => {
    const proxy = await proxyThat((subject) => subject.startsWith("127.0.0.1:"));
    expect([await tunnel(proxy, `127.0.0.1:${port}`), await tunnel(proxy, `127.0.0.2:${port}`)]).toEqual([200, 403]);
  });

  test("ignores a dot at the end of a name", async () => {
    const asked: string[] = [];
    const proxy = await proxyThat((subject) => {
      asked.push(subject);
      return false;
    });
    expect(await tunnel(proxy, "denied.example.:443")).toBe(403);
    expect(asked).toEqual(["denied.example:443"]);
  });

  test("listens in a directory of any depth", async () => {
    const deep = path.join(directory, "d".repeat(100), "e".repeat(100));
    mkdirSync(deep, { recursive: true });
    const opened = await openNetworkProxy({
      socket: path.join(deep, "proxy.sock"),
      rules: { allows: () => false, names: () => false, deniesAddress: () => false },
    });
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    expect(readdirSync(deep)).toEqual(["proxy.sock"]);
    await opened.value.close();
    expect(readdirSync(deep)).toEqual([]);
  });

  test("survives clients that do not speak HTTP", async () => {
    const proxy = await proxyThat(
      () => true,
      () => false,
    );
    const nonsense = [
      "GARBAGE\r\n\r\n",
      "CONNECT nowhere HTTP/1.1\r\n\r\n",
      "CONNECT :443 HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET ftp://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "\0\0\0\0\r\n\r\n",
      `GET http://${"x".repeat(20_000)}/ HTTP/1.1\r\n\r\n`,
    ];
    for (const text of nonsense) expect(await say(proxy, text)).toMatch(/^(?:HTTP\/1\.1 4\d\d .*\s*)?/);
    expect(await tunnel(proxy, "10.0.0.1:1")).toBe(403);
  });

  test("ends open connections when it is closed", async () => {
    const proxy = await proxyThat((subject) => subject === `127.0.0.1:${port}`);
    const connection = connect(proxy.socket);
    const ended = new Promise((resolve) => connection.once("close", resolve));
    connection.on("error", () => {});
    await new Promise<void>((resolve) => {
      connection.once("data", () => resolve());
      connection.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    });
    await proxy.close();
    open.length = 0;
    await ended;
    expect(connection.destroyed).toBe(true);
  });
});

describe.each((await buildableModes()).map((isolation) => [isolation.mode, isolation] as const))(
  "a child's own network in mode %s",
  (_mode, isolation) => {
    let place: SandboxPlace;
    beforeAll(() => {
      place = sandboxPlace(isolation);
    });
    afterAll(() => place.remove());

    /** A Node program that prints the result of each way out. */
    const program = `
    const net = require("node:net"), http = require("node:http");
    const direct = (port) => new Promise((done) => {
      const socket = net.connect(port, "127.0.0.1").on("connect", () => (socket.destroy(), done("open"))).on("error", (e) => done(e.code));
    });
    const viaProxy = (url) => new Promise((done) => {
      if (!process.env.HTTP_PROXY) return done("no proxy");
      const { hostname, port } = new URL(process.env.HTTP_PROXY);
      http.get({ host: hostname, port, path: url }, (answer) => answer.resume().on("end", () => done(answer.statusCode)));
    });
    (async () => {
      const own = net.createServer((s) => s.end()).listen(0, "127.0.0.1");
      await new Promise((up) => own.once("listening", up));
      const loopback = await direct(own.address().port);
      own.close();
      const [target, other] = process.argv.slice(1);
      console.log(JSON.stringify([loopback, await direct(target), await viaProxy("http://127.0.0.1:" + target + "/"), await viaProxy("http://127.0.0.1:" + other + "/")]));
    })();`;
    const look = async (network: Parameters<typeof runSandboxed>[2]) =>
      JSON.parse((await runSandboxed(place, [process.execPath, "-e", program, String(port), "1"], network)).stdout) as unknown[];

    test("contains only loopback if the policy is closed", async () => {
      expect(await look({ view: { network: { kind: "none" } } })).toEqual(["open", "ECONNREFUSED", "no proxy", "no proxy"]);
    });

    test("permits no sockets that a network namespace does not confine, and no io_uring", async () => {
      const numbers = { x64: [41, 425], arm64: [198, 425] }[process.arch as "x64" | "arm64"];
      expect(numbers, "the numbers of system calls are not known for this processor").toBeDefined();
      const source = `for ([${numbers?.[0]}, 40, 1, 0], [${numbers?.[0]}, 1, 1, 0], [${numbers?.[0]}, 2, 1, 0], [${numbers?.[1]}, 1, 0]) {
        my @call = @$_; print syscall(shift @call, @call) >= 0 ? "made" : $! + 0, "\\n" }`;
      const ran = await runSandboxed(place, ["/usr/bin/perl", "-e", source], { view: { network: { kind: "none" } } });
      expect(ran.stdout).toBe("97\nmade\nmade\n38\n");
    });

    test("denies keys and descriptors of other processes to a child without its own user namespace", async () => {
      const keyctl = process.arch === "arm64" ? 219 : 250;
      const source = `my $p = syscall(434, $$ + 0, 0); print syscall(438, $p, 1, 0) >= 0 ? "taken " : $! + 0 . " ";
        print syscall(${keyctl}, 0, -4, 0) >= 0 ? "keys" : $! + 0`;
      const outcomes = [];
      for (const ownUser of [true, false]) {
        const other = { ...place, isolation: { ...isolation, ownUser } };
        outcomes.push((await runSandboxed(other, ["/usr/bin/perl", "-e", source], { view: { network: { kind: "host" } } })).stdout);
      }
      // In a user namespace the kernel itself refuses handles of outside processes; the child may use its own.
      expect(outcomes[0]).toMatch(/^taken /);
      expect(outcomes[1]).toMatch(isolation.mode === "user-namespace" ? /^taken / : /^1 1$/);
    });

    test("is the machine's if the policy is open", async () => {
      expect(await look({ view: { network: { kind: "host" } } })).toEqual(["open", "open", "no proxy", "no proxy"]);
    });

    test("reaches only hosts that the proxy permits, and keeps the command's exit code", async () => {
      const { socket } = await proxyThat((subject) => subject === `127.0.0.1:${port}`);
      // If Wave runs as the user of its children, the socket belongs to that user from the start.
      if (process.getuid?.() === 0) chownSync(socket, isolation.identity.uid, isolation.identity.gid);
      const network = { kind: "proxy", socket } as const;
      expect(await look({ view: { network } })).toEqual(["open", "ECONNREFUSED", 200, 403]);
      expect((await runSandboxed(place, "exit 7", { view: { network } })).outcome).toEqual({ kind: "exited", code: 7 });
      expect((await runSandboxed(place, "kill -SEGV $$", { view: { network } })).outcome).toEqual({ kind: "killed", signal: "SIGSEGV" });
    });
  },
);
