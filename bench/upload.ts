/**
 * What wave adds to the upload of an artifact: through its own lane (a directory, the toolkit's thread, limits) beside the bare client, each in a process of
 * its own that has uploaded something before, so that loading has no part in it. Needs what `npm ci` installs:
 *
 *     node .ci/run-ts.mjs bench/upload.ts [PAIRS] [MEGABYTES]      5 pairs of 64 MB by default
 *
 * The service is a process of this script that answers the client's calls and lets the bytes go, so that the network and a store have no part in it. Half of the
 * bytes can be compressed. It measures and does not judge; the budget is printed beside it.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { openUploadLane } from "../src/blobs/actions/upload-lane.ts";
import { openToolkit } from "../src/platform/actions/toolkit.ts";
import { systemClock } from "../src/platform/clock.ts";
import { openServiceHealth } from "../src/platform/service-health.ts";

const self = fileURLToPath(import.meta.url);
const [role = "", ...words] = process.argv[1] === self ? process.argv.slice(2) : [];
/** Each role is a process of its own; without one this is the process that times the others. */
const roles: Readonly<Record<string, (...words: string[]) => Promise<void>>> = { serve, bare, lane };
await (roles[role]?.(...words) ?? compare());

async function compare(): Promise<void> {
  const [pairs = 5, megabytes = 64] = process.argv.slice(2).map(Number);
  const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
  const service = spawn(process.execPath, [self, "serve"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const file = path.join(scratch, "artifact.bin");
    const noise = randomBytes(2 ** 19);
    const piece = Buffer.concat([noise, Buffer.alloc(2 ** 19, "all of this can be compressed. ")]);
    writeFileSync(file, Buffer.concat(Array.from({ length: megabytes }, () => piece)));
    const [origin] = (await once(service.stdout ?? service, "data")) as [Buffer];
    const env = environmentFor(origin.toString().trim());
    const timed: { wave: number; client: number }[] = [];
    for (let pair = 0; pair <= pairs; pair++)
      timed.push({ wave: await time("lane", file, env, scratch), client: await time("bare", file, env) });
    // The first warms caches and is not counted.
    const counted = timed.slice(1);
    const [own, floor] = [median(counted.map(({ wave }) => wave)), median(counted.map(({ client }) => client))];
    const ratio = median(counted.map(({ wave, client }) => wave / client));
    console.log(`${pairs} pairs of ${megabytes} MB, medians; ${process.platform}-${process.arch}, Node ${process.versions.node}\n`);
    console.log(`wave ${own.toFixed(0)} ms, the client alone ${floor.toFixed(0)} ms, ratio ${ratio.toFixed(2)}; budget: at most 1.1 x`);
  } finally {
    service.kill();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The client as its documentation shows it. */
async function bare(file: string): Promise<void> {
  const { DefaultArtifactClient } = await import("@actions/artifact");
  const client = new DefaultArtifactClient();
  await warmThenTimed(file, async (one) => void (await client.uploadArtifact("bench", [one], path.dirname(one))));
}

/** As a job does it. */
async function lane(file: string, temp: string): Promise<void> {
  // The toolkit looks for its thread beside the code that starts it.
  const thread = path.join(path.dirname(self), "toolkit-thread.js");
  rmSync(thread, { force: true });
  symlinkSync(path.resolve("dist/toolkit-thread.js"), thread);
  const health = () => openServiceHealth({ clock: systemClock });
  const services = { api: health(), artifacts: health(), cache: health() };
  const toolkit = openToolkit({ env: process.env, clock: systemClock, services });
  const uploads = openUploadLane({ toolkit, temp, warn: (text) => console.error(text) });
  const place = (one: string, root: string) => {
    const target = path.join(root, path.basename(one));
    linkSync(one, target);
    return [target];
  };
  await warmThenTimed(file, async (one) => {
    const there = await uploads.upload({ what: "the artifact", name: "bench", layOut: async (root) => place(one, root) });
    if (!there) throw new Error("it was not uploaded");
  });
  await toolkit.close();
  rmSync(thread, { force: true });
}

/** Uploads something small, then the file, and tells how many milliseconds that took. */
async function warmThenTimed(file: string, upload: (file: string) => Promise<void>): Promise<void> {
  const small = `${file}.small`;
  writeFileSync(small, "small");
  await upload(small);
  const began = process.hrtime.bigint();
  await upload(file);
  writeFileSync(`${file}.time`, String(Number(process.hrtime.bigint() - began) / 1e6));
}

/** Answers what an upload asks for, and lets its bytes go. */
async function serve(): Promise<void> {
  let origin = "";
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const method = (request.url ?? "").split("/").at(-1);
      const created =
        method === "CreateArtifact" ? { ok: true, signed_upload_url: `${origin}/account/container/blob?sig=none` } : undefined;
      const answer = created ?? (method === "FinalizeArtifact" ? { ok: true, artifact_id: "1" } : undefined);
      response.writeHead(answer === undefined ? 201 : 200, { "content-type": "application/json" });
      response.end(answer === undefined ? "" : JSON.stringify(answer));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  console.log(origin);
  await once(server, "close");
}

function environmentFor(origin: string): NodeJS.ProcessEnv {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "none" })}.${part({ scp: "Actions.Results:1:1" })}.`;
  const service = { ACTIONS_RESULTS_URL: `${origin}/`, ACTIONS_RUNTIME_TOKEN: token, GITHUB_SERVER_URL: "https://github.com" };
  return { ...process.env, ...service };
}

/** Milliseconds that a role took for its upload. Throws when it fails. */
async function time(named: string, file: string, env: NodeJS.ProcessEnv, ...more: string[]): Promise<number> {
  const child = spawn(process.execPath, [self, named, file, ...more], { env, stdio: ["ignore", "ignore", "inherit"] });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`${named} ended with ${status}`);
  return Number(readFileSync(`${file}.time`, "utf8"));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
