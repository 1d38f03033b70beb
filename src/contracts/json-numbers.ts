/**
 * Exact numbers of JSON. `JSON.parse` rounds to doubles: 9007199254740993 becomes …992. A number that its double does not
 * represent exactly is stored in a side table, by container and key. Others equal the shortest decimal of their double.
 */

/** `digits` × 10 ^ `exponent`; `digits` does not end with 0, except for zero itself. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** A number that no double represents exactly, with its source text. */
export class ExactNumber {
  readonly text: string;
  readonly decimal: Decimal;

  constructor(text: string, decimal: Decimal) {
    this.text = text;
    this.decimal = decimal;
  }
}

/** The largest allowed exponent, positive or negative. Larger ones would take unbounded time. */
export const largestExponent = 400;

const exactNumbers = new WeakMap<object, Map<string, ExactNumber>>();

/** Parses a JSON number with an exponent of at most `largestExponent`. */
export function parseDecimal(text: string): Decimal {
  const [, sign = "", whole = "", fraction = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = `${whole}${fraction}`;
  let end = all.length;
  while (end > 1 && all[end - 1] === "0") end--;
  const digits = BigInt(`${sign}${all.slice(0, end)}`);
  return { digits, exponent: digits === 0n ? 0 : Number(power) - fraction.length + all.length - end };
}

/** Negative if `a` is less than `b`, 0 if they are equal, else positive. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `divisor` must not be 0. */
export function isMultipleOf(value: Decimal, divisor: Decimal): boolean {
  const [left, right] = aligned(value, divisor);
  return left % right === 0n;
}

/**
 * Stores the exact number at a key of a container, unless its double is exact. If needed, replaces the double by 1 or 0.5, so
 * that it is an integer exactly if the number is one.
 */
export function storeExactNumber(container: Record<string, unknown>, key: string, text: string): void {
  const decimal = parseDecimal(text);
  const double = Number(text);
  if (Number.isFinite(double) && compareDecimals(decimal, parseDecimal(String(double))) === 0) return;
  const stored = exactNumbers.get(container) ?? new Map<string, ExactNumber>();
  exactNumbers.set(container, stored.set(key, new ExactNumber(text, decimal)));
  const isWhole = decimal.exponent >= 0;
  if (!Number.isFinite(double) || Number.isInteger(double) !== isWhole) container[key] = isWhole ? 1 : 0.5;
}

/** The stored exact number at a key of a container; undefined if its double is exact. */
export function exactNumberAt(container: unknown, key: string | number): ExactNumber | undefined {
  return typeof container === "object" && container !== null ? exactNumbers.get(container)?.get(String(key)) : undefined;
}

/** The exact decimal of the number at a key of a container. `value` is its double. */
export function decimalAt(container: unknown, key: string | number, value: number): Decimal {
  return exactNumberAt(container, key)?.decimal ?? parseDecimal(String(value));
}

/** Canonical text of a JSON value: equal texts mean equal values. Throws a `RangeError` if a value is nested too deeply. */
export function canonicalText(container: unknown, key: string | number, value: unknown): string {
  if (typeof value === "number") {
    const exact = exactNumberAt(container, key);
    if (exact !== undefined) return `#${exact.decimal.digits}e${exact.decimal.exponent}`;
    return Object.is(value, -0) ? "0" : String(value);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item, index) => canonicalText(value, index, item)).join()}]`;
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(value, name, member)}`);
  return `{${members.sort().join()}}`;
}

/** Scales the digits of both numbers to the smaller exponent. */
function aligned(a: Decimal, b: Decimal): [bigint, bigint] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.digits * 10n ** BigInt(a.exponent - exponent), b.digits * 10n ** BigInt(b.exponent - exponent)];
}
