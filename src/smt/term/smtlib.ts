/** Terms as SMT-LIB 2: a question that any solver can be asked. */
import { inOrder, type Term } from './term.js';

/** What stands at the head of a question. */
export interface QuestionHead {
  /** Comment lines. */
  readonly comments: readonly string[];
  /** The answer that is expected. */
  readonly status: 'sat' | 'unsat' | 'unknown';
}

/**
 * The question whether all of these can be true together: logic, declarations, one definition for each term that is made of others, assertions
 * and `check-sat`. Division by zero never shows in a term, see term.ts.
 */
export function toSmtLib(assertions: readonly Term[], { comments, status }: QuestionHead): string {
  const terms = inOrder(assertions);
  const named = new Map<Term, string>();
  const lines = [
    ...comments.map((comment) => `; ${comment}`),
    '(set-logic QF_BV)',
    `(set-info :status ${status})`,
  ];
  for (const term of terms) {
    if (term.op !== 'var') continue;
    named.set(term, quoted(term.name));
    lines.push(`(declare-const ${named.get(term)} ${sort(term.width)})`);
  }
  for (const term of terms) {
    if (term.op === 'var' || term.op === 'const') continue;
    const name = `t${term.id}`;
    lines.push(`(define-fun ${name} () ${sort(term.width)} ${applied(term, named)})`);
    named.set(term, name);
  }
  lines.push(...assertions.map((term) => `(assert ${word(term, named)})`), '(check-sat)');
  return `${lines.join('\n')}\n`;
}

/** `|delta the socket in r0|`: names of variables are sentences. */
const quoted = (name: string): string => `|${name.replace(/[|\\]/g, '_')}|`;

const sort = (width: number): string => (width === 0 ? 'Bool' : `(_ BitVec ${width})`);

/** A term where it stands as an argument. */
function word(term: Term, named: ReadonlyMap<Term, string>): string {
  if (term.op !== 'const') return named.get(term)!;
  if (term.width === 0) return term.value === 1n ? 'true' : 'false';
  return `(_ bv${term.value} ${term.width})`;
}

function applied(term: Term, named: ReadonlyMap<Term, string>): string {
  const args = term.args.map((arg) => word(arg, named)).join(' ');
  return `(${operator(term)} ${args})`;
}

function operator({ op, width, args, value }: Term): string {
  switch (op) {
    case 'const':
    case 'var':
      throw new Error('a constant or variable has no operator');
    case 'concat':
    case 'ite':
    case 'not':
      return op;
    case 'all':
      return 'and';
    case 'any':
      return 'or';
    case 'eq':
      return '=';
    case 'extract':
      return `(_ extract ${Number(value) + width - 1} ${value})`;
    case 'zext':
      return `(_ zero_extend ${width - args[0]!.width})`;
    case 'sext':
      return `(_ sign_extend ${width - args[0]!.width})`;
    default:
      return `bv${op}`;
  }
}
