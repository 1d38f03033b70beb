/** Alerts, to a real webhook, through the built binary: told once, signed, tried again, recorded, and never in the way of a verdict. */
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { RunRecord } from "../../src/core/state.ts";
import { connectProxy } from "../rig/connect-proxy.ts";
import { type Project, project } from "../rig/project.ts";

interface Hook {
  readonly url: string;
  readonly received: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string; readonly path: string }[];
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Answers with these statuses, the last one for good; 0 does not answer. */
async function webhook(...statuses: number[]): Promise<Hook> {
  const received: Hook["received"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), path: request.url ?? "" });
    const status = statuses[Math.min(received.length, statuses.length) - 1] ?? 204;
    if (status === 0) return;
    response.writeHead(status);
    response.end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const steps = `
personas:
  good: { command: 'true' }
  moody: { command: 'test "$MOOD" = good', secrets: [MOOD] }
  slow: { command: 'sleep 30' }
`;
const manifest = (alerts: string, pipeline: string) => `alerts:\n${alerts}${steps}pipeline:\n  name: demo\n  steps:\n${pipeline}`;
const gated = `    - { id: a, persona: good, handover: { contract: { name: shape, type: test_suite, command: 'test -f good' } } }\n`;

const record = async (wave: Project) => (JSON.parse((await wave.wave("status", "latest", "--json")).stdout) as { run: RunRecord }).run;
const outcomes = ({ alerts = [] }: RunRecord) =>
  alerts.map(({ alert, reason, subject, outcome, because }) => [alert, reason, subject, outcome, because]);

it("announces a failed contract and a failed run as CloudEvents, signed, once a run", async () => {
  const hook = await webhook(204);
  const wave = project({ "wave.yaml": manifest("  - { name: ops, url_from: HOOK, secret: HOOK_KEY }\n", gated) });
  const env = { HOOK: `${hook.url}/hooks/T0KEN`, HOOK_KEY: "s3cret-signing-key" };
  expect((await wave.start(["run"], env).finished).code).toBe(1);
  expect((await wave.start(["resume"], env).finished).code).toBe(1);
  // They are sent side by side: whichever comes first.
  const events = hook.received
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    .sort((a, b) => (String(a["type"]) < String(b["type"]) ? -1 : 1));
  const run = await record(wave);
  expect(events).toEqual([
    expect.objectContaining({
      specversion: "1.0",
      source: `wave/demo/${run.id}`,
      type: "wave.contract-failed",
      subject: "a/shape",
      datacontenttype: "application/json",
      data: expect.objectContaining({ pipeline: "demo", run: run.id, reason: "contract-failed" }),
    }),
    expect.objectContaining({ type: "wave.run-failed" }),
  ]);
  for (const { headers, body, path } of hook.received) {
    expect(path).toBe("/hooks/T0KEN");
    expect(headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(headers["wave-signature"]).toBe(`sha256=${createHmac("sha256", env.HOOK_KEY).update(body).digest("hex")}`);
  }
  expect(outcomes(run).sort()).toEqual([
    ["ops", "contract-failed", "a/shape", "sent", undefined],
    ["ops", "run-failed", "", "sent", undefined],
  ]);
  expect((await wave.wave("status", "latest")).stdout).toContain("alert ops sent: contract-failed a/shape");
  // The address is a secret.
  expect(JSON.stringify(wave.events())).not.toContain("T0KEN");
});

it("goes through the proxy that the environment names, and says where that is none", async () => {
  const hook = await webhook(204);
  const proxy = await connectProxy();
  const wave = project({ "wave.yaml": manifest("  - { name: ops, url_from: HOOK, on: [run-failed] }\n", gated) });
  const env = { HOOK: hook.url.replace("127.0.0.1", "hook.invalid"), HTTP_PROXY: proxy.address };
  expect((await wave.start(["run"], env).finished).code).toBe(1);
  expect([hook.received.length, proxy.asked.map(({ host }) => host)]).toEqual([1, [env.HOOK.slice("http://".length)]]);
  expect((await wave.start(["run"], { ...env, HTTP_PROXY: "socks://me:pass-word@proxy" }).finished).code).toBe(1);
  expect(outcomes(await record(wave))).toEqual([["ops", "run-failed", "", "failed", "HTTP_PROXY is not the address of an HTTP proxy"]]);
});

it("tries again what a webhook could not take, and says what was given up, without its address", async () => {
  const busy = await webhook(500, 503, 204);
  const gone = await webhook(410);
  const dead = await webhook(204);
  const alerts = [
    `  - { name: busy, url: "${busy.url}", on: [run-failed] }`,
    `  - { name: gone, url: "${gone.url}", on: [run-failed] }`,
    `  - { name: nowhere, url_from: NOWHERE, on: [run-failed] }`,
    `  - { name: slack, url: "${dead.url}", format: slack, on: [step-timeout] }`,
  ].join("\n");
  const timed = `    - { id: a, persona: slow, resources: { timeout: 1s } }\n`;
  const wave = project({ "wave.yaml": manifest(`${alerts}\n`, timed) });
  expect((await wave.wave("run")).code).toBe(1);
  expect([busy.received.length, gone.received.length]).toEqual([3, 1]);
  expect(dead.received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { text: expect.stringMatching(/^:hourglass: \*demo\*: step a: the attempt took longer than 1s \(run `[0-9a-f]+`\)$/) },
  ]);
  const told = outcomes(await record(wave)).sort();
  expect(told).toEqual([
    ["busy", "run-failed", "", "sent", undefined],
    ["gone", "run-failed", "", "failed", "the webhook answered 410"],
    ["nowhere", "run-failed", "", "failed", "NOWHERE is not set"],
    ["slack", "step-timeout", "a", "sent", undefined],
  ]);
});

it("announces that a pipeline passes again, and only then", async () => {
  const hook = await webhook(204);
  const alerts = `  - { name: ops, url: "${hook.url}", on: [run-failed, run-recovered] }\n`;
  const wave = project({ "wave.yaml": manifest(alerts, `    - { id: a, persona: moody }\n`) });
  const run = (mood: string, words = ["run"]) => wave.start(words, { MOOD: mood }).finished;
  expect((await run("good")).code).toBe(0);
  expect((await run("bad")).code).toBe(1);
  expect((await run("good", ["resume"])).code).toBe(0);
  expect((await run("bad")).code).toBe(1);
  expect((await run("good")).code).toBe(0);
  expect((await run("good")).code).toBe(0);
  const types = hook.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  expect(types).toEqual(["wave.run-failed", "wave.run-recovered", "wave.run-failed", "wave.run-recovered"]);
});

it("keeps no verdict waiting: a webhook that hangs is given up, and the run has its own result", async () => {
  const hook = await webhook(0);
  const alerts = `  - { name: ops, url: "${hook.url}", on: [contract-failed] }\n`;
  const wave = project({ "wave.yaml": manifest(alerts, `${gated}    - { id: b, persona: good }\n`) });
  const started = wave.start(["run", "--json", "--on-failure", "keep-going"], {});
  const finished = await started.line((line) => line.includes('"run-finished"'));
  expect(JSON.parse(finished)).toMatchObject({ type: "run-finished", status: "failed" });
  expect((await started.finished).code).toBe(1);
  expect(outcomes(await record(wave))).toEqual([["ops", "contract-failed", "a/shape", "failed", "the webhook did not answer in time"]]);
}, 60_000);

it("is a diagnostic where it is written wrongly", async () => {
  const wave = project({
    "wave.yaml": manifest(`  - { name: a }\n  - { name: b, url: "ftp://x" }\n  - { name: c, url_from: X, on: [run-faild] }\n`, gated),
  });
  const { code, stdout, stderr } = await wave.wave("validate");
  expect(code).toBe(2);
  expect(stdout + stderr).toContain("the alert `a` needs either `url` or `url_from`");
  expect(stdout + stderr).toContain("run-failed");
});
