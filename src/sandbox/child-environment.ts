/** Selects the variables of Wave's environment that a child gets. It gets no others. */
import type { WorkspacePaths } from "../core/ports.ts";
import { toolStores } from "./tool-stores.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that every child gets besides the declared ones. Windows programs need a few more to start. */
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
