/** The oldest Bun that TorrX runs on; ./torrx installs exactly this one. */
const OLDEST_BUN = "1.4.5";

/** What is wrong with running on Bun `version`, as one line for the user, or null. A pre-release counts as older. */
export function runtimeProblem(version: string): string | null {
  const isNewEnough = Bun.semver.satisfies(version, `>=${OLDEST_BUN}`);
  return isNewEnough
    ? null
    : `Bun ${version} is too old: TorrX needs ${OLDEST_BUN} or newer; fix: ./torrx start`;
}
