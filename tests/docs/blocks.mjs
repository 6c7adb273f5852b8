// The code blocks of a document: of Markdown, and of the `@example`s in the sources' comments.

/**
 * @typedef {{ file: string, line: number, language: string, flags: string[], code: string }} Block
 */

/**
 * The fenced blocks of a Markdown text. `line` is that of the first line of code, counted from 1.
 */
export function blocksOf(file, text) {
  const blocks = [];
  let open;
  for (const [index, line] of text.split('\n').entries()) {
    if (open === undefined) {
      const [, indent, fence, info] = /^( *)(`{3,}|~{3,})\s*([^`]*)$/.exec(line) ?? [];
      if (fence === undefined) continue;
      const [language = '', ...flags] = info.trim().split(/[\s,]+/);
      open = {
        fence,
        indent: indent.length,
        lines: [],
        language: language.toLowerCase(),
        flags,
        line: index + 2,
      };
    } else if (line.trim().startsWith(open.fence) && line.trim().replaceAll(open.fence[0], '') === '') {
      const { lines, language, flags, line: at } = open;
      blocks.push({ file, line: at, language, flags, code: `${lines.join('\n')}\n` });
      open = undefined;
    } else open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
  }
  if (open !== undefined) throw new Error(`${file}:${open.line - 1}: the block does not end`);
  return blocks;
}

/** The blocks below `@example` in the comments of a TypeScript source. */
export function examplesOf(file, text) {
  const blocks = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const before = text.slice(0, comment.index).split('\n').length - 1;
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*) ?/, ''));
    const from = lines.findIndex((line) => line.trim().startsWith('@example'));
    if (from < 0) continue;
    // Lines before the tag are kept empty, so that lines count as they do in the file.
    const masked = lines.map((line, index) => (index < from ? '' : line.replace(/\s*\*\/$/, '')));
    const found = blocksOf(file, masked.join('\n'));
    if (found.length === 0)
      blocks.push({ file, line: before + from + 1, language: 'none', flags: [], code: '' });
    for (const block of found) blocks.push({ ...block, line: block.line + before });
  }
  return blocks;
}
