/**
 * Parses and formats durations, sizes and counted nouns. Parsing requires a unit after each number and does not check bounds. Formatting
 * rounds; its output can be parsed.
 */

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Parses `90s`, `10m`, `1h30m`, `1.5s` or `250ms` to milliseconds; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (durationUnits[unit ?? ""] ?? Number.NaN);
  return Number.isFinite(total) ? Math.round(total) : undefined;
}

/** Parses `512MB` (decimal), `1GiB` (binary), `1.5 GB` or `100B` to bytes; undefined for any other text. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/.exec(text);
  const total = Number(found?.[1]) * (sizeUnits[found?.[2] ?? ""] ?? Number.NaN);
  return Number.isFinite(total) ? Math.round(total) : undefined;
}

/** Formats milliseconds, with at most two units: `850ms`, `1.4s`, `10s`, `1m30s`, `2h`, `1h5m`. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole}ms`;
  const tenths = Math.round(whole / 100);
  if (tenths < 100) return `${tenths / 10}s`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "m", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
}

/** Formats bytes: `512B`, `1.5KB`, `2GB`; in binary units if they are exact (`1GiB`). */
export function formatSize(bytes: number): string {
  const whole = Math.max(0, Math.round(bytes));
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const factor = sizeUnits[unit] ?? 1;
    if (whole >= factor && whole % factor === 0 && whole % 1000 !== 0) return `${whole / factor}${unit}`;
  }
  for (const unit of ["TB", "GB", "MB", "KB"]) {
    const amount = whole / (sizeUnits[unit] ?? 1);
    // Without the margin, 999,960 bytes would become `1000KB`.
    if (amount >= 0.9995) return `${amount >= 99.95 ? Math.round(amount) : Math.round(amount * 10) / 10}${unit}`;
  }
  return `${whole}B`;
}

/**
 * Formats two byte counts in one unit, with enough digits to show a difference: `["100.1MB", "100MB"]`. The unit is that of
 * `formatSize(limit)`.
 */
export function formatSizes(bytes: number, limit: number): readonly [string, string] {
  const unit = /[A-Za-z]+$/.exec(formatSize(limit))?.[0] ?? "B";
  const factor = sizeUnits[unit] ?? 1;
  for (let digits = 1; digits <= 12; digits++) {
    const [first, second] = [bytes, limit].map((size) => Number((size / factor).toFixed(digits)));
    if (first !== second || bytes === limit) return [`${first}${unit}`, `${second}${unit}`];
  }
  return [`${bytes}B`, `${limit}B`];
}

/** A number and its noun: `1 turn`, `2 turns`, `1,200 tokens`. `plural` defaults to the noun with an `s`. */
export function counted(amount: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(amount)} ${amount === 1 ? noun : plural}`;
}

/** Digits in groups of three, and at most three after the point. `toLocaleString` loads its data for 10 ms. */
function grouped(amount: number): string {
  const [whole = "", fraction] = String(Math.round(amount * 1000) / 1000).split(".");
  const groups = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  if (large === 0) return `${small}${smallUnit}`;
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
