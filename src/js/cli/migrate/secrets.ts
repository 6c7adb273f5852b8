// Which texts of a source are never shown, and the source without them.
import type ts from 'typescript';

import type { Source } from './source.js';

const NAMED =
  /secret|passw(or)?d|passphrase|private_?key|credential|api_?key|(access|refresh|id|bearer|auth)_?token$|^token$|jwt_?key|sign(ing)?_?key|^key$/i;
const LOOKS = /PRIVATE KEY|^ey[\w-]+\.|^[A-Za-z0-9+/_=-]{40,}$/;

/** What stands where a text is not shown. */
const ELIDED = "'…'";

/** The source of an expression: without comments, and without texts that may be secret. */
export function shownSource(source: Source, expression: ts.Expression, secret: boolean): string {
  const { ts, file } = source;
  let text = '';
  let end = expression.getStart(file);
  const hide = (node: ts.Node) =>
    (ts.isStringLiteralLike(node) && (secret || isSecret(source, node))) ||
    (secret && (ts.isTemplateExpression(node) || ts.isNumericLiteral(node)));
  const write = (node: ts.Node): void => {
    const hidden = hide(node);
    const parts = hidden ? [] : node.getChildren(file);
    if (parts.length > 0) {
      for (const part of parts) write(part);
      return;
    }
    const start = node.getStart(file);
    if (start >= node.end) return;
    // Whatever stands between two tokens, a comment for one, is a space.
    text += `${start > end ? ' ' : ''}${hidden ? ELIDED : file.text.slice(start, node.end)}`;
    end = node.end;
  };
  write(expression);
  const line = text.replace(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

/** Whether a text may be secret, by its look or by the name that it is given to. */
function isSecret(source: Source, literal: ts.StringLiteralLike): boolean {
  const { ts } = source;
  if (isPublic(literal)) return false;
  if (LOOKS.test(literal.text)) return true;
  for (let node: ts.Node = literal; node.parent !== undefined; node = node.parent) {
    const { parent } = node;
    if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent))
      return NAMED.test(parent.name.getText(source.file));
    if (ts.isStatement(parent)) return false;
  }
  return false;
}

/** Texts that may be secret, and the lines, from 0, that hold them. */
export function secretTexts(
  source: Source,
  inKeyPosition: readonly ts.Expression[],
): { lines: Set<number>; texts: string[] } {
  const { ts, file } = source;
  const lines = new Set<number>();
  const texts = new Set<string>();
  const note = (node: ts.Node): void => {
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const last = file.getLineAndCharacterOfPosition(node.end).line;
    for (let line = first; line <= last; line += 1) lines.add(line);
    if (ts.isStringLiteralLike(node) && node.text !== '') texts.add(node.text);
  };
  source.walk((node) => {
    if (ts.isStringLiteralLike(node) && isSecret(source, node)) note(node);
    else if (ts.isTemplateExpression(node) && LOOKS.test(node.head.text)) note(node);
  });
  for (const expression of inKeyPosition)
    for (const root of [expression, source.resolve(expression)])
      source.walk((node) => {
        const isText = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
        if (isText && !isPublic(node)) note(node);
      }, root);
  return { lines, texts: [...texts] };
}

/** A name of an encoding or of a file, or a public key, is no secret. */
function isPublic(node: ts.Node): boolean {
  const text = (node as Partial<ts.StringLiteral>).text ?? '';
  return /^(utf-?8|base64(url)?|hex|ascii|latin1|https?:\/\/[^@]*|[\w./-]+\.(pem|crt|cer|key|pub|json))$|BEGIN (RSA )?PUBLIC KEY|BEGIN CERTIFICATE/i.test(
    text,
  );
}
