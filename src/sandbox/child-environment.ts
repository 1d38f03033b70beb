/** What of the environment reaches a child. Nothing else does. */
import type { WorkspacePaths } from "../core/ports.ts";
import { toolStores } from "./tool-stores.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What every child sees besides what is declared. Programs on Windows do not start without a few more. */
export function childEnvironment(env: Environment, paths: Pick<WorkspacePaths, "home" | "temp">): Record<string, string> {
  const windows =
    process.platform === "win32" ? { ...pick(env, ["SystemRoot", "ComSpec", "PATHEXT"]), TEMP: paths.temp, TMP: paths.temp } : {};
  return { LANG: "C.UTF-8", ...windows, ...pick(env, ["PATH", "LANG"]), ...toolStores(env), HOME: paths.home, TMPDIR: paths.temp };
}

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
