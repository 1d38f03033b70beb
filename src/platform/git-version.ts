/** Versions of git, and the oldest supported one. */

/** The oldest supported version, as in the README; CI runs the git tests with it. */
export const oldestGit = "2.30";

/** The version in the output of `git --version`, such as `2.39.5` or `2.30.0.rc1`. Undefined if there is none. */
export function gitVersionIn(answer: string): string | undefined {
  return /^git version (\d+\.\d+\S*)/m.exec(answer)?.[1];
}

/** Whether a version is older than `oldestGit`, by major and minor number. */
export function isOutdatedGit(version: string): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  const [oldestMajor = 0, oldestMinor = 0] = numbersOf(oldestGit);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

function numbersOf(version: string): readonly number[] {
  return version.split(".", 2).map(Number);
}
