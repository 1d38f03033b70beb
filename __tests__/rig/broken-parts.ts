/**
 * Loaded into a process before its own program (`node --import`): what no test can bring about from outside. `WAVE_TEST_BUG` says what happens when the
 * first attempt makes its directories: `thrown`, in the middle of it, with something open that keeps the process alive; `unawaited`, beside it.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const how = process.env["WAVE_TEST_BUG"];
delete process.env["WAVE_TEST_BUG"];
const real = fs.mkdirSync;
let isDone = false;

fs.mkdirSync = ((file: fs.PathLike, options?: fs.MakeDirectoryOptions) => {
  if (isDone || !String(file).includes("/.wave/state/workspaces/")) return real(file, options);
  isDone = true;
  if (how === "unawaited") {
    setTimeout(() => {
      throw new Error("nobody waits for this");
    }, 300);
    return real(file, options);
  }
  setInterval(() => undefined, 1000);
  throw new TypeError("made to fail");
}) as typeof fs.mkdirSync;
syncBuiltinESMExports();
