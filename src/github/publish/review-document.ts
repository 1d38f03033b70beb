/** Parses a review in the format of `schema/review.schema.json`. Errors name the position, so that an agent can fix it. Pure. */

import { defined } from "../../core/defined.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Review, ReviewRemark } from "../../manifest/schema/review.ts";

/** Maximum length of a comment, in characters: GitHub's limit minus room for Wave's additions. */
const maxBody = 60_000;
/** GitHub rejects reviews with more remarks. */
const maxRemarks = 300;

/** Parses a review. The error is a clause that names the position. */
export function readReview(text: string): Result<Review, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isMap(value)) return err("it must be a map with `comments`");
  const unknown = Object.keys(value).find((key) => key !== "body" && key !== "comments");
  if (unknown !== undefined) return err(`\`${unknown}\` is not a known key`);
  const { body = "", comments } = value;
  if (typeof body !== "string" || body.length > maxBody) return err(`\`body\` must be a text of at most ${maxBody} characters`);
  if (!Array.isArray(comments)) return err("`comments` must be a list");
  if (comments.length > maxRemarks) return err(`\`comments\` has ${comments.length} entries; the maximum is ${maxRemarks}`);
  const remarks: ReviewRemark[] = [];
  for (const [index, comment] of comments.entries()) {
    const remark = readRemark(comment);
    if (!remark.ok) return err(`comments[${index}]: ${remark.error}`);
    remarks.push(remark.value);
  }
  return ok({ body, comments: remarks });
}

const keys = new Set(["path", "line", "start_line", "side", "body", "suggestion", "severity"]);

function readRemark(value: unknown): Result<ReviewRemark, string> {
  if (!isMap(value)) return err("it must be a map");
  const unknown = Object.keys(value).find((key) => !keys.has(key));
  if (unknown !== undefined) return err(`\`${unknown}\` is not a known key`);
  const { path, line, start_line: startLine, side = "RIGHT", body, suggestion, severity } = value;
  if (typeof path !== "string" || path === "") return err("`path` must be a file's path");
  if (!isLine(line)) return err("`line` must be an integer of at least 1");
  if (startLine !== undefined && (!isLine(startLine) || startLine > line)) return err("`start_line` must be an integer from 1 to `line`");
  if (side !== "LEFT" && side !== "RIGHT") return err("`side` must be LEFT or RIGHT");
  if (typeof body !== "string" || body === "" || body.length > maxBody) return err(`\`body\` must be a text of 1 to ${maxBody} characters`);
  if (suggestion !== undefined && typeof suggestion !== "string") return err("`suggestion` must be a text");
  if (severity !== undefined && severity !== "info" && severity !== "warning" && severity !== "error")
    return err("`severity` must be info, warning or error");
  return ok({
    path,
    line,
    side,
    body,
    ...defined({ start_line: startLine, suggestion, severity }),
  });
}

function isLine(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
