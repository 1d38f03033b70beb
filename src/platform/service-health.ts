/**
 * Tracks whether a service that a job uses still responds. One record covers the whole job: `main` passes it to `post`, so that `post`
 * does not wait again for a service that is down, and both share the time for rate limits.
 */
import type { Clock } from "../core/ports.ts";

/** Times in milliseconds. */
export interface ServiceRecord {
  /** Time spent on requests without an answer. */
  readonly lostMs: number;
  /** Requests in a row that reached their time limit. */
  readonly timeouts: number;
  readonly isGivenUp: boolean;
  /** Time that the job waited for rate limits. */
  readonly waitedMs: number;
  /** The end of the current pause, since 1970. */
  readonly opensAt: number;
}

/** A request that got no answer: it reached its time limit, its connection failed, or a server answered with 5xx. */
export interface MissedAnswer {
  readonly kind: "timeout" | "error";
  /** On the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  /** The server, if the service has several. */
  readonly server?: string;
}

export interface ServiceHealth {
  readonly isGivenUp: boolean;
  /** Time spent on requests without an answer so far, in milliseconds. */
  readonly lostMs: number;
  /** Records an answer of a server. Resets its failures, and those of an unknown server. */
  answered(server?: string): void;
  missed(miss: MissedAnswer): void;
  /** Pauses requests for `ms` milliseconds, for example for a rate limit. */
  pause(ms: number): void;
  /** Resolves when requests may be sent; false if the pause exceeds the job's limit for all pauses, or the job is cancelled. */
  ready(signal?: AbortSignal): Promise<boolean>;
  /** Calls `listener` once, when the service is given up. */
  onGiveUp(listener: () => void): void;
}

export interface ServiceHealthRequest {
  readonly clock: Clock;
  /** The record passed on by `main`. */
  readonly record?: ServiceRecord;
  /** Called with the record after each change that `post` needs. */
  readonly note?: (record: ServiceRecord) => void;
  /** Called once, when the service is given up, with the time lost. */
  readonly warn?: (lostMs: number) => void;
}

const limits = {
  /** Consecutive timeouts. */
  timeouts: 2,
  /** Other consecutive failures, and the shortest time that they must span, in milliseconds. */
  errors: 3,
  errorsMs: 5_000,
  /** The time lost to all failures of the job, in milliseconds. */
  lostMs: 60_000,
  /** Failures further apart are not consecutive, in milliseconds. */
  rowMs: 60_000,
  /** All pauses of the job together, in milliseconds. */
  pausesMs: 300_000,
} as const;

/** Consecutive failures of one server. */
interface Row {
  timeouts: number;
  errors: number;
  readonly since: number;
  last: number;
}

const unknownServer = "";
const unused: ServiceRecord = { lostMs: 0, timeouts: 0, isGivenUp: false, waitedMs: 0, opensAt: 0 };

export function openServiceHealth({ clock, record = unused, note, warn }: ServiceHealthRequest): ServiceHealth {
  let known = record;
  let inherited = record.timeouts;
  let lostUntil = Number.NEGATIVE_INFINITY;
  let paidUntil = 0;
  const rows = new Map<string, Row>();
  const listeners: (() => void)[] = [];
  const change = (changes: Partial<ServiceRecord>) => {
    known = { ...known, ...changes };
    note?.(known);
  };
  return {
    get isGivenUp() {
      return known.isGivenUp;
    },
    get lostMs() {
      return known.lostMs;
    },
    answered(server = unknownServer) {
      inherited = 0;
      rows.delete(server);
      rows.delete(unknownServer);
      const timeouts = timeoutsOf(rows);
      if (known.timeouts !== timeouts) change({ timeouts });
    },
    missed({ kind, startedAt, server = unknownServer }) {
      if (known.isGivenUp) return;
      const now = clock.monotonic();
      const lostMs = known.lostMs + now - Math.max(startedAt, lostUntil);
      lostUntil = now;
      const row = rowOf(rows.get(server), kind, startedAt, now);
      rows.set(server, row);
      const timeouts = timeoutsOf(rows) + inherited;
      const isLasting = row.errors >= limits.errors && now - row.since >= limits.errorsMs;
      const isGivenUp = timeouts >= limits.timeouts || isLasting || lostMs >= limits.lostMs;
      change({ lostMs, timeouts, isGivenUp });
      if (!isGivenUp) return;
      warn?.(lostMs);
      for (const listener of listeners.splice(0)) listener();
    },
    pause(ms) {
      const opensAt = clock.now() + ms;
      if (opensAt > known.opensAt) change({ opensAt });
    },
    async ready(signal) {
      for (let now = clock.now(); now < known.opensAt; now = clock.now()) {
        const waitedMs = known.waitedMs + Math.max(0, known.opensAt - Math.max(now, paidUntil));
        if (signal?.aborted === true || waitedMs > limits.pausesMs) return false;
        paidUntil = Math.max(paidUntil, known.opensAt);
        if (waitedMs > known.waitedMs) change({ waitedMs });
        await clock.sleep(known.opensAt - now, signal);
      }
      return true;
    },
    onGiveUp: (listener) => listeners.push(listener),
  };
}

function timeoutsOf(rows: ReadonlyMap<string, Row>): number {
  return [...rows.values()].reduce((sum, { timeouts }) => sum + timeouts, 0);
}

/** An error long after the last failure starts a new row. Timeouts add up until the server answers. */
function rowOf(row: Row | undefined, kind: MissedAnswer["kind"], startedAt: number, now: number): Row {
  const timeouts = (row?.timeouts ?? 0) + (kind === "timeout" ? 1 : 0);
  const isRow = row !== undefined && startedAt - row.last <= limits.rowMs;
  const errors = (isRow ? row.errors : 0) + (kind === "error" ? 1 : 0);
  return { timeouts, errors, since: isRow ? row.since : startedAt, last: now };
}
