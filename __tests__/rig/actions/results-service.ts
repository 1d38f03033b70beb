/**
 * The results service of GitHub Actions: artifacts and caches over Twirp JSON, the bytes in Azurite. It keeps the rules that matter to its clients
 * (names taken, what an attempt sees, scopes and prefixes of caches) and fails as it is told to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type BlobStorage, startBlobStorage } from "./blob-storage.ts";
import { type ArtifactEntry, type CacheEntry, type Caller, createCall, type Reply } from "./results-calls.ts";

/** How a call goes wrong. `hang`: no answer at all. */
export interface Fault {
  /** `CreateArtifact`, `GetCacheEntryDownloadURL` … */
  readonly method: string;
  readonly status?: number;
  readonly message?: string;
  readonly hang?: true;
  /** How often; absent: always. */
  times?: number;
}

export interface JobIdentity {
  readonly runId: number;
  readonly job: string;
  readonly attempt: number;
  /** `refs/heads/main`, `refs/pull/7/merge`. */
  readonly ref: string;
  /** Whose caches can be read besides; default `refs/heads/main`. */
  readonly baseRef?: string;
  readonly cacheReadOnly?: boolean;
}

export interface ResultsService {
  /** The variables that a runner gives an action in this job. */
  environment(job: JobIdentity): Record<string, string>;
  readonly artifacts: ArtifactEntry[];
  readonly caches: CacheEntry[];
  readonly faults: Fault[];
  /** Method names, in the order of the calls. */
  readonly calls: string[];
  readonly storage: BlobStorage;
  /** All bytes that were sent to it: bodies of calls, artifacts and caches. */
  everything(): Promise<Buffer>;
  /** "Re-run all jobs": what earlier attempts uploaded is seen no more. */
  hideArtifacts(runId: number): void;
  close(): Promise<void>;
}

export async function startResultsService(): Promise<ResultsService> {
  const storage = await startBlobStorage();
  const state = { artifacts: [] as ArtifactEntry[], caches: [] as CacheEntry[], storage };
  const faults: Fault[] = [];
  const calls: string[] = [];
  const bodies: Buffer[] = [];
  const call = createCall(state);
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) =>
      send(response, { status: 500, body: { code: "internal", msg: String(error) } }),
    );
  });
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    bodies.push(body);
    const method = (request.url ?? "").split("/").at(-1) ?? "";
    calls.push(method);
    const fault = faults.find((one) => one.method === method && one.times !== 0);
    if (fault !== undefined) {
      if (fault.times !== undefined) fault.times -= 1;
      if (fault.hang === true) return;
      send(response, { status: fault.status ?? 503, body: { code: "unavailable", msg: fault.message ?? "as it was told" } });
      return;
    }
    const caller = callerOf(request.headers.authorization);
    const reply: Reply =
      caller === undefined
        ? { status: 401, body: { code: "unauthenticated", msg: "no runtime token" } }
        : await call(method, caller, JSON.parse(body.toString() || "{}") as Record<string, unknown>);
    send(response, reply);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    ...state,
    faults,
    calls,
    environment: (job) => environmentOf(origin, job),
    async everything() {
      const blobs = [...state.artifacts, ...state.caches].map(({ blob }) => storage.read(blob).catch(() => Buffer.alloc(0)));
      return Buffer.concat([...bodies, ...(await Promise.all(blobs))]);
    },
    hideArtifacts(runId) {
      for (const artifact of state.artifacts) if (artifact.runId === runId) artifact.hidden = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await storage.close();
    },
  };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function environmentOf(origin: string, job: JobIdentity): Record<string, string> {
  const claims = { scp: `Actions.Results:run-${job.runId}:job-${job.runId}-${job.attempt}-${job.job}`, wave: job };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    ACTIONS_RESULTS_URL: `${origin}/`,
    ACTIONS_RUNTIME_TOKEN: `${part({ alg: "none" })}.${part(claims)}.`,
    ACTIONS_CACHE_SERVICE_V2: "True",
    ACTIONS_RUNTIME_URL: `${origin}/`,
    // Its clients refuse http for anything that they take for an enterprise server.
    GITHUB_SERVER_URL: "https://github.com",
  };
}

function callerOf(authorization: string | undefined): Caller | undefined {
  const [, claims] = (authorization ?? "").replace(/^Bearer /, "").split(".");
  if (claims === undefined) return undefined;
  const { wave } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { wave: JobIdentity };
  return { ...wave, baseRef: wave.baseRef ?? "refs/heads/main", cacheReadOnly: wave.cacheReadOnly === true };
}
