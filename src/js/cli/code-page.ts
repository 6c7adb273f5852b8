/**
 * Where the page about a code is: by the policy's `gate.problemTypes` where it says so, else in
 * the documentation, as a path of the site. The package names no host of its own.
 */
export function pageOf(code: string, policy: string): string {
  const types = problemTypesOf(policy);
  return types === undefined ? `docs/reference/codes/${code}.html` : types.replace('{code}', code);
}

/** The verifier skips the section `gate`, so nobody has checked it. */
function problemTypesOf(policy: string): string | undefined {
  try {
    const { gate } = JSON.parse(policy) as { gate?: { problemTypes?: unknown } };
    return typeof gate?.problemTypes === 'string' ? gate.problemTypes : undefined;
  } catch {
    // A sealed policy is no JSON.
    return undefined;
  }
}
