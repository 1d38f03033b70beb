/**
 * `fetch` through the proxy of the environment: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case, as undici's
 * `EnvHttpProxyAgent` reads them. Node's own `fetch` ignores them, except in recent versions on request.
 */
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";

type Fetch = typeof globalThis.fetch;
type Environment = Readonly<Record<string, string | undefined>>;

/** Lower case takes precedence, as with curl. Empty values are ignored. */
const variables = {
  httpProxy: ["http_proxy", "HTTP_PROXY"],
  httpsProxy: ["https_proxy", "HTTPS_PROXY"],
  noProxy: ["no_proxy", "NO_PROXY"],
};

const opened = new Map<string, Promise<Fetch>>();

/** Returns Node's own `fetch` without a proxy. Fails with a message for an invalid address, which it omits: it may contain a password. */
export async function fetchByProxy(env: Environment): Promise<Result<Fetch, string>> {
  const http = addressOf(env, variables.httpProxy);
  const https = addressOf(env, variables.httpsProxy);
  if (!http.ok) return http;
  if (!https.ok) return https;
  if (http.value === undefined && https.value === undefined) return ok(globalThis.fetch);
  const settings = {
    ...defined({ httpProxy: http.value, httpsProxy: https.value }),
    noProxy: named(env, variables.noProxy)?.value ?? "",
  };
  const key = JSON.stringify(settings);
  const known = opened.get(key) ?? open(settings);
  opened.set(key, known);
  return ok(await known);
}

async function open(settings: { readonly httpProxy?: string; readonly httpsProxy?: string; readonly noProxy: string }): Promise<Fetch> {
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent(settings);
  // Both have the same interface; only their types are unrelated.
  return ((input: never, init: object | undefined) => fetch(input, { ...init, dispatcher })) as unknown as Fetch;
}

function addressOf(env: Environment, names: readonly string[]): Result<string | undefined, string> {
  const found = named(env, names);
  if (found === undefined) return ok(undefined);
  const address = found.value.includes("://") ? found.value : `http://${found.value}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isProxy = url !== undefined && ["http:", "https:"].includes(url.protocol) && url.hostname !== "";
  return isProxy ? ok(address) : err(`${found.name} is not the address of an HTTP proxy`);
}

function named(env: Environment, names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
  for (const name of names) {
    const value = env[name]?.trim() ?? "";
    if (value !== "") return { name, value };
  }
  return undefined;
}
