/** Requests through the proxy of the environment: a real proxy, and names that only the proxy resolves. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchByProxy } from "../../../src/platform/fetch-by-proxy.ts";
import { connectProxy } from "../../rig/connect-proxy.ts";

let server: Server;
let port: number;
beforeEach(async () => {
  server = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(env: Readonly<Record<string, string | undefined>>, url: string): Promise<string> {
  const fetch = await fetchByProxy(env);
  if (!fetch.ok) throw new Error(fetch.error);
  return (await fetch.value(url)).text();
}

test("is Node's own without a proxy in the environment", async () => {
  for (const env of [{}, { HTTP_PROXY: "", https_proxy: " ", NO_PROXY: "*" }])
    expect(await fetchByProxy(env)).toEqual({ ok: true, value: globalThis.fetch });
});

describe.each([
  ["in small letters", "http_proxy"],
  ["in capitals", "HTTP_PROXY"],
])("a proxy that is named %s", (_, variable) => {
  test("gets requests with its credentials, and defaults to HTTP without a scheme", async () => {
    const proxy = await connectProxy();
    expect(await ask({ [variable]: `http://me:p%40ss@${proxy.address}` }, `http://nowhere.invalid:${port}/`)).toBe("here");
    expect(await ask({ [variable]: proxy.address }, `http://elsewhere.invalid:${port}/`)).toBe("here");
    expect(proxy.asked).toEqual([
      { host: `nowhere.invalid:${port}`, credentials: `Basic ${Buffer.from("me:p@ss").toString("base64")}` },
      { host: `elsewhere.invalid:${port}`, credentials: undefined },
    ]);
  });

  test("gets no requests for hosts in NO_PROXY", async () => {
    const proxy = await connectProxy();
    for (const name of ["no_proxy", "NO_PROXY"])
      expect(await ask({ [variable]: proxy.address, [name]: "other.invalid,127.0.0.1" }, `http://127.0.0.1:${port}/`)).toBe("here");
    expect(proxy.asked).toEqual([]);
  });
});

test("lower case variables take precedence", async () => {
  const [first, second] = [await connectProxy(), await connectProxy()];
  await ask({ HTTP_PROXY: second.address, http_proxy: first.address }, `http://nowhere.invalid:${port}/`);
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
});

test("HTTPS_PROXY is used for https URLs only", async () => {
  const proxy = await connectProxy();
  // The server has no TLS; the CONNECT request is sufficient.
  await expect(ask({ HTTPS_PROXY: proxy.address }, `https://nowhere.invalid:${port}/`)).rejects.toThrow("fetch failed");
  await expect(ask({ HTTPS_PROXY: proxy.address }, `http://nowhere.invalid:${port}/`)).rejects.toThrow("fetch failed");
  expect(proxy.asked.map(({ host }) => host)).toEqual([`nowhere.invalid:${port}`]);
});

test.each(["socks5://h:1", "http://", "http://me:secret@:80", "::"])("refuses the address %j without repeating it", async (address) => {
  expect(await fetchByProxy({ HTTPS_PROXY: address })).toEqual({ ok: false, error: "HTTPS_PROXY is not the address of an HTTP proxy" });
});
