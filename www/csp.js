// The policies of the pages. Each page also carries its own in a meta element, so that it holds on
// a host that sends no headers; a test says that the two are one.

const COMMON = ["style-src 'self'", "img-src 'self'", "font-src 'self'", "manifest-src 'self'"];
const END = [
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types service-worker',
];

/** What is no page, and the base of those that only say something. */
export const TEXT = ["default-src 'none'", ...COMMON, ...END].join('; ');

/** The documentation, whose form leads to the search. */
export const DOCUMENT = TEXT.replace("form-action 'none'", "form-action 'self'");

/** The search: its index is a script as well, so that nothing is fetched. */
export const SEARCH = DOCUMENT.replace(
  "default-src 'none'",
  "default-src 'none'; script-src 'self'; worker-src 'self'",
);

/** The inspector and the front page: nothing is fetched, from anywhere. */
export const INSPECTOR = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "worker-src 'self'",
  ...COMMON,
  ...END,
].join('; ');

/** The demonstration talks to its own servers. */
export const DEMONSTRATION = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  ...COMMON,
  ...END,
].join('; ');

/** The service worker fetches the files of the site. */
export const SERVICE_WORKER = "default-src 'none'; script-src 'self'; connect-src 'self'";

export function policyOfPage(path) {
  if (path.endsWith('/sw.js')) return SERVICE_WORKER;
  if (path.endsWith('/docs/search.html')) return SEARCH;
  if (path.includes('/docs/')) return DOCUMENT;
  if (path.includes('/demo/')) return DEMONSTRATION;
  const isVerifying = path.includes('/inspect/') || /(?:^|\/)(?:index\.html)?$/.test(path);
  return isVerifying ? INSPECTOR : TEXT;
}
