/** Traces sent to a collector, and printed: both as OpenTelemetry's own descriptors read them. Through the built binary. */
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { project, repository } from "../rig/project.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

interface Descriptor {
  decode(bytes: Uint8Array): unknown;
  encode(message: unknown): { finish(): Uint8Array };
  fromObject(value: unknown): unknown;
  toObject(message: unknown, options: unknown): unknown;
  verify(value: unknown): string | null;
}

const load = createRequire(path.join(repository, "package.json"));
const generated = load(path.join(repository, "node_modules/@opentelemetry/otlp-transformer/build/src/generated/root.js")) as {
  opentelemetry: { proto: { collector: { trace: { v1: { ExportTraceServiceRequest: Descriptor } } } } };
};
const descriptor = generated.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const plain = { longs: String, enums: Number, bytes: (bytes: Uint8Array) => bytes, defaults: false };

const manifest = `
personas:
  good: { command: 'printf "%s" "$TRACEPARENT" > $WAVE_OUTPUT_DIR/parent.txt' }
  bad: { command: 'exit 3' }
pipeline:
  name: traced
  steps:
    - { id: one, persona: good, artifacts: [parent], handover: { contract: { name: there, type: test_suite, command: "true" } } }
    - { id: two, persona: bad, dependencies: [one] }
`;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Collected {
  readonly url: string;
  readonly requests: { readonly type: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer }[];
}

async function collector(answer: "takes" | "refuses" | "hangs" = "takes"): Promise<Collected> {
  const requests: Collected["requests"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    requests.push({ type: `${request.url} ${request.headers["content-type"]}`, headers: request.headers, body: Buffer.concat(chunks) });
    if (answer === "hangs") return;
    response.writeHead(answer === "takes" ? 200 : 400, { "content-type": "application/x-protobuf" });
    response.end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const hex = (id: unknown) => Buffer.from(id as Uint8Array).toString("hex");

function spansIn(request: Request): Span[] {
  return request.resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map((span) => ({
      ...span,
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      ...(span.parentSpanId === undefined || (span.parentSpanId as unknown as Uint8Array).length === 0
        ? {}
        : { parentSpanId: hex(span.parentSpanId) }),
    }));
}

const names = (spans: readonly Span[]) => spans.map(({ name, status }) => `${name}: ${status?.code ?? 0}`);

it("sends what happened when an endpoint is set: runs, steps, attempts and checks, below the caller's span and above the children's", async () => {
  const { url, requests } = await collector();
  const wave = project({ "wave.yaml": manifest });
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=abc",
    OTEL_SERVICE_NAME: "reviews",
    OTEL_RESOURCE_ATTRIBUTES: "team=core",
    TRACEPARENT: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`,
  };
  expect((await wave.start(["run"], env).finished).code).toBe(1);
  expect(requests.map(({ type, headers }) => [type, headers["x-key"]])).toEqual([["/v1/traces application/x-protobuf", "abc"]]);
  const request = descriptor.toObject(descriptor.decode(requests[0]?.body ?? Buffer.alloc(0)), plain) as Request;
  const spans = spansIn(request);
  expect(names(spans)).toEqual([
    "run traced: 2",
    "step one: 1",
    "attempt 1 of one: 1",
    "contract there: 1",
    "step two: 2",
    "attempt 1 of two: 2",
  ]);
  const byName = new Map(spans.map((span) => [span.name, span]));
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(["ab".repeat(16)]));
  const above = (name: string) => byName.get(name)?.parentSpanId;
  expect(above("run traced")).toBe("cd".repeat(8));
  expect([above("step one"), above("attempt 1 of one"), above("contract there")]).toEqual([
    byName.get("run traced")?.spanId,
    byName.get("step one")?.spanId,
    byName.get("attempt 1 of one")?.spanId,
  ]);
  const attributes = request.resourceSpans[0]?.resource.attributes.map(({ key, value }) => [key, value["stringValue"]]);
  expect(attributes).toEqual(
    expect.arrayContaining([
      ["service.name", "reviews"],
      ["team", "core"],
    ]),
  );

  const artifact = wave.events().flatMap((event) => (event.type === "attempt-passed" ? event.artifacts : []))[0]?.digest ?? "";
  const handed = await wave.wave("artifacts", "latest", "--json");
  expect(handed.code).toBe(0);
  const file = path.join(wave.root, ".wave/state/blobs/sha256", artifact.slice(7, 9), artifact.slice(9));
  const { readFileSync } = await import("node:fs");
  expect(readFileSync(file, "utf8")).toBe(`00-${"ab".repeat(16)}-${byName.get("attempt 1 of one")?.spanId}-01`);

  const printed = await wave.start(["trace", "latest", "--format", "otlp"], { TRACEPARENT: env.TRACEPARENT }).finished;
  const printedSpans = (JSON.parse(printed.stdout) as Request).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans: all }) => all),
  );
  expect(printedSpans.map(({ spanId, parentSpanId, name }) => [spanId, parentSpanId, name])).toEqual(
    spans.map(({ spanId, parentSpanId, name }) => [spanId, parentSpanId, name]),
  );
});

it("sends only what a resumed process did itself, as JSON where that is asked for", async () => {
  const { url, requests } = await collector();
  const wave = project({ "wave.yaml": manifest });
  await wave.wave("run");
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/traces`, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  expect((await wave.start(["resume"], env).finished).code).toBe(1);
  expect(requests.map(({ type }) => type)).toEqual(["/traces application/json"]);
  const sent = JSON.parse(requests[0]?.body.toString() ?? "{}") as Request;
  expect(names(sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))).toEqual([
    "run traced: 2",
    "step two: 2",
    "attempt 2 of two: 2",
  ]);
});

it("says what a collector does not take, and waits for none; the verdict is the same", async () => {
  const wave = project({ "wave.yaml": manifest.replace("exit 3", "exit 0") });
  const refusing = await collector("refuses");
  const refused = await wave.start(["run"], { OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url }).finished;
  expect(refused.code).toBe(0);
  expect(refused.stderr).toMatch(/warning: the trace was not sent: /);
  const hanging = await collector("hangs");
  const late = await wave.start(["run"], { OTEL_EXPORTER_OTLP_ENDPOINT: hanging.url }).finished;
  expect(late.code).toBe(0);
  expect(late.stderr).toMatch(/warning: the trace was not sent: /);
  const foreign = await wave.start(["run"], { OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }).finished;
  expect({
    code: foreign.code,
    said: foreign.stderr.includes("OTLP protocol `grpc` is not supported; use http/protobuf or http/json"),
  }).toEqual({
    code: 0,
    said: true,
  });
});

it("prints traces that OpenTelemetry's descriptors allow", async () => {
  const wave = project({ "wave.yaml": manifest });
  await wave.wave("run");
  const { stdout } = await wave.wave("trace", "latest", "--format", "otlp");
  const value = JSON.parse(stdout, (key, member) =>
    ["traceId", "spanId", "parentSpanId"].includes(key) ? Buffer.from(member as string, "hex") : (member as unknown),
  ) as unknown;
  expect(descriptor.verify(descriptor.toObject(descriptor.fromObject(value), { ...plain, longs: undefined }))).toBeNull();
  const back = descriptor.toObject(descriptor.decode(descriptor.encode(descriptor.fromObject(value)).finish()), plain) as Request;
  expect(names(spansIn(back))).toContain("attempt 1 of two: 2");
});
