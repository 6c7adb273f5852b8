import type ts from 'typescript';

import type { Edit } from './diff.js';
import type { Source } from './source.js';

type Binding =
  | ts.ImportSpecifier
  | ts.BindingElement
  | ts.ImportClause
  | ts.NamespaceImport
  | ts.VariableDeclaration;

/** What only replaced calls used: imports, required modules, and constants made by them. */
export class Leftovers {
  readonly #source: Source;
  readonly #gone: ts.Node[];
  readonly #kept: readonly ts.Node[];
  readonly #uses = new Map<ts.Symbol, ts.Identifier[]>();

  /** `kept` are the parts of replaced calls that stay: tokens, and expressions in policies. */
  constructor(source: Source, replaced: readonly ts.Node[], kept: readonly ts.Node[]) {
    this.#source = source;
    this.#gone = [...replaced];
    this.#kept = kept;
    source.walk((node) => {
      if (!source.ts.isIdentifier(node)) return;
      const symbol = source.symbolOf(node);
      if (symbol) this.#uses.set(symbol, [...(this.#uses.get(symbol) ?? []), node]);
    });
  }

  edits(): Edit[] {
    const { ts, file } = this.#source;
    const edits: Edit[] = [];
    const left = new Set<ts.Statement>(file.statements);
    // Taking out a constant may leave the import alone that made it.
    for (let found = true; found; ) {
      found = false;
      for (const statement of left) {
        if (!this.#isUnused(statement)) continue;
        left.delete(statement);
        this.#gone.push(statement);
        edits.push(this.#line(statement));
        found = true;
      }
    }
    for (const statement of left) {
      if (!ts.isImportDeclaration(statement)) continue;
      const { importClause } = statement;
      const bindings = importClause?.namedBindings;
      if (importClause?.name || !bindings || !ts.isNamedImports(bindings)) continue;
      const kept = bindings.elements.filter((one) => !this.#isDead(one));
      if (kept.length === bindings.elements.length || kept.length === 0) continue;
      const text = `{ ${kept.map((one) => one.getText(file)).join(', ')} }`;
      edits.push({ start: bindings.getStart(file), end: bindings.end, text });
    }
    return edits;
  }

  /** Whether a statement only binds names, which replaced calls alone used. */
  #isUnused(statement: ts.Statement): boolean {
    const bindings = this.#bindingsOf(statement);
    return bindings.length > 0 && bindings.every((one) => this.#isDead(one));
  }

  #bindingsOf(statement: ts.Statement): Binding[] {
    const { ts } = this.#source;
    if (ts.isImportDeclaration(statement)) {
      const { importClause } = statement;
      if (!importClause) return [];
      const named = importClause.namedBindings;
      const list = named === undefined ? [] : ts.isNamedImports(named) ? [...named.elements] : [named];
      return importClause.name ? [importClause, ...list] : list;
    }
    if (!ts.isVariableStatement(statement) || statement.modifiers?.length) return [];
    return statement.declarationList.declarations.flatMap((one): Binding[] => {
      if (ts.isObjectBindingPattern(one.name)) return [...one.name.elements];
      return [one];
    });
  }

  /** Used by replaced calls, and by nothing that stays. */
  #isDead(binding: Binding): boolean {
    const { ts } = this.#source;
    const { name } = binding;
    if (!name || !ts.isIdentifier(name)) return false;
    const symbol = this.#source.symbolOf(name);
    const uses = symbol ? (this.#uses.get(symbol) ?? []) : [];
    const others = uses.filter((use) => use !== name && !(use.parent === binding));
    return others.length > 0 && others.every((use) => this.#isGone(use)) && this.#isHarmless(binding);
  }

  /** A constant goes with the library that made it; any other may do something by itself. */
  #isHarmless(binding: Binding): boolean {
    const { ts } = this.#source;
    const declaration = ts.isBindingElement(binding) ? binding.parent.parent : binding;
    if (!ts.isVariableDeclaration(declaration)) return true;
    const { initializer } = declaration;
    if (initializer === undefined) return false;
    if (this.#source.origin(initializer)) return true;
    const made = this.#source.bare(initializer);
    return ts.isCallExpression(made) && this.#source.origin(made.expression)?.module === 'jose';
  }

  #isGone(use: ts.Node): boolean {
    const inside = (node: ts.Node) => node.pos <= use.pos && use.end <= node.end;
    return this.#gone.some(inside) && !this.#kept.some(inside);
  }

  #line(statement: ts.Statement): Edit {
    const { text } = this.#source.file;
    const start = statement.getStart(this.#source.file);
    const next = text.indexOf('\n', statement.end);
    const rest = text.slice(statement.end, next < 0 ? text.length : next);
    if (rest.trim() !== '' || next < 0) return { start, end: statement.end, text: '' };
    // One of the empty lines around it goes as well.
    const apart = /\n\r?\n$/.test(text.slice(0, start))
      ? (/^\r?\n/.exec(text.slice(next + 1))?.[0].length ?? 0)
      : 0;
    return { start, end: next + 1 + apart, text: '' };
  }
}
