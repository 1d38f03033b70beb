/**
 * An HTTP proxy on a unix socket in the child's view, through which a sandboxed child reaches the permitted hosts and no
 * others. It accepts `CONNECT` and plain requests with a full URL. The proxy resolves names itself and connects to the
 * address it checked, so that a name cannot resolve to another address the second time.
 */
import { lookup } from "node:dns/promises";
import { closeSync, openSync, rmSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { type Duplex, pipeline } from "node:stream";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { describeIoError } from "../platform/files.ts";
import { canonicalHost } from "../text/host-name.ts";
import { isInnerAddress } from "./inner-addresses.ts";

/** Rules for `host:port`; IPv6 addresses are in brackets. */
export interface HostRules {
  /** Whether it may be reached, provided that it is not an inner address. */
  allows(subject: string): boolean;
  /** Whether a rule spells the host without a wildcard. */
  names(subject: string): boolean;
  /** Whether a deny rule covers an address to which the permitted `subject` resolves. */
  deniesAddress(address: string, subject: string): boolean;
}

export interface ProxySetting {
  /** The socket to listen on. Absolute. */
  readonly socket: string;
  readonly rules: HostRules;
  /** The addresses of a name. Defaults to the machine's resolver; rejects for a name without any. */
  resolve?(name: string): Promise<readonly string[]>;
}

export interface NetworkProxy {
  readonly socket: string;
  /** The refused `host:port` subjects, without duplicates. Excludes names that cannot be resolved. */
  readonly refused: ReadonlySet<string>;
  close(): Promise<void>;
}

/** An idle connection is closed after this many milliseconds. */
const idleMs = 120_000;
const connectMs = 20_000;
/** How many refused hosts are remembered. */
const maxRefused = 1000;
/** Each needs one or two of the machine's descriptors; a child that opens more waits. */
const maxConnections = 512;

/** Starts the proxy. Fails with `workspace-failed` if it cannot listen. */
export function openNetworkProxy({ socket, rules, resolve: addressesOf = resolveHere }: ProxySetting): Promise<Result<NetworkProxy>> {
  const refused = new Set<string>();
  const open = new Set<Duplex>();
  const judge = async (requested: string, port: number): Promise<string | undefined> => {
    const host = canonicalHost(requested);
    const subject = subjectOf(host ?? requested, port);
    const isAllowed = host !== undefined && port > 0 && port <= 65_535 && rules.allows(subject);
    const found: Found = isAllowed ? await addressOf(host, port, rules, addressesOf) : "refused";
    if (found === "refused" && refused.size < maxRefused) refused.add(subject);
    return typeof found === "string" ? undefined : found.address;
  };
  const server = createServer((request, response) => void forward(request, response, judge));
  server.maxConnections = maxConnections;
  server.on("connect", (request, inner, head) => void tunnel(request, inner, head, judge, open));
  server.on("connection", (connection: Socket) => {
    open.add(connection);
    connection.setTimeout(idleMs, () => connection.destroy());
    connection.once("close", () => open.delete(connection));
    connection.on("error", () => connection.destroy());
  });
  server.on("clientError", (_error, connection) => connection.destroy());
  const place = shortSocketPath(socket);
  return new Promise((resolve) => {
    server.once("error", (error) => {
      place.release();
      const { code, detail } = describeIoError(error);
      resolve(workspaceFailed(code, `the network proxy cannot listen: ${detail}`));
    });
    server.listen(place.path, () =>
      resolve(
        ok({
          socket,
          refused,
          close: () =>
            new Promise<void>((closed) => {
              for (const connection of open) connection.destroy();
              server.close(() => {
                place.release();
                rmSync(socket, { force: true });
                closed();
              });
            }),
        }),
      ),
    );
  });
}

/** The form that rules match: `host:port`, IPv6 addresses in brackets. */
function subjectOf(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A path that fits into a socket address, 107 bytes (unix(7)): a longer one would be truncated without an error. A path
 * through the directory's descriptor is short for any directory; the descriptor has to stay open until the server is
 * closed.
 */
function shortSocketPath(socket: string): { readonly path: string; release(): void } {
  if (process.platform !== "linux" || Buffer.byteLength(socket) <= 100) return { path: socket, release: () => {} };
  const directory = openSync(path.dirname(socket), "r");
  let open = true;
  return {
    path: `/proc/self/fd/${directory}/${path.basename(socket)}`,
    release() {
      if (open) closeSync(directory);
      open = false;
    },
  };
}

type Judge = (host: string, port: number) => Promise<string | undefined>;

async function tunnel(request: IncomingMessage, inner: Duplex, head: Buffer, judge: Judge, open: Set<Duplex>): Promise<void> {
  inner.on("error", () => inner.destroy());
  const target = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(request.url ?? "");
  const host = target?.[1]?.replace(/^\[|\]$/g, "");
  const port = Number(target?.[2]);
  const address = host === undefined ? undefined : await judge(host, port);
  if (address === undefined) {
    inner.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${refusal(request.url ?? "")}`);
    return;
  }
  const outer = connect({ host: address, port });
  open.add(outer);
  const abandon = () => outer.destroy();
  outer.setTimeout(connectMs, abandon);
  outer.once("connect", () => {
    outer.setTimeout(idleMs, abandon);
    inner.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) outer.write(head);
    outer.pipe(inner);
    inner.pipe(outer);
  });
  outer.once("error", (error) => inner.end(`HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n${error.message}\n`));
  outer.once("close", () => {
    open.delete(outer);
    inner.destroy();
  });
  inner.once("close", abandon);
}

async function forward(request: IncomingMessage, response: ServerResponse, judge: Judge): Promise<void> {
  const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined;
  const port = url === undefined || url.port === "" ? 80 : Number(url.port);
  const host = url?.hostname.replace(/^\[|\]$/g, "");
  const address = url?.protocol === "http:" && host !== undefined ? await judge(host, port) : undefined;
  if (url === undefined || address === undefined) {
    response
      .writeHead(403, { "Content-Type": "text/plain" })
      .end(refusal(url === undefined ? (request.url ?? "") : `${url.hostname}:${port}`));
    return;
  }
  const { "proxy-connection": _connection, "proxy-authorization": _authorization, ...headers } = request.headers;
  const outer = httpRequest(
    {
      host: address,
      port,
      method: request.method ?? "GET",
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host },
      timeout: idleMs,
    },
    (answer) => answered(response, answer),
  );
  outer.on("timeout", () => outer.destroy());
  outer.on("error", (error) => (response.headersSent ? response.destroy() : response.writeHead(502).end(`${error.message}\n`)));
  response.once("close", () => response.writableFinished || outer.destroy());
  pipeline(request, outer, () => {});
}

/** A server may respond with values that Node refuses to pass on, such as a status below 100. */
function answered(response: ServerResponse, answer: IncomingMessage): void {
  try {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // A truncated response is passed on truncated, and a child that disconnects ends it.
    pipeline(answer, response, () => {});
  } catch {
    answer.destroy();
    response.destroy();
  }
}

function refusal(subject: string): string {
  return `wave: ${subject} is not allowed: no \`network_access\` rule of this step permits it\n`;
}

type Found = { readonly address: string } | "refused" | "unresolved";

/**
 * The address to connect to: a literal one, or the first permitted one that a name resolves to. Inner addresses require
 * a rule that names them literally, `localhost` included; a denied address is never reached through a name.
 */
async function addressOf(
  host: string,
  port: number,
  rules: HostRules,
  addressesOf: (name: string) => Promise<readonly string[]>,
): Promise<Found> {
  const machine = Object.values(networkInterfaces()).flatMap((networks) => networks ?? []);
  const subject = subjectOf(host, port);
  const isNamed = rules.names(subject);
  if (isIP(host) !== 0) return isInnerAddress(host, machine) && !isNamed ? "refused" : { address: host };
  const mayReach = (address: string) =>
    !rules.deniesAddress(subjectOf(canonicalHost(address) ?? address, port), subject) &&
    (!isInnerAddress(address, machine) || (isNamed && host === "localhost" && isLoopback(address)));
  try {
    const address = (await addressesOf(host)).find(mayReach);
    return address === undefined ? "refused" : { address };
  } catch {
    return "unresolved";
  }
}

async function resolveHere(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
