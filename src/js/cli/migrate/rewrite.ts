// The source as it would be: each call replaced, and what only the old calls used taken out.
import type ts from 'typescript';
import { type Edit, unifiedDiff } from './diff.js';
import { type Draft, expressionsOf, toCode } from './draft.js';
import type { Finding, Replacement } from './finding.js';
import { Leftovers } from './leftovers.js';
import { secretTexts } from './secrets.js';
import type { Source } from './source.js';

export interface Rewritten {
  /** A unified diff; empty if no call can be replaced by a text. */
  diff: string;
  /** Why there is none for a call, by its index. */
  byHand: Map<Finding, string>;
  /** Why the diff is not shown. */
  withheld?: string;
}

type Verify = Extract<Replacement, { kind: 'verify' }>;

/** Makes the diff of a file. */
export function rewrite(source: Source, name: string, findings: readonly Finding[]): Rewritten {
  const writer = new Writer(source);
  const byHand = new Map<Finding, string>();
  for (const finding of findings) {
    const reason =
      finding.byHand ?? (finding.replacement ? writer.replace(finding, finding.replacement) : undefined);
    if (reason !== undefined) byHand.set(finding, reason);
  }
  const edits = writer.edits();
  const { text, shown } = unifiedDiff(name, source.file.text, edits);
  const keys = findings.flatMap((finding) => finding.secrets);
  const { lines, texts } = secretTexts(source, keys);
  const line = [...shown].sort((one, other) => one - other).find((one) => lines.has(one));
  const copied = texts.some((secret) => text.includes(secret));
  if (line === undefined && !copied) return { diff: text, byHand };
  const where = line === undefined ? 'the source' : `line ${line + 1} of the source`;
  const withheld = `${where} holds a text that may be secret, and the diff would show it; keep it out of the source, and run the command again`;
  return { diff: '', byHand, withheld };
}

class Writer {
  readonly #source: Source;
  readonly #edits: Edit[] = [];
  readonly #imports = new Map<string, Set<string>>();
  readonly #taken = new Set<string>();
  readonly #functions = new Map<string, string>();
  readonly #replaced: ts.Node[] = [];
  readonly #kept: ts.Node[] = [];
  readonly #typed: boolean;
  readonly #newline: string;

  constructor(source: Source) {
    this.#source = source;
    this.#typed = /\.[cm]?tsx?$/i.test(source.file.fileName);
    this.#newline = source.file.text.includes('\r\n') ? '\r\n' : '\n';
  }

  /** Replaces a call; answers why it cannot be. */
  replace(finding: Finding, replacement: Replacement): string | undefined {
    const { call } = finding;
    if (this.#replaced.some((node) => node.pos <= call.pos && call.end <= node.end))
      return 'it stands inside another call that is replaced';
    if (replacement.kind === 'inspect') this.#decode(call, replacement);
    else {
      const { policy } = finding;
      if (policy === undefined) return 'it has no policy';
      const problem = replacement.kind === 'guard' ? undefined : this.#outOfReach(call, policy);
      if (problem !== undefined) return problem;
      if (replacement.kind === 'guard') this.#guard(call, replacement.from, policy);
      else this.#verify(call, replacement, policy);
    }
    this.#replaced.push(call);
    if (finding.policy !== undefined && replacement.kind !== 'inspect')
      this.#kept.push(...expressionsOf(finding.policy));
    return undefined;
  }

  edits(): Edit[] {
    if (this.#replaced.length === 0) return [];
    const leftovers = new Leftovers(this.#source, this.#replaced, this.#kept);
    const edits = [...this.#edits, ...leftovers.edits()];
    if (this.#imports.size > 0) edits.push(this.#importEdit());
    // A call inside what is taken out needs no replacement of its own.
    return edits.filter(
      (one) =>
        !edits.some(
          (other) =>
            other !== one &&
            other.text === '' &&
            other.start <= one.start &&
            one.end <= other.end &&
            one.start < one.end,
        ),
    );
  }

  #guard(call: Finding['call'], from: string, policy: Draft): void {
    const [guard, createGate] = [this.#import(from, 'guard'), this.#import('portcullis/gate', 'createGate')];
    this.#put(call, `${guard}(${createGate}(${this.#code(policy, this.#indentOf(call))}))`);
  }

  #decode(call: Finding['call'], { from, part, otherwise }: Extract<Replacement, { kind: 'inspect' }>): void {
    const inspect = this.#import(from, 'inspect');
    const name = this.#function(
      call,
      part === 'header' ? 'unverifiedHeader' : 'unverifiedClaims',
      `${from} ${part} ${otherwise}`,
      (own) => {
        const refused = otherwise === 'null' ? 'return null;' : 'throw new Error(found.code);';
        return [
          '/** What a token says of itself. It is for display: nobody has checked who wrote it. */',
          `function ${own}(token${this.#typed ? ': string' : ''}) {`,
          `  const found = ${inspect}(token);`,
          `  if (!found.ok) ${refused}`,
          `  return found.${part};`,
          '}',
        ];
      },
    );
    this.#put(call, `${name}(${this.#firstArgument(call)})`);
  }

  #verify(call: Finding['call'], { answers, remote, put }: Verify, policy: Draft): void {
    const entry = remote ? 'portcullis/gate' : 'portcullis';
    const create = this.#import(entry, remote ? 'createGate' : 'createVerifier');
    const code = this.#code(policy, '');
    const answer =
      answers === 'claims'
        ? 'decision.claims'
        : '{ payload: decision.claims, protectedHeader: decision.header }';
    const name = this.#function(call, 'verifyToken', `${create} ${code} ${answer}`, (own) => {
      const made = this.#fresh(remote ? 'gate' : 'verifier');
      const token = `token${this.#typed ? ': string' : ''}`;
      const decide = remote
        ? [
            // The request itself says more than its token: `gate.check(request)` is better still.
            `  const headers = { authorization: \`Bearer \${token}\` };`,
            `  const decision = await ${made}.check(new Request('https://token.invalid/', { headers }));`,
          ]
        : [`  const decision = ${made}.verify(token);`];
      return [
        `const ${made} = ${create}(${code});`,
        '',
        `${remote || answers === 'jose' ? 'async ' : ''}function ${own}(${token}) {`,
        ...decide,
        '  if (!decision.ok) throw new Error(decision.code);',
        ...(remote
          ? [
              // What an authorization server vouches for need not have a header.
              `  if (decision.via !== 'token'${answers === 'jose' ? ' || !decision.header' : ''}) throw new Error('the token is no JWT');`,
            ]
          : []),
        `  return ${answer};`,
        '}',
      ];
    });
    if (put === 'call') this.#put(call, `${name}(${this.#firstArgument(call)})`);
    else this.#put(call, put === 'function' ? name : `{ verify: ${name} }`);
  }

  /** A function before the statement that needs it; the same one serves every call of its kind. */
  #function(call: Finding['call'], base: string, kind: string, lines: (name: string) => string[]): string {
    const known = this.#functions.get(kind);
    if (known !== undefined) return known;
    const name = this.#fresh(base);
    this.#functions.set(kind, name);
    const start = this.#lineStart(this.#statementOf(call).getStart(this.#source.file, true));
    const text = lines(name).join('\n').replaceAll('\n', this.#newline);
    this.#edits.push({ start, end: start, text: `${text}${this.#newline}${this.#newline}` });
    return name;
  }

  /** A policy above the statement cannot name what is inside it, or below. */
  #outOfReach(call: Finding['call'], policy: Draft): string | undefined {
    const { ts, file } = this.#source;
    const statement = this.#statementOf(call);
    for (const expression of expressionsOf(policy)) {
      let problem: string | undefined;
      this.#source.walk((node) => {
        if (node.kind === ts.SyntaxKind.ThisKeyword) problem ??= 'this';
        if (
          !ts.isIdentifier(node) ||
          (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node)
        )
          return;
        for (const declaration of this.#source.symbolOf(node)?.declarations ?? []) {
          const outside = declaration.getSourceFile() !== file;
          const above = this.#isTopLevel(declaration) && declaration.pos < statement.pos;
          if (!outside && !above) problem ??= node.text;
        }
      }, expression);
      if (problem !== undefined)
        return `the policy needs ${JSON.stringify(problem)}, which only the call's own place knows`;
    }
    return undefined;
  }

  #isTopLevel(node: ts.Node): boolean {
    const { ts } = this.#source;
    for (let at = node.parent; at !== undefined; at = at.parent) {
      if (ts.isSourceFile(at)) return true;
      if (ts.isFunctionLike(at) || ts.isBlock(at) || ts.isClassLike(at)) return false;
    }
    return false;
  }

  #statementOf(node: ts.Node): ts.Node {
    let at = node;
    while (at.parent !== undefined && !this.#source.ts.isSourceFile(at.parent)) at = at.parent;
    return at;
  }

  /** The local name of an export, which is imported. */
  #import(from: string, name: string): string {
    const names = this.#imports.get(from) ?? new Set();
    this.#imports.set(from, names);
    for (const known of names)
      if (known === name || known.startsWith(`${name} as `)) return known.split(' as ')[1] ?? name;
    const local = this.#fresh(name);
    names.add(local === name ? name : `${name} as ${local}`);
    return local;
  }

  #importEdit(): Edit {
    const { ts, file } = this.#source;
    const byImport = file.statements.some(
      (one) => ts.isImportDeclaration(one) || ts.isExportDeclaration(one) || ts.isExportAssignment(one),
    );
    const required = !byImport && /\brequire\s*\(/.test(file.text) && !/\.m[jt]s$/i.test(file.fileName);
    const rows = [...this.#imports]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([from, names]) => {
        const list = [...names].sort().join(', ');
        return required
          ? `const { ${list.replaceAll(' as ', ': ')} } = require('${from}');`
          : `import { ${list} } from '${from}';`;
      });
    const isFirst = (one: ts.Statement) =>
      !(ts.isExpressionStatement(one) && ts.isStringLiteral(one.expression));
    const first = file.statements.find(isFirst);
    const start = this.#lineStart(first ? first.getStart(file) : 0);
    return { start, end: start, text: rows.map((line) => `${line}${this.#newline}`).join('') };
  }

  #fresh(base: string): string {
    let name = base;
    for (
      let count = 2;
      this.#taken.has(name) || new RegExp(`\\b${name}\\b`).test(this.#source.file.text);
      count += 1
    )
      name = `${base}${count}`;
    this.#taken.add(name);
    return name;
  }

  #put(call: Finding['call'], text: string): void {
    const start = call.getStart(this.#source.file);
    this.#edits.push({ start, end: call.end, text: text.replaceAll(/\r?\n/g, this.#newline) });
  }

  #code(policy: Draft, indent: string): string {
    return toCode(this.#source, policy, indent);
  }

  #firstArgument(call: Finding['call']): string {
    const token = call.arguments?.[0];
    if (token) this.#kept.push(token);
    return token?.getText(this.#source.file) ?? '';
  }

  #lineStart(position: number): number {
    return this.#source.file.text.lastIndexOf('\n', position - 1) + 1;
  }

  #indentOf(node: ts.Node): string {
    const start = this.#lineStart(node.getStart(this.#source.file));
    return /^[ \t]*/.exec(this.#source.file.text.slice(start))?.[0] ?? '';
  }
}
