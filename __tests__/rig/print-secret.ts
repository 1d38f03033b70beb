/**
 * A child that prints the secret in the environment variable `SECRET` in every encoding, and cuts its output at odd places. With the
 * name of an artifact, it also writes the same into that.
 */
import { appendFileSync, writeSync } from "node:fs";
import path from "node:path";
import { secretEncodings } from "./secret-encodings.ts";

const secret = process.env["SECRET"] ?? "";
const [, , artifact] = process.argv;
const file = artifact === undefined ? undefined : path.join(process.env["WAVE_OUTPUT_DIR"] ?? "", `${artifact}.txt`);
const cut = 61;

for (const { name, encode } of secretEncodings) {
  const bytes = Buffer.concat([
    Buffer.from(`== ${name}\n`),
    Buffer.from(encode(`some text before ${secret} and after`)),
    Buffer.from("\n"),
  ]);
  for (let from = 0; from < bytes.length; from += cut) writeSync(1, bytes.subarray(from, from + cut));
  if (file !== undefined) appendFileSync(file, bytes);
}
