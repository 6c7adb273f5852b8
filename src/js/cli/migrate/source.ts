import type ts from 'typescript';

import type { TypeScript } from './typescript.js';

/** What an expression stands for: an export of a module, or a member of one. */
export interface Origin {
  module: string;
  path: readonly string[];
}

/** The members of an object that the source writes out; `spread` are those that it does not. */
export interface Members {
  get(name: string): ts.Expression | undefined;
  names: string[];
  spread: ts.Expression[];
}

/** Renamed as often as this, a name is taken for unreadable. */
const MOST_STEPS = 32;

/**
 * One file with its names bound by TypeScript: scopes, shadowing and imports are the compiler's
 * business. Nothing but this file is read.
 */
export class Source {
  readonly ts: TypeScript;
  readonly file: ts.SourceFile;
  readonly broken: { line: number; column: number } | undefined;
  readonly #checker: ts.TypeChecker;
  readonly #changed = new Set<ts.Symbol>();

  constructor(compiler: TypeScript, name: string, text: string) {
    this.ts = compiler;
    const options: ts.CompilerOptions = {
      allowJs: true,
      noResolve: true,
      noLib: true,
      types: [],
      target: compiler.ScriptTarget.Latest,
      module: compiler.ModuleKind.ESNext,
      jsx: compiler.JsxEmit.Preserve,
    };
    const file = compiler.createSourceFile(name, text, compiler.ScriptTarget.Latest, true);
    const program = compiler.createProgram([name], options, {
      getSourceFile: (asked) => (asked === name ? file : undefined),
      getDefaultLibFileName: () => 'lib.d.ts',
      writeFile: () => undefined,
      getCurrentDirectory: () => '/',
      getCanonicalFileName: (asked) => asked,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      fileExists: (asked) => asked === name,
      readFile: (asked) => (asked === name ? text : undefined),
    });
    this.file = file;
    this.#checker = program.getTypeChecker();
    const [mistake] = program.getSyntacticDiagnostics(file);
    this.broken = mistake && this.at(mistake.start);
    this.walk((node) => this.#noteChange(node));
  }

  /** Line and column of an offset, from 1. */
  at(offset: number): { line: number; column: number } {
    const { line, character } = this.file.getLineAndCharacterOfPosition(offset);
    return { line: line + 1, column: character + 1 };
  }

  walk(visit: (node: ts.Node) => void, from: ts.Node = this.file): void {
    const step = (node: ts.Node): void => {
      visit(node);
      this.ts.forEachChild(node, step);
    };
    step(from);
  }

  /** What a name is bound to; `undefined` where only the type of a member would tell. */
  symbolOf(name: ts.Node): ts.Symbol | undefined {
    const { ts } = this;
    return name.parent && ts.isShorthandPropertyAssignment(name.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(name.parent)
      : this.#checker.getSymbolAtLocation(name);
  }

  /** An expression without what says nothing at run time. */
  bare(expression: ts.Expression): ts.Expression {
    const { ts } = this;
    let inner = expression;
    while (
      ts.isParenthesizedExpression(inner) ||
      ts.isAsExpression(inner) ||
      ts.isSatisfiesExpression(inner) ||
      ts.isNonNullExpression(inner) ||
      ts.isTypeAssertionExpression(inner) ||
      ts.isAwaitExpression(inner)
    )
      inner = inner.expression;
    return inner;
  }

  /** Follows names to what they were given, if they were given nothing else. */
  resolve(expression: ts.Expression, steps = MOST_STEPS): ts.Expression {
    const inner = this.bare(expression);
    const declaration = this.ts.isIdentifier(inner) ? this.#constant(inner) : undefined;
    if (steps === 0 || !declaration || !this.ts.isVariableDeclaration(declaration)) return inner;
    const { initializer, name } = declaration;
    return initializer && this.ts.isIdentifier(name) ? this.resolve(initializer, steps - 1) : inner;
  }

  /** The module and the member of it that an expression stands for. */
  origin(expression: ts.Expression, steps = MOST_STEPS): Origin | undefined {
    const { ts } = this;
    const inner = this.bare(expression);
    if (steps === 0) return undefined;
    if (ts.isPropertyAccessExpression(inner))
      return member(this.origin(inner.expression, steps - 1), inner.name.text);
    if (ts.isElementAccessExpression(inner) && ts.isStringLiteralLike(inner.argumentExpression))
      return member(this.origin(inner.expression, steps - 1), inner.argumentExpression.text);
    if (ts.isCallExpression(inner)) return this.#required(inner);
    if (!ts.isIdentifier(inner)) return undefined;
    return this.#originOf(this.#constant(inner), steps);
  }

  text(expression: ts.Expression | undefined): string | undefined {
    const found = expression && this.resolve(expression);
    return found && this.ts.isStringLiteralLike(found) ? found.text : undefined;
  }

  number(expression: ts.Expression | undefined): number | undefined {
    const found = expression && this.resolve(expression);
    return found && this.ts.isNumericLiteral(found) ? Number(found.text) : undefined;
  }

  /** `true` or `false` where the source says it. */
  truth(expression: ts.Expression | undefined): boolean | undefined {
    const kind = expression && this.resolve(expression).kind;
    if (kind === this.ts.SyntaxKind.TrueKeyword) return true;
    return kind === this.ts.SyntaxKind.FalseKeyword ? false : undefined;
  }

  isNothing(expression: ts.Expression | undefined): boolean {
    if (expression === undefined) return true;
    const found = this.resolve(expression);
    return (
      found.kind === this.ts.SyntaxKind.NullKeyword ||
      (this.ts.isIdentifier(found) && found.text === 'undefined')
    );
  }

  /** The elements of a list that is written out; of one thing, itself. */
  elements(expression: ts.Expression): ts.Expression[] {
    const found = this.resolve(expression);
    return this.ts.isArrayLiteralExpression(found) ? [...found.elements] : [expression];
  }

  members(expression: ts.Expression | undefined): Members {
    const own = new Map<string, ts.Expression>();
    const spread: ts.Expression[] = [];
    if (expression !== undefined) this.#collect(expression, own, spread, MOST_STEPS);
    return { get: (name) => own.get(name), names: [...own.keys()], spread };
  }

  #collect(
    expression: ts.Expression,
    own: Map<string, ts.Expression>,
    spread: ts.Expression[],
    steps: number,
  ): void {
    const { ts } = this;
    const found = this.resolve(expression);
    if (steps === 0 || !ts.isObjectLiteralExpression(found)) {
      if (!this.isNothing(found)) spread.push(expression);
      return;
    }
    for (const property of found.properties) {
      if (ts.isSpreadAssignment(property)) this.#collect(property.expression, own, spread, steps - 1);
      else if (ts.isShorthandPropertyAssignment(property)) own.set(property.name.text, property.name);
      else if (ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name))
        own.set(property.name.text, property.initializer);
      // A function of this name is there, and is no literal.
      else if (property.name && ts.isIdentifier(property.name)) own.set(property.name.text, property.name);
    }
  }

  /** The one declaration of a name that is never given anything else. */
  #constant(name: ts.Identifier): ts.Declaration | undefined {
    const symbol = this.symbolOf(name);
    if (symbol === undefined || this.#changed.has(symbol)) return undefined;
    const { declarations = [] } = symbol;
    return declarations.length === 1 ? declarations[0] : undefined;
  }

  #originOf(declaration: ts.Declaration | undefined, steps: number): Origin | undefined {
    const { ts } = this;
    if (declaration === undefined) return undefined;
    if (ts.isImportSpecifier(declaration))
      return member(
        moduleOf(ts, declaration.parent.parent.parent),
        (declaration.propertyName ?? declaration.name).text,
      );
    if (ts.isNamespaceImport(declaration)) return moduleOf(ts, declaration.parent.parent);
    if (ts.isImportClause(declaration)) return member(moduleOf(ts, declaration.parent), 'default');
    if (ts.isImportEqualsDeclaration(declaration)) {
      const { moduleReference } = declaration;
      if (!ts.isExternalModuleReference(moduleReference)) return undefined;
      return ts.isStringLiteralLike(moduleReference.expression)
        ? { module: moduleReference.expression.text, path: [] }
        : undefined;
    }
    if (ts.isVariableDeclaration(declaration) && ts.isIdentifier(declaration.name))
      return declaration.initializer && this.origin(declaration.initializer, steps - 1);
    return ts.isBindingElement(declaration) ? this.#destructured(declaration, steps) : undefined;
  }

  #destructured(element: ts.BindingElement, steps: number): Origin | undefined {
    const { ts } = this;
    const { parent, propertyName, name, dotDotDotToken } = element;
    if (dotDotDotToken || !ts.isObjectBindingPattern(parent) || !ts.isIdentifier(name)) return undefined;
    const key = propertyName ?? name;
    const holder = parent.parent;
    if (!ts.isVariableDeclaration(holder) || holder.initializer === undefined) return undefined;
    if (!ts.isIdentifier(key) && !ts.isStringLiteralLike(key)) return undefined;
    return member(this.origin(holder.initializer, steps - 1), key.text);
  }

  /** `require('x')` and `import('x')`, where `require` is not a name of the file's own. */
  #required(call: ts.CallExpression): Origin | undefined {
    const { ts } = this;
    const [argument] = call.arguments;
    if (argument === undefined || !ts.isStringLiteralLike(argument)) return undefined;
    const byImport = call.expression.kind === ts.SyntaxKind.ImportKeyword;
    const byRequire =
      ts.isIdentifier(call.expression) &&
      call.expression.text === 'require' &&
      !this.symbolOf(call.expression)?.declarations?.some((one) => one.getSourceFile() === this.file);
    return byImport || byRequire ? { module: argument.text, path: [] } : undefined;
  }

  /** Names that are written to, or into: what they stand for is not what they were given first. */
  #noteChange(node: ts.Node): void {
    const { ts } = this;
    const { FirstAssignment, LastAssignment, PlusPlusToken, MinusMinusToken } = ts.SyntaxKind;
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind >= FirstAssignment && kind <= LastAssignment) this.#changeWithin(node.left);
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      if (node.operator === PlusPlusToken || node.operator === MinusMinusToken)
        this.#changeWithin(node.operand);
    } else if (ts.isForInStatement(node) || ts.isForOfStatement(node)) this.#changeWithin(node.initializer);
  }

  #changeWithin(target: ts.Node): void {
    this.walk((node) => {
      const symbol = this.ts.isIdentifier(node) ? this.symbolOf(node) : undefined;
      if (symbol) this.#changed.add(symbol);
    }, target);
  }
}

function member(origin: Origin | undefined, name: string): Origin | undefined {
  if (origin === undefined) return undefined;
  // The default export of a CommonJS module is the module.
  return name === 'default' ? origin : { module: origin.module, path: [...origin.path, name] };
}

function moduleOf(ts: TypeScript, declaration: ts.Node): Origin | undefined {
  return ts.isImportDeclaration(declaration) && ts.isStringLiteralLike(declaration.moduleSpecifier)
    ? { module: declaration.moduleSpecifier.text, path: [] }
    : undefined;
}
