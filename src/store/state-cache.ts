/**
 * State in the Actions cache. Losing it costs reuse, never correctness, and never a verdict: every call has a limit, and what goes wrong is one
 * notice. The cached path is one constant, because the service tells entries apart by it.
 */
import { chmod, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { describeFailure } from "../core/failures.ts";
import type { Result } from "../core/result.ts";
import type { Toolkit } from "../platform/actions/toolkit.ts";
import type { ToolkitProblem } from "../platform/actions/toolkit-calls.ts";
import { type IoProblem, tryIo } from "../platform/files.ts";
import { type CacheScope, restoreKeys, saveKey } from "./cache-keys.ts";

export interface StateCacheRequest {
  readonly toolkit: Pick<Toolkit, "ask">;
  /** The checkout: the directory that the cached path is relative to when an entry is saved. */
  readonly workspace: string;
  /** An empty directory outside of the checkout, or one that does not exist: entries are restored below it. */
  readonly temp: string;
  readonly scope: CacheScope;
  readonly warn: (text: string) => void;
}

export interface StateCache {
  /** Restores the nearest entry and passes on its directory and key. Returns the key; undefined if there is none. */
  restore(use: (directory: string, key: string) => Promise<void>): Promise<string | undefined>;
  /** Saves what `fill` puts into a directory. Says whether it is in the cache now, or there is no cache to save it in. */
  save(sequence: number, fill: (directory: string) => Promise<Result<void>>): Promise<boolean>;
}

/** Relative to the checkout, in a directory that git ignores as a whole and that is part of no workspace. */
export const cachedPath = ".wave/state/cache";

/** Milliseconds; together at most a minute. A service that does not answer a question is not waited for any further. */
const limits = { findMs: 6_000, restoreMs: 27_000, saveMs: 27_000 } as const;

export function openStateCache({ toolkit, workspace, temp, scope, warn }: StateCacheRequest): StateCache {
  const directory = path.join(workspace, cachedPath);
  let absent = false;
  let dead = false;
  const clean = (place: string) => tryIo(() => rm(place, { recursive: true, force: true }));
  return {
    async restore(use) {
      const [key, ...others] = restoreKeys(scope);
      const takes = { path: cachedPath, key, restoreKeys: others };
      const found = await toolkit.ask("findCache", takes, limits.findMs);
      if (!found.ok) {
        absent = found.error.code === "unavailable";
        dead = true;
        warn(`state was not restored from the cache: ${found.error.detail}`);
      }
      if (!found.ok || found.value.key === undefined) return undefined;
      const restored = await toolkit.ask("restoreCache", { ...takes, root: temp }, limits.restoreMs);
      if (restored.ok && restored.value.key !== undefined) await use(path.join(temp, cachedPath), restored.value.key);
      else
        warn(
          `state was not restored from the cache: ${restored.ok ? (restored.value.because ?? "its entry is gone") : restored.error.detail}`,
        );
      await clean(temp);
      return restored.ok ? restored.value.key : undefined;
    },
    async save(sequence, fill) {
      if (dead) return absent;
      const key = saveKey(scope, sequence);
      const filled = await tryIo(async () => {
        await rm(directory, { recursive: true, force: true });
        await mkdir(directory, { recursive: true });
        await chmod(directory, 0o700);
        return fill(directory);
      });
      const saved = filled.ok && filled.value.ok ? await toolkit.ask("saveCache", { path: cachedPath, key }, limits.saveMs) : undefined;
      await clean(directory);
      if (saved?.ok === true && saved.value.saved) return true;
      dead = true;
      if (saved?.ok !== false || saved.error.code !== "given-up")
        warn(`state was not saved in the cache: ${fillProblem(filled) ?? problemText(saved)}`);
      return false;
    },
  };
}

function fillProblem(filled: Result<Result<void>, IoProblem>): string | undefined {
  if (!filled.ok) return filled.error.detail;
  return filled.value.ok ? undefined : describeFailure(filled.value.error).title;
}

function problemText(saved: Result<{ readonly because?: string }, ToolkitProblem> | undefined): string {
  if (saved !== undefined && !saved.ok) return saved.error.detail;
  const said = saved?.value.because === undefined ? "" : ` (${saved.value.because})`;
  return `the service took nothing; for some events and for forks the cache is read-only${said}`;
}
