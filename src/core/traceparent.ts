/** W3C trace context. Pure. https://www.w3.org/TR/trace-context/ */

export interface TraceParent {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
}

/** Parses `TRACEPARENT`; undefined if it is missing or malformed. */
export function readTraceparent(text: string | undefined): TraceParent | undefined {
  const [, traceId = "", spanId = ""] =
    /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/.exec(text?.trim() ?? "") ?? [];
  return /[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId) ? { traceId, spanId } : undefined;
}

/** The value for a child, with the sampled flag. */
export function writeTraceparent({ traceId, spanId }: TraceParent): string {
  return `00-${traceId}-${spanId}-01`;
}
