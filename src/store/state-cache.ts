/**
 * State in the Actions cache. Losing it costs reuse, never correctness or a verdict: every call has a timeout, and any
 * problem is one notice. The cached path is a constant, because the service distinguishes entries by it.
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
  /** The checkout; the cached path is relative to it when an entry is saved. */
  readonly workspace: string;
  /** A directory outside of the checkout that is empty or does not exist; entries are restored below it. */
  readonly temp: string;
  readonly scope: CacheScope;
  readonly warn: (text: string) => void;
}

export interface StateCache {
  /**
   * Restores the best matching entry and passes its directory and key to `use`. Returns the key; undefined if there is
   * none.
   */
  restore(use: (directory: string, key: string) => Promise<void>): Promise<string | undefined>;
  /**
   * Saves the files that `fill` writes into a directory. Returns false if that failed, true if they are in the cache or
   * there is no cache.
   */
  save(sequence: number, fill: (directory: string) => Promise<Result<void>>): Promise<boolean>;
}

/** Relative to the checkout; git ignores the directory, and workspaces exclude it. */
export const cachedPath = ".wave/state/cache";

/** Milliseconds; together at most a minute. After one call without an answer, no further call is made. */
const limits = { findMs: 6_000, restoreMs: 27_000, saveMs: 27_000 } as const;

export function openStateCache({ toolkit, workspace, temp, scope, warn }: StateCacheRequest): StateCache {
  const directory = path.join(workspace, cachedPath);
  let unavailable = false;
  let disabled = false;
  const clean = (place: string) => tryIo(() => rm(place, { recursive: true, force: true }));
  return {
    async restore(use) {
      const [key, ...others] = restoreKeys(scope);
      const lookup = { path: cachedPath, key, restoreKeys: others };
      const found = await toolkit.ask("findCache", lookup, limits.findMs);
      if (!found.ok) {
        unavailable = found.error.code === "unavailable";
        disabled = true;
        warn(`state was not restored from the cache: ${found.error.detail}`);
      }
      if (!found.ok || found.value.key === undefined) return undefined;
      const restored = await toolkit.ask("restoreCache", { ...lookup, root: temp }, limits.restoreMs);
      if (restored.ok && restored.value.key !== undefined) await use(path.join(temp, cachedPath), restored.value.key);
      else
        warn(
          `state was not restored from the cache: ${restored.ok ? (restored.value.because ?? "its entry is gone") : restored.error.detail}`,
        );
      await clean(temp);
      return restored.ok ? restored.value.key : undefined;
    },
    async save(sequence, fill) {
      if (disabled) return unavailable;
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
      disabled = true;
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
  const detail = saved?.value.because === undefined ? "" : ` (${saved.value.because})`;
  return `the service stored nothing; for some events and for forks the cache is read-only${detail}`;
}
