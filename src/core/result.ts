/**
 * Errors as values. A stage gives back a `Result`; it throws only for bugs, which the entries catch once.
 */
import type { Failure } from "./failure.ts";

export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}

export interface Err<E> {
  readonly ok: false;
  readonly error: E;
}

/** The outcome of something that may fail for a reason a user can act on. */
export type Result<T, E = Failure> = Ok<T> | Err<E>;

/** Wraps a value. */
export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

/** Wraps a failure. */
export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}

/** Marks a `switch` as exhaustive: it does not type-check while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
