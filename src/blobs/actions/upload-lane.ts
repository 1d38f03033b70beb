/**
 * Uploads directories as Actions artifacts, a few at a time, until the service refuses several in a row or does not respond. Failures
 * become warnings and are never thrown. `service-health.ts` reports a service that does not respond, once per job.
 */

import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import type { Toolkit } from "../../platform/actions/toolkit.ts";
import type { ToolkitProblem } from "../../platform/actions/toolkit-calls.ts";

export interface UploadLaneRequest {
  readonly toolkit: Pick<Toolkit, "ask">;
  /** A directory for files being uploaded. */
  readonly temp: string;
  readonly retentionDays?: number;
  /** The limit for one upload, in milliseconds. Defaults to ten minutes. */
  readonly limitMs?: number;
  readonly warn: (text: string) => void;
}

export interface Upload {
  /** The content, as the subject of a warning. */
  readonly what: string;
  /** The name of the Actions artifact. */
  readonly name: string;
  /** Creates the files to upload in a directory and returns their paths. */
  readonly layOut: (root: string) => Promise<readonly string[]>;
}

export interface UploadLane {
  /** Returns whether the artifact is uploaded. Never rejects. */
  upload(upload: Upload): Promise<boolean>;
  /** Gives up all waiting and running uploads without a warning. */
  abandon(): void;
  /** Resolves once no upload is waiting or running. */
  rest(): Promise<void>;
  /** The number of failed uploads, and whether the service is given up. */
  readonly tally: { readonly lost: number; readonly dead: boolean };
}

const atOnce = 4;

/** Whether the artifact client reports an exceeded quota, which fails every other upload of the job too. */
function isQuota(detail: string): boolean {
  return /quota|insufficient usage/i.test(detail);
}

/** After this many failures in a row, the service counts as dead. */
const failureLimit = 3;

export function openUploadLane({ toolkit, temp, retentionDays, limitMs = 10 * 60_000, warn }: UploadLaneRequest): UploadLane {
  const tally = { lost: 0, dead: false, failures: 0 };
  const all = new Set<Promise<boolean>>();
  const turns: (() => void)[] = [];
  let running = 0;

  const turn = () => (running < atOnce ? Promise.resolve() : new Promise<void>((resolve) => turns.push(resolve)));
  const fail = (what: string, { code, detail }: Pick<ToolkitProblem, "code" | "detail">) => {
    tally.failures += 1;
    if (code !== "unavailable") tally.lost += 1;
    if (tally.dead) return;
    const isFull = isQuota(detail);
    tally.dead = isFull || code === "unavailable" || code === "given-up" || tally.failures >= failureLimit;
    if (code === "given-up" || code === "unanswered") return;
    warn(isFull || code === "unavailable" ? `artifacts are not uploaded: ${detail}` : `${what} was not uploaded: ${detail}`);
    if (tally.dead && !isFull && code !== "unavailable")
      warn("the artifact service refused several uploads: this job uploads no more artifacts");
  };
  const send = async ({ what, name, layOut }: Upload): Promise<boolean> => {
    if (tally.dead) return false;
    const root = await mkdtemp(path.join(temp, "upload-"));
    try {
      const files = await layOut(root);
      const input = { name, root, files, ...defined({ retentionDays }) };
      const sent = await toolkit.ask("uploadArtifact", input, limitMs);
      // The name identifies the content, so an existing artifact of this name is the same.
      const isStored = sent.ok || sent.error.code === "conflict";
      if (isStored) tally.failures = 0;
      else if (!sent.ok) fail(what, sent.error);
      return isStored;
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  };
  return {
    tally,
    upload(upload) {
      const sent = (async () => {
        await turn();
        running += 1;
        try {
          return await send(upload);
        } catch (error) {
          fail(upload.what, { code: "failed", detail: error instanceof Error ? error.message : String(error) });
          return false;
        } finally {
          running -= 1;
          turns.shift()?.();
        }
      })();
      all.add(sent);
      void sent.then(() => all.delete(sent));
      return sent;
    },
    abandon() {
      tally.lost += 1;
      tally.dead = true;
    },
    async rest() {
      while (all.size > 0) await Promise.all(all);
    },
  };
}
