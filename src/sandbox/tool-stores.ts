/**
 * Finds the directories of version managers whose programs search `$HOME` for what they installed. A child has another
 * home, so it gets the variable that each manager reads first. Sources: the manual of each manager.
 */
import { statSync } from "node:fs";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

interface Manager {
  readonly variable: string;
  /** The store's directory in a home, by default. */
  readonly directory: string;
  /** The directory in a home that PATH points into; defaults to `directory`. */
  readonly programs?: string;
  /** A store contains at least one of these names: a variable that points elsewhere shows nothing. */
  readonly contents: readonly string[];
}

const versions = { contents: ["versions", "shims"] };

const managers: readonly Manager[] = [
  { variable: "RUSTUP_HOME", directory: ".rustup", programs: ".cargo", contents: ["toolchains", "settings.toml"] },
  { variable: "VOLTA_HOME", directory: ".volta", contents: ["tools", "bin"] },
  { variable: "NVM_DIR", directory: ".nvm", contents: ["nvm.sh", "versions"] },
  { variable: "FNM_DIR", directory: ".fnm", contents: ["node-versions"] },
  { variable: "NODEBREW_ROOT", directory: ".nodebrew", contents: ["node", "current"] },
  { variable: "PYENV_ROOT", directory: ".pyenv", ...versions },
  { variable: "RBENV_ROOT", directory: ".rbenv", ...versions },
  { variable: "NODENV_ROOT", directory: ".nodenv", ...versions },
  { variable: "GOENV_ROOT", directory: ".goenv", ...versions },
  { variable: "JENV_ROOT", directory: ".jenv", ...versions },
  { variable: "PLENV_ROOT", directory: ".plenv", ...versions },
  { variable: "ASDF_DATA_DIR", directory: ".asdf", contents: ["installs", "shims"] },
  { variable: "SDKMAN_DIR", directory: ".sdkman", contents: ["candidates"] },
];

const known = new WeakMap<Environment, Readonly<Record<string, string>>>();

/**
 * Variable → absolute directory, for each manager whose store exists and that is in use: its variable is set, or PATH
 * points to its programs in a home. Each environment is searched once.
 */
export function toolStores(env: Environment): Readonly<Record<string, string>> {
  const stores = known.get(env) ?? searchStores(env);
  known.set(env, stores);
  return stores;
}

function searchStores(env: Environment): Readonly<Record<string, string>> {
  const entries = (env["PATH"] ?? "").split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  return Object.fromEntries(
    managers.flatMap((manager) => {
      const store = storeOf(manager, env[manager.variable], entries);
      return store === undefined ? [] : [[manager.variable, store] as const];
    }),
  );
}

function storeOf({ directory, programs = directory, contents }: Manager, named: string | undefined, entries: readonly string[]) {
  const isStore = (place: string) => isDirectory(place) && contents.some((name) => exists(path.join(place, name)));
  if (named !== undefined && named !== "") {
    const place = path.normalize(named).replace(/(?<=.)\/$/, "");
    return path.isAbsolute(place) && isStore(place) ? place : undefined;
  }
  for (const entry of entries) {
    const parts = path.normalize(entry).split(path.sep);
    const at = parts.indexOf(programs);
    const place = [...parts.slice(0, at), directory].join(path.sep);
    if (at > 0 && isStore(place)) return place;
  }
  return undefined;
}

function isDirectory(place: string): boolean {
  return statOf(place)?.isDirectory() === true;
}

function exists(place: string): boolean {
  return statOf(place) !== undefined;
}

function statOf(place: string) {
  try {
    return statSync(place, { throwIfNoEntry: false });
  } catch {
    // Another user's home may be closed.
    return undefined;
  }
}
