/**
 * Version managers whose programs find what they installed through `$HOME`. A child has another home, so each gets the variable that its
 * manager reads first. Sources: the manual of each manager.
 */
import { statSync } from "node:fs";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

interface Manager {
  readonly variable: string;
  /** The store's directory in a home, by default. */
  readonly directory: string;
  /** The directory in a home that PATH leads into; defaults to `directory`. */
  readonly programs?: string;
  /** Names of which the store contains at least one: a variable that leads elsewhere shows nothing. */
  readonly holds: readonly string[];
}

const versions = { holds: ["versions", "shims"] };

const managers: readonly Manager[] = [
  { variable: "RUSTUP_HOME", directory: ".rustup", programs: ".cargo", holds: ["toolchains", "settings.toml"] },
  { variable: "VOLTA_HOME", directory: ".volta", holds: ["tools", "bin"] },
  { variable: "NVM_DIR", directory: ".nvm", holds: ["nvm.sh", "versions"] },
  { variable: "FNM_DIR", directory: ".fnm", holds: ["node-versions"] },
  { variable: "NODEBREW_ROOT", directory: ".nodebrew", holds: ["node", "current"] },
  { variable: "PYENV_ROOT", directory: ".pyenv", ...versions },
  { variable: "RBENV_ROOT", directory: ".rbenv", ...versions },
  { variable: "NODENV_ROOT", directory: ".nodenv", ...versions },
  { variable: "GOENV_ROOT", directory: ".goenv", ...versions },
  { variable: "JENV_ROOT", directory: ".jenv", ...versions },
  { variable: "PLENV_ROOT", directory: ".plenv", ...versions },
  { variable: "ASDF_DATA_DIR", directory: ".asdf", holds: ["installs", "shims"] },
  { variable: "SDKMAN_DIR", directory: ".sdkman", holds: ["candidates"] },
];

const known = new WeakMap<Environment, Readonly<Record<string, string>>>();

/**
 * Variable → absolute directory, for each manager whose store exists and which is in use: its variable is set, or PATH leads to its
 * programs in a home. Each environment is searched once.
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

function storeOf({ directory, programs = directory, holds }: Manager, named: string | undefined, entries: readonly string[]) {
  const isStore = (place: string) => isDirectory(place) && holds.some((name) => exists(path.join(place, name)));
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
  return look(place)?.isDirectory() === true;
}

function exists(place: string): boolean {
  return look(place) !== undefined;
}

function look(place: string) {
  try {
    return statSync(place, { throwIfNoEntry: false });
  } catch {
    // A home of another user is closed.
    return undefined;
  }
}
