// Whether a folder that was made is still what was made, of what it was made of. Node's own
// modules only.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The SHA-256 of files and folders below `root`: their names, sizes and bytes. `counts` may leave
 * paths out.
 */
export function hashOf(root, paths, counts = () => true) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (!counts(path)) return;
    const stat = statSync(join(root, path));
    if (stat.isDirectory()) {
      for (const name of readdirSync(join(root, path)).sort()) add(join(path, name));
    } else {
      hash.update(`${path}\0${stat.size}\0`).update(readFileSync(join(root, path)));
    }
  };
  for (const path of paths) add(path);
  return hash.digest('hex');
}

/**
 * Is the folder what was made of sources with that fingerprint? A file that was changed, added or
 * taken away since says no.
 */
export function isCurrent(folder, stamp, fingerprint) {
  if (!existsSync(folder) || !existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8') === stampOf(folder, fingerprint);
}

/** Notes that the folder was made of sources with that fingerprint. */
export function writeStamp(folder, stamp, fingerprint) {
  writeFileSync(stamp, stampOf(folder, fingerprint));
}

export const removeStamp = (stamp) => rmSync(stamp, { force: true });

const stampOf = (folder, fingerprint) => `${fingerprint}\n${hashOf(folder, readdirSync(folder).sort())}\n`;
