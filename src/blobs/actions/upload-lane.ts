/**
 * Uploads directories, a few at a time, until the service refuses several or does not answer. Failures are warnings, and never thrown. A service that
 * does not answer is reported where its health is kept, once for the job.
 */

import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import type { Toolkit } from "../../platform/actions/toolkit.ts";
import type { ToolkitProblem } from "../../platform/actions/toolkit-calls.ts";

export interface UploadLaneRequest {
  readonly toolkit: Pick<Toolkit, "ask">;
  /** A directory for files on their way. */
  readonly temp: string;
  readonly retentionDays?: number;
  /** For one upload, in milliseconds; absent: ten minutes. */
  readonly limitMs?: number;
  readonly warn: (text: string) => void;
}

export interface Upload {
  /** For a sentence. */
  readonly what: string;
  /** Of the Actions artifact. */
  readonly name: string;
  /** Puts what is to be uploaded into a directory, and gives the files. */
  readonly layOut: (root: string) => Promise<readonly string[]>;
}

export interface UploadLane {
  /** Says whether it is uploaded. Never rejects. */
  upload(upload: Upload): Promise<boolean>;
  /** Gives up what waits and what is on its way, without a word. */
  abandon(): void;
  /** Resolves once nothing waits and nothing is on its way. */
  rest(): Promise<void>;
  /** How many uploads failed, and whether the service is given up. */
  readonly tally: { readonly lost: number; readonly dead: boolean };
}

const atOnce = 4;

/** Refusals that no other upload of the job can avoid, as the artifact client words them. */
function isQuota(detail: string): boolean {
  return /quota|insufficient usage/i.test(detail);
}

/** Failures in a row after which the service counts as dead. */
const patience = 3;

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
    tally.dead = isFull || code === "unavailable" || code === "given-up" || tally.failures >= patience;
    if (code === "given-up" || code === "unanswered") return;
    warn(isFull || code === "unavailable" ? `artifacts stay on this machine: ${detail}` : `${what} was not uploaded: ${detail}`);
    if (tally.dead && !isFull && code !== "unavailable")
      warn("the artifact service takes no artifacts: nothing more is uploaded by this job");
  };
  const send = async ({ what, name, layOut }: Upload): Promise<boolean> => {
    if (tally.dead) return false;
    const root = await mkdtemp(path.join(temp, "upload-"));
    try {
      const files = await layOut(root);
      const takes = { name, root, files, ...defined({ retentionDays }) };
      const sent = await toolkit.ask("uploadArtifact", takes, limitMs);
      // A name says what is in an artifact: one that is there already is this one.
      const there = sent.ok || sent.error.code === "conflict";
      if (there) tally.failures = 0;
      else if (!sent.ok) fail(what, sent.error);
      return there;
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
